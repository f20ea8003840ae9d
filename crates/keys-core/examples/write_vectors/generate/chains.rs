//! Keys that open, of every length and form; commands and the rights they need.

use super::cbor::{a, b, n};
use super::group::Group;
use super::scene::{
    ALL, Chain, DAY, HOUR, NOW, POLICY, Scene, bit_of, by_owner, claims, claims_over, granted,
    owner_statement, policy,
};
use super::signed::{holder, issuer, owner, second_owner};

pub(crate) fn groups() -> Vec<Group> {
    vec![
        owned(),
        below_a_mandate(),
        owner_devices(),
        commands(),
        presence(),
    ]
}

fn owned() -> Group {
    let mut group = Group::decisions(100, "owner-signed", "Keys whose first link an owner signed");
    for hops in 1..=5 {
        let note = match hops {
            1 => "The owner's key of the holder".to_owned(),
            _ => format!("Passed on {} times", hops - 1),
        };
        group.allow(
            format!("{hops}-hops"),
            note,
            &Scene::of(&Chain::owned(hops)),
        );
    }
    let own_grant = Chain::owned(1).then(
        &granted(&holder(2), ALL, 0).with(7, b(b"booking2")),
        &holder(2),
    );
    group.allow(
        "own-grant-id",
        "The second link has a grant id of its own",
        &Scene::of(&own_grant),
    );
    let late_grant = Chain::first(&owner(), &claims(&holder(1), ALL, 1), &holder(1))
        .then(&granted(&holder(2), ALL, 0), &holder(2));
    group.allow(
        "grant-id-below",
        "Only the last link has a grant id",
        &Scene::of(&late_grant),
    );
    let booked = granted(&holder(1), ALL, 0).with(-65539, b(&[0xb0; 16]));
    let booked = Chain::first(&owner(), &booked, &holder(1));
    group.allow(
        "booking-hash",
        "The link names a booking by its hash",
        &Scene::of(&booked),
    );
    let everything = Chain::owned_with(every_item());
    let scene = Scene::of(&everything).but(|scene| {
        scene.position = Some((525_200_000, 134_050_000));
        scene.state = Some((true, true));
        scene.proximity = 1;
    });
    group.allow(
        "every-item",
        "The link states every policy item, and all hold",
        &scene,
    );
    let two_owners = Scene::of(&Chain::first(
        &second_owner(),
        &granted(&holder(1), ALL, 0),
        &holder(1),
    ))
    .but(|scene| scene.roots = vec![owner().public(), second_owner().public()]);
    group.allow(
        "second-owner",
        "The second owner key of the bundle signed",
        &two_owners,
    );
    group
}

/// A policy with every item, none of which refuses at [`NOW`].
pub(crate) fn every_item() -> super::cbor::V {
    let berlin = a([n(525_200_000), n(134_050_000), n(1_000)]);
    policy(ALL, 4)
        .with(3, a([berlin.clone()]))
        .with(4, n(3_600))
        .with(5, n(2))
        .with(6, n(1))
        .with(7, n(1))
        .with(
            8,
            a([
                super::cbor::t("Europe/Berlin"),
                a([a([n(127), n(0), n(1_440)])]),
            ]),
        )
        .with(9, n(10))
        .with(10, n(30 * DAY))
        .with(11, n(7_200))
        .with(12, n(3_600))
        .with(13, n(3))
        .with(14, n(1))
        .with(15, a([berlin]))
}

fn below_a_mandate() -> Group {
    let mut group = Group::decisions(
        110,
        "below-a-mandate",
        "Keys below a mandate: mandate, root to issuer, issuer to holder, and on",
    );
    let third = Chain::mandated();
    let fourth = third.then(&claims(&holder(2), ALL, 1), &holder(2));
    let fifth = fourth.then(&claims(&holder(3), ALL, 0), &holder(3));
    for (hops, chain) in [(3, &third), (4, &fourth), (5, &fifth)] {
        let whole = Scene::mandated(chain).but(|scene| scene.key = chain.key());
        group.allow(
            format!("{hops}-hops-whole"),
            "Every link travels with the key",
            &whole,
        );
        for anchored in 1..=2 {
            let scene = Scene::mandated(chain).but(|scene| scene.key = chain.key_from(anchored));
            let note = [
                "The key starts at the stored mandate",
                "The key starts at the stored issuer link",
            ][anchored - 1];
            group.allow(format!("{hops}-hops-from-anchor-{anchored}"), note, &scene);
        }
    }
    let leaf = Scene::mandated(&third).but(|scene| {
        scene.anchors.push(third.links[2].bytes.clone());
        scene.key = third.key_from(3);
    });
    group.allow(
        "anchor-alone",
        "The key is the id of a stored link and nothing else",
        &leaf,
    );
    let shuffled = Scene::mandated(&third).but(|scene| scene.anchors.reverse());
    group.allow(
        "anchors-in-any-order",
        "Anchors come children first",
        &shuffled,
    );
    let orphan = Scene::mandated(&third).but(|scene| {
        scene.anchors.remove(0);
    });
    group.refuse(
        "anchor-without-its-parent",
        "The mandate is not stored, so the issuer link is no anchor either",
        &orphan,
        "unknown-signer",
    );
    let none = Scene::mandated(&third).but(|scene| scene.anchors.clear());
    group.refuse("no-anchors", "Nothing is stored", &none, "unknown-signer");
    group.refuse(
        "issuer-link-alone",
        "The issuer link has no grant id, so it is no key",
        &Scene::mandated(&Chain::mandate()),
        "malformed",
    );
    group
}

fn owner_devices() -> Group {
    let mut group = Group::decisions(
        120,
        "owner-devices",
        "Keys whose holder is an owner key: window, freshness and generation are not tested",
    );
    let over = claims_over(&second_owner(), (NOW - 9 * DAY, NOW - DAY), policy(ALL, 0))
        .with(7, b(b"ownerdev"));
    let device = Chain::first(&owner(), &over, &second_owner());
    let scene = Scene::of(&device).but(|scene| {
        scene.roots.push(second_owner().public());
        scene.statements.clear();
        scene.known.2 = 5;
    });
    group.allow(
        "nothing-is-fresh",
        "Over since a day, no statement, generation 0 where 5 is the least",
        &scene,
    );
    let unknown = scene.but(|scene| scene.clock = None);
    group.allow("no-clock", "Nor is the time known", &unknown);
    let stranger = scene.but(|scene| scene.roots.truncate(1));
    group.refuse(
        "not-an-owner-any-more",
        "The same key when the holder is no owner key",
        &stranger,
        "expired old-generation statement-too-old",
    );
    let revoked = super::scene::revoking(&owner_statement(1, NOW - 60), &[device.links[0].short()]);
    group.refuse(
        "revoked",
        "A revoked link stays revoked, also an owner device's",
        &scene.hearing(&[by_owner(&revoked)]),
        "revoked",
    );
    let mut limited = over;
    limited = limited.with(POLICY, policy(1, 0));
    let limited = Chain::first(&owner(), &limited, &second_owner());
    let scene = scene.presenting(&limited, "lock");
    group.refuse(
        "not-entitled",
        "Rights are tested as ever",
        &scene,
        "not-entitled",
    );
    let below = Chain::owned(1).then(&claims(&owner(), ALL, 0), &owner());
    let below = Scene::of(&below).at(NOW + 2 * DAY).but(|scene| {
        scene.now = NOW;
        scene.statements.clear();
    });
    group.allow(
        "owner-below-a-holder",
        "A key that a holder passed back to the owner",
        &below,
    );
    group
}

fn commands() -> Group {
    let mut group = Group::decisions(130, "commands", "Which right a command needs");
    for command in [
        "unlock",
        "lock",
        "enable_driving",
        "open_trunk",
        "charge_port",
        "locate",
    ] {
        let right = 1u64 << bit_of(command);
        let only = Chain::owned_with(policy(right, 0));
        let others = Chain::owned_with(policy(ALL & !right, 0));
        let remote = Chain::owned_with(policy(right | 1 << 5, 0));
        group.allow(
            format!("{command}-with"),
            "The right is there",
            &Scene::of(&only).presenting(&only, command),
        );
        group.refuse(
            format!("{command}-without"),
            "Every other right is there",
            &Scene::of(&others).presenting(&others, command),
            "not-entitled",
        );
        let through_api = |chain| {
            Scene::of(chain)
                .presenting(chain, command)
                .but(|scene| scene.channel = "remote")
        };
        group.allow(
            format!("{command}-remote-with"),
            "Through the API, with `remote`",
            &through_api(&remote),
        );
        group.refuse(
            format!("{command}-remote-without"),
            "Through the API, without `remote`",
            &through_api(&only),
            "not-entitled",
        );
    }
    group
}

fn presence() -> Group {
    let mut group = Group::decisions(
        140,
        "presence-and-proximity",
        "User presence (policy 14) and proximity (policy 6)",
    );
    for (needed, found) in (0..=2).flat_map(|needed| (0..=2).map(move |found| (needed, found))) {
        for command in ["unlock", "enable_driving"] {
            let chain = Chain::owned_with(policy(ALL, 0).with(14, n(needed)));
            let scene =
                Scene::of(&chain).presenting_with(&chain, command, |proof| proof.with(5, n(found)));
            let least = if command == "enable_driving" {
                needed.max(1)
            } else {
                needed
            };
            let reasons = if found < least { "presence-needed" } else { "" };
            let note = format!("Presence {needed} is asked for, {found} is proven");
            group.answer(format!("{command}-{needed}-{found}"), note, &scene, reasons);
        }
    }
    for (needed, found) in (0..=3).flat_map(|needed| (0..=3).map(move |found| (needed, found))) {
        let chain = Chain::owned_with(policy(ALL, 0).with(6, n(needed)));
        let scene = Scene::of(&chain).but(|scene| scene.proximity = found);
        let reasons = if found < needed { "too-far" } else { "" };
        let note = format!("Proximity {needed} is asked for, {found} is proven");
        group.answer(format!("proximity-{needed}-{found}"), note, &scene, reasons);
    }
    for late in [0, 1, 2] {
        let scene = Scene::of(&Chain::owned(1)).but(|scene| scene.now = NOW + 9 + late);
        let reasons = if late == 2 { "command-expired" } else { "" };
        let note = format!(
            "The command may run until {} and it is {}",
            NOW + 10,
            NOW + 9 + late
        );
        group.answer(format!("not-after-{late}"), note, &scene, reasons);
    }
    // The issuer is a holder like any other: without a proof of the leaf's holder nothing opens.
    let chain = Chain::mandated();
    let mut impostor = chain.clone();
    impostor.holder = issuer();
    group.refuse(
        "proof-of-the-issuer",
        "The issuer signed the proof instead of the holder",
        &Scene::mandated(&chain).presenting(&impostor, "unlock"),
        "bad-signature",
    );
    let hour_ago = Scene::of(&Chain::owned(1)).but(|scene| scene.now = NOW - HOUR);
    group.allow(
        "phone-ahead",
        "A phone whose time is ahead only shortens its own command",
        &hour_ago,
    );
    group
}
