//! Every policy item stated equal, narrower and wider than the parent's.

use super::cbor::{V, a, n, t};
use super::group::Group;
use super::scene::{
    ALL, Chain, DAY, HOUR, NOW, POLICY, Scene, WINDOW, claims_over, granted, policy,
};
use super::signed::{holder, owner, second_owner};

pub(crate) fn groups() -> Vec<Group> {
    vec![items(), windows(), lengths(), accumulating()]
}

/// A parent and a child that state these items.
fn pair(parent: V, child: V) -> Scene {
    let first = granted(&holder(1), ALL, 4).with(POLICY, parent);
    let second = granted(&holder(2), ALL, 3).with(POLICY, child);
    let chain = Chain::first(&owner(), &first, &holder(1)).then(&second, &holder(2));
    Scene::of(&chain).but(|scene| {
        scene.proximity = 3;
        scene.state = Some((true, true));
    })
}

fn stated(item: i64, value: Option<u64>, depth: u64) -> V {
    let base = policy(ALL, depth);
    value.map_or(base.clone(), |value| base.with(item, n(value)))
}

fn items() -> Group {
    let mut group = Group::decisions(
        400,
        "narrowing",
        "What a link may state below its parent; `none` = not stated",
    );
    let none = None;
    // The item, the parent's value, the child's, and whether that is narrow enough.
    let rows: Vec<(i64, Option<u64>, Option<u64>, bool)> = vec![
        (4, Some(3_600), Some(3_599), true),
        (4, Some(3_600), Some(3_600), true),
        (4, Some(3_600), Some(3_601), false),
        (4, Some(3_600), none, true),
        (4, none, Some(86_400), true),
        (4, none, Some(86_401), false),
        (4, none, Some(u64::from(u32::MAX)), false),
        (
            4,
            Some(u64::from(u32::MAX)),
            Some(u64::from(u32::MAX)),
            true,
        ),
        (6, Some(1), Some(2), true),
        (6, Some(2), Some(2), true),
        (6, Some(2), Some(1), false),
        (6, Some(2), none, true),
        (6, none, Some(0), true),
        (6, none, Some(3), true),
        (7, Some(1), Some(0), true),
        (7, Some(1), Some(1), true),
        (7, Some(0), Some(1), false),
        (7, none, Some(1), false),
        (7, none, Some(0), true),
        (7, Some(1), Some(2), false),
        (7, Some(2), Some(2), false),
        (7, Some(2), Some(1), true),
        (7, Some(2), none, true),
        (10, Some(90_001), Some(90_000), true),
        (10, Some(90_001), Some(90_001), true),
        (10, Some(90_001), Some(90_002), false),
        (10, Some(90_001), none, true),
        (10, none, Some(90_000), true),
        (11, Some(3_600), Some(3_599), true),
        (11, Some(3_600), Some(3_600), true),
        (11, Some(3_600), Some(3_601), false),
        (11, Some(3_600), none, true),
        (11, none, Some(259_200), true),
        (12, Some(600), Some(599), true),
        (12, Some(600), Some(600), true),
        (12, Some(600), Some(601), false),
        (12, Some(600), none, true),
        (12, none, Some(0), true),
        (12, none, Some(1), false),
        (13, Some(3), Some(0), true),
        (13, Some(1), Some(2), true),
        (13, none, Some(3), true),
        (14, Some(1), Some(1), true),
        (14, Some(1), Some(0), false),
        (14, Some(1), none, true),
        (14, none, Some(1), true),
    ];
    let name = |value: Option<u64>| value.map_or("none".to_owned(), |value| value.to_string());
    for (item, parent, child, fits) in rows {
        let scene = pair(stated(item, parent, 4), stated(item, child, 3));
        let (parent, child) = (name(parent), name(child));
        let note = format!("Policy {item}: the parent states {parent}, the child {child}");
        group.answer(
            format!("{item}-{parent}-{child}"),
            note,
            &scene,
            if fits { "" } else { "widened" },
        );
    }
    for (parent, child, fits) in [
        (7, 7, true),
        (7, 3, true),
        (7, 15, false),
        (1, 64, false),
        (127, 126, true),
    ] {
        let scene = pair(policy(parent, 1), policy(child, 0));
        let reasons = match (fits, child & 1) {
            (true, 1) => "",
            (true, _) => "not-entitled",
            (false, _) => "widened",
        };
        let note = format!("Rights {parent:#x} above {child:#x}");
        group.answer(format!("1-{parent}-{child}"), note, &scene, reasons);
    }
    for (parent, child) in (0..=4).flat_map(|parent| (0..=4).map(move |child| (parent, child))) {
        let scene = pair(policy(ALL, parent), policy(ALL, child));
        let note = format!("The parent may be passed on {parent} times, the child {child}");
        group.answer(
            format!("2-{parent}-{child}"),
            note,
            &scene,
            if child < parent { "" } else { "widened" },
        );
    }
    group
}

fn windows() -> Group {
    let mut group = Group::decisions(410, "narrowing-windows", "A window inside its parent's");
    let (from, until) = WINDOW;
    for (name, window, reasons) in [
        ("equal", (from, until), ""),
        ("inside", (from + 1, until - 1), ""),
        ("from-1", (from - 1, until), "widened"),
        ("until-1", (from, until + 1), "widened"),
        ("before", (from - 2 * HOUR, from - HOUR), "widened"),
        ("after", (until + HOUR, until + 2 * HOUR), "widened"),
    ] {
        let second = claims_over(&holder(2), window, policy(ALL, 0));
        let chain = Chain::owned(1).then(&second, &holder(2));
        group.answer(name, "", &Scene::of(&chain), reasons);
    }
    let thrice = Chain::owned(1)
        .then(
            &claims_over(&holder(2), (from + 10, until - 10), policy(ALL, 3)),
            &holder(2),
        )
        .then(
            &claims_over(&holder(3), (from, until), policy(ALL, 2)),
            &holder(3),
        );
    group.refuse(
        "back-to-the-first",
        "The third link has the first one's window",
        &Scene::of(&thrice),
        "widened",
    );
    let rights = Chain::owned(1)
        .then(&claims_over(&holder(2), WINDOW, policy(2, 3)), &holder(2))
        .then(&claims_over(&holder(3), WINDOW, policy(3, 2)), &holder(3));
    group.refuse(
        "rights-back-to-the-first",
        "The third link has a right that the second lacks",
        &Scene::of(&rights),
        "widened",
    );
    group
}

fn lengths() -> Group {
    let mut group = Group::decisions(420, "window-lengths", "92 days; 400 for an owner's device");
    for (name, holder_key, longest) in [
        ("holder", holder(1), 92 * DAY),
        ("owner-device", second_owner(), 400 * DAY),
    ] {
        for (offset, reasons) in [(-1i64, ""), (0, ""), (1, "widened")] {
            let until = (NOW - HOUR + longest)
                .checked_add_signed(offset)
                .expect("no overflow");
            let claims = claims_over(&holder_key, (NOW - HOUR, until), policy(ALL, 0));
            let claims = claims.with(7, super::cbor::b(b"booking1"));
            let scene = Scene::of(&Chain::first(&owner(), &claims, &holder_key))
                .but(|scene| scene.roots.push(second_owner().public()));
            let note = format!("{} days and {offset} s", longest / DAY);
            group.answer(format!("{name}{offset:+}"), note, &scene, reasons);
        }
    }
    let first = claims_over(
        &second_owner(),
        (NOW - HOUR, NOW + 300 * DAY),
        policy(ALL, 4),
    );
    let first = first.with(7, super::cbor::b(b"booking1"));
    for (days, reasons) in [(92, ""), (93, "widened")] {
        let second = claims_over(
            &holder(2),
            (NOW - HOUR, NOW - HOUR + days * DAY),
            policy(ALL, 0),
        );
        let chain = Chain::first(&owner(), &first, &second_owner()).then(&second, &holder(2));
        let scene = Scene::of(&chain).but(|scene| scene.roots.push(second_owner().public()));
        group.answer(
            format!("below-owner-device-{days}"),
            "A renter's link below an owner's device",
            &scene,
            reasons,
        );
    }
    group
}

fn accumulating() -> Group {
    let mut group = Group::decisions(
        430,
        "accumulating",
        "Areas, hours, uses and car state of all links hold",
    );
    let circle = |lat: i64| a([V::Int(lat), V::Int(0), n(10_000)]);
    let both = pair(
        policy(ALL, 4).with(3, a([circle(0)])),
        policy(ALL, 3).with(3, a([circle(1_200_000)])),
    );
    for (name, lat, reasons) in [
        ("first-only", -300_000, "outside-area"),
        ("both", 600_000, ""),
        ("second-only", 1_500_000, "outside-area"),
    ] {
        group.answer(
            format!("areas-{name}"),
            "Two circles of 10 km, 13 km apart",
            &both.but(|scene| scene.position = Some((lat, 0))),
            reasons,
        );
    }
    let hours = |start: u64, end: u64| a([t("Etc/UTC"), a([a([n(127), n(start), n(end)])])]);
    for (name, child, reasons) in [
        ("both", hours(660, 800), ""),
        ("second-not", hours(0, 700), "outside-hours"),
        ("wider", hours(0, 1_440), ""),
    ] {
        let scene = pair(
            policy(ALL, 4).with(8, hours(600, 900)),
            policy(ALL, 3).with(8, child),
        );
        group.answer(format!("hours-{name}"), "It is 12:00", &scene, reasons);
    }
    let night = pair(
        policy(ALL, 4).with(8, hours(0, 600)),
        policy(ALL, 3).with(8, hours(0, 1_440)),
    );
    group.refuse(
        "hours-first-not",
        "The first link's hours are over",
        &night,
        "outside-hours",
    );
    let state = pair(policy(ALL, 4).with(13, n(1)), policy(ALL, 3).with(13, n(2)));
    for (stationary, off, reasons) in [
        (true, true, ""),
        (false, true, "car-moving"),
        (true, false, "ignition-on"),
        (false, false, "car-moving ignition-on"),
    ] {
        let scene = state.but(|scene| scene.state = Some((stationary, off)));
        group.answer(
            format!("state-{stationary}-{off}"),
            "Stationary from the first link, ignition off from the second",
            &scene,
            reasons,
        );
    }
    group
}
