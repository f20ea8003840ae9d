//! Bundles, statements and receipts: the signed objects with most in them.

use super::cbor::{V, a, b, m, n, t};
use super::group::Group;
use super::objects::Kind;
use super::scene::{AUD, LISTS, NOW, owner_statement, status_statement};
use super::signed::{
    BUNDLE, RECEIPT, STATEMENT, Who, gateway, owner, platform, second_owner, status,
};

pub(crate) fn groups() -> Vec<Group> {
    vec![bundle(), statement(), receipt()]
}

const CONTENTS: i64 = -65540;

fn bundle_body() -> V {
    m([
        (3, t(AUD)),
        (6, n(NOW)),
        (
            CONTENTS,
            m([
                (1, n(4)),
                (2, a([b(&owner().public())])),
                (4, b(&gateway().public())),
                (5, n(0)),
                (6, n(0)),
                (7, n(0)),
            ]),
        ),
    ])
}

fn bundle() -> Group {
    let mut group = Group::of_kind(1030, "bundle", "object", "Trust bundles");
    let kind = Kind {
        name: "bundle",
        context: BUNDLE,
        rest: vec![],
        signer: owner(),
        kid: Some(true),
        longest: 2_048,
    };
    let least = bundle_body();
    let with = |key: i64, value: V| least.change(CONTENTS, |contents| contents.with(key, value));
    kind.valid(&mut group, "least", "Only what a bundle must state", &least);
    let owners = |labels: &[u8]| a(labels.iter().map(|label| b(&Who::labeled(*label).public())));
    let full = least.change(CONTENTS, |contents| {
        contents
            .with(2, owners(&[1, 2, 3, 4]))
            .with(3, b(&platform().public()))
            .with(5, n(1))
            .with(6, n(3))
            .with(7, n(1))
            .with(8, t("https://keys.example"))
    });
    kind.valid(&mut group, "full", "Every field, four owner keys", &full);
    kind.usual_faults(&mut group, &full, &[3, 6, CONTENTS]);
    for key in [1, 2, 4, 5, 6, 7] {
        let body = full.change(CONTENTS, |contents| contents.without(key));
        kind.malformed(
            &mut group,
            &format!("contents-without-{key}"),
            "A field is missing",
            &body,
        );
    }
    kind.malformed(
        &mut group,
        "contents-unknown-field",
        "A field that is not known",
        &with(9, n(0)),
    );
    kind.malformed(
        &mut group,
        "no-owner",
        "An empty list of owners",
        &with(2, a([])),
    );
    kind.malformed(
        &mut group,
        "5-owners",
        "Five owners",
        &with(2, owners(&[1, 2, 3, 4, 5])),
    );
    kind.malformed(&mut group, "flag-2", "A flag is 0 or 1", &with(5, n(2)));
    kind.malformed(
        &mut group,
        "small-owner",
        "An owner key of small order",
        &with(2, a([b(&[0; 32])])),
    );
    kind.malformed(
        &mut group,
        "small-platform",
        "A platform root of small order",
        &with(3, b(&[0; 32])),
    );
    kind.malformed(
        &mut group,
        "small-gateway",
        "A gateway key of small order",
        &with(4, b(&[0; 32])),
    );
    kind.valid(
        &mut group,
        "origin-256",
        "An origin of 256 bytes",
        &with(8, t(&"o".repeat(256))),
    );
    kind.malformed(
        &mut group,
        "origin-257",
        "An origin of 257 bytes",
        &with(8, t(&"o".repeat(257))),
    );
    let second = Kind {
        signer: second_owner(),
        ..kind
    };
    second.valid(
        &mut group,
        "second-owner",
        "Signed by another owner key",
        &full,
    );
    group
}

fn ids(count: u8) -> V {
    a((0..count).map(|number| b(&[number; 16])))
}

fn statement() -> Group {
    let mut group = Group::of_kind(1040, "statement", "object", "Statements by themselves");
    let kind = Kind {
        name: "statement",
        context: STATEMENT,
        rest: vec![],
        signer: owner(),
        kid: Some(true),
        longest: 2_048,
    };
    let least = owner_statement(1, NOW);
    let lists = |key: i64, value: V| least.change(LISTS, |lists| lists.with(key, value));
    kind.valid(&mut group, "least", "Nothing is listed", &least);
    kind.usual_faults(&mut group, &least, &[3, 6, LISTS]);
    for key in [1, 2, 3] {
        kind.malformed(
            &mut group,
            &format!("lists-without-{key}"),
            "A field is missing",
            &least.change(LISTS, |lists| lists.without(key)),
        );
    }
    for field in [3, 5] {
        for count in [63, 64] {
            kind.valid(
                &mut group,
                &format!("{count}-ids-in-{field}"),
                "As many ids as fit",
                &lists(field, ids(count)),
            );
        }
        let many = kind.seal(&lists(field, ids(65))).bytes;
        kind.bad(
            &mut group,
            &format!("65-ids-in-{field}"),
            "More ids than fit",
            &many,
            "too-large",
        );
    }
    kind.valid(
        &mut group,
        "suspended-empty",
        "An empty list of suspended links",
        &lists(5, ids(0)),
    );
    let both = |count: u8| least.change(LISTS, |lists| lists.with(3, ids(64)).with(5, ids(count)));
    let fits = (0..=64)
        .rev()
        .find(|count| kind.seal(&both(*count)).bytes.len() <= 2_048)
        .expect("some fit");
    kind.valid(
        &mut group,
        "both-lists",
        "As many ids in both lists as 2,048 bytes hold",
        &both(fits),
    );
    let over = kind.seal(&both(fits + 1)).bytes;
    kind.bad(
        &mut group,
        "both-lists-1",
        "One id more",
        &over,
        "too-large",
    );
    kind.malformed(
        &mut group,
        "descending",
        "Ids that do not ascend",
        &lists(3, a([b(&[2; 16]), b(&[1; 16])])),
    );
    kind.malformed(
        &mut group,
        "twice",
        "An id twice",
        &lists(5, a([b(&[2; 16]), b(&[2; 16])])),
    );
    kind.malformed(
        &mut group,
        "long-id",
        "An id of 32 bytes",
        &lists(3, a([b(&[2; 32])])),
    );
    kind.malformed(
        &mut group,
        "lists-unknown-field",
        "A field that is not known",
        &lists(6, n(0)),
    );
    kind.malformed(
        &mut group,
        "owner-word-1",
        "One item in field 4",
        &lists(4, a([n(1)])),
    );
    let by_status = Kind {
        signer: status(),
        ..kind
    };
    let full = status_statement(9, NOW).change(LISTS, |lists| {
        lists
            .with(3, ids(2))
            .with(4, a([n(7), b(&[7; 16])]))
            .with(5, ids(1))
    });
    by_status.valid(&mut group, "status-key", "Every field", &full);
    group
}

fn receipt() -> Group {
    let mut group = Group::of_kind(1060, "receipt", "object", "Receipts (M3)");
    let kind = Kind {
        name: "receipt",
        context: RECEIPT,
        rest: vec![],
        signer: gateway(),
        kid: Some(true),
        longest: 1_536,
    };
    let codes = |codes: &[&str]| a(codes.iter().map(|code| t(code)));
    let least = m([
        (1, a([b(&[1; 32])])),
        (2, n(0)),
        (3, t(AUD)),
        (4, b(&[4; 16])),
        (5, n(0)),
        (6, codes(&["expired", "revoked"])),
        (8, b(&[8; 32])),
        (9, a([n(12), b(&[9; 32])])),
        (10, n(NOW)),
        (11, n(1)),
    ]);
    kind.valid(&mut group, "refused", "A refusal", &least);
    let full = least
        .with(1, a((1..=5).map(|link| b(&[link; 32]))))
        .with(2, n(6))
        .with(5, n(1))
        .with(6, a([]))
        .with(7, n(2))
        .with(12, b(&[12; 32]));
    kind.valid(
        &mut group,
        "full",
        "A later outcome for a key of five links",
        &full,
    );
    kind.valid(
        &mut group,
        "lock-only",
        "An allowed lock of an ended key",
        &least.with(2, n(1)).with(5, n(1)).with(7, n(0)),
    );
    kind.usual_faults(&mut group, &full, &[1, 2, 3, 4, 5, 6, 8, 9, 10, 11]);
    for (name, note, body) in [
        ("no-links", "A key has a link", least.with(1, a([]))),
        (
            "6-links",
            "Six links",
            least.with(1, a((1..=6).map(|link| b(&[link; 32])))),
        ),
        ("command-5", "Not a command", least.with(2, n(5))),
        (
            "decision-2",
            "Neither refused nor allowed",
            least.with(5, n(2)),
        ),
        ("outcome-3", "An unknown outcome", least.with(7, n(3))),
        (
            "unknown-code",
            "A code that does not exist",
            least.with(6, codes(&["tired"])),
        ),
        (
            "codes-descend",
            "Codes out of their order",
            least.with(6, codes(&["revoked", "expired"])),
        ),
        (
            "code-twice",
            "A code twice",
            least.with(6, codes(&["expired", "expired"])),
        ),
        ("code-as-number", "Codes are text", least.with(6, a([n(7)]))),
    ] {
        kind.malformed(&mut group, name, note, &body);
    }
    let all = super::json::ALL_CODES;
    kind.valid(
        &mut group,
        "all-codes",
        "Every code there is",
        &least.with(6, codes(&all)),
    );
    group
}
