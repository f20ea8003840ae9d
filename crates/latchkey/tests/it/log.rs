//! `latchkey log verify`; the checks themselves are tested beside the code.

use keys_core::envelope::{NO_REST, seal};
use keys_core::journal::{Entry, EntryKind, GENESIS, JournalHead, entry_hash};
use keys_core::testing::{self, NOW};
use serde_json::Value;

use crate::support::{hex, public, run, stderr, stdout};

/// A journal of `count` starts, its head signed.
fn journal(count: u64) -> Vec<String> {
    let mut previous = GENESIS;
    let mut lines = Vec::new();
    for index in 0..count {
        let entry = Entry::new(index, previous, EntryKind::Boot, NOW.plus(index), true).encode();
        previous = entry_hash(&entry);
        lines.push(format!("{{\"entry\": \"{}\"}}", hex(&entry)));
    }
    let head = JournalHead {
        index: count - 1,
        head: previous,
        vehicle: testing::vehicle(),
        time: NOW,
    };
    let sealed = seal(&head, &testing::gateway(), NO_REST).expect("a key in memory signs");
    lines.push(format!("{{\"head\": \"{}\"}}", hex(&sealed.bytes)));
    lines
}

fn verify(lines: &[String]) -> (Option<i32>, String) {
    let key = public(&testing::gateway());
    let output = run(
        &["log", "verify", "-", "--gateway-key", &key],
        &lines.join("\n"),
    );
    (output.status.code(), stdout(&output) + &stderr(&output))
}

#[test]
fn a_whole_journal_holds() {
    let (code, text) = verify(&journal(5));
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("5 entries unbroken, 1 signed heads"),
        "{text}"
    );
    assert!(text.ends_with("✓ the journal holds\n"), "{text}");
}

#[test]
fn every_way_to_tamper_is_found_and_the_place_named() {
    let whole = journal(5);
    let mut edited = whole.clone();
    // An entry is a map of six items; one item less does not decode.
    edited[2] = edited[2].replacen("a6", "a5", 1);
    let (code, text) = verify(&edited);
    assert_eq!(code, Some(1));
    assert!(text.contains("✗ entry 2"), "{text}");

    let mut reordered = whole.clone();
    reordered.swap(1, 2);
    assert!(verify(&reordered).1.contains("✗ entry 1 carries index 2"));

    let mut gap = whole.clone();
    gap.remove(3);
    assert!(verify(&gap).1.contains("✗ entry 3 carries index 4"));

    let mut cut = whole;
    cut.remove(4);
    let (code, text) = verify(&cut);
    assert_eq!(code, Some(1));
    assert!(
        text.contains("names entry 4, but the journal ends after 4 entries"),
        "{text}"
    );
}

#[test]
fn a_bundle_names_the_gateway_key() {
    let bundle = seal(&testing::bundle(1), &testing::owner(), NO_REST).expect("signed");
    let output = run(
        &[
            "log",
            "verify",
            "-",
            "--bundle",
            &hex(&bundle.bytes),
            "--json",
        ],
        &journal(2).join("\n"),
    );
    let answer: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(answer["holds"], true);
    assert_eq!(answer["entries"], 2);
}

#[test]
fn what_is_no_journal_is_said_with_its_line() {
    let (code, text) = verify(&["00".to_owned(), "not a journal!".to_owned()]);
    assert_eq!(code, Some(2));
    assert!(
        text.contains("`-` line 2: neither a journal entry"),
        "{text}"
    );
    assert_eq!(verify(&[]).0, Some(2));
}
