//! Proofs and challenges: their form, and whose they are.

use super::cbor::{V, a, b, n, t};
use super::group::Group;
use super::scene::{Chain, NOW, OTHER_AUD, Scene, UNKNOWN, bit_of, challenge, proof};
use super::signed::{CHALLENGE, PROOF, gateway, holder, sha256, sign, sign_unnamed};

pub(crate) fn groups() -> Vec<Group> {
    vec![proofs(), challenges()]
}

fn proofs() -> Group {
    let mut group = Group::decisions(260, "proofs", "Proofs that do not follow the format");
    let chain = Chain::owned(1);
    let with =
        |change: &dyn Fn(V) -> V| Scene::of(&chain).presenting_with(&chain, "unlock", change);
    for (key, name) in [
        (1, "command"),
        (2, "phone-time"),
        (5, "presence"),
        (7, "command-id"),
        (8, "not-after"),
    ] {
        let scene = with(&|proof| proof.without(key));
        group.refuse(
            format!("without-{name}"),
            "A field is missing",
            &scene,
            "malformed",
        );
    }
    let mut answer = |name: &str, note: &str, reasons: &str, change: &dyn Fn(V) -> V| {
        group.answer(name, note, &with(change), reasons);
    };
    answer(
        "unknown-field-6",
        "A field that is not known",
        "malformed",
        &|proof| proof.with(6, n(1)),
    );
    answer(
        "unknown-field-10",
        "A field that is not known",
        "malformed",
        &|proof| proof.with(10, n(1)),
    );
    for bit in [5, 7, 8] {
        answer(
            &format!("command-{bit}"),
            "Not a command",
            "malformed",
            &|proof| proof.with(1, n(bit)),
        );
    }
    answer("presence-3", "An unknown presence", "malformed", &|proof| {
        proof.with(5, n(3))
    });
    answer(
        "parameters",
        "A parameter hash where no command has parameters",
        "malformed",
        &|proof| proof.with(4, b(&[0; 32])),
    );
    answer("share", "An X25519 share", "", &|proof| {
        proof.with(3, b(&[9; 32]))
    });
    answer("position", "The phone's position", "", &|proof| {
        proof.with(9, a([n(525_200_000), n(134_050_000)]))
    });
    answer(
        "position-beyond",
        "A latitude beyond the pole",
        "malformed",
        &|proof| proof.with(9, a([n(900_000_001), n(0)])),
    );
    answer("life-0", "not-after at phone time", "", &|proof| {
        proof.with(8, n(NOW))
    });
    answer("life-29", "29 s to live", "", &|proof| {
        proof.with(8, n(NOW + 29))
    });
    answer("life-30", "30 s to live", "", &|proof| {
        proof.with(8, n(NOW + 30))
    });
    answer("life-31", "31 s to live", "malformed", &|proof| {
        proof.with(8, n(NOW + 31))
    });
    answer(
        "life-negative",
        "not-after before phone time",
        "malformed",
        &|proof| proof.with(8, n(NOW - 1)),
    );
    answer(
        "command-id-15",
        "A command id has 16 bytes",
        "malformed",
        &|proof| proof.with(7, b(&[1; 15])),
    );
    let scene = Scene::of(&chain);
    let hash = sha256(
        scene
            .challenge
            .as_deref()
            .expect("the scene has a challenge"),
    );
    let rest = [hash, chain.leaf()].concat();
    let named = sign(PROOF, &rest, &proof(0), &holder(1)).bytes;
    group.refuse(
        "kid",
        "A proof does not name its signer",
        &scene.but(|scene| scene.proof = Some(named)),
        "malformed",
    );
    group.refuse(
        "empty",
        "No bytes",
        &scene.but(|scene| scene.proof = Some(Vec::new())),
        "malformed",
    );
    group.refuse(
        "none",
        "Without a proof the answer is never allow",
        &scene.but(|scene| scene.proof = None),
        "bad-signature",
    );
    let other = proof(bit_of("lock"));
    let other = sign_unnamed(PROOF, &rest, &other, &holder(1)).bytes;
    group.refuse(
        "other-command",
        "The proof is for lock, the car is asked to unlock",
        &scene.but(|scene| scene.proof = Some(other)),
        "bad-signature",
    );
    group
}

fn challenges() -> Group {
    let mut group = Group::decisions(
        270,
        "challenges",
        "Challenges: their form, and whose they are",
    );
    let chain = Chain::owned(1);
    let with = |bytes: Vec<u8>| {
        let rest = [sha256(&bytes), chain.leaf()].concat();
        let proof = sign_unnamed(PROOF, &rest, &proof(0), &holder(1)).bytes;
        Scene::of(&chain).but(|scene| {
            scene.challenge = Some(bytes);
            scene.proof = Some(proof);
        })
    };
    let signed = |body: &V| with(sign(CHALLENGE, &[], body, &gateway()).bytes);
    let usual = challenge();
    for key in [1, 2, 4, 5, 6, 7, 8, 9, 11] {
        group.refuse(
            format!("without-{key}"),
            "A field is missing",
            &signed(&usual.without(key)),
            "malformed",
        );
    }
    let bodies: Vec<(&str, V, &str)> = vec![
        ("usual", usual.clone(), ""),
        ("phone-nonce", usual.with(3, b(&[7; 16])), ""),
        (
            "return-origin",
            usual.with(10, t("https://keys.example")),
            "",
        ),
        ("origin-256", usual.with(10, t(&"o".repeat(256))), ""),
        (
            "origin-257",
            usual.with(10, t(&"o".repeat(257))),
            "malformed",
        ),
        ("unknown-field", usual.with(12, n(0)), "malformed"),
        ("nonce-15", usual.with(1, b(&[1; 15])), "malformed"),
        ("clock-unknown", usual.with(5, a([n(NOW), n(UNKNOWN)])), ""),
        (
            "clock-inverted",
            usual.with(5, a([n(NOW), n(NOW - 1)])),
            "malformed",
        ),
        ("ttl-299999", usual.with(8, n(299_999)), ""),
        ("ttl-300000", usual.with(8, n(300_000)), ""),
        ("ttl-300001", usual.with(8, n(300_001)), "malformed"),
        ("no-version", usual.with(9, a([])), "malformed"),
        ("4-versions", usual.with(9, a([n(1), n(2), n(3), n(4)])), ""),
        (
            "5-versions",
            usual.with(9, a([n(1), n(2), n(3), n(4), n(5)])),
            "malformed",
        ),
        ("other-version", usual.with(9, a([n(2)])), "wrong-challenge"),
        (
            "other-vehicle",
            usual.with(2, t(OTHER_AUD)),
            "wrong-vehicle",
        ),
    ];
    for (name, body, reasons) in bodies {
        group.answer(name, "", &signed(&body), reasons);
    }
    let other = with(sign(CHALLENGE, &[], &usual, &holder(9)).bytes);
    group.refuse(
        "other-gateway",
        "Another gateway's challenge",
        &other,
        "wrong-challenge",
    );
    let mut forged = sign(CHALLENGE, &[], &usual, &gateway()).bytes;
    let last = forged.len() - 1;
    forged[last] ^= 1;
    group.refuse(
        "forged",
        "A signature that does not hold",
        &with(forged),
        "wrong-challenge",
    );
    let unnamed = with(sign_unnamed(CHALLENGE, &[], &usual, &gateway()).bytes);
    group.refuse(
        "no-kid",
        "A challenge names its signer",
        &unnamed,
        "malformed",
    );
    let none = Scene::of(&chain).but(|scene| scene.challenge = None);
    group.refuse(
        "none",
        "There is always a challenge",
        &none,
        "wrong-challenge",
    );
    let mut swapped = signed(&usual.with(1, b(&[2; 16])));
    swapped.challenge = Scene::of(&chain).challenge;
    group.refuse(
        "other-challenge",
        "The proof answers another challenge",
        &swapped,
        "bad-signature",
    );
    group
}
