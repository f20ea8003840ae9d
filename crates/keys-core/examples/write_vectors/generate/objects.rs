//! Every signed object: read or not, signed by the right key or not.

use super::cbor::{V, a, b, m, n, t};
use super::chains::every_item;
use super::group::Group;
use super::json::{J, obj};
use super::scene::{
    AUD, Chain, DAY, NOW, POLICY, UNKNOWN, challenge, granted, mandate_claims, proof,
};
use super::signed::{
    BUNDLE, CHALLENGE, JOURNAL, LINK, NO_PARENT, PROOF, SYNC, Signed, TIME, Who, gateway, holder,
    named, owner, sha256, sign, sign_bytes, sign_unnamed, status, stranger, unnamed,
};

pub(crate) fn groups() -> Vec<Group> {
    vec![
        link(),
        proof_file(),
        challenge_file(),
        time(),
        journal_head(),
        sync(),
    ]
}

/// One type of object: how it is signed, and how long it may be.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) context: &'static [u8; 8],
    pub(crate) rest: Vec<u8>,
    pub(crate) signer: Who,
    /// Whether it names its signer: it must, must not, or either.
    pub(crate) kid: Option<bool>,
    pub(crate) longest: usize,
}

impl Kind {
    pub(crate) fn seal(&self, body: &V) -> Signed {
        match self.kid {
            Some(false) => sign_unnamed(self.context, &self.rest, body, &self.signer),
            _ => sign(self.context, &self.rest, body, &self.signer),
        }
    }

    pub(crate) fn fields(&self, bytes: &[u8]) -> Vec<(String, J)> {
        [
            ("type", J::str(self.name)),
            ("signer", J::hex(&self.signer.public())),
            ("rest", J::hex(&self.rest)),
            ("bytes", J::hex(bytes)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    pub(crate) fn valid(&self, group: &mut Group, name: &str, note: &str, body: &V) {
        let sealed = self.seal(body);
        let expect = obj([
            ("result", J::str("valid")),
            ("id", J::hex(&sealed.id)),
            ("body", body.to_json()),
        ]);
        group.add(name, note, self.fields(&sealed.bytes), expect);
    }

    pub(crate) fn bad(&self, group: &mut Group, name: &str, note: &str, bytes: &[u8], code: &str) {
        group.add(
            name,
            note,
            self.fields(bytes),
            obj([("result", J::str(code))]),
        );
    }

    pub(crate) fn malformed(&self, group: &mut Group, name: &str, note: &str, body: &V) {
        self.bad(group, name, note, &self.seal(body).bytes, "malformed");
    }

    /// What goes wrong with every type in the same way. `required` are the fields of `body` that must be there.
    pub(crate) fn usual_faults(&self, group: &mut Group, body: &V, required: &[i64]) {
        for key in required {
            self.malformed(
                group,
                &format!("without-{key}"),
                "A field is missing",
                &body.without(*key),
            );
        }
        self.malformed(
            group,
            "unknown-field",
            "A field that is not known",
            &body.with(77, n(0)),
        );
        self.malformed(group, "no-map", "A list instead of a map", &a([n(1)]));
        let payload = body.encode();
        if let Some(named_rightly) = self.kid {
            let header = if named_rightly {
                unnamed()
            } else {
                named(&self.signer)
            };
            let bytes = sign_bytes(&header, self.context, &self.rest, &payload, &self.signer).bytes;
            let note = if named_rightly {
                "It does not name its signer"
            } else {
                "It names its signer"
            };
            self.bad(group, "kid", note, &bytes, "malformed");
        }
        let header = if self.kid == Some(false) {
            unnamed()
        } else {
            named(&self.signer)
        };
        let by = |context, rest: &[u8], who: &Who| {
            sign_bytes(&header, context, rest, &payload, who).bytes
        };
        self.bad(
            group,
            "forged",
            "Another key signed",
            &by(self.context, &self.rest, &stranger()),
            "bad-signature",
        );
        let other_context = if self.context == LINK { BUNDLE } else { LINK };
        self.bad(
            group,
            "other-context",
            "Signed as another kind of object",
            &by(other_context, &self.rest, &self.signer),
            "bad-signature",
        );
        let mut other_rest = self.rest.clone();
        other_rest.push(0);
        self.bad(
            group,
            "other-rest",
            "Signed under other bytes",
            &by(self.context, &other_rest, &self.signer),
            "bad-signature",
        );
        if self.kid != Some(false) {
            let strangers = sign(self.context, &self.rest, body, &stranger()).bytes;
            self.bad(
                group,
                "stranger",
                "A key that nobody trusts, under its own name",
                &strangers,
                "unknown-signer",
            );
        }
        let alg = m([(1, V::Int(-8))]).encode();
        let alg = sign_bytes(&alg, self.context, &self.rest, &payload, &self.signer).bytes;
        self.bad(
            group,
            "other-algorithm",
            "EdDSA in general instead of Ed25519",
            &alg,
            "unsupported",
        );
        let note = |length: usize| format!("{length} zero bytes; the longest are {}", self.longest);
        for (length, code) in [(self.longest, "malformed"), (self.longest + 1, "too-large")] {
            self.bad(
                group,
                &format!("zeros-{length}"),
                &note(length),
                &vec![0; length],
                code,
            );
        }
    }
}

fn link() -> Group {
    let mut group = Group::of_kind(
        1000,
        "link",
        "object",
        "Links by themselves, with or without kid",
    );
    let kind = Kind {
        name: "link",
        context: LINK,
        rest: NO_PARENT.into(),
        signer: owner(),
        kid: None,
        longest: 640,
    };
    kind.valid(
        &mut group,
        "least",
        "Only what a link must state",
        &granted(&holder(1), 1, 0).without(3).without(7),
    );
    let full = granted(&holder(1), 127, 4)
        .with(POLICY, every_item())
        .with(-65539, b(&[0xb0; 16]));
    kind.valid(&mut group, "full", "Every claim and policy item", &full);
    kind.valid(&mut group, "mandate", "A mandate", &mandate_claims());
    kind.usual_faults(&mut group, &full, &[4, 5, 8, POLICY]);
    let chain = Chain::owned(2);
    let second = Kind {
        rest: chain.links[0].id.into(),
        signer: holder(1),
        kid: Some(false),
        ..kind
    };
    let body = super::scene::claims(&holder(2), 127, 3).without(3);
    second.valid(
        &mut group,
        "second",
        "A second link, signed under the id of the first",
        &body,
    );
    group
}

fn proof_file() -> Group {
    let mut group = Group::of_kind(1010, "proof", "object", "Proofs by themselves");
    let rest = [sha256(b"a challenge"), [0x1d; 32]].concat();
    let kind = Kind {
        name: "proof",
        context: PROOF,
        rest,
        signer: holder(1),
        kid: Some(false),
        longest: 320,
    };
    kind.valid(
        &mut group,
        "least",
        "Only what a proof must state",
        &proof(0),
    );
    let full = proof(6)
        .with(3, b(&[9; 32]))
        .with(9, a([V::Int(-900_000_000), V::Int(-1_800_000_000)]));
    kind.valid(&mut group, "full", "Every field", &full);
    kind.usual_faults(&mut group, &full, &[1, 2, 5, 7, 8]);
    group
}

fn challenge_file() -> Group {
    let mut group = Group::of_kind(1020, "challenge", "object", "Challenges (M1) by themselves");
    let kind = Kind {
        name: "challenge",
        context: CHALLENGE,
        rest: vec![],
        signer: gateway(),
        kid: Some(true),
        longest: 768,
    };
    kind.valid(
        &mut group,
        "least",
        "Only what a challenge must state",
        &challenge(),
    );
    let full = challenge()
        .with(3, b(&[7; 16]))
        .with(5, a([n(0), n(UNKNOWN)]))
        .with(10, t("https://keys.example"));
    let full = full.with(7, a([n(7), n(8), n((1 << 53) - 1)]));
    kind.valid(&mut group, "full", "Every field", &full);
    kind.usual_faults(&mut group, &full, &[1, 2, 4, 5, 6, 7, 8, 9, 11]);
    kind.malformed(
        &mut group,
        "two-seqs",
        "Two numbers instead of three",
        &full.with(7, a([n(1), n(2)])),
    );
    group
}

fn time() -> Group {
    let mut group = Group::of_kind(1050, "time", "object", "Time attestations");
    let rest = sha256(b"a challenge").into();
    let kind = Kind {
        name: "time",
        context: TIME,
        rest,
        signer: status(),
        kid: Some(true),
        longest: 256,
    };
    kind.valid(&mut group, "usual", "The time", &m([(1, n(NOW))]));
    kind.valid(&mut group, "latest", "2^40 - 1", &m([(1, n(UNKNOWN))]));
    kind.malformed(&mut group, "2-40", "2^40", &m([(1, n(UNKNOWN + 1))]));
    kind.malformed(&mut group, "negative", "Before 1970", &m([(1, V::Int(-1))]));
    kind.usual_faults(&mut group, &m([(1, n(NOW))]), &[1]);
    group
}

fn journal_head() -> Group {
    let mut group = Group::of_kind(1070, "journal-head", "object", "Signed journal heads");
    let kind = Kind {
        name: "journal-head",
        context: JOURNAL,
        rest: vec![],
        signer: gateway(),
        kid: Some(true),
        longest: 320,
    };
    let body = m([(1, n(41)), (2, b(&[2; 32])), (3, t(AUD)), (10, n(NOW))]);
    kind.valid(&mut group, "usual", "The hash of entry 41", &body);
    kind.usual_faults(&mut group, &body, &[1, 2, 3, 10]);
    group
}

fn sync() -> Group {
    let mut group = Group::of_kind(
        1080,
        "sync-hello",
        "object",
        "How a gateway proves itself to the API",
    );
    let rest = [
        &[0xc1; 16][..],
        &[0x5e; 16],
        &sha256(b"https://api.keys.example"),
    ]
    .concat();
    let kind = Kind {
        name: "sync-hello",
        context: SYNC,
        rest,
        signer: gateway(),
        kid: Some(true),
        longest: 256,
    };
    let body = m([(1, a([n(1)])), (3, t(AUD)), (7, a([n(1), n(2), n(DAY)]))]);
    kind.valid(
        &mut group,
        "usual",
        "Signed under both nonces and the origin",
        &body,
    );
    kind.valid(
        &mut group,
        "4-versions",
        "Four versions",
        &body.with(1, a([n(1), n(2), n(3), n(4)])),
    );
    kind.malformed(&mut group, "no-version", "No version", &body.with(1, a([])));
    kind.malformed(
        &mut group,
        "5-versions",
        "Five versions",
        &body.with(1, a((1..=5).map(n))),
    );
    kind.usual_faults(&mut group, &body, &[1, 3, 7]);
    group
}
