//! Pairing messages, and frames between gateway and API.

use super::cbor::{V, a, b, m, n, raw, t};
use super::group::Group;
use super::scene::AUD;
use super::signed::{gateway, owner};
use super::unsigned::Kind;

pub(crate) fn groups() -> Vec<Group> {
    vec![pairing(), frames()]
}

fn pairing() -> Group {
    let mut group = Group::of_kind(1140, "pairing-messages", "object", "Pairing messages");
    let offer = Kind("pair-offer");
    let usual = m([(1, b(&gateway().public())), (2, b(&[0x6e; 16]))]);
    offer.valid(&mut group, "offer", "Gateway key and nonce", &usual);
    offer.malformed(&mut group, "offer-without-1", "No key", &usual.without(1));
    offer.malformed(&mut group, "offer-without-2", "No nonce", &usual.without(2));
    offer.malformed(
        &mut group,
        "offer-3",
        "A field that is not known",
        &usual.with(3, n(0)),
    );
    offer.malformed(
        &mut group,
        "offer-small-key",
        "A key of small order",
        &usual.with(1, b(&[0; 32])),
    );
    let confirm = Kind("pair-confirm");
    let usual = m([
        (1, t(AUD)),
        (2, b(&owner().public())),
        (3, b(&[0x0e; 16])),
        (4, b(b"bundle")),
        (5, b(&[0x3a; 32])),
    ]);
    confirm.valid(
        &mut group,
        "confirm",
        "Vehicle, owner key, nonce, bundle, MAC",
        &usual,
    );
    for key in 1..=5 {
        confirm.malformed(
            &mut group,
            format!("confirm-without-{key}"),
            "A field is missing",
            &usual.without(key),
        );
    }
    confirm.malformed(
        &mut group,
        "confirm-6",
        "A field that is not known",
        &usual.with(6, n(0)),
    );
    let overhead = usual.encode().len() - 6 + 2;
    let long = |length: usize| usual.with(4, b(&vec![0; length - overhead])).encode();
    assert_eq!(
        long(2_049).len(),
        2_049,
        "the head of the bundle has three bytes"
    );
    confirm.bad(
        &mut group,
        "confirm-2049",
        "A message that is too long",
        &long(2_049),
        "too-large",
    );
    confirm.valid(
        &mut group,
        "confirm-2048",
        "The longest",
        &usual.with(4, b(&vec![0; 2_048 - overhead])),
    );
    let answer = Kind("pair-answer");
    answer.valid(&mut group, "answer", "A MAC", &m([(1, b(&[0x3a; 32]))]));
    answer.malformed(
        &mut group,
        "answer-31",
        "A MAC of 31 bytes",
        &m([(1, b(&[0x3a; 31]))]),
    );
    answer.malformed(
        &mut group,
        "answer-2",
        "A field that is not known",
        &m([(1, b(&[0x3a; 32])), (2, n(0))]),
    );
    answer.malformed(&mut group, "answer-empty", "No MAC", &m([]));
    group
}

fn frames() -> Group {
    let mut group = Group::of_kind(1150, "frames", "object", "Frames between gateway and API");
    let kind = Kind("frame");
    let seqs = || a([n(1), n(2), n(3)]);
    let frames: Vec<(&str, Vec<V>)> = vec![
        ("hello", vec![n(1), t(AUD), b(&[1; 16]), a([n(1)])]),
        ("welcome", vec![n(2), b(&[2; 16])]),
        ("auth", vec![n(3), b(b"sealed hello")]),
        ("ready", vec![n(4)]),
        ("carry", vec![n(10), n(5), b(b"carried")]),
        ("carried", vec![n(11), n(5), t(""), seqs()]),
        (
            "carried-refused",
            vec![n(11), n(5), t("bad-signature"), seqs()],
        ),
        ("challenge-request", vec![n(12), n(6), b(&[])]),
        ("challenge-request-nonce", vec![n(12), n(6), b(&[7; 16])]),
        ("challenge-reply", vec![n(13), n(6), b(b"challenge")]),
        ("challenge-refused", vec![n(13), n(6), t("rate-limited")]),
        ("present", vec![n(14), n(7), b(b"presentation")]),
        ("present-reply", vec![n(15), n(7), b(b"receipt"), n(0)]),
        ("present-refused", vec![n(15), n(7), t("malformed"), n(0)]),
        ("present-repeated", vec![n(15), n(7), b(b"receipt"), n(1)]),
        ("ping", vec![n(20), n(8), b(b"challenge")]),
        ("time", vec![n(21), n(8), b(b"attestation")]),
        ("report", vec![n(30), n(9), b(b"receipt")]),
        ("report-ack", vec![n(31), n(9)]),
        ("head", vec![n(32), b(b"head")]),
        ("state", vec![n(33), t("{}")]),
        ("state-8192", vec![n(33), t(&"s".repeat(8_192))]),
    ];
    for (name, items) in &frames {
        kind.valid(&mut group, *name, "", &a(items.clone()));
        let longer = a(items.iter().cloned().chain([n(0)]));
        kind.malformed(
            &mut group,
            format!("{name}-and-more"),
            "An item more",
            &longer,
        );
    }
    for (name, note, items) in [
        ("unknown-type", "A type that is not known", vec![n(5)]),
        ("empty", "No type", vec![]),
        (
            "hello-no-version",
            "No version",
            vec![n(1), t(AUD), b(&[1; 16]), a([])],
        ),
        (
            "hello-5-versions",
            "Five versions",
            vec![n(1), t(AUD), b(&[1; 16]), a((1..=5).map(n))],
        ),
        (
            "carried-unknown-code",
            "A code that does not exist",
            vec![n(11), n(5), t("no"), seqs()],
        ),
        (
            "challenge-request-15",
            "A nonce of 15 bytes",
            vec![n(12), n(6), b(&[7; 15])],
        ),
        (
            "reply-empty-code",
            "Neither object nor code",
            vec![n(13), n(6), t("")],
        ),
        (
            "repeated-2",
            "A flag is 0 or 1",
            vec![n(15), n(7), b(b"receipt"), n(2)],
        ),
        (
            "state-8193",
            "More state than a frame holds",
            vec![n(33), t(&"s".repeat(8_193))],
        ),
        (
            "state-not-utf-8",
            "Text that is not UTF-8",
            vec![n(33), raw(&[0x61, 0xff])],
        ),
    ] {
        kind.malformed(&mut group, name, note, &a(items));
    }
    kind.zeros(&mut group, 16_384);
    group
}
