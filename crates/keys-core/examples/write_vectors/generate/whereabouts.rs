//! Areas and weekly hours by themselves.

use super::cbor::{V, a, n, t};
use super::group::Group;
use super::json::{J, obj};
use super::policies::ring;
use super::scene::{DAY, HOUR, NOW, UNKNOWN};

pub(crate) fn groups() -> Vec<Group> {
    vec![areas(), hours()]
}

fn areas() -> Group {
    let mut group = Group::of_kind(
        1300,
        "areas",
        "area",
        "Which places lie in an area; none is within 2 m of a circle's border",
    );
    circles(&mut group);
    polygons(&mut group);
    odd_polygons(&mut group);
    group
}

/// Half a turn and one degree, in 1e-7 degree.
const W: i64 = 1_800_000_000;
const D: i64 = 10_000_000;

fn circle(lat: i64, lon: i64, radius: u64) -> V {
    a([V::Int(lat), V::Int(lon), n(radius)])
}

fn polygon(points: &[(i64, i64)]) -> V {
    a([a(points
        .iter()
        .map(|(lat, lon)| a([V::Int(*lat), V::Int(*lon)])))])
}

/// An area, places, and whether each is inside.
fn add_area(group: &mut Group, name: &str, note: &str, area: &V, places: &[(i64, i64, bool)]) {
    let points = places
        .iter()
        .map(|(lat, lon, _)| J::list([J::Num(*lat), J::Num(*lon)]));
    let fields = vec![
        ("area".to_owned(), J::hex(&area.encode())),
        ("points".to_owned(), J::list(points)),
    ];
    let inside = J::list(places.iter().map(|(_, _, inside)| J::Bool(*inside)));
    group.add(
        name,
        note,
        fields,
        obj([("result", J::str("valid")), ("inside", inside)]),
    );
}

fn circles(group: &mut Group) {
    // A degree of the sphere is 111,195.08 m.
    add_area(
        group,
        "circle",
        "1 km around a place in Berlin",
        &circle(525_200_000, 134_050_000, 1_000),
        &[
            (525_200_000, 134_050_000, true),
            (525_289_752, 134_050_000, true),
            (525_290_112, 134_050_000, false),
            (525_200_000, 134_197_000, true),
            (525_200_000, 134_198_500, false),
            (-525_200_000, 134_050_000, false),
        ],
    );
    add_area(
        group,
        "radius-0",
        "The center alone",
        &circle(0, 0, 0),
        &[(0, 0, true), (200, 0, false), (0, 200, false)],
    );
    add_area(
        group,
        "pole",
        "A circle of 111.2 km around the north pole holds 89.5° at every longitude",
        &circle(900_000_000, 0, 111_200),
        &[
            (895_000_000, 0, true),
            (895_000_000, 900_000_000, true),
            (895_000_000, W, true),
            (900_000_000, -W, true),
            (885_000_000, 0, false),
        ],
    );
    add_area(
        group,
        "antimeridian",
        "A circle over longitude 180°",
        &circle(0, W - 1_000, 50),
        &[
            (0, W, true),
            (0, -W, true),
            (0, -W + 1_000, true),
            (0, -W + 5_000, false),
            (0, W - 5_000, true),
            (0, W - 6_000, false),
        ],
    );
    add_area(
        group,
        "half-the-earth",
        "A circle of a quarter turn",
        &circle(0, 0, 10_007_600),
        &[
            (0, 899_000_000, true),
            (0, 901_000_000, false),
            (900_000_000, 0, true),
            (0, W, false),
        ],
    );
    add_area(
        group,
        "whole-earth",
        "A circle that reaches the far side",
        &circle(0, 0, 20_015_200),
        &[(0, W, true), (0, -W, true), (-900_000_000, 7, true)],
    );
}

fn polygons(group: &mut Group) {
    let square = [(0, 0), (0, 4 * D), (4 * D, 4 * D), (4 * D, 0)];
    let places = [
        (D, D, true),
        (0, D, true),
        (D, 0, true),
        (4 * D, 4 * D, true),
        (0, 0, true),
        (4 * D, D, true),
        (D, 4 * D, true),
        (-1, D, false),
        (D, -1, false),
        (4 * D + 1, D, false),
        (D, 4 * D + 1, false),
        (0, 4 * D + 1, false),
        (0, -1, false),
    ];
    add_area(
        group,
        "square",
        "The border is inside",
        &polygon(&square),
        &places,
    );
    let mut reversed = square;
    reversed.reverse();
    add_area(
        group,
        "square-reversed",
        "The direction does not matter",
        &polygon(&reversed),
        &places,
    );
    let horseshoe = [
        (0, 0),
        (0, 3 * D),
        (3 * D, 3 * D),
        (3 * D, 2 * D),
        (D, 2 * D),
        (D, D),
        (3 * D, D),
        (3 * D, 0),
    ];
    add_area(
        group,
        "horseshoe",
        "A polygon that is not convex",
        &polygon(&horseshoe),
        &[
            (2 * D, D / 2, true),
            (2 * D, 3 * D / 2, false),
            (2 * D, 5 * D / 2, true),
            (D / 2, 3 * D / 2, true),
            (D, 3 * D / 2, true),
            (D + 1, 3 * D / 2, false),
        ],
    );
    add_area(
        group,
        "diagonal",
        "On, above and below a slanted edge, to the unit",
        &polygon(&[(0, 0), (0, 3 * D), (3 * D, 0)]),
        &[
            (D, 2 * D, true),
            (D, 2 * D + 1, false),
            (D + 1, 2 * D, false),
            (D - 1, 2 * D, true),
        ],
    );
}

/// Over the antimeridian, to the pole, with many corners.
fn odd_polygons(group: &mut Group) {
    let over = [(-D, W - D), (-D, -W + D), (D, -W + D), (D, W - D)];
    add_area(
        group,
        "polygon-over-180",
        "A polygon over longitude 180°",
        &polygon(&over),
        &[
            (0, W, true),
            (0, -W, true),
            (0, W - D, true),
            (0, -W + D, true),
            (0, W - D - 1, false),
            (0, -W + D + 1, false),
            (0, 0, false),
        ],
    );
    add_area(
        group,
        "polygon-to-the-pole",
        "Edges are straight in latitude and longitude, also here",
        &polygon(&[
            (800_000_000, 0),
            (800_000_000, 900_000_000),
            (900_000_000, 450_000_000),
        ]),
        &[
            (900_000_000, 450_000_000, true),
            (900_000_000, 0, false),
            (850_000_000, 450_000_000, true),
            (850_000_000, 100_000_000, false),
        ],
    );
    let many = ring(16, (525_200_000, 134_050_000), 1e6);
    let (lat, lon) = many[3];
    add_area(
        group,
        "16-corners",
        "Sixteen corners",
        &polygon(&many),
        &[
            (525_200_000, 134_050_000, true),
            (lat, lon, true),
            (lat, lon + 100, false),
            (526_300_000, 134_050_000, false),
        ],
    );
}

fn hours() -> Group {
    let mut group = Group::of_kind(
        1310,
        "weekly-hours",
        "hours",
        "Whether all of a clock interval lies in weekly hours",
    );
    plain_days(&mut group);
    changes_of_the_clock(&mut group);
    intervals(&mut group);
    group
}

/// Hours of one zone, clock intervals, and whether each lies inside.
fn add_hours(
    group: &mut Group,
    names: (&str, &str, &str),
    windows: &[(u64, u64, u64)],
    clocks: &[(u64, u64, bool)],
) {
    let (name, note, zone) = names;
    let windows = windows
        .iter()
        .map(|(mask, start, end)| a([n(*mask), n(*start), n(*end)]));
    let stated = clocks
        .iter()
        .map(|(lo, hi, _)| J::list([J::num(*lo), J::num(*hi)]));
    let fields = vec![
        (
            "hours".to_owned(),
            J::hex(&a([t(zone), a(windows)]).encode()),
        ),
        ("clocks".to_owned(), J::list(stated)),
    ];
    let inside = J::list(clocks.iter().map(|(_, _, inside)| J::Bool(*inside)));
    group.add(
        name,
        note,
        fields,
        obj([("result", J::str("valid")), ("inside", inside)]),
    );
}

fn at(time: u64, inside: bool) -> (u64, u64, bool) {
    (time, time, inside)
}

fn plain_days(group: &mut Group) {
    add_hours(
        group,
        (
            "work",
            "Monday to Friday, 08:00 to 20:00 in Berlin; NOW is Wednesday 14:00 there",
            "Europe/Berlin",
        ),
        &[(31, 480, 1_200)],
        &[
            at(NOW, true),
            at(NOW - 6 * HOUR, true),
            at(NOW - 6 * HOUR - 1, false),
            at(NOW + 6 * HOUR - 1, true),
            at(NOW + 6 * HOUR, false),
            at(NOW + 3 * DAY, false),
            at(NOW + 5 * DAY, true),
        ],
    );
    add_hours(
        group,
        (
            "half-hours",
            "09:00 to 09:30 in Kolkata is 03:30 to 04:00 UTC",
            "Asia/Kolkata",
        ),
        &[(127, 540, 570)],
        &[
            at(NOW - 8 * HOUR - 30 * 60, true),
            at(NOW - 8 * HOUR - 1, true),
            at(NOW - 8 * HOUR, false),
            at(NOW - 8 * HOUR - 30 * 60 - 1, false),
        ],
    );
    add_hours(
        group,
        (
            "date-line",
            "All of Wednesday on Kiritimati (UTC+14) ends at 10:00 UTC",
            "Pacific/Kiritimati",
        ),
        &[(4, 0, 1_440)],
        &[
            at(NOW - 2 * HOUR - 1, true),
            at(NOW - 2 * HOUR, false),
            at(NOW - 26 * HOUR, true),
            at(NOW - 26 * HOUR - 1, false),
        ],
    );
}

fn changes_of_the_clock(group: &mut Group) {
    // 2026-03-29T01:00:00Z: 02:00 becomes 03:00 in Berlin. 2026-10-25T01:00:00Z: 03:00 becomes 02:00.
    let (spring, autumn) = (1_774_746_000, 1_792_890_000);
    add_hours(
        group,
        (
            "spring",
            "Sunday 02:00 to 03:00 does not come on the day it is left out",
            "Europe/Berlin",
        ),
        &[(64, 120, 180)],
        &[
            at(spring - 1, false),
            at(spring, false),
            at(spring - 7 * DAY, true),
            (spring - 60, spring + 60, false),
        ],
    );
    add_hours(
        group,
        (
            "autumn",
            "Sunday 02:00 to 03:00 comes twice",
            "Europe/Berlin",
        ),
        &[(64, 120, 180)],
        &[
            at(autumn - HOUR - 1, false),
            at(autumn - HOUR, true),
            at(autumn, true),
            (autumn - HOUR, autumn + HOUR - 1, true),
            at(autumn + HOUR, false),
        ],
    );
    add_hours(
        group,
        (
            "lord-howe",
            "Lord Howe Island moves its clocks by half an hour: 2026-04-04T15:00:00Z, 02:00 becomes 01:30",
            "Australia/Lord_Howe",
        ),
        &[(64, 90, 120)],
        &[
            at(1_775_313_000, true),
            at(1_775_314_800, true),
            at(1_775_316_600, false),
            (1_775_313_000, 1_775_316_599, true),
        ],
    );
}

fn intervals(group: &mut Group) {
    add_hours(
        group,
        ("night", "Two entries hand over at midnight", "Etc/UTC"),
        &[(4, 1_320, 1_440), (8, 0, 360)],
        &[
            (NOW + 10 * HOUR, NOW + 18 * HOUR - 1, true),
            (NOW + 10 * HOUR - 1, NOW + 11 * HOUR, false),
            (NOW + 17 * HOUR, NOW + 18 * HOUR, false),
        ],
    );
    add_hours(
        group,
        ("gap", "Two entries with a minute between them", "Etc/UTC"),
        &[(127, 600, 720), (127, 721, 900)],
        &[
            (NOW - 60, NOW - 1, true),
            (NOW - 1, NOW, false),
            (NOW - 1, NOW + 60, false),
            (NOW + 60, NOW + HOUR, true),
        ],
    );
    add_hours(
        group,
        ("interval", "A day is the longest interval", "Etc/UTC"),
        &[(127, 0, 1_440)],
        &[
            (NOW, NOW + DAY, true),
            (NOW, NOW + DAY + 1, false),
            (NOW, UNKNOWN, false),
        ],
    );
    add_hours(
        group,
        ("epoch", "1970-01-01 was a Thursday", "Etc/UTC"),
        &[(8, 0, 1_440)],
        &[at(0, true), at(DAY - 1, true), at(DAY, false)],
    );
}
