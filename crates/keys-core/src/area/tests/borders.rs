//! Borders to the unit, of both kinds of area, also at the poles and on the antimeridian.

use super::*;

/// Length of one unit of latitude, and of longitude on the equator, in meters.
const UNIT_M: f64 = SPHERE_RADIUS_M * RADIANS_PER_UNIT;

/// Units that a circle of this radius reaches along a great circle; none of the radii used ends near a whole unit.
#[expect(clippy::cast_possible_truncation, reason = "far below 2^53")]
fn reach(radius_m: u32) -> i64 {
    let units = f64::from(radius_m) / UNIT_M;
    assert!((units - libm::round(units)).abs() > 0.01, "{radius_m}");
    libm::floor(units) as i64
}

/// The place `units` north of the equator on the great circle through the poles: past one it comes down on the other side.
fn over_the_pole(units: i64, lon: i64) -> Point {
    let pole = i64::from(MAX_LATITUDE);
    if units > pole {
        at(2 * pole - units, moved_east(lon, HALF_TURN))
    } else if units < -pole {
        at(-2 * pole - units, moved_east(lon, HALF_TURN))
    } else {
        at(units, lon)
    }
}

#[test]
fn a_circle_ends_within_one_unit_along_every_meridian_also_over_a_pole() {
    let pole = i64::from(MAX_LATITUDE);
    for radius_m in [1, 150, 2_500, 99_999, 1_234_567] {
        let reach = reach(radius_m);
        for center in [0, 5_000, pole - 7_000, pole - 1, pole, 1 - pole, -pole] {
            for lon in [
                -HALF_TURN,
                -900_000_001,
                -1,
                0,
                77,
                1_799_999_999,
                HALF_TURN,
            ] {
                let circle = Area::circle(at(center, lon), radius_m.into()).unwrap();
                for sign in [-1, 1] {
                    let inside = over_the_pole(center + sign * reach, lon);
                    let outside = over_the_pole(center + sign * (reach + 1), lon);
                    assert!(circle.contains(&inside), "{radius_m} {center} {lon}");
                    assert!(!circle.contains(&outside), "{radius_m} {center} {lon}");
                }
            }
        }
    }
}

#[test]
fn a_circle_ends_within_one_unit_along_the_equator_also_over_the_antimeridian() {
    for radius_m in [1, 150, 2_500, 99_999, 1_234_567] {
        let reach = reach(radius_m);
        for lon in [
            -HALF_TURN,
            1 - HALF_TURN,
            -3,
            0,
            HALF_TURN - 9_000,
            HALF_TURN - 1,
            HALF_TURN,
        ] {
            let circle = Area::circle(at(0, lon), radius_m.into()).unwrap();
            for sign in [-1, 1] {
                let inside = at(0, moved_east(lon, sign * reach));
                let outside = at(0, moved_east(lon, sign * (reach + 1)));
                assert!(circle.contains(&inside), "{radius_m} {lon}");
                assert!(!circle.contains(&outside), "{radius_m} {lon}");
            }
        }
    }
}

/// A box between two latitudes from one longitude so many units to the east.
fn boxed(south: i64, north: i64, west: i64, width: i64) -> Area {
    let east = moved_east(west, width);
    Area::polygon([
        at(south, west),
        at(south, east),
        at(north, east),
        at(north, west),
    ])
    .unwrap()
}

#[test]
fn a_box_ends_at_the_unit_wherever_it_lies() {
    let width = 3 * DEGREE;
    for (south, north) in [
        (-5, 8),
        (89 * DEGREE, 90 * DEGREE),
        (-90 * DEGREE, -89 * DEGREE),
    ] {
        for west in [
            0,
            HALF_TURN - width,
            HALF_TURN - 7,
            HALF_TURN - 1,
            -HALF_TURN,
            1 - HALF_TURN,
        ] {
            let area = boxed(south, north, west, width);
            let middle = moved_east(west, width / 2);
            for lat in [south, (south + north) / 2, north] {
                for (east, inside) in [
                    (-1, false),
                    (0, true),
                    (1, true),
                    (width - 1, true),
                    (width, true),
                    (width + 1, false),
                ] {
                    let place = at(lat, moved_east(west, east));
                    assert_eq!(area.contains(&place), inside, "{south} {west} {lat} {east}");
                }
            }
            for (lat, inside) in [
                (south - 1, false),
                (south, true),
                (north, true),
                (north + 1, false),
            ] {
                if let Ok(place) = Point::new(lat, middle) {
                    assert_eq!(area.contains(&place), inside, "{south} {west} {lat}");
                }
            }
        }
    }
}

#[test]
fn the_antimeridian_has_two_names_and_one_place() {
    for west in [HALF_TURN - 7, HALF_TURN - 1, -HALF_TURN, HALF_TURN] {
        let area = boxed(-5, 8, west, 10);
        for lat in [-6, -5, 0, 8, 9] {
            let inside = (-5..=8).contains(&lat);
            assert_eq!(area.contains(&at(lat, HALF_TURN)), inside, "{west} {lat}");
            assert_eq!(area.contains(&at(lat, -HALF_TURN)), inside, "{west} {lat}");
        }
    }
    let dot = Area::circle(at(0, -HALF_TURN), 0).unwrap();
    assert!(dot.contains(&at(0, HALF_TURN)) && !dot.contains(&at(0, HALF_TURN - 1)));
}

#[test]
fn no_polygon_goes_round_a_pole_so_none_holds_it_but_by_its_longitudes() {
    // Three corners around the pole span 240 degrees and are refused; a wedge up to it holds its own longitudes.
    for pole in [90, -90] {
        let around = [(-120, 1), (0, 1), (120, 1)]
            .map(|(lon, short)| at(pole * DEGREE - pole.signum() * short * DEGREE, lon * DEGREE));
        assert_eq!(Area::polygon(around), Err(AreaError::TooWide));
        let (low, high) = ((pole - pole.signum()) * DEGREE, pole * DEGREE);
        let wedge = boxed(low.min(high), low.max(high), -30 * DEGREE, 60 * DEGREE);
        for (lon, inside) in [
            (-30 * DEGREE - 1, false),
            (-30 * DEGREE, true),
            (0, true),
            (30 * DEGREE, true),
            (30 * DEGREE + 1, false),
        ] {
            assert_eq!(wedge.contains(&at(high, lon)), inside, "{pole} {lon}");
        }
    }
}
