//! What travels without a signature of its own: keys, presentations, carried objects, journal entries.

use super::cbor::{V, a, b, m, n, t};
use super::group::Group;
use super::json::{J, obj};
use super::scene::{Chain, NOW, Scene};

pub(crate) fn groups() -> Vec<Group> {
    vec![keys(), presentations(), carried(), entries()]
}

pub(crate) struct Kind(pub(crate) &'static str);

impl Kind {
    pub(crate) fn fields(&self, bytes: &[u8]) -> Vec<(String, J)> {
        vec![
            ("type".to_owned(), J::str(self.0)),
            ("bytes".to_owned(), J::hex(bytes)),
        ]
    }

    pub(crate) fn valid(&self, group: &mut Group, name: impl Into<String>, note: &str, item: &V) {
        let expect = obj([("result", J::str("valid")), ("body", item.to_json())]);
        group.add(name, note, self.fields(&item.encode()), expect);
    }

    pub(crate) fn bad(
        &self,
        group: &mut Group,
        name: impl Into<String>,
        note: &str,
        bytes: &[u8],
        code: &str,
    ) {
        group.add(
            name,
            note,
            self.fields(bytes),
            obj([("result", J::str(code))]),
        );
    }

    pub(crate) fn malformed(
        &self,
        group: &mut Group,
        name: impl Into<String>,
        note: &str,
        item: &V,
    ) {
        self.bad(group, name, note, &item.encode(), "malformed");
    }

    pub(crate) fn zeros(&self, group: &mut Group, longest: usize) {
        let note = format!("The longest are {longest} bytes");
        for (length, code) in [(longest, "malformed"), (longest + 1, "too-large")] {
            self.bad(
                group,
                format!("zeros-{length}"),
                &note,
                &vec![0; length],
                code,
            );
        }
    }
}

/// A signed object as the value its bytes encode.
fn envelope(bytes: &[u8]) -> V {
    let header = usize::from(bytes[1] & 0x1f);
    let payload = 2 + header + 1;
    let (length, head) = match bytes[payload] & 0x1f {
        24 => (usize::from(bytes[payload + 1]), 2),
        25 => (
            usize::from(bytes[payload + 1]) << 8 | usize::from(bytes[payload + 2]),
            3,
        ),
        short => (usize::from(short), 1),
    };
    let start = payload + head;
    a([
        b(&bytes[2..2 + header]),
        m([]),
        b(&bytes[start..start + length]),
        b(&bytes[start + length + 2..]),
    ])
}

fn key_item(chain: &Chain, anchored: usize) -> V {
    let anchor = anchored.checked_sub(1).map(|last| b(&chain.links[last].id));
    let links = chain.links[anchored..]
        .iter()
        .map(|link| envelope(&link.bytes));
    a(anchor.into_iter().chain(links))
}

fn keys() -> Group {
    let mut group = Group::of_kind(1100, "key", "object", "Keys by themselves");
    let kind = Kind("key");
    for hops in 1..=5 {
        kind.valid(
            &mut group,
            format!("{hops}-links"),
            "Parsed, not verified",
            &key_item(&Chain::owned(hops), 0),
        );
    }
    kind.valid(
        &mut group,
        "anchored",
        "It starts at an anchor",
        &key_item(&Chain::owned(3), 2),
    );
    kind.valid(
        &mut group,
        "anchor-alone",
        "It is an anchor",
        &key_item(&Chain::owned(1), 1),
    );
    kind.malformed(&mut group, "empty", "No link", &a([]));
    kind.malformed(
        &mut group,
        "number",
        "A number in place of a link",
        &a([n(1)]),
    );
    kind.zeros(&mut group, 2_560);
    group
}

fn presentations() -> Group {
    let mut group = Group::of_kind(
        1110,
        "presentation",
        "object",
        "Presentations (M2): [1, challenge, key or id of a cached leaf, proof]",
    );
    let kind = Kind("presentation");
    let chain = Chain::owned(2);
    let scene = Scene::of(&chain);
    let challenge = envelope(scene.challenge.as_deref().expect("there is one"));
    let proof = envelope(scene.proof.as_deref().expect("there is one"));
    let with = |version: u64, key: V| a([n(version), challenge.clone(), key, proof.clone()]);
    kind.valid(
        &mut group,
        "whole-key",
        "With a key",
        &with(1, key_item(&chain, 0)),
    );
    kind.valid(
        &mut group,
        "anchored-key",
        "With a key that starts at an anchor",
        &with(1, key_item(&chain, 1)),
    );
    kind.valid(
        &mut group,
        "cached-leaf",
        "With the id of a key that was seen before",
        &with(1, b(&chain.leaf())),
    );
    let version = with(2, b(&chain.leaf())).encode();
    kind.bad(
        &mut group,
        "version-2",
        "Another version",
        &version,
        "unsupported",
    );
    kind.malformed(
        &mut group,
        "short-leaf",
        "An id of 31 bytes",
        &with(1, b(&[1; 31])),
    );
    kind.malformed(
        &mut group,
        "three-items",
        "No proof",
        &a([n(1), challenge.clone(), b(&chain.leaf())]),
    );
    kind.malformed(
        &mut group,
        "swapped",
        "The proof in place of the challenge",
        &a([n(1), proof.clone(), b(&chain.leaf()), challenge.clone()]),
    );
    kind.zeros(&mut group, 4_096);
    group
}

fn carried() -> Group {
    let mut group = Group::of_kind(
        1120,
        "carried",
        "object",
        "Carried objects, and the answers to them",
    );
    let kind = Kind("carried");
    for (number, name) in [
        (1, "bundle"),
        (2, "anchor"),
        (3, "statement"),
        (5, "journal-ack"),
    ] {
        kind.valid(
            &mut group,
            name,
            "Any bytes; what they are is looked at later",
            &a([n(1), n(number), b(b"object")]),
        );
    }
    kind.valid(
        &mut group,
        "time",
        "With the challenge it answers",
        &a([n(1), n(4), b(b"object"), b(b"challenge")]),
    );
    kind.malformed(
        &mut group,
        "time-alone",
        "A time attestation without its challenge",
        &a([n(1), n(4), b(b"object")]),
    );
    kind.malformed(
        &mut group,
        "bundle-and-challenge",
        "A bundle with a challenge",
        &a([n(1), n(1), b(b"object"), b(b"challenge")]),
    );
    kind.malformed(
        &mut group,
        "kind-0",
        "An unknown kind",
        &a([n(1), n(0), b(b"object")]),
    );
    kind.malformed(
        &mut group,
        "kind-6",
        "An unknown kind",
        &a([n(1), n(6), b(b"object")]),
    );
    kind.bad(
        &mut group,
        "version-2",
        "Another version",
        &a([n(2), n(1), b(b"object")]).encode(),
        "unsupported",
    );
    for length in [2_047, 2_048] {
        kind.valid(
            &mut group,
            format!("object-{length}"),
            "A long object",
            &a([n(1), n(1), b(&vec![0; length])]),
        );
    }
    let long = a([n(1), n(1), b(&[0; 2_049])]).encode();
    kind.bad(
        &mut group,
        "object-2049",
        "An object that is too long",
        &long,
        "too-large",
    );
    kind.zeros(&mut group, 3_072);
    let answer = Kind("carried-answer");
    answer.valid(&mut group, "taken", "It was taken", &m([(1, n(1))]));
    answer.valid(
        &mut group,
        "refused",
        "It was not, and why",
        &m([(1, n(0)), (2, t("unknown-signer"))]),
    );
    answer.malformed(
        &mut group,
        "taken-with-code",
        "Taken, and a code",
        &m([(1, n(1)), (2, t("expired"))]),
    );
    answer.malformed(
        &mut group,
        "refused-without-code",
        "Refused, and no code",
        &m([(1, n(0))]),
    );
    answer.malformed(
        &mut group,
        "refused-unknown-code",
        "A code that does not exist",
        &m([(1, n(0)), (2, t("no"))]),
    );
    answer.malformed(
        &mut group,
        "answer-2",
        "Neither yes nor no",
        &m([(1, n(2))]),
    );
    group
}

pub(crate) fn entry(index: u64, previous: &[u8; 32], kind: u64) -> V {
    m([
        (1, n(index)),
        (2, b(previous)),
        (3, n(kind)),
        (4, n(NOW)),
        (5, n(1)),
        (6, a([])),
    ])
}

fn entries() -> Group {
    let mut group = Group::of_kind(1130, "journal-entry", "object", "Journal entries");
    let kind = Kind("journal-entry");
    let least = entry(0, &[0; 32], 4);
    kind.valid(&mut group, "boot", "The gateway started", &least);
    let full = entry(7, &[1; 32], 2)
        .with(6, a((1..=5).map(|link| b(&[link; 32]))))
        .with(7, b(&[7; 16]))
        .with(8, n(6))
        .with(9, n(2))
        .with(10, a([t("expired"), t("revoked")]))
        .with(11, b(&[11; 32]))
        .with(12, t(&"n".repeat(128)))
        .with(13, n(10));
    kind.valid(&mut group, "full", "Every field", &full);
    for key in 1..=6 {
        kind.malformed(
            &mut group,
            format!("without-{key}"),
            "A field is missing",
            &full.without(key),
        );
    }
    for (name, note, item) in [
        (
            "unknown-field",
            "A field that is not known",
            full.with(14, n(0)),
        ),
        ("kind-5", "An unknown kind", full.with(3, n(5))),
        ("trusted-2", "A flag is 0 or 1", full.with(5, n(2))),
        (
            "6-links",
            "Six links",
            full.with(6, a((1..=6).map(|link| b(&[link; 32])))),
        ),
        ("command-7", "Not a command", full.with(8, n(7))),
        ("outcome-3", "An unknown outcome", full.with(9, n(3))),
        (
            "note-129",
            "A note of 129 bytes",
            full.with(12, t(&"n".repeat(129))),
        ),
    ] {
        kind.malformed(&mut group, name, note, &item);
    }
    kind.zeros(&mut group, 1_536);
    group
}
