use alloc::borrow::ToOwned;

use super::*;
use crate::codec::edits::{assert_body, assert_strict};
use crate::envelope::{NO_REST, Unverified, seal};
use crate::refusal::Refusal;
use crate::testing::{NOW, gateway, vehicle};

fn full(index: u64, previous: [u8; 32]) -> Entry {
    let mut entry = Entry::new(index, previous, EntryKind::Refusal, NOW, true);
    entry.links = [ObjectId([1; 32]), ObjectId([2; 32])].into_iter().collect();
    entry.command_id = Some(CommandId([3; 16]));
    entry.command = Some(VehicleCommand::Unlock);
    entry.outcome = Some(OutcomeCode::Unknown);
    entry.reasons = [Refusal::Expired, Refusal::CarMoving].into_iter().collect();
    entry.presentation = Some([4; 32]);
    entry.note = Some("aggregated".to_owned());
    entry.count = Some(12);
    entry
}

/// A chain of three entries.
fn chain() -> Vec<Vec<u8>> {
    let mut chain: Vec<Vec<u8>> = Vec::new();
    for index in 0..3 {
        let previous = chain.last().map_or(GENESIS, |last| entry_hash(last));
        chain.push(full(index, previous).encode());
    }
    chain
}

fn check(chain: &[Vec<u8>]) -> Result<ChainCheck, JournalError> {
    let mut check = ChainCheck::default();
    for entry in chain {
        check.push(entry)?;
    }
    Ok(check)
}

#[test]
fn an_entry_comes_back_as_written_and_nothing_else_is_read() {
    let entry = full(5, [9; 32]);
    let encoded = entry.encode();
    assert_eq!(Entry::decode(&encoded), Ok(entry));
    let harmless = [
        "remove /7",
        "remove /8",
        "remove /9",
        "remove /10",
        "remove /11",
        "remove /12",
        "remove /13",
        "pop /6",
        "pop /10",
    ];
    assert_strict(&encoded, |bytes| Entry::decode(bytes).is_ok(), &harmless);
    let least = Entry::new(0, GENESIS, EntryKind::Boot, NOW, false);
    assert_eq!(Entry::decode(&least.encode()), Ok(least.clone()));
    assert_strict(&least.encode(), |bytes| Entry::decode(bytes).is_ok(), &[]);
}

#[test]
fn there_are_five_kinds_of_entry() {
    for kind in EntryKind::ALL {
        let entry = Entry::new(0, GENESIS, kind, NOW, true);
        assert_eq!(
            Entry::decode(&entry.encode()).map(|read| read.kind),
            Ok(kind)
        );
    }
    let mut encoded = Entry::new(0, GENESIS, EntryKind::Boot, NOW, true).encode();
    let at = encoded
        .windows(3)
        .position(|bytes| bytes == [3, 4, 4])
        .unwrap();
    encoded[at + 1] = 5;
    assert!(Entry::decode(&encoded).is_err());
}

#[test]
fn the_largest_entry_fits_and_a_longer_note_is_cut_at_a_character() {
    let mut entry = full(u64::from(u32::MAX) + 1, [9; 32]);
    entry.links = [ObjectId([1; 32]); 5].into();
    entry.reasons = Refusal::ALL.iter().copied().collect();
    entry.note = Some("x".repeat(NOTE_BYTES));
    assert_eq!(Entry::decode(&entry.encode()), Ok(entry.clone()));
    entry.note = Some("x".repeat(NOTE_BYTES - 1) + "ß");
    let read = Entry::decode(&entry.encode()).unwrap();
    assert_eq!(read.note, Some("x".repeat(NOTE_BYTES - 1)));
}

#[test]
fn an_unbroken_chain_is_followed_to_its_head() {
    let chain = chain();
    let checked = check(&chain).unwrap();
    assert_eq!(checked.len(), 3);
    assert!(!checked.is_empty());
    assert_eq!(checked.head(), entry_hash(&chain[2]));
    assert!(ChainCheck::default().is_empty());
    assert_eq!(ChainCheck::default().head(), GENESIS);
}

#[test]
fn an_edit_shows_at_the_next_entry_or_in_the_head() {
    let mut edited = chain();
    let mut entry = Entry::decode(&edited[1]).unwrap();
    entry.count = Some(11);
    edited[1] = entry.encode();
    assert_eq!(check(&edited), Err(JournalError::Broken { index: 2 }));
    let head = check(&chain()).unwrap().head();
    let mut edited = chain();
    let mut entry = Entry::decode(&edited[2]).unwrap();
    entry.count = Some(11);
    edited[2] = entry.encode();
    assert_ne!(check(&edited).unwrap().head(), head);
}

#[test]
fn a_gap_a_reorder_a_repeat_and_a_cut_show() {
    let whole = chain();
    let misplaced = |index, found| Err(JournalError::Misplaced { index, found });
    let pick = |order: &[usize]| {
        let entries: Vec<_> = order.iter().map(|index| whole[*index].clone()).collect();
        check(&entries)
    };
    assert_eq!(pick(&[0, 2]), misplaced(1, 2));
    assert_eq!(pick(&[1, 2]), misplaced(0, 1));
    assert_eq!(pick(&[0, 2, 1]), misplaced(1, 2));
    assert_eq!(pick(&[0, 1, 1]), misplaced(2, 1));
    assert_ne!(pick(&[0, 1]).unwrap().head(), check(&whole).unwrap().head());
    let mut torn = whole.clone();
    torn[1].pop();
    assert_eq!(check(&torn), Err(JournalError::Malformed { index: 1 }));
}

#[test]
fn two_chains_of_one_start_have_different_heads() {
    let whole = chain();
    let mut fork = Entry::decode(&whole[2]).unwrap();
    fork.kind = EntryKind::Outcome;
    let forked = [whole[0].clone(), whole[1].clone(), fork.encode()];
    assert_ne!(
        check(&forked).unwrap().head(),
        check(&whole).unwrap().head()
    );
}

#[test]
fn a_head_comes_back_as_written_and_is_the_gateways() {
    let head = JournalHead {
        index: 2,
        head: [1; 32],
        vehicle: vehicle(),
        time: NOW,
    };
    assert_body(&head, &[]);
    let sealed = seal(&head, &gateway(), NO_REST).unwrap();
    let decoded = Unverified::<JournalHead>::decode(&sealed.bytes).unwrap();
    let verified = decoded.verify(crate::signature::Signer::verifying_key(&gateway()), NO_REST);
    assert_eq!(*verified.unwrap().body(), head);
}
