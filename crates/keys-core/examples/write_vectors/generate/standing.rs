//! When a statement counts: the owner's newest word, generations, status keys.

use super::cbor::{a, b, n};
use super::group::Group;
use super::scene::{
    ALL, Chain, DAY, LISTS, NOW, POLICY, Scene, by_owner, by_status, claims_over, granted,
    issuer_claims, mandate_claims, owner_statement, policy, revoking, status_claims,
    status_statement,
};
use super::signed::{
    LINK, NO_PARENT, STATEMENT, Signed, holder, issuer, owner, platform, second_status, sign,
    status,
};
use super::statements::{owner_2, platform_2};

pub(crate) fn groups() -> Vec<Group> {
    vec![field_4(), generations(), status_keys()]
}

fn field_4() -> Group {
    let mut group = Group::decisions(
        650,
        "owner-word-known",
        "Field 4: a platform statement is fresh only for a car with the owner's newest word",
    );
    let scene = Scene::mandated(&Chain::mandated());
    let held = by_owner(&owner_statement(5, NOW - 600));
    let naming = |seq: u64, id: &[u8; 16]| {
        by_status(&platform_2().change(LISTS, |lists| lists.with(4, a([n(seq), b(id)]))))
    };
    for (seq, id, name, reasons) in [
        (4, [1; 16], "older", ""),
        (5, held.short(), "same", ""),
        (5, [1; 16], "same-number-other-id", "statement-too-old"),
        (6, [1; 16], "newer", "statement-too-old"),
    ] {
        let note = format!("The platform knows owner statement {seq}, the car holds 5");
        group.answer(
            name,
            note,
            &scene.hearing(&[held.clone(), naming(seq, &id)]),
            reasons,
        );
    }
    for (seen, reasons) in [(4, "statement-too-old"), (5, ""), (6, "")] {
        let scene = scene
            .hearing(&[naming(5, &held.short())])
            .but(|scene| scene.known.0 = seen);
        let note = format!("The platform knows owner statement 5, the car has seen {seen}");
        group.answer(format!("seen-{seen}"), note, &scene, reasons);
    }
    let later = scene.hearing(&[naming(5, &held.short()), held.clone()]);
    group.allow(
        "owner-word-later",
        "The order in which statements come does not matter",
        &later,
    );
    let leaf = Chain::mandated().links[2].short();
    let denying = platform_2().change(LISTS, |lists| lists.with(4, a([n(6), b(&[1; 16])])));
    let denying = by_status(&revoking(&denying, &[leaf]));
    group.refuse(
        "denials-hold",
        "What it denies holds all the same",
        &scene.hearing(&[held, denying]),
        "revoked statement-too-old",
    );
    group
}

fn generations() -> Group {
    let mut group = Group::decisions(660, "generations", "Policy 5 at least the car's generation");
    let of = |generation: u64| Scene::of(&Chain::owned_with(policy(ALL, 0).with(5, n(generation))));
    for (generation, reasons) in [(4, "old-generation"), (5, ""), (6, "")] {
        let note = format!("Generation {generation} where 5 is the least");
        group.answer(
            format!("known-{generation}"),
            note.clone(),
            &of(generation).but(|scene| scene.known.2 = 5),
            reasons,
        );
        let raised = by_owner(&owner_2().change(LISTS, |lists| lists.with(2, n(5))));
        group.answer(
            format!("statement-{generation}"),
            note,
            &of(generation).hearing(&[raised]),
            reasons,
        );
    }
    let none = Scene::of(&Chain::owned(1)).but(|scene| scene.known.2 = 1);
    group.refuse(
        "absent",
        "No generation is generation 0",
        &none,
        "old-generation",
    );
    let fallen = [
        by_owner(&owner_2().change(LISTS, |lists| lists.with(2, n(5)))),
        by_owner(&owner_statement(3, NOW - 30).change(LISTS, |lists| lists.with(2, n(0)))),
    ];
    group.refuse(
        "never-falls",
        "A later statement does not lower it",
        &of(4).hearing(&fallen),
        "old-generation",
    );
    let raising = by_status(&platform_2().change(LISTS, |lists| lists.with(2, n(5))));
    let scene = Scene::mandated(&Chain::mandated());
    group.refuse(
        "status-key-raises",
        "A status key cannot raise it: the statement is not taken",
        &scene.hearing(&[raising]),
        "statement-too-old",
    );
    let mandate = mandate_claims().change(POLICY, |policy| policy.with(5, n(3)));
    let chain = Chain::first(&owner(), &mandate, &platform())
        .then(&issuer_claims(), &issuer())
        .then(&granted(&holder(1), ALL, 0), &holder(1));
    for (least, reasons) in [(3, ""), (4, "old-generation")] {
        let scene = Scene::mandated(&chain).but(|scene| {
            scene.anchors = chain.links[..2]
                .iter()
                .chain([&status_of(3)])
                .map(|link| link.bytes.clone())
                .collect();
            scene.known.2 = least;
            scene.begun = true;
            scene.in_contact = true;
        });
        let note =
            format!("A mandate of generation 3 where {least} is the least, used as an anchor");
        group.answer(format!("anchor-{least}"), note, &scene, reasons);
    }
    group
}

/// A status link of this generation.
fn status_of(generation: u64) -> Signed {
    let claims = status_claims(&status()).change(POLICY, |policy| policy.with(5, n(generation)));
    sign(LINK, &NO_PARENT, &claims, &platform())
}

fn status_keys() -> Group {
    let mut group = Group::decisions(
        670,
        "status-keys",
        "A status key's word counts while its own link stands",
    );
    let chain = Chain::mandated();
    let with = |links: &[Signed]| {
        Scene::mandated(&chain).but(|scene| {
            scene.anchors.truncate(2);
            scene
                .anchors
                .extend(links.iter().map(|link| link.bytes.clone()));
        })
    };
    let link = |from: u64, until: u64| {
        let claims = claims_over(
            &status(),
            (from, until),
            policy(super::scene::SIGN_STATUS, 0),
        );
        sign(LINK, &NO_PARENT, &claims, &platform())
    };
    for (until, name, reasons) in [
        (NOW - 1, "over-1", "statement-too-old"),
        (NOW, "over+0", "statement-too-old"),
        (NOW + 1, "over-in-1", ""),
    ] {
        group.answer(
            name,
            "The end of the status key's link",
            &with(&[link(NOW - DAY, until)]),
            reasons,
        );
    }
    let renewed = with(&[link(NOW - 9 * DAY, NOW - 1), link(NOW - DAY, NOW + DAY)]);
    group.allow(
        "renewed",
        "An older link is over, the newer one stands",
        &renewed,
    );
    let revoked = |words: &[Signed]| Scene::mandated(&chain).hearing(words);
    let status_link = super::scene::status_link();
    let revoking_link = by_owner(&revoking(&owner_2(), &[status_link.short()]));
    group.refuse(
        "link-revoked",
        "The owner has revoked the status key's link",
        &revoked(&[revoking_link.clone(), by_status(&platform_2())]),
        "statement-too-old",
    );
    group.refuse(
        "link-revoked-later",
        "Also if its statement came first",
        &revoked(&[by_status(&platform_2()), revoking_link]),
        "statement-too-old",
    );
    let own = by_status(&revoking(&platform_2(), &[status_link.short()]));
    group.allow(
        "revokes-itself",
        "A status key has no say about status links",
        &revoked(&[own]),
    );
    let old = Scene::mandated(&chain).but(|scene| {
        scene.known.2 = 1;
        scene.begun = false;
    });
    group.refuse(
        "old-generation",
        "Status link and mandate are of an old generation",
        &old,
        "old-generation statement-too-old",
    );
    let second_link = sign(
        LINK,
        &NO_PARENT,
        &status_claims(&second_status()),
        &platform(),
    );
    let both = with(&[status_link, second_link]);
    let leaf = chain.links[2].short();
    let first_word = by_status(&revoking(&status_statement(50, NOW - 90), &[leaf]));
    let second_word = sign(
        STATEMENT,
        &[],
        &status_statement(1, NOW - 60),
        &second_status(),
    );
    group.refuse(
        "new-key-inherits",
        "A new status key starts at 1; what was revoked stays",
        &both.hearing(&[first_word, second_word]),
        "revoked",
    );
    group
}
