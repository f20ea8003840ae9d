//! Windows, uncertain clocks, and the age of statements.

use super::cbor::{V, a, n, t};
use super::group::Group;
use super::scene::{
    ALL, Chain, DAY, HOUR, NOW, POLICY, Scene, UNKNOWN, WINDOW, by_owner, by_status, granted,
    owner_statement, policy, status_statement,
};
use super::signed::{holder, issuer, owner, platform};

pub(crate) fn groups() -> Vec<Group> {
    vec![windows(), untrusted(), hours(), not_begun(), begun()]
}

/// A scene whose statement is a minute old whatever the time.
fn heard_at(scene: &Scene, now: u64) -> Scene {
    scene
        .at(now)
        .hearing(&[by_owner(&owner_statement(1, now - 60))])
}

fn windows() -> Group {
    let mut group = Group::decisions(500, "windows", "lo ≥ nbf and hi < exp, with no other slack");
    let scene = Scene::of(&Chain::owned(1));
    let (from, until) = WINDOW;
    for (at, name, reasons) in [
        (from - 1, "from-1", "not-yet-valid"),
        (from, "from+0", ""),
        (from + 1, "from+1", ""),
        (until - 1, "until-1", ""),
        (until, "until+0", "expired"),
        (until + 1, "until+1", "expired"),
    ] {
        group.answer(
            name,
            "The clock is known to the second",
            &heard_at(&scene, at),
            reasons,
        );
    }
    for (name, lo, hi, reasons) in [
        ("wide-inside", from, until - 1, ""),
        ("wide-early", from - 1, until - 1, "not-yet-valid"),
        ("wide-late", from, until, "expired"),
        ("wide-both", from - 1, until, "expired not-yet-valid"),
    ] {
        let scene = scene.but(|scene| {
            scene.clock = Some((lo, hi));
            (scene.in_contact, scene.begun) = (true, true);
        });
        group.answer(name, "The clock is known within a day", &scene, reasons);
    }
    for (name, now, reasons) in [
        ("issuer-until-1", NOW + 30 * DAY - 1, ""),
        ("issuer-until+0", NOW + 30 * DAY, "expired"),
    ] {
        let leaf =
            super::scene::claims_over(&holder(1), (NOW - HOUR, NOW + 30 * DAY), policy(ALL, 0));
        let mandate =
            super::scene::mandate_claims().change(POLICY, |policy| policy.with(10, n(31 * DAY)));
        let chain = Chain::first(&owner(), &mandate, &platform())
            .then(&super::scene::issuer_claims(), &issuer())
            .then(&leaf.with(7, super::cbor::b(b"booking1")), &holder(1));
        // The status key's link ends a day earlier, so its word is not there; the key asks for none.
        let scene = Scene::mandated(&chain).at(now).but(|scene| {
            scene.key = chain.key();
            (scene.in_contact, scene.begun) = (true, true);
        });
        group.answer(
            name,
            "A leaf that ends with its issuer's link",
            &scene,
            reasons,
        );
    }
    group
}

fn untrusted() -> Group {
    let mut group = Group::decisions(
        510,
        "unknown-time",
        "Clock rules (policy 7) while nothing bounds the time from above",
    );
    let (from, until) = WINDOW;
    let lost = |lo: u64| Some((lo, UNKNOWN));
    for rule in 0..=2 {
        let chain = Chain::owned_with(policy(ALL, 4).with(7, n(rule)));
        let inside = if rule == 0 { "clock-untrusted" } else { "" };
        for (name, lo, reasons) in [
            ("before", from - 1, ["clock-untrusted", "not-yet-valid", ""]),
            ("first", from, [inside; 3]),
            ("last", until - 1, [inside; 3]),
            ("after", until, ["expired", "expired", ""]),
        ] {
            let index = usize::try_from(rule).expect("a small number");
            let scene = heard_at(&Scene::of(&chain), lo).but(|scene| scene.clock = lost(lo));
            group.answer(
                format!("rule-{rule}-{name}"),
                format!("Clock rule {rule}"),
                &scene,
                reasons[index],
            );
        }
    }
    let chain = Chain::owned_with(policy(ALL, 4).with(7, n(1)));
    for (age, reasons) in [(86_399, ""), (86_400, ""), (86_401, "statement-too-old")] {
        let scene = Scene::of(&chain)
            .hearing(&[by_owner(&owner_statement(1, NOW - age))])
            .but(|scene| scene.clock = lost(NOW));
        group.answer(
            format!("age-{age}"),
            "The age of the statement is measured to lo",
            &scene,
            reasons,
        );
    }
    let below = |rule: u64| {
        Chain::owned_with(policy(ALL, 4).with(7, n(rule)))
            .then(&granted(&holder(2), ALL, 0), &holder(2))
    };
    for (rule, lo, reasons) in [
        (2, NOW, ""),
        (2, until, "expired"),
        (1, NOW, ""),
        (0, NOW, "clock-untrusted"),
    ] {
        let scene = heard_at(&Scene::of(&below(rule)), lo).but(|scene| scene.clock = lost(lo));
        let note = format!("A link below one with clock rule {rule}; rule 2 counts as 1 there");
        group.answer(format!("below-{rule}-{lo}"), note, &scene, reasons);
    }
    let unknown = Scene::of(&chain).but(|scene| scene.clock = None);
    group.allow(
        "floor-from-a-statement",
        "No clock at all: the statement's iat is the floor",
        &unknown,
    );
    let silent = unknown.but(|scene| scene.statements.clear());
    group.refuse(
        "nothing-known",
        "No clock and no statement",
        &silent,
        "not-yet-valid statement-too-old",
    );
    let strict = Scene::of(&Chain::owned(1)).but(|scene| scene.clock = None);
    group.refuse(
        "rule-0-no-clock",
        "The default rule refuses",
        &strict,
        "clock-untrusted",
    );
    group
}

fn hours() -> Group {
    let mut group = Group::decisions(
        520,
        "hours",
        "Weekly hours (policy 8) by the wall clock of their zone",
    );
    let with = |zone: &str, mask: u64, start: u64, end: u64| {
        Scene::of(&Chain::owned_with(
            policy(ALL, 4).with(8, a([t(zone), a([a([n(mask), n(start), n(end)])])])),
        ))
    };
    // NOW is a Wednesday, 12:00 UTC, 14:00 in Berlin.
    let berlin = with("Europe/Berlin", 1 << 2, 14 * 60, 15 * 60);
    for (name, at, reasons) in [
        ("start-1", NOW - 1, "outside-hours"),
        ("start+0", NOW, ""),
        ("end-1", NOW + HOUR - 1, ""),
        ("end+0", NOW + HOUR, "outside-hours"),
    ] {
        group.answer(
            name,
            "Wednesdays 14:00 to 15:00 in Berlin",
            &heard_at(&berlin, at),
            reasons,
        );
    }
    for (day, reasons) in [(1, "outside-hours"), (2, ""), (3, "outside-hours")] {
        let scene = with("Etc/UTC", 1 << day, 0, 1_440);
        group.answer(
            format!("weekday-{day}"),
            "All of one weekday; it is Wednesday",
            &scene,
            reasons,
        );
    }
    let tokyo = with("Asia/Tokyo", 1 << 3, 0, 60);
    for (name, at, reasons) in [
        ("next-day", NOW + 3 * HOUR, ""),
        ("still-today", NOW + 3 * HOUR - 1, "outside-hours"),
    ] {
        group.answer(
            name,
            "Thursday 00:00 in Tokyo is Wednesday 15:00 UTC",
            &heard_at(&tokyo, at),
            reasons,
        );
    }
    for (name, lo, hi, reasons) in [
        ("interval-inside", NOW, NOW + HOUR - 1, ""),
        ("interval-early", NOW - 1, NOW + 60, "outside-hours"),
        ("interval-late", NOW + 60, NOW + HOUR, "outside-hours"),
    ] {
        let scene = berlin.but(|scene| scene.clock = Some((lo, hi)));
        group.answer(name, "Every second the time may be counts", &scene, reasons);
    }
    let lost = berlin.but(|scene| scene.clock = Some((NOW, UNKNOWN)));
    group.refuse(
        "time-unknown",
        "Hours cannot be told without the time",
        &lost,
        "clock-untrusted",
    );
    let windows = |list: Vec<V>| {
        Scene::of(&Chain::owned_with(
            policy(ALL, 4).with(8, a([t("Etc/UTC"), a(list)])),
        ))
    };
    let night = windows(vec![a([n(4), n(1_320), n(1_440)]), a([n(8), n(0), n(360)])]);
    for (name, lo, hi, reasons) in [
        ("night-handed-over", NOW + 11 * HOUR, NOW + 13 * HOUR, ""),
        ("night-begins", NOW + 10 * HOUR, NOW + 10 * HOUR, ""),
        (
            "night-ends",
            NOW + 18 * HOUR,
            NOW + 18 * HOUR,
            "outside-hours",
        ),
    ] {
        let scene = night.but(|scene| scene.clock = Some((lo, hi)));
        group.answer(
            name,
            "Wednesday 22:00 to Thursday 06:00 as two entries",
            &scene,
            reasons,
        );
    }
    let all_week = windows(vec![a([n(127), n(0), n(1_440)])]);
    let wide = all_week.but(|scene| scene.clock = Some((NOW - 30 * 60, NOW + DAY - 30 * 60)));
    group.allow(
        "a-day-wide",
        "The clock is known within exactly a day",
        &wide,
    );
    let wider = all_week.but(|scene| scene.clock = Some((NOW - 30 * 60, NOW + DAY - 30 * 60 + 1)));
    group.refuse(
        "over-a-day-wide",
        "A second more: the day is not known",
        &wider,
        "outside-hours",
    );
    group
}

fn not_begun() -> Group {
    let mut group = Group::decisions(
        600,
        "not-begun",
        "The age of the newest statement before the trip began",
    );
    let owned = |policy: V| Scene::of(&Chain::owned_with(policy));
    let aged = |scene: &Scene, age: u64| scene.hearing(&[by_owner(&owner_statement(1, NOW - age))]);
    for limit in [900, 3_600, 86_400] {
        let scene = owned(policy(ALL, 0).with(4, n(limit)));
        for (offset, reasons) in [(-1i64, ""), (0, ""), (1, "statement-too-old")] {
            let age = limit.checked_add_signed(offset).expect("no overflow");
            let note = format!("An outage limit of {limit} s and a statement {age} s old");
            group.answer(
                format!("{limit}{offset:+}"),
                note,
                &aged(&scene, age),
                reasons,
            );
        }
    }
    let default = owned(policy(ALL, 0));
    group.allow(
        "default-86400",
        "No link states a limit",
        &aged(&default, 86_400),
    );
    group.refuse(
        "default-86401",
        "No link states a limit",
        &aged(&default, 86_401),
        "statement-too-old",
    );
    group.refuse(
        "silence",
        "No statement at all",
        &default.but(|scene| scene.statements.clear()),
        "statement-too-old",
    );
    for (age, reasons) in [(899, ""), (900, ""), (901, "statement-too-old")] {
        let scene = aged(&default, age).but(|scene| scene.in_contact = true);
        group.answer(
            format!("in-contact-{age}"),
            "In contact the limit is 900 s",
            &scene,
            reasons,
        );
    }
    let none =
        owned(policy(ALL, 0).with(4, n(u64::from(u32::MAX)))).but(|scene| scene.statements.clear());
    group.allow(
        "limit-none",
        "An outage limit of none asks for no statement",
        &none,
    );
    group.allow(
        "limit-none-in-contact",
        "Nor does it in contact",
        &none.but(|scene| scene.in_contact = true),
    );
    let hi = aged(&owned(policy(ALL, 0).with(4, n(900))), 900)
        .but(|scene| scene.clock = Some((NOW - 60, NOW + 1)));
    group.refuse(
        "age-to-hi",
        "The age is measured to the latest time it may be",
        &hi,
        "statement-too-old",
    );
    let future = default.hearing(&[by_owner(&owner_statement(1, NOW + 600))]);
    group.allow(
        "from-the-future",
        "A statement of ten minutes ahead is 0 s old",
        &future,
    );
    platform_words(&mut group);
    group
}

/// Whose word counts for which key.
fn platform_words(group: &mut Group) {
    let mandated = Scene::mandated(&Chain::mandated());
    let owners_word = mandated.hearing(&[by_owner(&owner_statement(1, NOW - 60))]);
    group.refuse(
        "mandated-owners-word",
        "Below a mandate only the platform's statement counts",
        &owners_word,
        "statement-too-old",
    );
    let owned =
        Scene::of(&Chain::owned(1)).but(|scene| scene.anchors.clone_from(&mandated.anchors));
    let platforms_word = owned.hearing(&[by_status(&status_statement(1, NOW - 60))]);
    group.allow(
        "owned-platforms-word",
        "Without a mandate either will do",
        &platforms_word,
    );
    for (age, reasons) in [
        (1_799, ""),
        (1_800, "statement-too-old"),
        (1_801, "statement-too-old"),
    ] {
        let scene = mandated.hearing(&[by_status(&status_statement(1, NOW - age))]);
        let note = format!("A statement {age} s old that is fresh for 1800 s");
        group.answer(format!("statement-exp-{age}"), note, &scene, reasons);
    }
    let expired_owned = owned.hearing(&[
        by_owner(&owner_statement(1, NOW - 5_000)),
        by_status(&status_statement(1, NOW - 4_000)),
    ]);
    group.allow(
        "expired-does-not-hide",
        "An expired statement does not hide the owner's older one",
        &expired_owned,
    );
}

fn begun() -> Group {
    let mut group = Group::decisions(
        610,
        "begun",
        "The age of the newest statement after the trip began",
    );
    let owned = |policy: V| Scene::of(&Chain::owned_with(policy)).but(|scene| scene.begun = true);
    let aged = |scene: &Scene, age: u64| scene.hearing(&[by_owner(&owner_statement(1, NOW - age))]);
    for (limit, item) in [(900, true), (3_600, true), (259_200, false)] {
        let base = policy(ALL, 0).with(4, n(900));
        let scene = owned(if item { base.with(11, n(limit)) } else { base });
        for (offset, reasons) in [(-1i64, ""), (0, ""), (1, "statement-too-old")] {
            let age = limit.checked_add_signed(offset).expect("no overflow");
            let note = format!("A begun limit of {limit} s and a statement {age} s old");
            group.answer(
                format!("{limit}{offset:+}"),
                note,
                &aged(&scene, age),
                reasons,
            );
        }
    }
    let silent = owned(policy(ALL, 0)).but(|scene| scene.statements.clear());
    group.refuse(
        "silence",
        "No statement at all, cut off",
        &silent,
        "statement-too-old",
    );
    group.allow(
        "in-contact",
        "In contact no statement is asked for",
        &silent.but(|scene| scene.in_contact = true),
    );
    let none =
        owned(policy(ALL, 0).with(4, n(u64::from(u32::MAX)))).but(|scene| scene.statements.clear());
    group.allow(
        "limit-none",
        "An outage limit of none asks for none later either",
        &none,
    );
    let stated = owned(
        policy(ALL, 0)
            .with(4, n(u64::from(u32::MAX)))
            .with(11, n(900)),
    );
    group.refuse(
        "limit-none-begun-900",
        "Unless a begun limit is stated",
        &aged(&stated, 901),
        "statement-too-old",
    );
    let mandated = Scene::mandated(&Chain::mandated()).but(|scene| scene.begun = true);
    let old = mandated.hearing(&[by_status(&status_statement(1, NOW - 4_000))]);
    group.refuse(
        "mandated-expired-statement",
        "A statement past its end is none",
        &old,
        "statement-too-old",
    );
    group
}
