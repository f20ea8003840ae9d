use keys_core::command::VehicleCommand;
use keys_core::envelope::{NO_REST, seal};
use keys_core::id::{CommandId, ObjectId};
use keys_core::journal::{Entry, EntryKind, GENESIS, JournalHead, entry_hash};
use keys_core::receipt::{OutcomeCode, Receipt};
use keys_core::refusal::{Refusal, Refusals};
use keys_core::signature::Signer;
use keys_core::testing::{self, NOW};

use super::*;
use crate::describe::hex;

/// Boot, an unlock (intent, outcome), and a refusal.
fn entries() -> Vec<Vec<u8>> {
    let kinds = [
        EntryKind::Boot,
        EntryKind::Intent,
        EntryKind::Outcome,
        EntryKind::Refusal,
    ];
    let mut previous = GENESIS;
    (0..)
        .zip(kinds)
        .map(|(index, kind)| {
            let mut entry = Entry::new(index, previous, kind, NOW.plus(index), true);
            if kind != EntryKind::Boot {
                let command = u8::from(kind == EntryKind::Refusal) + 1;
                entry.command_id = Some(CommandId([command; 16]));
                entry.command = Some(VehicleCommand::Unlock);
                entry.links.push(ObjectId([5; 32]));
            }
            match kind {
                EntryKind::Outcome => entry.outcome = Some(OutcomeCode::Done),
                EntryKind::Refusal => entry.reasons = Refusal::Expired.into(),
                _ => {}
            }
            let encoded = entry.encode();
            previous = entry_hash(&encoded);
            encoded
        })
        .collect()
}

fn head(entries: &[Vec<u8>], index: usize) -> Vec<u8> {
    let head = JournalHead {
        index: index as u64,
        head: entry_hash(&entries[index]),
        vehicle: testing::vehicle(),
        time: NOW,
    };
    seal(&head, &testing::gateway(), NO_REST)
        .expect("a key in memory signs")
        .bytes
}

fn receipt(entries: &[Vec<u8>], index: usize, change: impl FnOnce(&mut Receipt)) -> Vec<u8> {
    let entry = Entry::decode(&entries[index]).expect("an entry");
    let allowed = entry.kind == EntryKind::Outcome;
    let mut receipt = Receipt {
        links: entry.links,
        command: VehicleCommand::Unlock,
        vehicle: testing::vehicle(),
        command_id: entry.command_id.expect("an entry about a command"),
        allowed,
        reasons: entry.reasons,
        outcome: entry.outcome,
        presentation: [0; 32],
        journal: (entry.index, entry_hash(&entries[index])),
        time: NOW,
        clock_trusted: true,
        follows: None,
    };
    change(&mut receipt);
    seal(&receipt, &testing::gateway(), NO_REST)
        .expect("a key in memory signs")
        .bytes
}

fn whole() -> Export {
    let entries = entries();
    Export {
        heads: vec![head(&entries, 3)],
        receipts: vec![receipt(&entries, 2, |_| {}), receipt(&entries, 3, |_| {})],
        entries,
    }
}

fn findings(export: &Export) -> Vec<String> {
    let audit = Audit::of(export, testing::gateway().verifying_key());
    audit.findings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_whole_journal_holds_with_its_heads_and_receipts() {
    let audit = Audit::of(&whole(), testing::gateway().verifying_key());
    assert_eq!(audit.findings, []);
    assert_eq!(
        (audit.entries.len(), audit.heads, audit.receipts),
        (4, 1, 2)
    );
    assert_eq!(audit.vehicle(), Some(testing::vehicle()));
}

#[test]
fn an_intent_without_outcome_is_listed_and_no_fault() {
    let mut export = whole();
    export.entries.truncate(2);
    export.heads.clear();
    export.receipts.clear();
    let audit = Audit::of(&export, testing::gateway().verifying_key());
    assert_eq!((audit.findings, audit.open_intents), (vec![], vec![1]));
}

#[test]
fn an_edited_entry_is_named() {
    let mut export = whole();
    let mut entry = Entry::decode(&export.entries[1]).expect("an entry");
    entry.command = Some(VehicleCommand::Lock);
    export.entries[1] = entry.encode();
    let found = findings(&export);
    assert_eq!(found[0], "entry 2 does not follow the entry before it");
    assert!(
        found.len() > 1,
        "the signed head and receipts show it as well"
    );
}

#[test]
fn a_reordered_or_missing_entry_is_named() {
    let mut export = whole();
    export.entries.swap(1, 2);
    assert_eq!(findings(&export)[0], "entry 1 carries index 2");
    let mut export = whole();
    export.entries.remove(0);
    assert_eq!(findings(&export)[0], "entry 0 carries index 1");
    let mut export = whole();
    export.entries[2].pop();
    assert_eq!(findings(&export)[0], "entry 2 does not decode");
}

#[test]
fn a_cut_tail_shows_against_a_signed_head() {
    let mut export = whole();
    export.entries.truncate(3);
    export.receipts.clear();
    assert_eq!(
        findings(&export),
        ["signed head 1 names entry 3, but the journal ends after 3 entries: its tail was cut"]
    );
}

#[test]
fn a_second_history_shows_against_a_receipt() {
    let mut export = whole();
    let mut last = Entry::decode(&export.entries[3]).expect("an entry");
    last.time = last.time.plus(1);
    export.entries[3] = last.encode();
    assert_eq!(
        findings(&export),
        [
            "signed head 1 names another entry 3: the journal was edited, or there are two of it",
            "receipt 2 names another entry 3: the journal was edited, or there are two of it",
        ]
    );
}

#[test]
fn a_receipt_that_says_something_else_than_its_entry_is_found() {
    let entries = entries();
    let mut export = whole();
    export.receipts = vec![
        receipt(&entries, 2, |receipt| {
            receipt.outcome = Some(OutcomeCode::Declined);
        }),
        receipt(&entries, 3, |receipt| receipt.reasons = Refusals::NONE),
        receipt(&entries, 3, |receipt| {
            receipt.command_id = CommandId([9; 16]);
        }),
        receipt(&entries, 2, |receipt| {
            receipt.vehicle = testing::other_vehicle();
        }),
    ];
    let found = findings(&export);
    assert_eq!(
        found[..3],
        [
            "receipt 1 and entry 2 do not agree about the outcome",
            "receipt 2 and entry 3 do not agree about the reasons",
            "receipt 3 and entry 3 do not agree about the command id",
        ]
    );
    assert!(found[3].starts_with("receipt 4 is of another vehicle"));
}

#[test]
fn heads_and_receipts_of_another_key_do_not_count() {
    let audit = Audit::of(&whole(), testing::issuer().verifying_key());
    assert_eq!(
        (audit.heads, audit.receipts, audit.findings.len()),
        (0, 0, 3)
    );
}

#[test]
fn an_act_without_intent_is_found() {
    let mut outcome = Entry::new(0, GENESIS, EntryKind::Outcome, NOW, true);
    outcome.command_id = Some(CommandId([1; 16]));
    let export = Export {
        entries: vec![outcome.encode()],
        ..Export::default()
    };
    assert_eq!(
        findings(&export),
        ["entry 0 tells an outcome without an intent before it"]
    );
}

#[test]
fn an_export_is_read_from_json_lines_bare_text_and_one_document() {
    let whole = whole();
    let lines = |name: &str, list: &[Vec<u8>]| -> String {
        list.iter()
            .map(|bytes| format!("{{\"{name}\": \"{}\"}}\n", hex(bytes)))
            .collect()
    };
    let mut json_lines = Export::default();
    json_lines
        .add(&lines("entry", &whole.entries))
        .and_then(|()| json_lines.add(&lines("head", &whole.heads)))
        .and_then(|()| json_lines.add(&lines("receipt", &whole.receipts)))
        .expect("JSON lines");
    assert_eq!(json_lines, whole);

    let bare: String = [&whole.entries, &whole.heads, &whole.receipts]
        .into_iter()
        .flatten()
        .map(|bytes| hex(bytes) + "\n")
        .collect();
    let mut read = Export::default();
    read.add(&bare).expect("hex lines");
    assert_eq!(read, whole);

    let document = serde_json::json!({
        "data": whole.receipts.iter().map(|bytes| serde_json::json!({
            "id": "rec_1",
            "receipt": data_encoding::BASE64URL_NOPAD.encode(bytes),
        })).collect::<Vec<_>>(),
        "has_more": false,
    });
    let mut read = Export::default();
    read.add(&format!("{document:#}")).expect("a document");
    assert_eq!(read.receipts, whole.receipts);

    assert!(Export::default().add("# a comment\n\nnonsense!\n").is_err());
}
