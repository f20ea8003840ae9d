//! What a car answers to statements, one after the other.

use super::cbor::{n, t};
use super::group::Group;
use super::json::{J, obj};
use super::scene::{
    Chain, DAY, LISTS, NOW, OTHER_AUD, Scene, UNKNOWN, by_owner, by_status, owner_statement,
    revoking, status_claims, status_statement, suspending,
};
use super::signed::{
    LINK, NO_PARENT, STATEMENT, Signed, platform, second_owner, second_status, sign, stranger,
};

pub(crate) fn groups() -> Vec<Group> {
    vec![boards()]
}

/// What a car is told, statement by statement, with its answer to each.
struct Story {
    clock: (u64, u64),
    known: (u64, u64, u64),
    words: Vec<(Signed, &'static str)>,
}

impl Story {
    fn new(words: Vec<(Signed, &'static str)>) -> Self {
        Self {
            clock: (NOW, NOW),
            known: (0, 0, 0),
            words,
        }
    }

    /// Adds the case; `seqs` are the owner's and the platform's numbers in the end.
    fn tell(
        &self,
        group: &mut Group,
        name: &str,
        note: &str,
        seqs: (u64, u64),
        generation: u64,
        revoked: &[[u8; 16]],
    ) {
        let mut scene = Scene::mandated(&Chain::mandated()).but(|scene| {
            scene.roots.push(second_owner().public());
            scene.clock = Some(self.clock);
            scene.known = self.known;
            let link = sign(
                LINK,
                &NO_PARENT,
                &status_claims(&second_status()),
                &platform(),
            );
            scene.anchors.push(link.bytes);
        });
        scene.statements = self
            .words
            .iter()
            .map(|(statement, _)| statement.bytes.clone())
            .collect();
        let wanted = [
            "vehicle",
            "roots",
            "platform_root",
            "anchors",
            "clock",
            "statements",
            "known",
        ];
        let fields = scene
            .to_json()
            .into_iter()
            .filter(|(name, _)| wanted.contains(&name.as_str()))
            .collect();
        let expect = obj([
            (
                "answers",
                J::list(self.words.iter().map(|(_, answer)| J::str(*answer))),
            ),
            ("owner_seq", J::num(seqs.0)),
            ("platform_seq", J::num(seqs.1)),
            ("generation", J::num(generation)),
            ("revoked", J::list(revoked.iter().map(|id| J::hex(id)))),
        ]);
        group.add(name, note, fields, expect);
    }
}

fn boards() -> Group {
    let mut group = Group::of_kind(
        1200,
        "statement-boards",
        "statements",
        "What a car answers to statements, and what it knows afterwards",
    );
    let id = |number: u8| [number; 16];
    let own = |seq: u64, at: u64| owner_statement(seq, at);
    let word = |seq: u64, at: u64| status_statement(seq, at);
    let plain = |seq: u64| by_owner(&own(seq, NOW - 600 + seq));
    Story::new(vec![
        (plain(1), "new"),
        (plain(2), "new"),
        (plain(2), "known"),
        (plain(1), "statement-too-old"),
    ])
    .tell(
        &mut group,
        "numbers",
        "Only a higher number is new; a lower one is a rollback",
        (2, 0),
        0,
        &[],
    );
    let other = by_owner(&revoking(&own(2, NOW - 5), &[id(1)]));
    Story::new(vec![
        (plain(2), "new"),
        (other, "replayed"),
        (plain(3), "new"),
    ])
    .tell(
        &mut group,
        "equivocation",
        "The same number with other content: the first is kept",
        (3, 0),
        0,
        &[],
    );
    let first = by_owner(&revoking(&own(1, NOW - 60), &[id(1), id(2)]));
    let second = by_owner(&revoking(&own(2, NOW - 50), &[id(3)]));
    Story::new(vec![(first, "new"), (second, "new")]).tell(
        &mut group,
        "union",
        "Revoked is whatever was ever revoked",
        (2, 0),
        0,
        &[id(1), id(2), id(3)],
    );
    let suspended = by_owner(&suspending(&own(1, NOW - 60), &[id(1)]));
    Story::new(vec![(suspended, "new")]).tell(
        &mut group,
        "suspended",
        "Suspended is not revoked",
        (1, 0),
        0,
        &[],
    );
    let second_owners = sign(STATEMENT, &[], &own(1, NOW - 20), &second_owner());
    Story::new(vec![(plain(9), "new"), (second_owners, "new")]).tell(
        &mut group,
        "two-owners",
        "Each signer counts for itself; the later iat is the newest",
        (1, 0),
        0,
        &[],
    );
    let platforms = by_status(&revoking(&word(50, NOW - 60), &[id(4)]));
    let renewed = sign(STATEMENT, &[], &word(1, NOW - 30), &second_status());
    Story::new(vec![(platforms, "new"), (renewed, "new")]).tell(
        &mut group,
        "new-status-key",
        "A new status key starts at 1",
        (0, 1),
        0,
        &[id(4)],
    );
    let raised = |seq: u64, generation: u64| {
        by_owner(&own(seq, NOW - 60 + seq).change(LISTS, |lists| lists.with(2, n(generation))))
    };
    Story::new(vec![(raised(1, 5), "new"), (raised(2, 3), "new")]).tell(
        &mut group,
        "generation",
        "It rises and never falls",
        (2, 0),
        5,
        &[],
    );
    let by_status_raised = by_status(&word(1, NOW - 60).change(LISTS, |lists| lists.with(2, n(1))));
    Story::new(vec![(by_status_raised, "malformed")]).tell(
        &mut group,
        "status-key-raises",
        "A status key does not raise the generation",
        (0, 0),
        0,
        &[],
    );
    let ahead = |by: u64| by_owner(&own(by, NOW + by));
    Story::new(vec![(ahead(600), "new"), (ahead(601), "not-yet-valid")]).tell(
        &mut group,
        "ahead",
        "More than ten minutes ahead of the clock",
        (600, 0),
        0,
        &[],
    );
    Story {
        clock: (NOW, UNKNOWN),
        ..Story::new(vec![(ahead(601), "new")])
    }
    .tell(
        &mut group,
        "ahead-of-no-clock",
        "Without an upper bound nothing is ahead",
        (601, 0),
        0,
        &[],
    );
    refusals(&mut group);
    group
}

fn refusals(group: &mut Group) {
    let foreign = by_owner(&owner_statement(1, NOW).with(3, t(OTHER_AUD)));
    let strangers = sign(STATEMENT, &[], &owner_statement(1, NOW), &stranger());
    let mut forged = by_owner(&owner_statement(1, NOW));
    let last = forged.bytes.len() - 1;
    forged.bytes[last] ^= 1;
    let mut cut = by_owner(&owner_statement(1, NOW));
    cut.bytes.pop();
    let owners_with_exp = by_owner(&status_statement(1, NOW));
    let statuses_without = by_status(&owner_statement(1, NOW));
    let words = vec![
        (foreign, "wrong-vehicle"),
        (strangers, "unknown-signer"),
        (forged, "bad-signature"),
        (cut, "malformed"),
        (owners_with_exp, "unknown-signer"),
        (statuses_without, "unknown-signer"),
    ];
    Story::new(words).tell(group, "refused", "None of them is taken", (0, 0), 0, &[]);
    let story = Story::new(vec![
        (by_owner(&owner_statement(6, NOW - 60)), "statement-too-old"),
        (by_owner(&owner_statement(7, NOW - 60)), "new"),
        (
            by_status(&status_statement(8, NOW - 60)),
            "statement-too-old",
        ),
        (by_status(&status_statement(9, NOW - 60)), "new"),
    ]);
    Story {
        known: (7, 9, 0),
        ..story
    }
    .tell(
        group,
        "known",
        "Numbers that were seen before a restart",
        (7, 9),
        0,
        &[],
    );
    let link = super::scene::status_link();
    let revoked = by_owner(&revoking(&owner_statement(1, NOW - 60), &[link.short()]));
    Story::new(vec![
        (revoked, "new"),
        (by_status(&status_statement(1, NOW - 30)), "revoked"),
    ])
    .tell(
        group,
        "status-link-revoked",
        "The owner has ended the status key",
        (1, 0),
        0,
        &[link.short()],
    );
    Story {
        known: (0, 0, 1),
        ..Story::new(vec![(
            by_status(&status_statement(1, NOW - 30)),
            "old-generation",
        )])
    }
    .tell(
        group,
        "status-link-old",
        "The status key's link is of an old generation",
        (0, 0),
        1,
        &[],
    );
    let late = NOW + 29 * DAY;
    for (name, at, answer, seq) in [
        ("status-link-last", late - 1, "new", 1),
        ("status-link-over", late, "expired", 0),
    ] {
        Story {
            clock: (at, at),
            ..Story::new(vec![(by_status(&status_statement(1, at - 30)), answer)])
        }
        .tell(
            group,
            name,
            "The end of the status key's link",
            (0, seq),
            0,
            &[],
        );
    }
    let early = NOW - DAY;
    for (name, at, answer, seq) in [
        ("status-link-first", early, "new", 1),
        ("status-link-early", early - 1, "not-yet-valid", 0),
    ] {
        Story {
            clock: (at, at),
            ..Story::new(vec![(by_status(&status_statement(1, early)), answer)])
        }
        .tell(
            group,
            name,
            "The start of the status key's link",
            (0, seq),
            0,
            &[],
        );
    }
}
