use super::*;
use crate::area::Point;
use crate::hours::{HoursWindow, ZoneName};
use crate::policy::LONGEST_GRACE_S;
use crate::testing::{claims, holder, other_vehicle, vehicle, window};
use crate::time::Timestamp;

fn all() -> Entitlements {
    Entitlements::from_bits(0x7f).unwrap()
}

/// A first link that states nothing it need not.
fn first() -> Claims {
    let mut claims = claims(&holder(1), window(), all());
    claims.policy.delegations = 4;
    claims
}

/// A further link over the same window that states nothing it need not.
fn next() -> Claims {
    let mut claims = claims(&holder(2), window(), all());
    claims.vehicle = None;
    claims.policy.delegations = 3;
    claims
}

fn root(change: impl FnOnce(&mut Claims)) -> Effective {
    let mut claims = first();
    change(&mut claims);
    Effective::root(&claims).unwrap()
}

fn narrow(parent: &Effective, change: impl FnOnce(&mut Claims)) -> Result<Effective, Refusal> {
    let mut claims = next();
    change(&mut claims);
    parent.attenuate(&claims)
}

fn circle(radius_m: u64) -> Area {
    Area::circle(Point::new(0, 0).unwrap(), radius_m).unwrap()
}

fn areas(count: u64) -> Areas {
    (0..count).map(circle).collect()
}

fn hours(zone: &str) -> WeeklyHours {
    let window = HoursWindow::new(127, 0, 1_440).unwrap();
    WeeklyHours::new(ZoneName::new(zone).unwrap(), &[window]).unwrap()
}

#[test]
fn a_first_link_that_states_nothing_has_the_defaults() {
    let root = root(|_| {});
    assert_eq!(root.vehicle(), vehicle());
    assert_eq!(root.validity(), window());
    assert_eq!(root.grant_id(), None);
    assert_eq!(root.entitlements(), all());
    assert_eq!(root.delegations(), 4);
    assert_eq!(root.outage_limit_s(), Some(86_400));
    assert_eq!(root.begun_limit_s(), Some(259_200));
    assert_eq!(root.generation(), 0);
    assert_eq!(root.proximity(), Proximity::None);
    assert_eq!(root.clock_rule(), ClockRule::Refuse);
    assert_eq!(root.max_window_s(), None);
    assert_eq!(root.grace_s(), 0);
    assert_eq!(root.car_conditions(), CarConditions::default());
    assert_eq!(root.presence(), Presence::None);
    assert!(root.areas().is_empty() && root.hours().is_empty() && root.use_limits().is_empty());
    assert_eq!(root.return_lists().count(), 0);
}

#[test]
fn a_first_link_without_a_vehicle_gives_nothing() {
    let mut claims = first();
    claims.vehicle = None;
    assert_eq!(Effective::root(&claims), Err(Refusal::Malformed));
}

#[test]
fn a_further_link_that_states_nothing_inherits_everything() {
    let parent = root(|claims| {
        claims.grant_id = Some(GrantId([1; 8]));
        let policy = &mut claims.policy;
        policy.areas = areas(2);
        policy.outage_limit_s = Some(3_600);
        policy.generation = Some(5);
        policy.proximity = Some(Proximity::RoundTrip);
        policy.clock_rule = Some(ClockRule::Floor);
        policy.hours = Some(hours("UTC"));
        policy.max_uses = Some(3);
        policy.max_window_s = Some(100);
        policy.begun_limit_s = Some(7_200);
        policy.grace_s = Some(60);
        policy.car_conditions = CarConditions::from_bits(1);
        policy.presence = Some(Presence::Tap);
        policy.return_areas = areas(1);
    });
    let mut expected = parent.clone();
    expected.delegations = 3;
    assert_eq!(narrow(&parent, |_| {}), Ok(expected));
}

#[test]
fn the_vehicle_is_that_of_the_first_link_whatever_a_later_one_says() {
    let child = narrow(&root(|_| {}), |claims| {
        claims.vehicle = Some(other_vehicle());
    });
    assert_eq!(child.unwrap().vehicle(), vehicle());
}

#[test]
fn a_window_lies_inside_its_parents() {
    let parent = root(|_| {});
    let Validity { from, until } = window();
    for (from_by, until_by, inside) in [
        (0i64, 0i64, true),
        (-1, 0, false),
        (0, 1, false),
        (1, -1, true),
        (-1, 1, false),
        (1, 1, false),
    ] {
        let validity = Validity {
            from: Timestamp(from.0.wrapping_add_signed(from_by)),
            until: Timestamp(until.0.wrapping_add_signed(until_by)),
        };
        let child = narrow(&parent, |claims| claims.validity = validity);
        let expected = if inside {
            Ok(validity)
        } else {
            Err(Refusal::Widened)
        };
        assert_eq!(child.map(|child| child.validity()), expected);
    }
}

#[test]
fn entitlements_are_a_subset_and_never_sign_status() {
    let parent = root(|claims| {
        claims.policy.entitlements = Entitlements::UNLOCK | Entitlements::LOCK;
    });
    for bits in 0..=255u8 {
        let entitlements = Entitlements::from_bits(u64::from(bits)).unwrap();
        let child = narrow(&parent, |claims| claims.policy.entitlements = entitlements);
        let expected = if bits & !3 == 0 {
            Ok(entitlements)
        } else {
            Err(Refusal::Widened)
        };
        assert_eq!(child.map(|child| child.entitlements()), expected);
    }
    let status = root(|claims| claims.policy.entitlements = Entitlements::SIGN_STATUS);
    let child = narrow(&status, |claims| {
        claims.policy.entitlements = Entitlements::SIGN_STATUS;
    });
    assert_eq!(child, Err(Refusal::Widened));
}

#[test]
fn delegations_are_strictly_fewer() {
    for given in 0..=4 {
        let parent = root(|claims| claims.policy.delegations = given);
        for stated in 0..=4 {
            let child = narrow(&parent, |claims| claims.policy.delegations = stated);
            assert_eq!(child.is_ok(), stated < given, "{stated} below {given}");
        }
    }
}

/// Tries an item whose values run from widest to strictest: equal and stricter are taken, wider is not.
fn assert_narrows<T: Copy + PartialEq + core::fmt::Debug>(
    widest_first: &[T],
    at_the_root: T,
    set: impl Fn(&mut Policy, T),
    get: impl Fn(&Effective) -> T,
) {
    for (given, parent_value) in widest_first.iter().enumerate() {
        let parent = root(|claims| set(&mut claims.policy, *parent_value));
        assert_eq!(get(&parent), *parent_value);
        for (stated, value) in widest_first.iter().enumerate() {
            let child = narrow(&parent, |claims| set(&mut claims.policy, *value));
            let expected = if stated >= given {
                Ok(*value)
            } else {
                Err(Refusal::Widened)
            };
            assert_eq!(
                child.map(|child| get(&child)),
                expected,
                "{value:?} in {parent_value:?}"
            );
        }
        let child = narrow(&parent, |_| {}).unwrap();
        assert_eq!(get(&child), *parent_value, "absent inherits");
    }
    let unstated = root(|_| {});
    assert_eq!(
        get(&unstated),
        at_the_root,
        "where the first link states none"
    );
    let default = widest_first.iter().position(|value| *value == at_the_root);
    for (index, value) in widest_first.iter().enumerate() {
        let child = narrow(&unstated, |claims| set(&mut claims.policy, *value));
        assert_eq!(
            child.is_ok(),
            default.is_none_or(|default| index >= default),
            "{value:?} in the default"
        );
    }
}

#[test]
fn every_item_that_is_one_number_narrows() {
    assert_narrows(
        &[
            None,
            Some(u32::MAX - 1),
            Some(86_401),
            Some(86_400),
            Some(86_399),
            Some(901),
            Some(900),
        ],
        Some(86_400),
        |policy, limit| policy.outage_limit_s = Some(limit.unwrap_or(NO_OUTAGE_LIMIT)),
        Effective::outage_limit_s,
    );
    assert_narrows(
        &[
            Proximity::None,
            Proximity::RoundTrip,
            Proximity::ChannelSounding,
            Proximity::Uwb,
        ],
        Proximity::None,
        |policy, level| policy.proximity = Some(level),
        Effective::proximity,
    );
    assert_narrows(
        &[ClockRule::Floor, ClockRule::Refuse],
        ClockRule::Refuse,
        |policy, rule| policy.clock_rule = Some(rule),
        Effective::clock_rule,
    );
    assert_narrows(
        &[Some((1 << 53) - 1), Some(2), Some(1), Some(0)],
        None,
        |policy, most| policy.max_window_s = most,
        Effective::max_window_s,
    );
    assert_narrows(
        &[Some(259_200), Some(259_199), Some(901), Some(900)],
        Some(259_200),
        |policy, limit| policy.begun_limit_s = limit,
        Effective::begun_limit_s,
    );
    assert_narrows(
        &[LONGEST_GRACE_S, 1, 0],
        0,
        |policy, grace| policy.grace_s = Some(grace),
        Effective::grace_s,
    );
    assert_narrows(
        &[Presence::None, Presence::Tap, Presence::Verified],
        Presence::None,
        |policy, presence| policy.presence = Some(presence),
        Effective::presence,
    );
}

#[test]
fn ignoring_the_window_stops_at_the_first_link() {
    let parent = root(|claims| claims.policy.clock_rule = Some(ClockRule::Ignore));
    assert_eq!(parent.clock_rule(), ClockRule::Ignore);
    let inherited = narrow(&parent, |_| {}).unwrap();
    assert_eq!(inherited.clock_rule(), ClockRule::Floor);
    for (rule, expected) in [
        (ClockRule::Ignore, Err(Refusal::Widened)),
        (ClockRule::Floor, Ok(ClockRule::Floor)),
        (ClockRule::Refuse, Ok(ClockRule::Refuse)),
    ] {
        let child = narrow(&parent, |claims| claims.policy.clock_rule = Some(rule));
        assert_eq!(child.map(|child| child.clock_rule()), expected);
    }
}

#[test]
fn without_an_outage_limit_there_is_none_after_the_start_unless_stated() {
    let free = root(|claims| claims.policy.outage_limit_s = Some(NO_OUTAGE_LIMIT));
    assert_eq!((free.outage_limit_s(), free.begun_limit_s()), (None, None));
    let stated = narrow(&free, |claims| claims.policy.begun_limit_s = Some(900)).unwrap();
    assert_eq!(
        (stated.outage_limit_s(), stated.begun_limit_s()),
        (None, Some(900))
    );
    let limited = narrow(&free, |claims| claims.policy.outage_limit_s = Some(900)).unwrap();
    assert_eq!(
        (limited.outage_limit_s(), limited.begun_limit_s()),
        (Some(900), Some(259_200))
    );
}

#[test]
fn areas_of_all_links_hold_and_equal_ones_count_apart() {
    let parent = root(|claims| claims.policy.areas = areas(5));
    let child = narrow(&parent, |claims| claims.policy.areas = areas(3)).unwrap();
    let radii: alloc::vec::Vec<_> = child.areas().to_vec();
    assert_eq!(radii[..5], areas(5)[..]);
    assert_eq!(radii[5..], areas(3)[..]);
    let ninth = narrow(&parent, |claims| claims.policy.areas = areas(4));
    assert_eq!(ninth, Err(Refusal::TooLarge));
}

#[test]
fn return_areas_accumulate_as_one_list_a_link() {
    let parent = root(|claims| claims.policy.return_areas = areas(5));
    let child = narrow(&parent, |_| {}).unwrap();
    let grandchild = {
        let mut claims = next();
        claims.policy.delegations = 2;
        claims.policy.return_areas = areas(3);
        child.attenuate(&claims).unwrap()
    };
    let lists: alloc::vec::Vec<_> = grandchild.return_lists().collect();
    assert_eq!(lists, [&areas(5)[..], &areas(3)[..]]);
    let ninth = narrow(&parent, |claims| claims.policy.return_areas = areas(4));
    assert_eq!(ninth, Err(Refusal::TooLarge));
    // The two lists are counted apart.
    let mixed = narrow(&parent, |claims| claims.policy.areas = areas(8));
    assert!(mixed.is_ok());
}

#[test]
fn hours_of_all_links_hold() {
    let parent = root(|claims| claims.policy.hours = Some(hours("UTC")));
    let child = narrow(&parent, |claims| {
        claims.policy.hours = Some(hours("Asia/Tokyo"));
    })
    .unwrap();
    assert_eq!(child.hours(), [hours("UTC"), hours("Asia/Tokyo")]);
}

#[test]
fn car_conditions_are_the_union() {
    for given in 0..4 {
        let parent = root(|claims| claims.policy.car_conditions = CarConditions::from_bits(given));
        for stated in 0..4 {
            let child = narrow(&parent, |claims| {
                claims.policy.car_conditions = CarConditions::from_bits(stated);
            });
            assert_eq!(child.unwrap().car_conditions().bits(), given | stated);
        }
    }
}

#[test]
fn uses_are_counted_for_the_grant_of_the_stating_link_or_the_first_below() {
    let (renter, other) = (GrantId([1; 8]), GrantId([2; 8]));
    let limits = |effective: &Effective| {
        let limits = effective.use_limits().iter();
        limits
            .map(|limit| (limit.grant_id, limit.max_uses))
            .collect::<alloc::vec::Vec<_>>()
    };
    // A mandate states a limit and has no grant id of its own.
    let mandate = root(|claims| claims.policy.max_uses = Some(9));
    assert_eq!(limits(&mandate), [(None, 9)]);
    let key = narrow(&mandate, |claims| {
        claims.grant_id = Some(renter);
        claims.policy.max_uses = Some(20);
    });
    let key = key.unwrap();
    assert_eq!(limits(&key), [(Some(renter), 9), (Some(renter), 20)]);
    let mut delegated = next();
    delegated.policy.delegations = 0;
    delegated.grant_id = Some(other);
    delegated.policy.max_uses = Some(1);
    let delegated = key.attenuate(&delegated).unwrap();
    let expected = [(Some(renter), 9), (Some(renter), 20), (Some(other), 1)];
    assert_eq!(limits(&delegated), expected);
    assert_eq!(delegated.grant_id(), Some(other));
}

#[test]
fn the_generation_is_that_of_the_first_link() {
    let parent = root(|claims| claims.policy.generation = Some(4));
    let child = narrow(&parent, |claims| claims.policy.generation = Some(9));
    assert_eq!(child.unwrap().generation(), 4);
}
