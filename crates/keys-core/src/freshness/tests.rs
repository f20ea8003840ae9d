use super::*;
use crate::entitlement::Entitlements;
use crate::policy::NO_OUTAGE_LIMIT;
use crate::testing::{NOW, claims, holder, window};

fn effective(outage_limit_s: Option<u32>, begun_limit_s: Option<u32>) -> Effective {
    let mut claims = claims(&holder(1), window(), Entitlements::UNLOCK);
    claims.policy.outage_limit_s = outage_limit_s;
    claims.policy.begun_limit_s = begun_limit_s;
    Effective::root(&claims).unwrap()
}

fn limit(effective: &Effective, in_contact: bool, begun: bool) -> Option<u64> {
    statement_limit_s(effective, Contact { in_contact, begun })
}

#[test]
fn every_cell_of_the_table_has_its_limit() {
    let key = effective(Some(3_600), Some(7_200));
    assert_eq!(limit(&key, true, true), None);
    assert_eq!(limit(&key, false, true), Some(7_200));
    assert_eq!(limit(&key, true, false), Some(900));
    assert_eq!(limit(&key, false, false), Some(3_600));
}

#[test]
fn the_defaults_are_a_day_before_and_three_after_the_start() {
    let key = effective(None, None);
    assert_eq!(limit(&key, true, true), None);
    assert_eq!(limit(&key, false, true), Some(259_200));
    assert_eq!(limit(&key, true, false), Some(900));
    assert_eq!(limit(&key, false, false), Some(86_400));
}

#[test]
fn the_strictest_limits_are_a_quarter_of_an_hour() {
    let key = effective(Some(900), Some(900));
    assert_eq!(limit(&key, true, true), None);
    assert_eq!(limit(&key, false, true), Some(900));
    assert_eq!(limit(&key, true, false), Some(900));
    assert_eq!(limit(&key, false, false), Some(900));
}

#[test]
fn without_an_outage_limit_only_a_stated_begun_limit_is_left() {
    let key = effective(Some(NO_OUTAGE_LIMIT), None);
    for (in_contact, begun) in [(true, true), (true, false), (false, true), (false, false)] {
        assert_eq!(limit(&key, in_contact, begun), None);
    }
    let key = effective(Some(NO_OUTAGE_LIMIT), Some(900));
    assert_eq!(limit(&key, false, true), Some(900));
    assert_eq!(limit(&key, false, false), None);
}

#[test]
fn a_statement_is_fresh_up_to_its_limit() {
    for (age, limit, expected) in [
        (None, None, true),
        (Some(u64::MAX), None, true),
        (None, Some(900), false),
        (Some(899), Some(900), true),
        (Some(900), Some(900), true),
        (Some(901), Some(900), false),
    ] {
        assert_eq!(is_fresh_enough(age, limit), expected);
    }
}

/// Revoked at `NOW`, ten minutes after the last statement without it; window to the next day.
fn ending() -> Ending {
    Ending {
        now: NOW,
        acknowledged_at: None,
        valid_until: window().until,
        valid_from: window().from,
        newest_unlisting_at: Timestamp(NOW.0 - 600),
        outage_limit_s: Some(900),
        begun_limit_s: Some(7_200),
        clock_rule: ClockRule::Refuse,
        clock_trusted: true,
    }
}

#[test]
fn an_acknowledged_revocation_holds_at_once_whatever_the_clock() {
    let mut ending = ending();
    ending.acknowledged_at = Some(Timestamp(NOW.0 - 5));
    assert_eq!(dead_by(&ending), Ok(Timestamp(NOW.0 - 5)));
    ending.clock_trusted = false;
    assert_eq!(dead_by(&ending), Ok(Timestamp(NOW.0 - 5)));
    ending.acknowledged_at = Some(NOW.plus(5));
    assert_eq!(dead_by(&ending), Ok(NOW), "never later than now");
}

#[test]
fn in_its_window_the_longer_limit_counts_while_a_trip_may_still_begin() {
    let mut ending = ending();
    assert_eq!(dead_by(&ending), Ok(NOW.plus(6_600)));
    ending.outage_limit_s = Some(10_800);
    assert_eq!(dead_by(&ending), Ok(NOW.plus(10_200)), "not yet begun");
    ending.outage_limit_s = None;
    assert_eq!(dead_by(&ending), Ok(window().until));
}

#[test]
fn once_no_trip_can_begin_the_begun_limit_ends_a_key() {
    let mut ending = ending();
    ending.outage_limit_s = Some(10_800);
    ending.now = NOW.plus(10_200);
    assert_eq!(dead_by(&ending), Ok(NOW.plus(10_200)), "its last second");
    ending.now = NOW.plus(10_201);
    assert_eq!(dead_by(&ending), Ok(NOW.plus(6_600)));
}

#[test]
fn before_its_window_a_key_lasts_as_long_as_a_trip_that_can_begin() {
    let mut ending = ending();
    ending.valid_from = NOW.plus(300);
    assert_eq!(dead_by(&ending), Ok(NOW.plus(6_600)), "begun at once");
    ending.valid_from = NOW.plus(301);
    assert_eq!(dead_by(&ending), Ok(NOW.plus(300)), "never begun");
}

#[test]
fn the_end_of_the_window_ends_a_key_at_the_latest() {
    let mut ending = ending();
    ending.begun_limit_s = Some(259_200);
    assert_eq!(dead_by(&ending), Ok(window().until));
    ending.begun_limit_s = None;
    assert_eq!(dead_by(&ending), Ok(window().until));
}

#[test]
fn an_untrusted_clock_promises_nothing() {
    let mut ending = ending();
    ending.clock_trusted = false;
    assert_eq!(dead_by(&ending), Err(Refusal::ClockUntrusted));
}

#[test]
fn a_key_that_opens_without_a_clock_is_promised_nothing() {
    for rule in [ClockRule::Floor, ClockRule::Ignore] {
        let mut ending = ending();
        ending.clock_rule = rule;
        assert_eq!(dead_by(&ending), Err(Refusal::ClockUntrusted));
        ending.acknowledged_at = Some(NOW);
        assert_eq!(dead_by(&ending), Ok(NOW));
    }
}

#[test]
fn grace_starts_at_the_end() {
    assert_eq!(locks_until(NOW, 0), NOW);
    assert_eq!(locks_until(NOW, 86_400), NOW.plus(86_400));
}
