//! Places on the map: points, circles, polygons, and whether a car is inside.
//!
//! An owner or a delegate states areas in a link (policy 3: the car obeys only inside; policy 15: where it must come back to).
//! The gateway asks [`Area::contains`] with the position of the car. Nothing here touches the heap, so the answer costs the
//! same small memory for any key.
//!
//! Holding an [`Area`] proves that it is well formed: bytes and callers go through the same two constructors.
//!
//! Source: ck1 section 2 (`area`); sizes in section 1.

use arrayvec::ArrayVec;
use thiserror::Error;

use crate::codec::{DecodeError, Reader, Writer};
use crate::limits;

/// Fewest points of a polygon (ck1 section 2).
pub const MIN_POLYGON_POINTS: usize = 3;

/// Greatest latitude, 90°, in 1e-7 degree (ck1 section 2).
pub const MAX_LATITUDE: i32 = 900_000_000;

/// Greatest longitude, 180°, in 1e-7 degree; the same meridian as its negative (ck1 section 2).
pub const MAX_LONGITUDE: i32 = 1_800_000_000;

/// Greatest radius of a circle in meters: the bound of every unsigned number in a policy, 2^53 − 1 (ck1 section 2).
pub const MAX_RADIUS_M: u64 = (1 << 53) - 1;

/// Radius of the sphere on which distances are measured, in meters (ck1 section 2).
pub const SPHERE_RADIUS_M: f64 = 6_371_008.8;

const HALF_TURN: i64 = MAX_LONGITUDE as i64;
const FULL_TURN: i64 = 2 * HALF_TURN;
const RADIANS_PER_UNIT: f64 = core::f64::consts::PI / MAX_LONGITUDE as f64;

/// Why an area or a point is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AreaError {
    /// The latitude, in 1e-7 degree, is beyond a pole.
    #[error("latitude is `{0}`, expected -900000000 to 900000000 (1e-7 degree)")]
    Latitude(i64),
    /// The longitude, in 1e-7 degree, is beyond the antimeridian.
    #[error("longitude is `{0}`, expected -1800000000 to 1800000000 (1e-7 degree)")]
    Longitude(i64),
    /// The radius, in meters, is beyond [`MAX_RADIUS_M`].
    #[error("radius is `{0}` m, expected at most 9007199254740991")]
    Radius(u64),
    /// The polygon has fewer than [`MIN_POLYGON_POINTS`] points.
    #[error("polygon has {0} points, expected at least 3")]
    TooFewPoints(usize),
    /// The polygon has more than [`limits::POLYGON_POINTS`] points.
    #[error("polygon has more than 16 points")]
    TooManyPoints,
    /// The polygon covers 180° of longitude or more, so its inside would be ambiguous.
    #[error("polygon spans 180 degrees of longitude or more")]
    TooWide,
    /// Two points of the polygon, counted from 0, are the same place.
    #[error("polygon points {0} and {1} are the same place")]
    RepeatedPoint(usize, usize),
    /// Two edges of the polygon cross, touch or run back over each other; an edge is named by its first point, counted from 0.
    #[error("polygon edges {0} and {1} cross or touch")]
    SelfCrossing(usize, usize),
}

/// A place on the earth, latitude and longitude in 1e-7 degree.
///
/// Equality compares the numbers as they were given, because a link is signed over them:
/// longitudes −1800000000 and 1800000000 are unequal here and yet one meridian for [`Area::contains`].
///
/// Source: ck1 section 2 (`area`) and section 5 (proof, key 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Point {
    lat: i32,
    lon: i32,
}

impl Point {
    /// Makes a point from latitude and longitude in 1e-7 degree.
    ///
    /// # Errors
    /// [`AreaError::Latitude`] beyond ±90°, [`AreaError::Longitude`] beyond ±180°.
    pub fn new(lat: i64, lon: i64) -> Result<Self, AreaError> {
        Ok(Self {
            lat: bounded(lat, MAX_LATITUDE).ok_or(AreaError::Latitude(lat))?,
            lon: bounded(lon, MAX_LONGITUDE).ok_or(AreaError::Longitude(lon))?,
        })
    }

    /// The latitude in 1e-7 degree, north positive.
    #[must_use]
    pub const fn lat(&self) -> i32 {
        self.lat
    }

    /// The longitude in 1e-7 degree, east positive, as it was given.
    #[must_use]
    pub const fn lon(&self) -> i32 {
        self.lon
    }

    /// The great-circle distance to `other` in meters: haversine on a sphere of [`SPHERE_RADIUS_M`], IEEE doubles.
    ///
    /// Source: ck1 section 2 (`area`).
    #[must_use]
    pub fn distance_m(&self, other: &Self) -> f64 {
        let (from, to) = (radians(i64::from(self.lat)), radians(i64::from(other.lat)));
        let lat_half = libm::sin(radians(i64::from(other.lat) - i64::from(self.lat)) / 2.0);
        let lon_half = libm::sin(radians(eastward(self, other)) / 2.0);
        let haversine = lat_half * lat_half + libm::cos(from) * libm::cos(to) * lon_half * lon_half;
        // Rounding may lift the value of two antipodes above 1, where the arc sine has none.
        2.0 * SPHERE_RADIUS_M * libm::asin(libm::sqrt(haversine).min(1.0))
    }
}

fn bounded(value: i64, limit: i32) -> Option<i32> {
    i32::try_from(value)
        .ok()
        .filter(|value| (-limit..=limit).contains(value))
}

/// The longitude of `to` relative to `from` in 1e-7 degree, the shortest way: above −180°, at most 180°.
fn eastward(from: &Point, to: &Point) -> i64 {
    let turn = (i64::from(to.lon) - i64::from(from.lon)).rem_euclid(FULL_TURN);
    if turn > HALF_TURN {
        turn - FULL_TURN
    } else {
        turn
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "at most 3.6e9, far below 2^53: exact"
)]
fn radians(units: i64) -> f64 {
    units as f64 * RADIANS_PER_UNIT
}

/// A part of the earth in which a key may be used.
///
/// CDDL: `[int, int, uint] / [[3*16 [int, int]]]` (latitude, longitude, radius in meters; or a list of points).
///
/// The two shapes are all that ck1 has, and a third would be refused as unknown, so matches may be complete.
///
/// Source: ck1 section 2 (`area`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Area {
    /// Everything within a distance of a center.
    Circle(Circle),
    /// Everything within a line drawn over the map.
    Polygon(Polygon),
}

impl Area {
    /// Makes a circle around `center` with a radius in meters; zero is the center alone.
    ///
    /// # Errors
    /// [`AreaError::Radius`] above [`MAX_RADIUS_M`].
    pub fn circle(center: Point, radius_m: u64) -> Result<Self, AreaError> {
        if radius_m > MAX_RADIUS_M {
            return Err(AreaError::Radius(radius_m));
        }
        Ok(Self::Circle(Circle { center, radius_m }))
    }

    /// Makes a polygon from its corners in order, either way round; the last is joined to the first.
    ///
    /// Between two corners the edge is straight in plain latitude and longitude (the map, not the globe), the shortest way
    /// in longitude. The poles get no special care: there, too, a polygon is a shape of latitudes and longitudes.
    ///
    /// # Errors
    /// [`AreaError::TooFewPoints`] and [`AreaError::TooManyPoints`] outside 3 to 16 corners; [`AreaError::TooWide`] from 180° of
    /// longitude; [`AreaError::RepeatedPoint`] if two corners are one place; [`AreaError::SelfCrossing`] if two edges
    /// share anything but the corner between neighbors.
    pub fn polygon(points: impl IntoIterator<Item = Point>) -> Result<Self, AreaError> {
        Polygon::new(points).map(Self::Polygon)
    }

    /// Whether `point` is inside; the border is.
    ///
    /// A circle compares [`Point::distance_m`] with the radius (gateways may differ by 1 m). A polygon is decided in exact
    /// integers. No heap; at most 16 edges of work.
    ///
    /// Source: ck1 section 2 (`area`).
    #[must_use]
    pub fn contains(&self, point: &Point) -> bool {
        match self {
            Self::Circle(circle) => circle.contains(point),
            Self::Polygon(polygon) => polygon.contains(point),
        }
    }
}

/// A center and a radius; made by [`Area::circle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circle {
    center: Point,
    radius_m: u64,
}

impl Circle {
    /// The center.
    #[must_use]
    pub const fn center(&self) -> Point {
        self.center
    }

    /// The radius in meters, at most [`MAX_RADIUS_M`].
    #[must_use]
    pub const fn radius_m(&self) -> u64 {
        self.radius_m
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "at most 2^53 - 1 by construction: exact"
    )]
    fn contains(&self, point: &Point) -> bool {
        self.center.distance_m(point) <= self.radius_m as f64
    }
}

/// A line without crossings through 3 to 16 corners; made by [`Area::polygon`].
// INVARIANT: 3 to 16 corners, a span below 180° of longitude, no corner twice, no two edges that share more than the
// corner between neighbors. `contains` relies on the span: every corner has one longitude relative to the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polygon {
    points: ArrayVec<Point, { limits::POLYGON_POINTS }>,
}

impl Polygon {
    /// The corners in order, as they were given.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    fn new(points: impl IntoIterator<Item = Point>) -> Result<Self, AreaError> {
        let mut corners = ArrayVec::new();
        for point in points {
            corners
                .try_push(point)
                .map_err(|_full| AreaError::TooManyPoints)?;
        }
        if corners.len() < MIN_POLYGON_POINTS {
            return Err(AreaError::TooFewPoints(corners.len()));
        }
        let polygon = Self { points: corners };
        polygon.check_span()?;
        polygon.check_repeats()?;
        polygon.check_crossings()?;
        Ok(polygon)
    }

    // A shape wider than half the globe fails here also when its true outline would run the long way round: unrolled the
    // short way it then spans 180° or more as well.
    fn check_span(&self) -> Result<(), AreaError> {
        let longitudes = || self.corners().map(|corner| corner.x);
        let span = longitudes()
            .max()
            .zip(longitudes().min())
            .map(|(east, west)| east - west);
        match span {
            Some(span) if span < HALF_TURN => Ok(()),
            _ => Err(AreaError::TooWide),
        }
    }

    fn check_repeats(&self) -> Result<(), AreaError> {
        for (second, corner) in self.corners().enumerate() {
            if let Some(first) = self
                .corners()
                .take(second)
                .position(|earlier| earlier == corner)
            {
                return Err(AreaError::RepeatedPoint(first, second));
            }
        }
        Ok(())
    }

    fn check_crossings(&self) -> Result<(), AreaError> {
        let count = self.points.len();
        for (second, later) in self.edges().enumerate() {
            for (first, earlier) in self.edges().enumerate().take(second) {
                let crossed = if first + 1 == second {
                    earlier.runs_back_over(&later)
                } else if first == 0 && second + 1 == count {
                    later.runs_back_over(&earlier)
                } else {
                    earlier.meets(&later)
                };
                if crossed {
                    return Err(AreaError::SelfCrossing(first, second));
                }
            }
        }
        Ok(())
    }

    fn contains(&self, point: &Point) -> bool {
        let Some(first) = self.points.first() else {
            return false;
        };
        let spot = Flat::unrolled(first, point);
        let mut inside = false;
        for edge in self.edges() {
            if edge.holds(spot) {
                return true;
            }
            if edge.is_crossed_eastward_of(spot) {
                inside = !inside;
            }
        }
        inside
    }

    /// The corners on a plane, longitudes relative to the first corner.
    fn corners(&self) -> impl Iterator<Item = Flat> {
        self.points
            .iter()
            .map(|point| Flat::unrolled(&self.points[0], point))
    }

    /// The edges in order; the last leads back to the first corner.
    fn edges(&self) -> impl Iterator<Item = Edge> {
        let ends = self.corners().skip(1).chain(self.corners().take(1));
        self.corners().zip(ends).map(|(from, to)| Edge { from, to })
    }
}

/// A place on the plane of one polygon: `x` longitude relative to its first corner, `y` latitude, in 1e-7 degree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Flat {
    x: i64,
    y: i64,
}

impl Flat {
    fn unrolled(origin: &Point, point: &Point) -> Self {
        Self {
            x: eastward(origin, point),
            y: i64::from(point.lat),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Edge {
    from: Flat,
    to: Flat,
}

impl Edge {
    /// Positive if `spot` lies to the left of the edge, negative to the right, zero on its line.
    // Differences reach 3.6e9 and 1.8e9, so the sum of two products passes the 64 bits of an i64.
    fn side(&self, spot: Flat) -> i128 {
        let along = (
            i128::from(self.to.x - self.from.x),
            i128::from(self.to.y - self.from.y),
        );
        let away = (
            i128::from(spot.x - self.from.x),
            i128::from(spot.y - self.from.y),
        );
        along.0 * away.1 - along.1 * away.0
    }

    /// Whether `spot` is on the edge, ends included.
    fn holds(&self, spot: Flat) -> bool {
        let between = |a: i64, b: i64, value: i64| (a.min(b)..=a.max(b)).contains(&value);
        self.side(spot) == 0
            && between(self.from.x, self.to.x, spot.x)
            && between(self.from.y, self.to.y, spot.y)
    }

    /// Whether a ray from `spot` to the east crosses the edge. The southern end counts and the northern does not,
    /// so that a ray through a corner is counted once where the outline passes it, and evenly where it turns back.
    fn is_crossed_eastward_of(&self, spot: Flat) -> bool {
        let northward = self.to.y > self.from.y;
        (self.from.y > spot.y) != (self.to.y > spot.y) && (self.side(spot) > 0) == northward
    }

    /// Whether two edges share a place.
    fn meets(&self, other: &Self) -> bool {
        let parted =
            |edge: &Self, by: &Self| by.side(edge.from).signum() * by.side(edge.to).signum() < 0;
        (parted(self, other) && parted(other, self))
            || self.holds(other.from)
            || self.holds(other.to)
            || other.holds(self.from)
            || other.holds(self.to)
    }

    /// Whether `next`, which begins where this edge ends, returns along it.
    fn runs_back_over(&self, next: &Self) -> bool {
        let along = |edge: &Self| {
            (
                i128::from(edge.to.x - edge.from.x),
                i128::from(edge.to.y - edge.from.y),
            )
        };
        let ((x, y), (next_x, next_y)) = (along(self), along(next));
        self.side(next.to) == 0 && x * next_x + y * next_y < 0
    }
}

impl From<AreaError> for DecodeError {
    fn from(error: AreaError) -> Self {
        Self::Malformed(match error {
            AreaError::Latitude(_) => "latitude out of range",
            AreaError::Longitude(_) => "longitude out of range",
            AreaError::Radius(_) => "radius out of range",
            AreaError::TooFewPoints(_) | AreaError::TooManyPoints => {
                "polygon has the wrong number of points"
            }
            AreaError::TooWide => "polygon spans 180 degrees of longitude or more",
            AreaError::RepeatedPoint(..) => "polygon has a point twice",
            AreaError::SelfCrossing(..) => "polygon crosses itself",
        })
    }
}

/// Reads `[latitude, longitude]`, both in 1e-7 degree.
///
/// # Errors
/// [`DecodeError::Malformed`] for anything else, values out of range included.
///
/// Source: ck1 section 2 (`area`) and section 5 (proof, key 9).
pub fn read_point(reader: &mut Reader<'_>) -> Result<Point, DecodeError> {
    reader.array_of(2, 2)?;
    Ok(Point::new(reader.int()?, reader.int()?)?)
}

/// Writes a point as [`read_point`] reads it.
pub fn write_point(writer: &mut Writer, point: &Point) {
    writer
        .array(2)
        .int(i64::from(point.lat))
        .int(i64::from(point.lon));
}

/// Reads one area and checks its shape.
///
/// CDDL: `[int, int, uint] / [[3*16 [int, int]]]`.
///
/// # Errors
/// [`DecodeError::Malformed`] for any other shape and for whatever [`Area::circle`] or [`Area::polygon`] refuses.
///
/// Source: ck1 section 2 (`area`).
pub fn read_area(reader: &mut Reader<'_>) -> Result<Area, DecodeError> {
    match reader.array()? {
        1 => {
            let count = reader.array_of(MIN_POLYGON_POINTS, limits::POLYGON_POINTS)?;
            let mut points = ArrayVec::<_, { limits::POLYGON_POINTS }>::new();
            for _ in 0..count {
                points.push(read_point(reader)?);
            }
            Ok(Area::polygon(points)?)
        }
        3 => {
            let center = Point::new(reader.int()?, reader.int()?)?;
            Ok(Area::circle(center, reader.uint()?)?)
        }
        _ => Err(DecodeError::Malformed("area is neither circle nor polygon")),
    }
}

/// Writes an area as [`read_area`] reads it.
pub fn write_area(writer: &mut Writer, area: &Area) {
    match area {
        Area::Circle(Circle { center, radius_m }) => {
            writer
                .array(3)
                .int(i64::from(center.lat))
                .int(i64::from(center.lon))
                .uint(*radius_m);
        }
        Area::Polygon(Polygon { points }) => {
            writer.array(1).array(points.len());
            points.iter().for_each(|point| write_point(writer, point));
        }
    }
}

#[cfg(test)]
mod tests;
