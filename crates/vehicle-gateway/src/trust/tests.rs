use keys_core::pairing::{PairOffer, PairingCode, PairingSecret, owner_confirm};
use keys_core::signature::Signer;
use keys_core::testing::{self, NOW};

use super::*;

fn paired() -> Trust {
    let gateway_key = *testing::gateway().verifying_key();
    let offer = PairOffer {
        gateway_key,
        gateway_nonce: [1; 16],
    };
    let code = PairingCode::new(&gateway_key, PairingSecret::new([2; 10]));
    let owner = testing::owner();
    let bundle = keys_core::envelope::seal(&testing::bundle(1), &owner, NO_REST).unwrap();
    let key = owner.verifying_key();
    let confirm = owner_confirm(
        &code,
        &offer,
        testing::vehicle(),
        key,
        [3; 16],
        &bundle.bytes,
    )
    .unwrap();
    Trust::pair(
        None,
        &confirm,
        &gateway_key,
        ClockInterval::at_least(Timestamp(0)),
    )
    .unwrap()
    .0
}

/// A bundle with the second owner's key, signed by the first.
fn other_keys(seq: u64) -> Vec<u8> {
    let mut bundle = testing::bundle(seq);
    bundle.owner_keys = [*testing::second_owner().verifying_key()]
        .into_iter()
        .collect();
    keys_core::envelope::seal(&bundle, &testing::owner(), NO_REST)
        .unwrap()
        .bytes
}

fn changed(taken: Taken) -> Trust {
    match taken {
        Taken::Changed(next, _) => *next,
        Taken::Known => panic!("it was known"),
    }
}

fn waiting(clock: ClockInterval) -> Trust {
    changed(paired().take_bundle(&other_keys(2), clock).unwrap())
}

const HOURS_72: u64 = 72 * 3_600;

#[test]
fn other_owner_keys_take_effect_72_hours_after_a_trusted_clock_first_saw_them() {
    let held = waiting(ClockInterval::exactly(NOW));
    assert_eq!(held.bundle.seq, 1);
    let early = changed(
        held.let_wait(0, ClockInterval::exactly(NOW.plus(HOURS_72 - 1)))
            .unwrap(),
    );
    assert_eq!(early.bundle.seq, 1);
    let due = changed(
        early
            .let_wait(0, ClockInterval::exactly(NOW.plus(HOURS_72)))
            .unwrap(),
    );
    assert_eq!((due.bundle.seq, due.waiting.is_none()), (2, true));
    assert_eq!(
        due.bundle.owner_keys[0],
        *testing::second_owner().verifying_key()
    );
}

#[test]
fn a_floor_pushed_forward_does_not_shorten_the_wait() {
    let held = waiting(ClockInterval::at_least(NOW));
    let pushed = ClockInterval::at_least(NOW.plus(10 * HOURS_72));
    let still = changed(held.let_wait(60, pushed).unwrap());
    assert_eq!(still.bundle.seq, 1);
    let due = changed(still.let_wait(HOURS_72 - 60, pushed).unwrap());
    assert_eq!(due.bundle.seq, 2, "it ran for 72 hours");
}

#[test]
fn the_wait_starts_with_the_trusted_clock_if_there_was_none() {
    let held = waiting(ClockInterval::at_least(NOW));
    let seen = changed(
        held.let_wait(0, ClockInterval::exactly(NOW.plus(HOURS_72)))
            .unwrap(),
    );
    assert_eq!(seen.bundle.seq, 1);
    let due = changed(
        seen.let_wait(0, ClockInterval::exactly(NOW.plus(2 * HOURS_72)))
            .unwrap(),
    );
    assert_eq!(due.bundle.seq, 2);
}

#[test]
fn anchors_that_do_not_verify_under_a_new_bundle_are_dropped() {
    let clock = ClockInterval::exactly(NOW);
    let held = changed(
        paired()
            .take_anchor(&testing::status_link().bytes, clock)
            .unwrap(),
    );
    assert_eq!(held.anchors.len(), 1);
    let mut bundle = testing::bundle(2);
    bundle.platform_root = None;
    let bundle = keys_core::envelope::seal(&bundle, &testing::owner(), NO_REST).unwrap();
    let next = changed(held.take_bundle(&bundle.bytes, clock).unwrap());
    assert!(next.anchors.is_empty());
}

#[test]
fn what_is_stored_is_what_was_believed() {
    let clock = ClockInterval::exactly(NOW);
    let held = changed(
        paired()
            .take_anchor(&testing::status_link().bytes, clock)
            .unwrap(),
    );
    let said = testing::statement(1, NOW, Some(NOW.plus(900)), &[ShortId([1; 16])], &[]);
    let Taken::Changed(next, change) = held.take_statement(&said.bytes, clock).unwrap() else {
        panic!("known")
    };
    assert!(change.entry.is_some());
    let stored = HeldTrust {
        vehicle: Some(next.vehicle),
        bundle: Some(
            keys_core::envelope::seal(&testing::bundle(1), &testing::owner(), NO_REST)
                .unwrap()
                .bytes,
        ),
        anchors: next
            .stored_anchors()
            .into_iter()
            .map(|(_, bytes)| bytes)
            .collect(),
        board: change.board,
        ..HeldTrust::default()
    };
    assert_eq!(Trust::load(stored).unwrap(), Some(*next));
}

#[test]
fn the_platform_saying_the_same_again_is_not_journaled() {
    let clock = ClockInterval::exactly(NOW);
    let mut held = changed(
        paired()
            .take_anchor(&testing::status_link().bytes, clock)
            .unwrap(),
    );
    for (seq, revoked, journaled) in [(1, None, false), (2, Some(1), true), (3, Some(1), false)] {
        let ids: Vec<_> = revoked
            .into_iter()
            .map(|byte| ShortId([byte; 16]))
            .collect();
        let said = testing::statement(seq, NOW, Some(NOW.plus(900)), &ids, &[]);
        let Taken::Changed(next, change) = held.take_statement(&said.bytes, clock).unwrap() else {
            panic!("known")
        };
        assert_eq!(change.entry.is_some(), journaled, "statement {seq}");
        held = *next;
    }
}
