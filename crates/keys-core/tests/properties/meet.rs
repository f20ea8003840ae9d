//! The meet: saying the same again changes nothing, and it does not matter how links are grouped.

use super::narrowing::Items;
use super::*;

/// Claims that state in one link what a chain gives, as far as it is one value, with one delegation less.
fn restated(items: &Items, stated: [bool; 8]) -> Claims {
    let mut claims = testing::claims(&holder(2), items.validity, items.entitlements);
    let policy = &mut claims.policy;
    policy.delegations = items.delegations - 1;
    let [outage, begun, grace, window, proximity, presence, car, rule] = stated;
    policy.outage_limit_s = outage.then_some(items.outage_limit_s.unwrap_or(u32::MAX));
    policy.begun_limit_s = items.begun_limit_s.filter(|_| begun);
    policy.grace_s = grace.then_some(items.grace_s);
    policy.max_window_s = items.max_window_s.filter(|_| window);
    policy.proximity = proximity.then_some(items.proximity);
    policy.presence = presence.then_some(items.presence);
    policy.car_conditions = car.then_some(items.car_conditions);
    policy.clock_rule = rule.then_some(items.clock_rule.min(ClockRule::Floor));
    claims
}

/// The one link that states what two links in a row state, as far as they state single values and areas.
fn met(second: &Claims, third: &Claims) -> Claims {
    let mut both = third.clone();
    let (upper, lower) = (&second.policy, &third.policy);
    let policy = &mut both.policy;
    policy.areas = upper.areas.iter().chain(&lower.areas).cloned().collect();
    policy.outage_limit_s = lower.outage_limit_s.or(upper.outage_limit_s);
    policy.begun_limit_s = lower.begun_limit_s.or(upper.begun_limit_s);
    policy.grace_s = lower.grace_s.or(upper.grace_s);
    policy.max_window_s = lower.max_window_s.or(upper.max_window_s);
    policy.proximity = lower.proximity.or(upper.proximity);
    policy.presence = lower.presence.or(upper.presence);
    policy.clock_rule = lower.clock_rule.or(upper.clock_rule);
    policy.car_conditions = match (upper.car_conditions, lower.car_conditions) {
        (Some(upper), Some(lower)) => Some(upper.union(lower)),
        (upper, lower) => lower.or(upper),
    };
    both.grant_id = third.grant_id.or(second.grant_id);
    both
}

/// What a first link gives that may be handed on at least `hops` times.
fn root(first: &Claims, hops: u8) -> Effective {
    let mut first = first.clone();
    first.policy.delegations = first.policy.delegations.max(hops);
    Effective::root(&first).expect("a first link names its vehicle")
}

proptest! {
    #![proptest_config(law())]

    #[test]
    fn the_meet_is_idempotent(first in link_claims(1), second in link_claims(2), stated in any::<[bool; 8]>()) {
        let mut second = second;
        second.policy.delegations = 3;
        let given = root(&first, 4);
        let given = given.attenuate(&inside(&given, second)).expect("inside in every item");
        let once = given.attenuate(&restated(&Items::of(&given), stated)).expect("nothing wider");
        let twice = once.attenuate(&restated(&Items::of(&once), stated)).expect("nothing wider");
        let but_for_depth = |effective: &Effective| Items { delegations: 0, ..Items::of(effective) };
        prop_assert_eq!(but_for_depth(&once), but_for_depth(&given));
        prop_assert_eq!(but_for_depth(&twice), but_for_depth(&once));
    }

    #[test]
    fn the_meet_is_associative(first in link_claims(1), second in link_claims(2), third in link_claims(3)) {
        let mut second = second;
        // What one link states of these cannot be said together with another's: they stay one a link.
        second.policy.hours = None;
        second.policy.max_uses = None;
        second.policy.return_areas.clear();
        second.grant_id = None;
        second.policy.delegations = second.policy.delegations.max(1);
        let upper = root(&first, 2);
        let second = inside(&upper, second);
        let middle = upper.attenuate(&second).expect("inside in every item");
        let third = inside(&middle, third);
        let by_two_links = middle.attenuate(&third).expect("inside in every item");
        let by_one = upper.attenuate(&met(&second, &third));
        prop_assert_eq!(by_one.as_ref().map(Items::of), Ok(Items::of(&by_two_links)));
    }

    #[test]
    fn a_link_lies_inside_its_own_result(first in link_claims(1), second in link_claims(2)) {
        let mut second = second;
        second.policy.delegations = second.policy.delegations.max(1);
        let upper = root(&first, 3);
        let second = inside(&upper, second);
        let taken = upper.attenuate(&second).expect("inside in every item");
        let mut again = second;
        again.policy.delegations = taken.delegations() - 1;
        again.policy.areas.clear();
        again.policy.return_areas.clear();
        again.policy.hours = None;
        again.policy.max_uses = None;
        let twice = taken.attenuate(&again).expect("inside itself");
        prop_assert_eq!(
            Items { delegations: 0, ..Items::of(&twice) },
            Items { delegations: 0, ..Items::of(&taken) }
        );
    }
}
