//! An ended trip may still lock a standing car.

use alloc::vec::Vec;

use super::*;

/// A begun trip that asks to lock, with an hour of grace.
fn returning(change: impl FnOnce(&mut Claims)) -> (Case, ObjectId) {
    let builder = key(|claims| {
        claims.policy.grace_s = Some(3_600);
        change(claims);
    });
    let leaf = builder.leaf();
    let case = Case::of(&builder).with(|case| {
        case.contact.begun = true;
        case.ask.command = VehicleCommand::Lock;
        case.now = None;
    });
    (case, leaf)
}

/// A case for each reason that still lets a trip end.
fn endings() -> Vec<(Refusal, Case)> {
    let (case, leaf) = returning(|_| {});
    let end = window().until;
    let expired = case.with(|case| {
        case.clock = ClockInterval::exactly(end);
        case.board = said(0, |_| {});
    });
    let revoked = case.with(|case| case.board = revoking(leaf));
    let suspended = case.with(|case| case.board = suspending(leaf));
    let stale = case.with(|case| case.board = said(259_201, |_| {}));
    let (hours, _) = returning(|claims| claims.policy.hours = Some(berlin(0, 840)));
    [
        (Refusal::Expired, expired),
        (Refusal::Revoked, revoked),
        (Refusal::Suspended, suspended),
        (Refusal::StatementTooOld, stale),
        (Refusal::OutsideHours, hours),
    ]
    .into()
}

#[test]
fn each_reason_that_ends_a_trip_still_lets_it_lock() {
    for (reason, case) in endings() {
        case.assert_lock_only(&[reason]);
        assert!(case.decide().allows());
        assert_eq!(case.decide().as_str(), "lock-only");
    }
    // Locking spends no uses, so this reason never stands against it: the lock is simply allowed.
    let (case, _) = returning(|claims| claims.policy.max_uses = Some(0));
    case.assert_allowed();
}

#[test]
fn spent_uses_are_among_the_reasons_that_still_lock() {
    let (case, _) = returning(|_| {});
    let situation = Situation {
        clock: case.clock,
        now: None,
        contact: case.contact,
        status: &case.board,
        car: case.car,
        uses: &|_: GrantId| 0,
        floor_admission_left: true,
    };
    let decision = lock_only(&case.key, &case.ask, &situation, Refusal::UsesSpent.into());
    assert_eq!(decision, Decision::LockOnly(Refusal::UsesSpent.into()));
}

#[test]
fn several_such_reasons_lock_as_well() {
    let (case, leaf) = returning(|_| {});
    let board = said(0, |body| {
        body.revoked = id_list([leaf.short()]).unwrap();
        body.suspended = id_list([leaf.short()]).unwrap();
    });
    case.with(|case| {
        case.board = board;
        case.clock = ClockInterval::exactly(window().until);
    })
    .assert_lock_only(&[Refusal::Expired, Refusal::Revoked, Refusal::Suspended]);
}

#[test]
fn only_a_lock_is_let_through() {
    for (reason, case) in endings() {
        for command in VehicleCommand::ALL {
            let case = case.with(|case| case.ask.command = command);
            if command == VehicleCommand::Lock {
                case.assert_lock_only(&[reason]);
            } else {
                case.assert_refused(&[reason]);
            }
        }
    }
}

#[test]
fn a_trip_that_never_began_does_not_lock() {
    for (reason, case) in endings() {
        case.with(|case| case.contact.begun = false)
            .assert_refused(&[reason]);
    }
}

#[test]
fn a_car_that_does_not_surely_stand_is_not_locked() {
    for (reason, case) in endings() {
        case.with(|case| case.car.stationary = Some(false))
            .assert_refused(&[reason, Refusal::CarMoving]);
        case.with(|case| case.car.stationary = None)
            .assert_refused(&[reason, Refusal::StateStale]);
    }
}

#[test]
fn grace_ends_and_an_unknown_time_is_never_in_it() {
    let end = window().until;
    let (case, leaf) = returning(|_| {});
    let at = |clock| {
        case.with(|case| {
            case.clock = clock;
            case.board = revoking(leaf);
        })
    };
    let last = Timestamp(end.0 + 3_599);
    at(ClockInterval::exactly(last)).assert_lock_only(&[Refusal::Expired, Refusal::Revoked]);
    at(ClockInterval::exactly(last.plus(1))).assert_refused(&[Refusal::Expired, Refusal::Revoked]);
    let uncertain = ClockInterval {
        lo: last,
        hi: last.plus(1),
    };
    at(uncertain).assert_refused(&[Refusal::Expired, Refusal::Revoked]);
    let (case, leaf) = returning(|claims| claims.policy.clock_rule = Some(ClockRule::Floor));
    case.with(|case| {
        case.clock = ClockInterval::at_least(NOW);
        case.board = revoking(leaf);
    })
    .assert_refused(&[Refusal::Revoked]);
    // Without grace the end is the end.
    let (case, leaf) = returning(|claims| claims.policy.grace_s = None);
    let at = |now| {
        case.with(|case| {
            case.clock = ClockInterval::exactly(now);
            case.board = revoking(leaf);
        })
    };
    at(Timestamp(end.0 - 1)).assert_lock_only(&[Refusal::Revoked]);
    at(end).assert_refused(&[Refusal::Expired, Refusal::Revoked]);
}

#[test]
fn any_other_reason_keeps_the_lock_from_it() {
    for (reason, case) in endings() {
        case.with(|case| case.now = Some(case.ask.not_after.plus(1)))
            .assert_refused(&[reason, Refusal::CommandExpired]);
        case.with(|case| case.board.raise_generation(1))
            .assert_refused(&[reason, Refusal::OldGeneration]);
    }
    type Change = fn(&mut Claims);
    let others: [(Refusal, Change); 4] = [
        (Refusal::NotEntitled, |claims| {
            claims.policy.entitlements = Entitlements::UNLOCK;
        }),
        (Refusal::PresenceNeeded, |claims| {
            claims.policy.presence = Some(Presence::Verified);
        }),
        (Refusal::TooFar, |claims| {
            claims.policy.proximity = Some(Proximity::Uwb);
        }),
        (Refusal::MandateExceeded, |claims| {
            claims.policy.max_window_s = Some(1);
        }),
    ];
    for (other, change) in others {
        let (case, leaf) = returning(change);
        case.with(|case| case.board = revoking(leaf))
            .assert_refused(&[Refusal::Revoked, other]);
    }
    let (case, leaf) =
        returning(|claims| claims.policy.car_conditions = CarConditions::from_bits(3));
    let case = case.with(|case| case.board = revoking(leaf));
    case.assert_lock_only(&[Refusal::Revoked]);
    case.with(|case| case.car.ignition_off = Some(false))
        .assert_refused(&[Refusal::Revoked, Refusal::IgnitionOn]);
}

#[test]
fn a_key_that_has_not_begun_its_window_is_refused_even_to_lock() {
    let (case, _) = returning(|_| {});
    case.with(|case| case.clock = ClockInterval::exactly(Timestamp(window().from.0 - 1)))
        .assert_refused(&[Refusal::NotYetValid]);
}
