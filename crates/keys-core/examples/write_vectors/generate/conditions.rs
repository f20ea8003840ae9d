//! Places, the car's state, uses, and the lock-only answer.

use super::cbor::{V, a, b, n};
use super::group::Group;
use super::scene::{
    ALL, Chain, DAY, HOUR, NOW, POLICY, Scene, UNKNOWN, WINDOW, by_owner, by_status, claims,
    granted, owner_statement, policy, revoking, status_statement, suspending,
};
use super::signed::{holder, owner};

pub(crate) fn groups() -> Vec<Group> {
    vec![places(), car_state(), uses(), lock_only(), all_at_once()]
}

const BERLIN: (i64, i64) = (525_200_000, 134_050_000);

fn circle(center: (i64, i64), radius: u64) -> V {
    a([V::Int(center.0), V::Int(center.1), n(radius)])
}

fn places() -> Group {
    let mut group = Group::decisions(
        700,
        "places",
        "Areas (policy 3): all hold, for every command but lock",
    );
    let within = |area: V| Scene::of(&Chain::owned_with(policy(ALL, 0).with(3, a([area]))));
    let at =
        |scene: &Scene, position: (i64, i64)| scene.but(|scene| scene.position = Some(position));
    let km = within(circle(BERLIN, 1_000));
    group.allow("center", "At the center", &at(&km, BERLIN));
    // 1e-7 degree of latitude is 11.1195 mm on the sphere: 1,000 m are 89,932 of them.
    group.allow(
        "998-m",
        "2 m inside the border",
        &at(&km, (BERLIN.0 + 89_752, BERLIN.1)),
    );
    group.refuse(
        "1002-m",
        "2 m outside the border",
        &at(&km, (BERLIN.0 + 90_112, BERLIN.1)),
        "outside-area",
    );
    group.refuse(
        "unknown",
        "The car does not know where it is",
        &km,
        "location-unknown",
    );
    let chain = Chain::owned_with(policy(ALL, 0).with(3, a([circle(BERLIN, 1_000)])));
    group.allow(
        "lock-outside",
        "Lock is obeyed anywhere",
        &at(&km.presenting(&chain, "lock"), (0, 0)),
    );
    group.allow(
        "lock-unknown",
        "Also where nobody knows",
        &km.presenting(&chain, "lock"),
    );
    let returning = Scene::of(&Chain::owned_with(
        policy(ALL, 0).with(15, a([circle(BERLIN, 1)])),
    ));
    group.allow(
        "return-area",
        "Return areas are for the return",
        &at(&returning, (0, 0)),
    );
    let square = within(a([a(
        [(0, 0), (0, 100), (100, 100), (100, 0)].map(|(lat, lon)| a([n(lat), n(lon)]))
    )]));
    for (name, position, reasons) in [
        ("square-inside", (50, 50), ""),
        ("square-border", (0, 50), ""),
        ("square-corner", (100, 100), ""),
        ("square-outside", (50, 101), "outside-area"),
        ("square-below", (-1, 50), "outside-area"),
    ] {
        group.answer(
            name,
            "A polygon's border is inside",
            &at(&square, position),
            reasons,
        );
    }
    let far = circle((0, 1_799_999_000), 1_000);
    group.allow(
        "antimeridian",
        "A circle over the antimeridian",
        &at(&within(far), (0, -1_799_999_000)),
    );
    let device = Chain::first(
        &owner(),
        &granted(&owner(), ALL, 0).change(POLICY, |p| p.with(3, a([circle(BERLIN, 9)]))),
        &owner(),
    );
    group.refuse(
        "owner-device",
        "Areas bind an owner's device as well",
        &at(&Scene::of(&device), (0, 0)),
        "outside-area",
    );
    group
}

fn car_state() -> Group {
    let mut group = Group::decisions(710, "car-state", "The car's state (policy 13)");
    for needed in 0..=3u64 {
        let scene = Scene::of(&Chain::owned_with(policy(ALL, 0).with(13, n(needed))));
        for (stationary, off) in [(true, true), (true, false), (false, true), (false, false)] {
            let moving = if needed & 1 != 0 && !stationary {
                "car-moving "
            } else {
                ""
            };
            let on = if needed & 2 != 0 && !off {
                "ignition-on"
            } else {
                ""
            };
            let scene = scene.but(|scene| scene.state = Some((stationary, off)));
            let note = format!("Needs {needed}; stationary: {stationary}, ignition off: {off}");
            group.answer(
                format!("{needed}-{stationary}-{off}"),
                note,
                &scene,
                format!("{moving}{on}").trim(),
            );
        }
        let reasons = if needed == 0 { "" } else { "state-stale" };
        group.answer(
            format!("{needed}-unknown"),
            format!("Needs {needed}; nothing is known"),
            &scene,
            reasons,
        );
    }
    group
}

fn uses() -> Group {
    let mut group = Group::decisions(720, "uses", "Greatest number of uses (policy 9)");
    let chain = Chain::owned_with(policy(ALL, 4).with(9, n(3)));
    for (used, reasons) in [(0, ""), (2, ""), (3, "uses-spent"), (4, "uses-spent")] {
        let scene = Scene::of(&chain).but(|scene| scene.uses = vec![("booking1", used)]);
        group.answer(format!("used-{used}-of-3"), "", &scene, reasons);
    }
    group.allow(
        "no-count",
        "A grant without a count was not used",
        &Scene::of(&chain),
    );
    let spent = |command| {
        Scene::of(&chain)
            .presenting(&chain, command)
            .but(|scene| scene.uses = vec![("booking1", 3)])
    };
    for (command, reasons) in [
        ("lock", ""),
        ("locate", ""),
        ("enable_driving", "uses-spent"),
        ("open_trunk", "uses-spent"),
        ("charge_port", "uses-spent"),
    ] {
        group.answer(
            format!("spent-{command}"),
            "Lock and locate are no uses",
            &spent(command),
            reasons,
        );
    }
    let none = Scene::of(&Chain::owned_with(policy(ALL, 0).with(9, n(0))));
    group.refuse("0-uses", "A key of no use", &none, "uses-spent");
    let below = chain.then(
        &granted(&holder(2), ALL, 0)
            .with(7, b(b"booking2"))
            .change(POLICY, |p| p.with(9, n(2))),
        &holder(2),
    );
    for (name, uses, reasons) in [
        ("both-left", vec![("booking1", 2), ("booking2", 1)], ""),
        (
            "first-spent",
            vec![("booking1", 3), ("booking2", 1)],
            "uses-spent",
        ),
        (
            "second-spent",
            vec![("booking1", 2), ("booking2", 2)],
            "uses-spent",
        ),
    ] {
        let scene = Scene::of(&below).but(|scene| scene.uses = uses);
        group.answer(
            name,
            "Each link's limit counts for its own grant",
            &scene,
            reasons,
        );
    }
    let late = claims(&holder(1), ALL, 4).change(POLICY, |policy| policy.with(9, n(1)));
    let late =
        Chain::first(&owner(), &late, &holder(1)).then(&granted(&holder(2), ALL, 0), &holder(2));
    for (used, reasons) in [(0, ""), (1, "uses-spent")] {
        let scene = Scene::of(&late).but(|scene| scene.uses = vec![("booking1", used)]);
        group.answer(
            format!("grant-below-{used}"),
            "The stating link has no grant: the first one below counts",
            &scene,
            reasons,
        );
    }
    let inherited = chain.then(&claims(&holder(2), ALL, 0), &holder(2));
    let scene = Scene::of(&inherited).but(|scene| scene.uses = vec![("booking1", 3)]);
    group.refuse(
        "delegate-shares",
        "A delegate without a grant of his own uses the holder's",
        &scene,
        "uses-spent",
    );
    group
}

/// A begun trip that asks to lock a standing car.
fn locking(chain: &Chain) -> Scene {
    Scene::of(chain).presenting(chain, "lock").but(|scene| {
        scene.begun = true;
        scene.state = Some((true, false));
    })
}

fn lock_only() -> Group {
    let mut group = Group::decisions(
        800,
        "lock-only",
        "Ended, revoked or suspended, but begun: lock a standing car",
    );
    let (_, until) = WINDOW;
    let graced = Chain::owned_with(policy(ALL, 4).with(12, n(600)));
    let ended = |at: u64| {
        locking(&graced)
            .at(at)
            .hearing(&[by_owner(&owner_statement(1, at - 60))])
    };
    group.allow(
        "before-the-end",
        "Nothing refuses: an ordinary allow",
        &ended(until - 1),
    );
    for at in [until, until + 599] {
        group.lock_only(
            format!("grace-{}", at - until),
            "After the end, within the grace of 600 s",
            &ended(at),
            "expired",
        );
    }
    for at in [until + 600, until + 601] {
        group.refuse(
            format!("grace-{}", at - until),
            "After end and grace",
            &ended(at),
            "expired",
        );
    }
    let none = Chain::owned(1);
    let over = locking(&none)
        .at(until)
        .hearing(&[by_owner(&owner_statement(1, until - 60))]);
    group.refuse(
        "no-grace",
        "Without a grace the end is the end",
        &over,
        "expired",
    );
    group.refuse(
        "not-begun",
        "The trip never began",
        &ended(until).but(|scene| scene.begun = false),
        "expired",
    );
    group.refuse(
        "moving",
        "The car moves",
        &ended(until).but(|scene| scene.state = Some((false, false))),
        "expired car-moving",
    );
    group.refuse(
        "unknown-state",
        "Nobody knows whether it moves",
        &ended(until).but(|scene| scene.state = None),
        "expired state-stale",
    );
    let unlock = ended(until).presenting(&graced, "unlock");
    group.refuse("unlock", "Only lock", &unlock, "expired");
    let id = graced.links[0].short();
    let revoked =
        locking(&graced).hearing(&[by_owner(&revoking(&owner_statement(1, NOW - 60), &[id]))]);
    group.lock_only("revoked", "Revoked during the trip", &revoked, "revoked");
    let suspended =
        locking(&graced).hearing(&[by_owner(&suspending(&owner_statement(1, NOW - 60), &[id]))]);
    group.lock_only(
        "suspended",
        "Suspended during the trip",
        &suspended,
        "suspended",
    );
    let silent = locking(&graced).but(|scene| scene.statements.clear());
    group.lock_only(
        "statement-too-old",
        "Cut off for too long",
        &silent,
        "statement-too-old",
    );
    let hours = a([super::cbor::t("Etc/UTC"), a([a([n(127), n(0), n(60)])])]);
    let late = Chain::owned_with(policy(ALL, 4).with(8, hours));
    group.lock_only(
        "outside-hours",
        "Outside the hours",
        &locking(&late),
        "outside-hours",
    );
    let all = ended(until).hearing(&[by_owner(&revoking(
        &suspending(&owner_statement(1, NOW - 3 * DAY), &[id]),
        &[id],
    ))]);
    group.lock_only(
        "four-at-once",
        "Several of these reasons",
        &all,
        "expired revoked suspended statement-too-old",
    );
    let far = revoked.but(|scene| scene.channel = "remote");
    group.lock_only("remote", "Through the API, with `remote`", &far, "revoked");
    others(&mut group, &graced);
    group
}

/// Reasons that no lock-only answer excuses.
fn others(group: &mut Group, graced: &Chain) {
    let (_, until) = WINDOW;
    let id = graced.links[0].short();
    let revoked = |chain: &Chain, id: [u8; 16]| {
        locking(chain).hearing(&[by_owner(&revoking(&owner_statement(1, NOW - 60), &[id]))])
    };
    let base = revoked(graced, id);
    group.refuse(
        "old-generation",
        "An old generation is not excused",
        &base.but(|scene| scene.known.2 = 1),
        "revoked old-generation",
    );
    group.refuse(
        "command-expired",
        "Nor is a command out of time",
        &base.but(|scene| scene.now = NOW + 11),
        "revoked command-expired",
    );
    let near = Chain::owned_with(policy(ALL, 0).with(6, n(1)));
    group.refuse(
        "too-far",
        "Nor distance",
        &revoked(&near, near.links[0].short()),
        "too-far revoked",
    );
    let verified = Chain::owned_with(policy(ALL, 0).with(14, n(2)));
    group.refuse(
        "presence-needed",
        "Nor an absent user",
        &revoked(&verified, verified.links[0].short()),
        "presence-needed revoked",
    );
    let no_lock = Chain::owned_with(policy(ALL & !2, 0));
    group.refuse(
        "not-entitled",
        "Nor a missing right",
        &revoked(&no_lock, no_lock.links[0].short()),
        "not-entitled revoked",
    );
    let lost = base.but(|scene| scene.clock = Some((NOW, UNKNOWN)));
    group.refuse(
        "clock-untrusted",
        "Nor an unknown time",
        &lost,
        "revoked clock-untrusted",
    );
    let ignoring = Chain::owned_with(policy(ALL, 0).with(7, n(2)).with(12, n(600)));
    let lost = revoked(&ignoring, ignoring.links[0].short())
        .but(|scene| scene.clock = Some((NOW, UNKNOWN)));
    group.refuse(
        "end-unknown",
        "Whether end and grace are over cannot be told",
        &lost,
        "revoked",
    );
    let mandated = Chain::mandate().then(&granted(&holder(1), ALL, 0), &holder(1));
    let word = by_status(&revoking(
        &status_statement(1, NOW - 60),
        &[mandated.links[2].short()],
    ));
    let scene = Scene::mandated(&mandated)
        .presenting(&mandated, "lock")
        .hearing(&[word])
        .but(|scene| {
            scene.begun = true;
            scene.state = Some((true, true));
        });
    group.lock_only("mandated", "Below a mandate as well", &scene, "revoked");
    let wide = base.but(|scene| scene.clock = Some((NOW - HOUR, until + 599)));
    group.lock_only(
        "wide-clock",
        "The latest time it may be lies within the grace",
        &wide,
        "expired revoked",
    );
}

fn all_at_once() -> Group {
    let mut group = Group::decisions(
        810,
        "all-at-once",
        "Every reason that holds is given, in the order of the codes",
    );
    let hours = a([super::cbor::t("Etc/UTC"), a([a([n(127), n(0), n(60)])])]);
    let policy = policy(2, 0)
        .with(3, a([circle(BERLIN, 10)]))
        .with(6, n(3))
        .with(8, hours)
        .with(9, n(0))
        .with(10, n(60))
        .with(13, n(3))
        .with(14, n(2));
    let chain = Chain::owned_with(policy);
    let id = chain.links[0].short();
    let (_, until) = WINDOW;
    let word = by_owner(&revoking(
        &suspending(&owner_statement(1, NOW - 9 * DAY), &[id]),
        &[id],
    ));
    let scene = Scene::of(&chain).hearing(&[word]).but(|scene| {
        scene.clock = Some((until, until));
        scene.now = until;
        scene.known.2 = 1;
        scene.position = Some((0, 0));
        scene.state = Some((false, false));
    });
    let always = "not-entitled presence-needed too-far uses-spent revoked suspended old-generation \
                  statement-too-old mandate-exceeded command-expired";
    let state = "expired outside-hours outside-area car-moving ignition-on";
    group.refuse(
        "everything",
        "A key that nothing speaks for",
        &scene,
        &format!("{state} {always}"),
    );
    let blind = scene.but(|scene| {
        scene.position = None;
        scene.state = None;
    });
    group.refuse(
        "blind",
        "The same for a car that knows nothing of itself",
        &blind,
        &format!("expired outside-hours location-unknown state-stale {always}"),
    );
    let mut forged = scene;
    if let Some(proof) = &mut forged.proof {
        let last = proof.len() - 2;
        proof[last] ^= 1;
    }
    group.refuse(
        "unsigned",
        "Without a valid proof none of it is told",
        &forged,
        "bad-signature",
    );
    group
}
