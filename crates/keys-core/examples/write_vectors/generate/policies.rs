//! Policy items, areas and hours at and beyond their bounds.

use super::cbor::{V, a, n, raw, t};
use super::group::Group;
use super::scene::{ALL, policy};
use super::shapes::with_policy;

pub(crate) fn groups() -> Vec<Group> {
    vec![policies(), areas(), hours()]
}

fn policies() -> Group {
    let mut group = Group::decisions(220, "policies", "Policy items at and beyond their bounds");
    let base = policy(ALL, 0);
    group.refuse(
        "without-rights",
        "No entitlements",
        &with_policy(base.without(1)),
        "malformed",
    );
    group.refuse(
        "without-delegations",
        "No delegations",
        &with_policy(base.without(2)),
        "malformed",
    );
    for key in [0, 16, 17, -1] {
        let scene = with_policy(base.with(key, n(1)));
        group.refuse(
            format!("unknown-item-{key}"),
            "A policy item that is not known",
            &scene,
            "malformed",
        );
    }
    let bounds: &[(i64, &[(u64, bool)])] = &[
        (1, &[(1, true), (127, true), (256, false), (257, false)]),
        (2, &[(0, true), (4, true), (5, false)]),
        (
            4,
            &[
                (899, false),
                (900, true),
                (901, true),
                (4_294_967_294, true),
                (4_294_967_295, true),
                (4_294_967_296, false),
            ],
        ),
        (5, &[(0, true), ((1 << 53) - 1, true), (1 << 53, false)]),
        (6, &[(0, true), (3, true), (4, false), (256, false)]),
        (7, &[(0, true), (2, true), (3, false)]),
        (9, &[(1, true), ((1 << 53) - 1, true), (1 << 53, false)]),
        (
            10,
            &[(25 * 3_600, true), ((1 << 53) - 1, true), (1 << 53, false)],
        ),
        (
            11,
            &[
                (899, false),
                (900, true),
                (259_199, true),
                (259_200, true),
                (259_201, false),
            ],
        ),
        (
            12,
            &[(0, true), (86_399, true), (86_400, true), (86_401, false)],
        ),
        (13, &[(0, true), (3, true), (4, false)]),
        (14, &[(0, true), (1, true), (3, false)]),
    ];
    for (key, values) in bounds {
        for (value, fits) in *values {
            let scene = with_policy(base.with(*key, n(*value))).but(|scene| {
                scene.proximity = 3;
                scene.state = Some((true, true));
            });
            let reasons = if *fits { "" } else { "malformed" };
            group.answer(
                format!("item-{key}-{value}"),
                format!("Policy {key} is {value}"),
                &scene,
                reasons,
            );
        }
    }
    for key in 1..=14 {
        let scene = with_policy(base.with(key, t("1")));
        group.refuse(
            format!("item-{key}-text"),
            "Text instead of a number or list",
            &scene,
            "malformed",
        );
    }
    group
}

fn circle(lat: i64, lon: i64, radius: u64) -> V {
    a([V::Int(lat), V::Int(lon), n(radius)])
}

fn polygon(points: &[(i64, i64)]) -> V {
    a([a(points
        .iter()
        .map(|(lat, lon)| a([V::Int(*lat), V::Int(*lon)])))])
}

/// Corners on a circle around a place, so that no two edges cross.
pub(crate) fn ring(count: u32, center: (i64, i64), size: f64) -> Vec<(i64, i64)> {
    (0..count)
        .map(|corner| {
            let angle = f64::from(corner) / f64::from(count) * core::f64::consts::TAU;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "degrees times 1e7, far inside"
            )]
            let offset = |value: f64| (value * size).round() as i64;
            (
                center.0 + offset(angle.sin()),
                center.1 + offset(angle.cos()),
            )
        })
        .collect()
}

fn areas() -> Group {
    let mut group = Group::decisions(
        230,
        "area-shapes",
        "Areas that are none; stated as return areas, which do not refuse",
    );
    let with = |list: V| with_policy(policy(ALL, 0).with(15, list));
    let cases: Vec<(&str, V, bool)> = vec![
        ("north-pole", circle(900_000_000, 0, 1), true),
        ("beyond-north", circle(900_000_001, 0, 1), false),
        ("south-pole", circle(-900_000_000, 0, 1), true),
        ("beyond-south", circle(-900_000_001, 0, 1), false),
        ("east-end", circle(0, 1_800_000_000, 1), true),
        ("beyond-east", circle(0, 1_800_000_001, 1), false),
        ("west-end", circle(0, -1_800_000_000, 1), true),
        ("beyond-west", circle(0, -1_800_000_001, 1), false),
        ("radius-0", circle(0, 0, 0), true),
        ("radius-2-53", circle(0, 0, 1 << 53), false),
        ("radius-negative", a([n(0), n(0), V::Int(-1)]), false),
        ("two-items", a([n(0), n(0)]), false),
        ("four-items", a([n(0), n(0), n(0), n(0)]), false),
        ("empty", a([]), false),
        ("2-corners", polygon(&[(0, 0), (0, 10)]), false),
        ("3-corners", polygon(&ring(3, (0, 0), 1e6)), true),
        ("16-corners", polygon(&ring(16, (0, 0), 1e6)), true),
        ("17-corners", polygon(&ring(17, (0, 0), 1e6)), false),
        (
            "corner-twice",
            polygon(&[(0, 0), (0, 10), (10, 10), (0, 0)]),
            false,
        ),
        (
            "bow-tie",
            polygon(&[(0, 0), (10, 10), (10, 0), (0, 10)]),
            false,
        ),
        (
            "edge-through-corner",
            polygon(&[(0, 0), (0, 20), (10, 20), (0, 10), (10, 0)]),
            false,
        ),
        ("runs-back", polygon(&[(0, 0), (0, 20), (0, 10)]), false),
        (
            "straight-corner",
            polygon(&[(0, 0), (0, 10), (0, 20), (10, 10)]),
            true,
        ),
        (
            "corner-of-3",
            a([a([a([n(0), n(0), n(0)]), a([n(0), n(9)]), a([n(9), n(9)])])]),
            false,
        ),
        (
            "span-below-180",
            polygon(&[(0, 0), (0, 900_000_000), (10, 1_799_999_999)]),
            true,
        ),
        (
            "span-180",
            polygon(&[(0, 0), (0, 900_000_000), (10, 1_800_000_000)]),
            false,
        ),
        (
            "over-the-antimeridian",
            polygon(&[
                (0, 1_790_000_000),
                (0, -1_790_000_000),
                (10_000_000, 1_800_000_000),
            ]),
            true,
        ),
        (
            "one-meridian-twice",
            polygon(&[(0, 1_800_000_000), (0, -1_800_000_000), (10, 0)]),
            false,
        ),
    ];
    for (name, area, fits) in cases {
        let reasons = if fits { "" } else { "malformed" };
        group.answer(name, "", &with(a([area])), reasons);
    }
    group.refuse("empty-list", "A list of no area", &with(a([])), "malformed");
    group.refuse(
        "empty-areas",
        "The same for policy 3",
        &with_policy(policy(ALL, 0).with(3, a([]))),
        "malformed",
    );
    group
}

fn hours() -> Group {
    let mut group = Group::decisions(240, "hours-shapes", "Weekly hours that are none");
    let all_day = || a([n(127), n(0), n(1_440)]);
    let hours =
        |zone: &str, windows: Vec<V>| with_policy(policy(ALL, 0).with(8, a([t(zone), a(windows)])));
    let windows: Vec<(&str, Vec<V>, &str)> = vec![
        ("no-window", vec![], "malformed"),
        (
            "4-windows",
            vec![all_day(), all_day(), all_day(), all_day()],
            "",
        ),
        (
            "5-windows",
            vec![all_day(), all_day(), all_day(), all_day(), all_day()],
            "malformed",
        ),
        ("mask-0", vec![a([n(0), n(0), n(1_440)])], "malformed"),
        ("mask-127", vec![all_day()], ""),
        ("mask-128", vec![a([n(128), n(0), n(1_440)])], "malformed"),
        ("end-1441", vec![a([n(127), n(0), n(1_441)])], "malformed"),
        ("empty-window", vec![a([n(127), n(60), n(60)])], "malformed"),
        ("reversed", vec![a([n(127), n(1_200), n(480)])], "malformed"),
        ("two-numbers", vec![a([n(127), n(0)])], "malformed"),
        (
            "four-numbers",
            vec![a([n(127), n(0), n(1_440), n(0)])],
            "malformed",
        ),
    ];
    for (name, windows, reasons) in windows {
        group.answer(name, "", &hours("Etc/UTC", windows), reasons);
    }
    let zone_64 = "A".repeat(64);
    let zone_65 = "A".repeat(65);
    let zones = [
        ("zone", "Europe/Berlin", ""),
        ("zone-link", "Asia/Calcutta", ""),
        ("zone-lower-case", "europe/berlin", "unsupported"),
        ("zone-upper-case", "EUROPE/BERLIN", "unsupported"),
        ("zone-unknown", "Europe/Atlantis", "unsupported"),
        ("zone-empty", "", "unsupported"),
        ("zone-offset", "+01:00", "unsupported"),
        ("zone-path", "../Europe/Berlin", "unsupported"),
        ("zone-64-bytes", &zone_64, "unsupported"),
        ("zone-65-bytes", &zone_65, "malformed"),
        ("zone-not-ascii", "Europe/Z\u{fc}rich", "malformed"),
    ];
    for (name, zone, reasons) in zones {
        group.answer(name, zone, &hours(zone, vec![all_day()]), reasons);
    }
    let bad_utf8 = a([raw(&[0x61, 0xff]), a([all_day()])]);
    let scene = with_policy(policy(ALL, 0).with(8, bad_utf8));
    group.refuse(
        "zone-not-utf-8",
        "Text that is not UTF-8",
        &scene,
        "malformed",
    );
    let three = a([t("Etc/UTC"), a([all_day()]), n(0)]);
    let scene = with_policy(policy(ALL, 0).with(8, three));
    group.refuse("three-items", "Hours have two items", &scene, "malformed");
    group
}
