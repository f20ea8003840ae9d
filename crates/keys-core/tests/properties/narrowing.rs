//! Narrowing, one law for each policy item: a link that is wider than its parent in exactly this item is
//! refused as `widened`, every other is taken, what holds then is the meet, and nothing else changed.

use super::*;

/// All that an [`Effective`] tells, to be compared item by item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Items {
    pub(super) validity: Validity,
    pub(super) grant_id: Option<GrantId>,
    pub(super) entitlements: Entitlements,
    pub(super) delegations: u8,
    pub(super) areas: Vec<Area>,
    pub(super) outage_limit_s: Option<u32>,
    pub(super) generation: u64,
    pub(super) proximity: Proximity,
    pub(super) clock_rule: ClockRule,
    pub(super) hours: Vec<WeeklyHours>,
    pub(super) use_limits: Vec<(Option<GrantId>, u64)>,
    pub(super) max_window_s: Option<u64>,
    pub(super) begun_limit_s: Option<u32>,
    pub(super) grace_s: u32,
    pub(super) car_conditions: CarConditions,
    pub(super) presence: Presence,
    pub(super) return_lists: Vec<Vec<Area>>,
}

impl Items {
    pub(super) fn of(effective: &Effective) -> Self {
        let uses = effective.use_limits().iter();
        Self {
            validity: effective.validity(),
            grant_id: effective.grant_id(),
            entitlements: effective.entitlements(),
            delegations: effective.delegations(),
            areas: effective.areas().to_vec(),
            outage_limit_s: effective.outage_limit_s(),
            generation: effective.generation(),
            proximity: effective.proximity(),
            clock_rule: effective.clock_rule(),
            hours: effective.hours().to_vec(),
            use_limits: uses.map(|limit| (limit.grant_id, limit.max_uses)).collect(),
            max_window_s: effective.max_window_s(),
            begun_limit_s: effective.begun_limit_s(),
            grace_s: effective.grace_s(),
            car_conditions: effective.car_conditions(),
            presence: effective.presence(),
            return_lists: effective.return_lists().map(<[Area]>::to_vec).collect(),
        }
    }
}

/// A value to state: none, or one near what the parent has.
#[derive(Debug, Clone, Copy)]
enum Near {
    Absent,
    Off(i64),
    Any(u64),
}

impl Near {
    fn of(self, given: u64, least: u64, most: u64) -> Option<u64> {
        match self {
            Self::Absent => None,
            Self::Off(by) => Some(given.saturating_add_signed(by).clamp(least, most)),
            Self::Any(value) => Some(least + value % (most - least + 1)),
        }
    }
}

fn near() -> impl Strategy<Value = Near> {
    prop_oneof![
        1 => Just(Near::Absent),
        4 => (-2i64..3).prop_map(Near::Off),
        1 => any::<u64>().prop_map(Near::Any),
    ]
}

fn small(value: u64) -> u32 {
    u32::try_from(value).expect("in 32 bits")
}

fn byte(value: u64) -> u8 {
    u8::try_from(value).expect("in 8 bits")
}

prop_compose! {
    /// What a first link gives, and claims inside it in every item.
    fn family()(first in link_claims(1), second in link_claims(2), depth in 1u8..5) -> (Effective, Claims) {
        let mut first = first;
        first.policy.delegations = depth;
        let parent = Effective::root(&first).expect("a first link names its vehicle");
        let second = inside(&parent, second);
        (parent, second)
    }
}

/// Tries `changed`, which differs from claims inside the parent in one item. `expected` says what of this
/// item then holds, or that it is wider.
fn judge(
    parent: &Effective,
    plain: &Claims,
    changed: &Claims,
    expected: Option<impl FnOnce(&mut Items)>,
) -> Result<(), TestCaseError> {
    let Some(meet) = expected else {
        prop_assert_eq!(parent.attenuate(changed), Err(Refusal::Widened));
        return Ok(());
    };
    let taken = parent.attenuate(changed);
    prop_assert!(taken.is_ok(), "refused {:?}", taken.err());
    let mut items = Items::of(&parent.attenuate(plain).expect("inside in every item"));
    meet(&mut items);
    prop_assert_eq!(taken.as_ref().map(Items::of), Ok(items));
    Ok(())
}

proptest! {
    #![proptest_config(law())]

    #[test]
    fn a_window_lies_inside_the_parents((parent, plain) in family(), from in -2i64..3, until in -2i64..3) {
        let outer = parent.validity();
        let mut changed = plain.clone();
        changed.validity = Validity {
            from: Timestamp(outer.from.0.saturating_add_signed(from)),
            until: Timestamp(outer.until.0.saturating_add_signed(until)),
        };
        let stated = changed.validity;
        let meet = |items: &mut Items| items.validity = stated;
        judge(&parent, &plain, &changed, (from >= 0 && until <= 0).then_some(meet))?;
    }

    #[test]
    fn item_1_entitlements_are_a_subset((parent, plain) in family(), bits in 0u64..256, only_given in any::<bool>()) {
        let given = u64::from(parent.entitlements().bits());
        let bits = if only_given { bits & given } else { bits };
        let mut changed = plain.clone();
        changed.policy.entitlements = Entitlements::from_bits(bits).expect("eight bits");
        let stated = changed.policy.entitlements;
        let meet = |items: &mut Items| items.entitlements = stated;
        judge(&parent, &plain, &changed, (bits & !given == 0).then_some(meet))?;
    }

    #[test]
    fn item_2_delegations_are_strictly_fewer((parent, plain) in family(), stated in 0u8..6) {
        let mut changed = plain.clone();
        changed.policy.delegations = stated;
        let meet = |items: &mut Items| items.delegations = stated;
        judge(&parent, &plain, &changed, (stated < parent.delegations()).then_some(meet))?;
    }

    #[test]
    fn item_3_areas_add_up_to_eight((parent, plain) in family(), lats in vec(0i64..3, 0..9)) {
        let mut changed = plain.clone();
        changed.policy.areas = lats.iter().map(|lat| around(*lat)).collect();
        let all = parent.areas().iter().cloned().chain(lats.iter().map(|lat| around(*lat)));
        let all: Vec<Area> = all.collect();
        if all.len() > 8 {
            prop_assert_eq!(parent.attenuate(&changed), Err(Refusal::TooLarge));
        } else {
            judge(&parent, &plain, &changed, Some(|items: &mut Items| items.areas = all))?;
        }
    }

    #[test]
    fn item_4_the_outage_limit_is_not_longer((parent, plain) in family(), near in near()) {
        let given = parent.outage_limit_s().unwrap_or(u32::MAX);
        let stated = near.of(given.into(), 900, u32::MAX.into()).map(small);
        let mut changed = plain.clone();
        let mut plain = plain;
        plain.policy.outage_limit_s = None;
        changed.policy.outage_limit_s = stated;
        let holds = stated.unwrap_or(given);
        let meet = |items: &mut Items| {
            items.outage_limit_s = (holds < u32::MAX).then_some(holds);
            // Where no link says how long a begun trip lasts, a limit before it brings the usual one.
            items.begun_limit_s = items.begun_limit_s.or(items.outage_limit_s.map(|_| 259_200));
        };
        judge(&parent, &plain, &changed, (holds <= given).then_some(meet))?;
    }

    #[test]
    fn item_5_the_generation_is_the_first_links((parent, plain) in family()) {
        let child = parent.attenuate(&plain).expect("inside in every item");
        prop_assert_eq!(child.generation(), parent.generation());
    }

    #[test]
    fn item_6_proximity_is_not_weaker((parent, plain) in family(), stated in option::of(0u8..4)) {
        let mut changed = plain.clone();
        let mut plain = plain;
        plain.policy.proximity = None;
        changed.policy.proximity = stated.and_then(Proximity::from_number);
        let holds = changed.policy.proximity.unwrap_or(parent.proximity());
        let meet = |items: &mut Items| items.proximity = holds;
        judge(&parent, &plain, &changed, (holds.number() >= parent.proximity().number()).then_some(meet))?;
    }

    #[test]
    fn item_7_the_clock_rule_is_not_laxer((parent, plain) in family(), stated in option::of(0u8..3)) {
        let mut changed = plain.clone();
        changed.policy.clock_rule = stated.and_then(ClockRule::from_number);
        let given = parent.clock_rule().number();
        // Rule 2 is for links an owner signed; below one it counts as rule 1.
        let holds = ClockRule::from_number(stated.unwrap_or(given).min(1)).expect("a rule");
        let inside = stated.is_none_or(|stated| stated <= given && stated < 2);
        let meet = |items: &mut Items| items.clock_rule = holds;
        judge(&parent, &plain, &changed, inside.then_some(meet))?;
    }

    #[test]
    fn item_8_hours_all_hold((parent, plain) in family(), stated in option::of(hours())) {
        let mut changed = plain.clone();
        changed.policy.hours.clone_from(&stated);
        let all: Vec<WeeklyHours> = parent.hours().iter().cloned().chain(stated).collect();
        judge(&parent, &plain, &changed, Some(|items: &mut Items| items.hours = all))?;
    }

    #[test]
    fn item_9_use_limits_all_hold((parent, plain) in family(), stated in option::of(0u64..5)) {
        let mut changed = plain.clone();
        changed.policy.max_uses = stated;
        let counted = plain.grant_id.or(parent.grant_id());
        let given = parent.use_limits().iter().map(|limit| (limit.grant_id.or(counted), limit.max_uses));
        let all: Vec<_> = given.chain(stated.map(|most| (counted, most))).collect();
        judge(&parent, &plain, &changed, Some(|items: &mut Items| items.use_limits = all))?;
    }

    #[test]
    fn item_10_the_longest_window_is_not_longer((parent, plain) in family(), near in near()) {
        let most = (1 << 53) - 1;
        let given = parent.max_window_s();
        let stated = near.of(given.unwrap_or(most), 0, most);
        let mut changed = plain.clone();
        changed.policy.max_window_s = stated;
        let holds = stated.or(given);
        let meet = |items: &mut Items| items.max_window_s = holds;
        let inside = stated.unwrap_or(0) <= given.unwrap_or(most);
        judge(&parent, &plain, &changed, inside.then_some(meet))?;
    }

    #[test]
    fn item_11_the_begun_limit_is_not_longer((parent, plain) in family(), near in near()) {
        let given = parent.begun_limit_s();
        let stated = near.of(given.unwrap_or(259_200).into(), 900, 259_200).map(small);
        let mut changed = plain.clone();
        let mut plain = plain;
        plain.policy.begun_limit_s = None;
        changed.policy.begun_limit_s = stated;
        let inside = stated.unwrap_or(0) <= given.unwrap_or(259_200);
        let meet = |items: &mut Items| items.begun_limit_s = stated.or(items.begun_limit_s);
        judge(&parent, &plain, &changed, inside.then_some(meet))?;
    }

    #[test]
    fn item_12_the_grace_is_not_longer((parent, plain) in family(), near in near()) {
        let given = parent.grace_s();
        let stated = near.of(given.into(), 0, 86_400).map(small);
        let mut changed = plain.clone();
        changed.policy.grace_s = stated;
        let holds = stated.unwrap_or(given);
        let meet = |items: &mut Items| items.grace_s = holds;
        judge(&parent, &plain, &changed, (holds <= given).then_some(meet))?;
    }

    #[test]
    fn item_13_car_conditions_unite((parent, plain) in family(), stated in option::of(0u64..4)) {
        let mut changed = plain.clone();
        changed.policy.car_conditions = stated.and_then(CarConditions::from_bits);
        let both = parent.car_conditions().bits() | stated.unwrap_or(0);
        let both = CarConditions::from_bits(both).expect("two bits");
        judge(&parent, &plain, &changed, Some(|items: &mut Items| items.car_conditions = both))?;
    }

    #[test]
    fn item_14_presence_is_not_weaker((parent, plain) in family(), stated in option::of(0u64..3)) {
        let mut changed = plain.clone();
        changed.policy.presence = stated.map(byte).and_then(Presence::from_number);
        let holds = changed.policy.presence.unwrap_or(parent.presence());
        let meet = |items: &mut Items| items.presence = holds;
        judge(&parent, &plain, &changed, (holds.number() >= parent.presence().number()).then_some(meet))?;
    }

    #[test]
    fn item_15_return_areas_stay_one_list_a_link((parent, plain) in family(), lats in vec(0i64..3, 0..9)) {
        let mut changed = plain.clone();
        let stated: Vec<Area> = lats.iter().map(|lat| around(*lat)).collect();
        changed.policy.return_areas = stated.iter().cloned().collect();
        let mut lists: Vec<Vec<Area>> = parent.return_lists().map(<[Area]>::to_vec).collect();
        if lists.concat().len() + stated.len() > 8 {
            prop_assert_eq!(parent.attenuate(&changed), Err(Refusal::TooLarge));
            return Ok(());
        }
        if !stated.is_empty() {
            lists.push(stated);
        }
        judge(&parent, &plain, &changed, Some(|items: &mut Items| items.return_lists = lists))?;
    }

    #[test]
    fn a_grant_id_holds_until_another_is_stated((parent, plain) in family(), stated in option::of(0u8..3)) {
        let mut changed = plain;
        changed.grant_id = stated.map(|grant| GrantId([grant; 8]));
        let child = parent.attenuate(&changed).expect("a grant id widens nothing");
        prop_assert_eq!(child.grant_id(), changed.grant_id.or(parent.grant_id()));
    }
}
