use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

mod borders;

const DEGREE: i64 = 10_000_000;

fn at(lat: i64, lon: i64) -> Point {
    Point::new(lat, lon).unwrap()
}

fn degrees(lat: i64, lon: i64) -> Point {
    at(lat * DEGREE, lon * DEGREE)
}

fn polygon(corners: &[(i64, i64)]) -> Result<Area, AreaError> {
    Area::polygon(corners.iter().map(|(lat, lon)| degrees(*lat, *lon)))
}

/// The longitude `east` units east of `from`, brought back below half a turn.
fn moved_east(from: i64, east: i64) -> i64 {
    (from + east + HALF_TURN).rem_euclid(FULL_TURN) - HALF_TURN
}

#[test]
fn a_point_reaches_the_poles_and_the_antimeridian_and_no_further() {
    for sign in [-1, 1] {
        for (over, fits) in [(-1, true), (0, true), (1, false)] {
            assert_eq!(Point::new(sign * (900_000_000 + over), 0).is_ok(), fits);
            assert_eq!(Point::new(0, sign * (1_800_000_000 + over)).is_ok(), fits);
        }
    }
    assert_eq!(Point::new(i64::MAX, 0), Err(AreaError::Latitude(i64::MAX)));
    assert_eq!(Point::new(0, i64::MIN), Err(AreaError::Longitude(i64::MIN)));
}

#[test]
fn a_degree_of_latitude_has_the_length_of_the_stated_sphere() {
    let distance = degrees(50, 8).distance_m(&degrees(51, 8));
    assert!((distance - 111_195.079_734).abs() < 0.001, "{distance}");
}

#[test]
fn berlin_to_new_york_is_as_far_as_on_other_maps() {
    let distance = at(525_200_000, 134_050_000).distance_m(&at(407_128_000, -740_060_000));
    assert!((distance - 6_385_000.0).abs() < 2_000.0, "{distance}");
}

#[test]
fn antipodes_are_half_a_circumference_apart() {
    let half = core::f64::consts::PI * SPHERE_RADIUS_M;
    for (from, to) in [
        (degrees(0, 0), degrees(0, 180)),
        (degrees(90, 0), degrees(-90, 55)),
        (degrees(37, -120), degrees(-37, 60)),
    ] {
        assert!((from.distance_m(&to) - half).abs() < 0.5);
    }
}

#[test]
fn a_circle_holds_what_is_at_most_its_radius_away() {
    let (center, place) = (degrees(50, 8), degrees(51, 8));
    for (radius_m, inside) in [(111_194, false), (111_195, false), (111_196, true)] {
        assert_eq!(
            Area::circle(center, radius_m).unwrap().contains(&place),
            inside,
            "{radius_m}"
        );
    }
}

#[test]
fn a_circle_of_no_radius_holds_its_center_under_both_names_of_the_antimeridian() {
    let dot = Area::circle(degrees(12, 180), 0).unwrap();
    assert!(dot.contains(&degrees(12, -180)));
    assert!(dot.contains(&degrees(12, 180)));
    assert!(!dot.contains(&at(12 * DEGREE, 180 * DEGREE - 1)));
}

#[test]
fn a_circle_reaches_across_the_antimeridian() {
    let circle = Area::circle(at(0, 180 * DEGREE - 1_000), 100).unwrap();
    assert!(circle.contains(&at(0, -180 * DEGREE + 1_000)));
    assert!(!circle.contains(&at(0, -180 * DEGREE + 100_000)));
}

#[test]
fn a_circle_around_a_pole_holds_every_longitude() {
    for pole in [90, -90] {
        let circle = Area::circle(degrees(pole, 0), 200).unwrap();
        for lon in [-180, -90, 0, 45, 179] {
            assert!(circle.contains(&degrees(pole, lon)));
            assert!(circle.contains(&at(pole * (DEGREE - 100), lon * DEGREE)));
            assert!(!circle.contains(&at(pole * (DEGREE - 300), lon * DEGREE)));
        }
    }
}

#[test]
fn the_greatest_radius_holds_the_whole_earth_and_one_more_is_refused() {
    let earth = Area::circle(degrees(0, 0), MAX_RADIUS_M).unwrap();
    assert!(earth.contains(&degrees(0, 180)));
    assert_eq!(
        Area::circle(degrees(0, 0), MAX_RADIUS_M + 1),
        Err(AreaError::Radius(MAX_RADIUS_M + 1))
    );
}

#[test]
fn the_border_of_a_polygon_is_inside_and_the_next_unit_is_not() {
    let square = polygon(&[(50, 8), (50, 9), (51, 9), (51, 8)]).unwrap();
    let (south, west, north, east) = (50 * DEGREE, 8 * DEGREE, 51 * DEGREE, 9 * DEGREE);
    let middle = (50 * DEGREE + 5, 8 * DEGREE + 7);
    for (over, inside) in [(-1, true), (0, true), (1, false)] {
        for (lat, lon) in [
            (north + over, middle.1),
            (south - over, middle.1),
            (middle.0, east + over),
            (middle.0, west - over),
        ] {
            assert_eq!(square.contains(&at(lat, lon)), inside, "{lat} {lon}");
        }
    }
    for (lat, lon) in [(south, west), (south, east), (north, west), (north, east)] {
        assert!(square.contains(&at(lat, lon)), "corners are border");
    }
}

#[test]
fn a_slanted_border_is_decided_exactly() {
    let wide =
        Area::polygon([at(0, 0), at(899_999_999, 1_799_999_998), at(899_999_999, 0)]).unwrap();
    // The slope is 2 units of longitude to 1 of latitude, so these lie on the edge and one unit beside it.
    assert!(wide.contains(&at(899_999_000, 1_799_998_000)));
    assert!(!wide.contains(&at(899_999_000, 1_799_998_001)));
    assert!(wide.contains(&at(899_999_000, 1_799_997_999)));
}

#[test]
fn a_ray_through_corners_does_not_confuse_a_polygon() {
    let hollow = polygon(&[(0, 0), (0, 8), (4, 8), (2, 6), (4, 4), (2, 2), (4, 0)]).unwrap();
    let inside = [(2, 1), (2, 4), (2, 7), (1, 1), (3, 4), (4, 4), (2, 2)];
    let outside = [
        (2, -1),
        (2, 9),
        (3, 2),
        (3, 6),
        (4, 2),
        (4, -1),
        (0, -1),
        (5, 4),
    ];
    for (lat, lon) in inside {
        assert!(hollow.contains(&degrees(lat, lon)), "{lat} {lon}");
    }
    for (lat, lon) in outside {
        assert!(!hollow.contains(&degrees(lat, lon)), "{lat} {lon}");
    }
}

#[test]
fn a_polygon_across_the_antimeridian_holds_both_sides_and_not_the_rest_of_the_world() {
    let fiji = polygon(&[(-20, 177), (-20, -178), (-15, -178), (-15, 177)]).unwrap();
    for lon in [177, 179, 180, -180, -179, -178] {
        assert!(fiji.contains(&degrees(-17, lon)), "{lon}");
    }
    for lon in [176, -177, 0, -3, 3, 90, -90] {
        assert!(!fiji.contains(&degrees(-17, lon)), "{lon}");
    }
}

#[test]
fn a_polygon_border_on_the_antimeridian_is_inside_under_both_names() {
    for edge in [180, -180] {
        let area = polygon(&[(0, 170), (0, edge), (10, edge), (10, 170)]).unwrap();
        assert!(area.contains(&degrees(5, 180)) && area.contains(&degrees(5, -180)));
        assert!(!area.contains(&at(5 * DEGREE, -180 * DEGREE + 1)));
    }
}

#[test]
fn at_a_pole_a_polygon_is_a_shape_of_latitude_and_longitude() {
    let cap = polygon(&[(80, 0), (80, 90), (90, 90), (90, 0)]).unwrap();
    assert!(cap.contains(&degrees(90, 45)));
    assert!(cap.contains(&degrees(90, 0)));
    assert!(
        !cap.contains(&degrees(90, -45)),
        "the same place on a globe, another on the map"
    );
}

#[test]
fn a_polygon_must_span_less_than_half_the_globe() {
    let reaching = |east: i64| Area::polygon([at(0, -90 * DEGREE), at(0, east), at(10, 0)]);
    assert!(reaching(90 * DEGREE - 1).is_ok());
    assert_eq!(reaching(90 * DEGREE), Err(AreaError::TooWide));
    assert_eq!(reaching(90 * DEGREE + 1), Err(AreaError::TooWide));
    assert_eq!(
        polygon(&[(80, 0), (80, 120), (80, -120)]),
        Err(AreaError::TooWide),
        "around a pole"
    );
    assert_eq!(
        polygon(&[(0, 0), (10, 100), (0, -100)]),
        Err(AreaError::TooWide),
        "wide about its first corner"
    );
}

#[test]
fn a_polygon_has_three_to_sixteen_corners() {
    let ring = |count: i64| Area::polygon((0..count).map(|step| at(step * step, step)));
    assert_eq!(ring(0), Err(AreaError::TooFewPoints(0)));
    assert_eq!(ring(2), Err(AreaError::TooFewPoints(2)));
    assert!(ring(3).is_ok());
    assert!(ring(16).is_ok());
    assert_eq!(ring(17), Err(AreaError::TooManyPoints));
}

#[test]
fn a_polygon_names_no_place_twice() {
    assert_eq!(
        polygon(&[(0, 0), (0, 0), (5, 5), (0, 9)]),
        Err(AreaError::RepeatedPoint(0, 1))
    );
    assert_eq!(
        polygon(&[(0, 0), (0, 9), (5, 5), (0, 0)]),
        Err(AreaError::RepeatedPoint(0, 3)),
        "closed by hand"
    );
    assert_eq!(
        polygon(&[(0, 180), (9, 170), (0, -180)]),
        Err(AreaError::RepeatedPoint(0, 2)),
        "two names of one meridian"
    );
}

#[test]
fn edges_of_a_polygon_neither_cross_nor_touch_nor_run_back() {
    assert_eq!(
        polygon(&[(0, 0), (9, 9), (9, 0), (0, 9)]),
        Err(AreaError::SelfCrossing(0, 2)),
        "bow tie"
    );
    assert_eq!(
        polygon(&[(0, 0), (0, 9), (9, 9), (0, 4), (9, 0)]),
        Err(AreaError::SelfCrossing(0, 2)),
        "corner on an edge"
    );
    assert_eq!(
        polygon(&[(0, 0), (0, 9), (0, 4), (9, 4)]),
        Err(AreaError::SelfCrossing(0, 1)),
        "spike"
    );
    assert_eq!(
        polygon(&[(0, 0), (0, 5), (0, 9)]),
        Err(AreaError::SelfCrossing(0, 2)),
        "a line"
    );
    assert_eq!(
        polygon(&[(0, 5), (5, 5), (0, 9), (0, 0)]),
        Err(AreaError::SelfCrossing(0, 2)),
        "spike at the closing corner"
    );
}

#[test]
fn a_needless_corner_in_the_middle_of_an_edge_is_allowed() {
    let square = polygon(&[(0, 0), (0, 4), (0, 9), (9, 9), (9, 0), (4, 0)]).unwrap();
    assert!(
        square.contains(&degrees(4, 4))
            && square.contains(&degrees(0, 4))
            && !square.contains(&degrees(-1, 4))
    );
}

fn encode(area: &Area) -> Vec<u8> {
    let mut writer = Writer::new();
    write_area(&mut writer, area);
    writer.into_bytes()
}

fn decode(bytes: &[u8]) -> Result<Area, DecodeError> {
    let mut reader = Reader::new(bytes);
    let area = read_area(&mut reader)?;
    reader.finish()?;
    Ok(area)
}

#[test]
fn areas_have_the_bytes_of_the_format() {
    assert_eq!(
        encode(&Area::circle(at(1, -2), 300).unwrap()),
        [0x83, 0x01, 0x21, 0x19, 0x01, 0x2c]
    );
    let triangle = Area::polygon([at(0, 0), at(0, 1), at(1, 0)]).unwrap();
    assert_eq!(
        encode(&triangle),
        [0x81, 0x83, 0x82, 0, 0, 0x82, 0, 1, 0x82, 1, 0]
    );
}

#[test]
fn other_shapes_are_refused_while_reading() {
    let refused: [&[u8]; 10] = [
        &[0x80],                                              // nothing
        &[0x82, 0, 0],                                        // a point
        &[0x84, 0, 0, 0, 0],                                  // one number too many
        &[0x83, 0, 0, 0x20],                                  // negative radius
        &[0x83, 0x1a, 0x35, 0xa4, 0xe9, 0x01, 0, 0],          // latitude 900000001
        &[0x83, 0, 0x3a, 0x6b, 0x49, 0xd2, 0x00, 0],          // longitude -1800000001
        &[0x81, 0x82, 0x82, 0, 0, 0x82, 0, 1],                // two corners
        &[0x81, 0x83, 0x82, 0, 0, 0x82, 0, 1, 0x83, 1, 0, 0], // a corner of three numbers
        &[0x81, 0x83, 0x82, 0, 0, 0x82, 0, 1, 0x82, 0, 2],    // a line
        &[0x81, 0x98, 0x11],                                  // seventeen corners
    ];
    for bytes in refused {
        assert!(
            matches!(decode(bytes), Err(DecodeError::Malformed(_))),
            "{bytes:02x?}"
        );
    }
}

/// A corner of a shape around an origin, or a place near it: units east and north of the origin.
type Offset = (i64, i64);

/// Shapes in which every corner is seen from the origin: simple by construction, with a second way to tell inside.
fn star() -> impl Strategy<Value = Vec<Offset>> {
    prop::collection::vec(10_000_i64..2_000_000, 5..=16).prop_map(|lengths| {
        let turn = 2.0 * core::f64::consts::PI / lengths.len() as f64;
        lengths
            .iter()
            .enumerate()
            .map(|(step, length)| arm(turn * step as f64, *length))
            .collect()
    })
}

#[expect(clippy::cast_possible_truncation, reason = "at most 2e6")]
fn arm(angle: f64, length: i64) -> Offset {
    (
        (length as f64 * libm::cos(angle)) as i64,
        (length as f64 * libm::sin(angle)) as i64,
    )
}

fn placed(origin: Offset, offset: Offset) -> Point {
    at(origin.1 + offset.1, moved_east(origin.0, offset.0))
}

fn fan_holds(corners: &[Offset], place: Offset) -> bool {
    let side = |a: Offset, b: Offset| a.0 * b.1 - a.1 * b.0;
    let less = |a: Offset, b: Offset| (a.0 - b.0, a.1 - b.1);
    (0..corners.len()).any(|first| {
        let (from, to) = (corners[first], corners[(first + 1) % corners.len()]);
        side(from, place) >= 0
            && side(to, place) <= 0
            && side(less(to, from), less(place, from)) >= 0
    })
}

fn origin() -> impl Strategy<Value = Offset> {
    let lon = prop_oneof![Just(HALF_TURN - 7), Just(-HALF_TURN), -HALF_TURN..HALF_TURN];
    (lon, -890_000_000_i64..890_000_000)
}

proptest! {
    #[test]
    fn a_star_holds_what_one_of_its_triangles_holds_wherever_it_lies(
        corners in star(),
        origin in origin(),
        places in prop::collection::vec((-2_000_000_i64..2_000_000, -2_000_000_i64..2_000_000), 20),
    ) {
        let area = Area::polygon(corners.iter().map(|corner| placed(origin, *corner))).unwrap();
        for place in corners.iter().chain(&places) {
            prop_assert_eq!(area.contains(&placed(origin, *place)), fan_holds(&corners, *place), "{:?}", place);
        }
    }

    #[test]
    fn neither_the_first_corner_nor_the_direction_matters(
        corners in star(), origin in origin(), turn in 0_usize..16, x in -2_000_000_i64..2_000_000, y in -2_000_000_i64..2_000_000,
    ) {
        let points: Vec<_> = corners.iter().map(|corner| placed(origin, *corner)).collect();
        let mut other = points.clone();
        other.rotate_left(turn % points.len());
        other.reverse();
        let place = placed(origin, (x, y));
        prop_assert_eq!(Area::polygon(points).unwrap().contains(&place), Area::polygon(other).unwrap().contains(&place));
    }

    #[test]
    fn distance_is_the_same_in_both_directions_and_never_beyond_the_antipode(
        a in (-900_000_000_i64..=900_000_000, -HALF_TURN..=HALF_TURN), b in (-900_000_000_i64..=900_000_000, -HALF_TURN..=HALF_TURN),
    ) {
        let (a, b) = (at(a.0, a.1), at(b.0, b.1));
        let there = a.distance_m(&b);
        prop_assert!((there - b.distance_m(&a)).abs() < 1e-3);
        prop_assert!((0.0..=core::f64::consts::PI * SPHERE_RADIUS_M + 1.0).contains(&there));
    }

    #[test]
    fn a_circle_has_one_radius_at_which_a_place_enters(
        place in (-900_000_000_i64..=900_000_000, -HALF_TURN..=HALF_TURN), radius_m in 0_u64..20_100_000,
    ) {
        let (center, place) = (degrees(48, 11), at(place.0, place.1));
        let inside = Area::circle(center, radius_m).unwrap().contains(&place);
        let wider = Area::circle(center, radius_m + 1).unwrap().contains(&place);
        prop_assert!(!inside || wider);
    }

    #[test]
    fn areas_come_back_as_written(corners in star(), origin in origin(), radius_m in 0..=MAX_RADIUS_M) {
        let polygon = Area::polygon(corners.iter().map(|corner| placed(origin, *corner))).unwrap();
        let circle = Area::circle(placed(origin, (0, 0)), radius_m).unwrap();
        prop_assert_eq!(decode(&encode(&polygon)), Ok(polygon));
        prop_assert_eq!(decode(&encode(&circle)), Ok(circle));
    }

    #[test]
    fn any_corners_make_an_area_or_a_refusal(
        corners in prop::collection::vec((-900_000_000_i64..=900_000_000, -HALF_TURN..=HALF_TURN), 0..20),
        small in prop::collection::vec((-3_i64..=3, -3_i64..=3), 3..8),
        place in (-900_000_000_i64..=900_000_000, -HALF_TURN..=HALF_TURN),
    ) {
        for corners in [corners, small] {
            if let Ok(area) = Area::polygon(corners.iter().map(|(lat, lon)| at(*lat, *lon))) {
                let _ = area.contains(&at(place.0, place.1));
                prop_assert!(corners.iter().all(|(lat, lon)| area.contains(&at(*lat, *lon))));
                prop_assert_eq!(decode(&encode(&area)), Ok(area));
            }
        }
    }

    #[test]
    fn any_bytes_read_to_an_area_that_writes_them_again_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(area) = decode(&bytes) {
            prop_assert_eq!(encode(&area), bytes);
        }
    }
}
