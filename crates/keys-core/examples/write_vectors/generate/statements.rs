//! What statements deny, to which keys, and which statements are not taken.

use super::cbor::{V, a, b, n, t};
use super::group::Group;
use super::scene::{
    ALL, Chain, DAY, LISTS, NOW, OTHER_AUD, Scene, by_owner, by_status, claims, owner_statement,
    revoking, status_statement, suspending,
};
use super::signed::{
    LINK, STATEMENT, Signed, holder, owner, second_owner, sign, sign_unnamed, stranger,
};

pub(crate) fn groups() -> Vec<Group> {
    vec![owners(), platforms(), refused()]
}

/// Owner statement 2 of a minute ago.
pub(crate) fn owner_2() -> V {
    owner_statement(2, NOW - 60)
}

pub(crate) fn platform_2() -> V {
    status_statement(2, NOW - 60)
}

fn owners() -> Group {
    let mut group = Group::decisions(620, "owners-word", "What an owner's statement denies");
    let chain = Chain::owned(3);
    let scene = Scene::of(&chain);
    for (index, link) in chain.links.iter().enumerate() {
        let revoked = by_owner(&revoking(&owner_2(), &[link.short()]));
        let suspended = by_owner(&suspending(&owner_2(), &[link.short()]));
        let note = format!("Link {} of three is listed", index + 1);
        group.refuse(
            format!("revoked-{}", index + 1),
            note.clone(),
            &scene.hearing(&[revoked]),
            "revoked",
        );
        group.refuse(
            format!("suspended-{}", index + 1),
            note,
            &scene.hearing(&[suspended]),
            "suspended",
        );
    }
    let parent = Chain {
        links: chain.links[..2].to_vec(),
        holder: holder(2),
    };
    let revoked = by_owner(&revoking(&owner_2(), &[chain.links[2].short()]));
    group.allow(
        "parent-of-revoked",
        "A link above the listed one lives",
        &Scene::of(&parent).hearing(&[revoked]),
    );
    let others = by_owner(&revoking(&suspending(&owner_2(), &[[9; 16]]), &[[8; 16]]));
    group.allow(
        "others-listed",
        "Other links are listed",
        &scene.hearing(&[others]),
    );
    let id = chain.links[0].short();
    let both = by_owner(&revoking(&suspending(&owner_2(), &[id]), &[id]));
    group.refuse(
        "both",
        "The link is revoked and suspended",
        &scene.hearing(&[both]),
        "revoked suspended",
    );
    let lifted = [
        by_owner(&suspending(&owner_statement(1, NOW - 120), &[id])),
        by_owner(&owner_2()),
    ];
    group.allow(
        "resumed",
        "The newer statement does not suspend any more",
        &scene.hearing(&lifted),
    );
    let kept = [
        by_owner(&revoking(&owner_statement(1, NOW - 120), &[id])),
        by_owner(&owner_2()),
    ];
    group.refuse(
        "stays-revoked",
        "The newer statement does not revoke any more: revoked all the same",
        &scene.hearing(&kept),
        "revoked",
    );
    let second = sign(
        STATEMENT,
        &[],
        &owner_statement(1, NOW - 30),
        &second_owner(),
    );
    let two = scene.but(|scene| scene.roots.push(second_owner().public()));
    let by_two = [by_owner(&suspending(&owner_2(), &[id])), second.clone()];
    group.refuse(
        "suspended-by-the-other-owner",
        "A later word of another owner key does not lift it",
        &two.hearing(&by_two),
        "suspended",
    );
    let reversed = [
        second,
        by_owner(&suspending(&owner_statement(9, NOW - 20), &[id])),
    ];
    group.refuse(
        "suspended-later",
        "Each owner key counts its own numbers",
        &two.hearing(&reversed),
        "suspended",
    );
    let mandated = Chain::mandated();
    for (index, link) in mandated.links.iter().enumerate() {
        let words = [
            by_owner(&revoking(&owner_2(), &[link.short()])),
            by_status(&platform_2()),
        ];
        let note = format!("An owner revokes link {} below a mandate", index + 1);
        group.refuse(
            format!("mandated-{}", index + 1),
            note,
            &Scene::mandated(&mandated).hearing(&words),
            "revoked",
        );
    }
    group
}

fn platforms() -> Group {
    let mut group = Group::decisions(
        630,
        "platforms-word",
        "What a status key's statement denies",
    );
    let chain = Chain::mandated().then(&claims(&holder(2), ALL, 0), &holder(2));
    let scene = Scene::mandated(&chain);
    for (index, link) in chain.links.iter().enumerate() {
        let below = index > 0;
        let revoked = by_status(&revoking(&platform_2(), &[link.short()]));
        let suspended = by_status(&suspending(&platform_2(), &[link.short()]));
        let note = match below {
            true => format!("Link {} of four is listed", index + 1),
            false => "The mandate itself is out of its reach".to_owned(),
        };
        let reasons = |code| if below { code } else { "" };
        group.answer(
            format!("revoked-{}", index + 1),
            note.clone(),
            &scene.hearing(&[revoked]),
            reasons("revoked"),
        );
        group.answer(
            format!("suspended-{}", index + 1),
            note,
            &scene.hearing(&[suspended]),
            reasons("suspended"),
        );
    }
    let owned = Chain::owned(1);
    let id = owned.links[0].short();
    let words = [by_status(&revoking(
        &suspending(&platform_2(), &[id]),
        &[id],
    ))];
    let owned = Scene::of(&owned)
        .but(|other| other.anchors.clone_from(&scene.anchors))
        .hearing(&words);
    group.allow(
        "owner-signed",
        "A key without a mandate is out of its reach",
        &owned,
    );
    let leaf = chain.links[3].short();
    let old = by_status(&revoking(&status_statement(1, NOW - 4_000), &[leaf]));
    group.refuse(
        "expired-denies",
        "After exp the denials stay",
        &scene.hearing(&[old.clone(), by_status(&platform_2())]),
        "revoked",
    );
    group.refuse(
        "expired-alone",
        "And the statement is not fresh",
        &scene.hearing(&[old]),
        "revoked statement-too-old",
    );
    let resumed = [
        by_status(&suspending(&status_statement(1, NOW - 90), &[leaf])),
        by_status(&platform_2()),
    ];
    group.allow(
        "resumed",
        "Only suspended ids can leave",
        &scene.hearing(&resumed),
    );
    let expired = by_status(&suspending(&status_statement(1, NOW - 4_000), &[leaf]));
    group.refuse(
        "expired-suspends",
        "A suspension holds past exp",
        &scene.hearing(&[expired]),
        "suspended statement-too-old",
    );
    group
}

/// The statements that do not hold change nothing.
fn refused() -> Group {
    let mut group = Group::decisions(
        640,
        "refused-statements",
        "Statements that are not taken: nothing they say counts",
    );
    let chain = Chain::owned(1);
    let id = chain.links[0].short();
    let scene = Scene::of(&chain);
    let usual = by_owner(&owner_statement(1, NOW - 60));
    let mut ignored = |name: &str, note: &str, statement: Signed| {
        group.allow(name, note, &scene.hearing(&[usual.clone(), statement]));
    };
    let revoking_2 = revoking(&owner_statement(2, NOW - 30), &[id]);
    ignored(
        "other-vehicle",
        "For another car",
        by_owner(&revoking_2.with(3, t(OTHER_AUD))),
    );
    ignored(
        "stranger",
        "By a stranger",
        sign(STATEMENT, &[], &revoking_2, &stranger()),
    );
    ignored(
        "other-context",
        "Signed as a link",
        sign(LINK, &[], &revoking_2, &owner()),
    );
    ignored(
        "no-kid",
        "It does not name its signer",
        sign_unnamed(STATEMENT, &[], &revoking_2, &owner()),
    );
    ignored(
        "rollback",
        "A lower number than is held",
        by_owner(&revoking(&owner_statement(0, NOW - 30), &[id])),
    );
    ignored(
        "equivocation",
        "The number that is held, with other content",
        by_owner(&revoking(&owner_statement(1, NOW - 30), &[id])),
    );
    ignored(
        "owner-with-exp",
        "With exp it would be a status key's",
        by_owner(&revoking_2.with(4, n(NOW + DAY))),
    );
    ignored(
        "status-key-of-none",
        "A status key whose link is not stored",
        by_status(&revoking(&status_statement(1, NOW - 30), &[id])),
    );
    ignored(
        "unknown-field",
        "A field that is not known",
        by_owner(&revoking_2.with(5, n(0))),
    );
    ignored(
        "601-s-ahead",
        "More than ten minutes ahead of the clock",
        by_owner(&revoking(&owner_statement(2, NOW + 601), &[id])),
    );
    let mut forged = by_owner(&revoking_2);
    let last = forged.bytes.len() - 1;
    forged.bytes[last] ^= 1;
    ignored("forged", "A signature that does not hold", forged);
    let descending = revoking_2.change(LISTS, |lists| lists.with(3, a([b(&[0xff; 16]), b(&id)])));
    ignored(
        "descending-ids",
        "Ids that do not ascend",
        by_owner(&descending),
    );
    let twice = revoking_2.change(LISTS, |lists| lists.with(3, a([b(&id), b(&id)])));
    ignored("id-twice", "An id twice", by_owner(&twice));
    let sixty_four = |count: u8| -> V {
        let mut ids: Vec<[u8; 16]> = (1..count).map(|number| [number; 16]).collect();
        ids.push(id);
        revoking(&owner_statement(2, NOW - 30), &ids)
    };
    ignored(
        "65-ids",
        "More ids than a statement lists",
        by_owner(&sixty_four(65)),
    );
    for count in [63, 64] {
        group.refuse(
            format!("{count}-ids"),
            "As many ids as fit",
            &scene.hearing(&[by_owner(&sixty_four(count))]),
            "revoked",
        );
    }
    for ahead in [599, 600] {
        let word = by_owner(&revoking(&owner_statement(2, NOW + ahead), &[id]));
        group.refuse(
            format!("{ahead}-s-ahead"),
            "Up to ten minutes ahead of the clock",
            &scene.hearing(&[word]),
            "revoked",
        );
    }
    let lost = scene.hearing(&[by_owner(&revoking(&owner_statement(2, NOW + 601), &[id]))]);
    let lost = lost.but(|scene| scene.clock = Some((NOW, super::scene::UNKNOWN)));
    group.refuse(
        "ahead-of-no-clock",
        "Nothing bounds the time, so nothing is ahead of it",
        &lost,
        "revoked clock-untrusted",
    );
    known(&mut group);
    group
}

/// Numbers the gateway has seen before.
fn known(group: &mut Group) {
    let owned = Scene::of(&Chain::owned(1)).hearing(&[by_owner(&owner_statement(7, NOW - 60))]);
    let mandated =
        Scene::mandated(&Chain::mandated()).hearing(&[by_status(&status_statement(7, NOW - 60))]);
    for (seq, reasons) in [(6, ""), (7, ""), (8, "statement-too-old")] {
        let note = format!("Statement 7 where {seq} was seen before");
        group.answer(
            format!("known-owner-{seq}"),
            note.clone(),
            &owned.but(|scene| scene.known.0 = seq),
            reasons,
        );
        group.answer(
            format!("known-platform-{seq}"),
            note,
            &mandated.but(|scene| scene.known.1 = seq),
            reasons,
        );
    }
}
