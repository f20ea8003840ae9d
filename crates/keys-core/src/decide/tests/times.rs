//! Freshness cell by cell of ck1 section 6, owner devices, and the clock rules.

use super::*;

/// Tries statement ages around `limit`; `None` = no age is too old.
fn assert_statement_limit(case: &Case, in_contact: bool, begun: bool, limit: Option<u64>) {
    let aged = |age: u64| {
        case.with(|case| {
            case.contact = Contact { in_contact, begun };
            case.board = said(age, |_| {});
        })
    };
    match limit {
        Some(limit) => {
            aged(limit - 1).assert_allowed();
            aged(limit).assert_allowed();
            aged(limit + 1).assert_refused(&[Refusal::StatementTooOld]);
        }
        None => aged(900_000).assert_allowed(),
    }
    let none = case.with(|case| {
        case.contact = Contact { in_contact, begun };
        case.board = StatusBoard::default();
    });
    match limit {
        Some(_) => none.assert_refused(&[Refusal::StatementTooOld]),
        None => none.assert_allowed(),
    }
}

#[test]
fn every_cell_of_the_freshness_table_holds() {
    for (outage, begun_limit) in [(900, 900), (900, 259_200), (3_600, 7_200), (86_400, 900)] {
        let set = |claims: &mut Claims| {
            claims.policy.outage_limit_s = Some(outage);
            claims.policy.begun_limit_s = Some(begun_limit);
        };
        for case in [case(set), mandated(set)] {
            assert_statement_limit(&case, true, true, None);
            assert_statement_limit(&case, false, true, Some(u64::from(begun_limit)));
            assert_statement_limit(&case, true, false, Some(900));
            assert_statement_limit(&case, false, false, Some(u64::from(outage)));
        }
    }
}

#[test]
fn without_stated_limits_the_defaults_hold() {
    for case in [case(|_| {}), mandated(|_| {})] {
        assert_statement_limit(&case, true, true, None);
        assert_statement_limit(&case, false, true, Some(259_200));
        assert_statement_limit(&case, true, false, Some(900));
        assert_statement_limit(&case, false, false, Some(86_400));
    }
}

#[test]
fn a_key_without_an_outage_limit_asks_for_no_statement() {
    let free = case(|claims| claims.policy.outage_limit_s = Some(NO_OUTAGE_LIMIT));
    for (in_contact, begun) in [(true, true), (false, true), (true, false), (false, false)] {
        assert_statement_limit(&free, in_contact, begun, None);
    }
    let stated = case(|claims| {
        claims.policy.outage_limit_s = Some(NO_OUTAGE_LIMIT);
        claims.policy.begun_limit_s = Some(900);
    });
    assert_statement_limit(&stated, false, true, Some(900));
    assert_statement_limit(&stated, false, false, None);
}

#[test]
fn below_a_mandate_an_owners_statement_does_not_count() {
    let by_owner = |case: Case| {
        case.with(|case| {
            let sealed = crate::testing::statement(1, NOW, None, &[], &[]);
            let statement = Unverified::decode(&sealed.bytes).unwrap();
            let now = ClockInterval::exactly(NOW);
            case.board = StatusBoard::default();
            let none = AnchorStore::default();
            case.board
                .accept(&statement, vehicle(), &roots(), &none, now)
                .unwrap();
        })
    };
    by_owner(mandated(|_| {})).assert_refused(&[Refusal::StatementTooOld]);
    by_owner(case(|_| {})).assert_allowed();
}

#[test]
fn the_age_of_a_statement_is_measured_to_the_latest_the_time_can_be() {
    let case = case(|_| {}).with(|case| case.board = said(86_400, |_| {}));
    case.assert_allowed();
    let uncertain = |hi| {
        case.with(|case| {
            case.clock = ClockInterval {
                lo: NOW,
                hi: NOW.plus(hi),
            };
        })
    };
    uncertain(0).assert_allowed();
    uncertain(1).assert_refused(&[Refusal::StatementTooOld]);
}

// Owner devices.

#[test]
fn an_owner_device_is_free_of_window_freshness_and_generation_and_of_nothing_else() {
    let device = |change: &dyn Fn(&mut Claims)| {
        let mut claims = claims(&owner(), window(), all());
        claims.grant_id = Some(GrantId([7; 8]));
        change(&mut claims);
        let builder = KeyBuilder::first(&owner(), &claims, &owner());
        let leaf = builder.leaf();
        let case = Case::of(&builder).with(|case| {
            case.board = StatusBoard::default();
            case.board.raise_generation(9);
        });
        (case, leaf)
    };
    let (case, leaf) = device(&|_| {});
    assert!(case.key.is_owner_device());
    for at in [0, NOW.0, window().until.0, window().until.0 + 1_000_000] {
        case.with(|case| case.clock = ClockInterval::exactly(Timestamp(at)))
            .assert_allowed();
    }
    case.with(|case| case.clock = ClockInterval::at_least(Timestamp(0)))
        .assert_allowed();
    case.with(|case| case.board = revoking(leaf))
        .assert_refused(&[Refusal::Revoked]);
    case.with(|case| case.board = suspending(leaf))
        .assert_refused(&[Refusal::Suspended]);
    case.with(|case| case.now = Some(NOW.plus(31)))
        .assert_refused(&[Refusal::CommandExpired]);
    case.with(|case| case.ask.command = VehicleCommand::EnableDriving)
        .with(|case| case.ask.presence = Presence::None)
        .assert_refused(&[Refusal::PresenceNeeded]);
    device(&|claims| claims.policy.entitlements = Entitlements::LOCK)
        .0
        .assert_refused(&[Refusal::NotEntitled]);
    device(&|claims| claims.policy.max_uses = Some(0))
        .0
        .assert_refused(&[Refusal::UsesSpent]);
    device(&|claims| claims.policy.hours = Some(berlin(0, 1)))
        .0
        .assert_refused(&[Refusal::OutsideHours]);
}

// The clock rules of ck1 section 6.

/// A key of this clock rule while nothing bounds the time, with a floor of NOW.
fn lost(rule: Option<ClockRule>) -> Case {
    case(|claims| claims.policy.clock_rule = rule)
        .with(|case| case.clock = ClockInterval::at_least(NOW))
}

fn floor(case: &Case, lo: Timestamp) -> Case {
    case.with(|case| case.clock = ClockInterval::at_least(lo))
}

#[test]
fn rule_0_refuses_while_the_time_is_not_known() {
    for rule in [None, Some(ClockRule::Refuse)] {
        let case = lost(rule);
        case.assert_refused(&[Refusal::ClockUntrusted]);
        floor(&case, Timestamp(window().until.0 - 1)).assert_refused(&[Refusal::ClockUntrusted]);
        // What is surely over is expired.
        floor(&case, window().until)
            .with(|case| case.contact.begun = true)
            .assert_refused(&[Refusal::Expired]);
    }
}

#[test]
fn rule_1_admits_by_the_floor_with_a_fresh_statement() {
    let case = lost(Some(ClockRule::Floor));
    case.assert_allowed();
    floor(&case, window().from).assert_allowed();
    floor(&case, Timestamp(window().from.0 - 1)).assert_refused(&[Refusal::NotYetValid]);
    floor(&case, Timestamp(window().until.0 - 1)).assert_allowed();
    floor(&case, window().until)
        .with(|case| case.contact.begun = true)
        .assert_refused(&[Refusal::Expired]);
    case.with(|case| case.floor_admission_left = false)
        .assert_refused(&[Refusal::ClockUntrusted]);
    // Fresh relative to the floor.
    let aged = |age| case.with(|case| case.board = said(age, |_| {}));
    aged(86_400).assert_allowed();
    aged(86_401).assert_refused(&[Refusal::StatementTooOld]);
    case.with(|case| case.board = StatusBoard::default())
        .assert_refused(&[Refusal::StatementTooOld, Refusal::ClockUntrusted]);
}

#[test]
fn rule_1_wants_a_statement_where_the_table_asks_for_none() {
    let silent = |case: Case| case.with(|case| case.board = StatusBoard::default());
    let begun = lost(Some(ClockRule::Floor)).with(|case| {
        case.contact = Contact {
            in_contact: true,
            begun: true,
        };
    });
    begun.assert_allowed();
    silent(begun).assert_refused(&[Refusal::ClockUntrusted]);
    let free = case(|claims| {
        claims.policy.clock_rule = Some(ClockRule::Floor);
        claims.policy.outage_limit_s = Some(NO_OUTAGE_LIMIT);
    })
    .with(|case| case.clock = ClockInterval::at_least(NOW));
    free.assert_allowed();
    silent(free).assert_refused(&[Refusal::ClockUntrusted]);
}

#[test]
fn rule_2_ignores_the_window_and_nothing_else() {
    let case = lost(Some(ClockRule::Ignore));
    for lo in [0, NOW.0, window().until.0] {
        let board = said(0, |body| body.issued_at = Timestamp(lo.min(NOW.0)));
        let case = floor(&case, Timestamp(lo)).with(|case| case.board = board);
        case.assert_allowed();
        case.with(|case| case.floor_admission_left = false)
            .assert_allowed();
    }
    case.with(|case| case.board = StatusBoard::default())
        .assert_refused(&[Refusal::StatementTooOld]);
    case.with(|case| case.clock = ClockInterval::exactly(window().until))
        .assert_refused(&[Refusal::Expired]);
    // Below the first link it counts as rule 1.
    let mut first = claims(&holder(1), window(), all());
    first.grant_id = Some(GrantId([7; 8]));
    first.policy.clock_rule = Some(ClockRule::Ignore);
    first.policy.delegations = 1;
    let shared = KeyBuilder::first(&owner(), &first, &holder(1))
        .then(claims(&holder(2), window(), all()), &holder(2));
    let shared = floor(&Case::of(&shared), NOW);
    shared.assert_allowed();
    shared
        .with(|case| case.floor_admission_left = false)
        .assert_refused(&[Refusal::ClockUntrusted]);
}
