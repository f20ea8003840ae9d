//! What a key gives, and what one link more leaves of it.

use super::*;

/// The key of the first link of `first`, and longer ones with `further` below it, as far as they may go.
///
/// Each is verified below the one before it, kept as an anchor for the purpose.
fn chain(first: &Claims, further: Vec<Claims>) -> Vec<DigitalKey> {
    let mut builder = KeyBuilder::first(&testing::owner(), first, &holder(1));
    let mut anchors = AnchorStore::default();
    let mut keys: Vec<DigitalKey> = Vec::new();
    for (claims, number) in std::iter::once(None)
        .chain(further.into_iter().map(Some))
        .zip(1..)
    {
        if let Some(claims) = claims {
            let effective = keys.last().expect("the first").effective();
            if effective.delegations() == 0 {
                break;
            }
            builder = builder.then(inside(effective, claims), &holder(number));
        }
        let link = builder.links().last().expect("at least one");
        match anchors.insert(&link.bytes, vehicle(), &roots()) {
            Ok(id) => keys.push(anchors.get(&id).expect("just stored").clone()),
            // Lists add up, and links have a size.
            Err(refusal) => {
                assert_eq!(refusal, Refusal::TooLarge);
                break;
            }
        }
        if let [.., parent, _] = &keys[..] {
            anchors.remove(&parent.leaf());
        }
    }
    keys
}

proptest! {
    #![proptest_config(law())]

    #[test]
    fn a_longer_chain_never_allows_more(
        first in link_claims(1),
        further in vec(link_claims(2), 1..4),
        worlds in vec(world::world(), 3),
    ) {
        let mut first = first;
        first.grant_id = Some(GrantId([1; 8]));
        first.policy.delegations = first.policy.delegations.max(1);
        // The holder of each link is set by its place.
        let further = further
            .into_iter()
            .zip(2..)
            .map(|(mut claims, number)| {
                claims.holder = *holder(number).verifying_key().as_bytes();
                claims
            })
            .collect();
        let keys = chain(&first, further);
        for world in worlds {
            let longest = keys.last().expect("at least one");
            let board = world.board(longest.links());
            for pair in keys.windows(2) {
                let [shorter, longer] = pair else { unreachable!() };
                let (outer, inner) = (world.decide(shorter, &board), world.decide(longer, &board));
                // Policy 10 is a test on the leaf alone and stands outside the law.
                if outer.reasons().contains(Refusal::MandateExceeded) {
                    continue;
                }
                prop_assert!(rank(inner) <= rank(outer), "{:?} below {:?}", inner, outer);
            }
        }
    }
}

/// Whether a link is inside its parent, said a second time and in another way.
fn is_inside(parent: &Effective, claims: &Claims) -> bool {
    let policy = &claims.policy;
    let window = parent.validity();
    let rule = parent.clock_rule().number();
    claims.validity.from >= window.from
        && claims.validity.until <= window.until
        && policy.entitlements.bits() & !parent.entitlements().bits() == 0
        && policy.delegations < parent.delegations()
        && policy.outage_limit_s.unwrap_or(0) <= parent.outage_limit_s().unwrap_or(u32::MAX)
        && policy
            .proximity
            .is_none_or(|level| level.number() >= parent.proximity().number())
        && policy
            .clock_rule
            .is_none_or(|stated| stated.number() <= rule && stated.number() < 2)
        && policy
            .max_window_s
            .is_none_or(|most| most <= parent.max_window_s().unwrap_or(u64::MAX))
        && policy
            .begun_limit_s
            .is_none_or(|limit| limit <= parent.begun_limit_s().unwrap_or(u32::MAX))
        && policy.grace_s.unwrap_or(0) <= parent.grace_s()
        && policy
            .presence
            .is_none_or(|level| level.number() >= parent.presence().number())
}

proptest! {
    #![proptest_config(law())]

    #[test]
    fn a_link_is_taken_exactly_if_it_is_inside_its_parent(
        first in link_claims(1),
        second in link_claims(2),
        tighten in any::<bool>(),
    ) {
        let parent = Effective::root(&first).expect("a first link names its vehicle");
        let second = if tighten { inside(&parent, second) } else { second };
        let child = parent.attenuate(&second);
        prop_assert_eq!(child.is_ok(), is_inside(&parent, &second));
        let Ok(child) = child else { return Ok(()) };
        prop_assert!(parent.validity().covers(&child.validity()));
        prop_assert!(child.entitlements().is_subset_of(parent.entitlements()));
        prop_assert!(child.delegations() < parent.delegations());
        prop_assert!(child.proximity() >= parent.proximity());
        prop_assert!(child.presence() >= parent.presence());
        prop_assert!(child.clock_rule() <= parent.clock_rule());
        prop_assert!(child.clock_rule() < ClockRule::Ignore);
        prop_assert!(child.grace_s() <= parent.grace_s());
        let wide = |limit: Option<u32>| limit.unwrap_or(u32::MAX);
        prop_assert!(wide(child.outage_limit_s()) <= wide(parent.outage_limit_s()));
        prop_assert!(wide(child.begun_limit_s()) <= wide(parent.begun_limit_s()));
        prop_assert!(child.areas().starts_with(parent.areas()));
        prop_assert!(child.hours().starts_with(parent.hours()));
        prop_assert!(child.return_lists().count() >= parent.return_lists().count());
        prop_assert!(child.use_limits().len() >= parent.use_limits().len());
        prop_assert_eq!(child.vehicle(), parent.vehicle());
        prop_assert_eq!(child.generation(), parent.generation());
        let both = child.car_conditions().union(parent.car_conditions());
        prop_assert_eq!(child.car_conditions(), both);
    }

    #[test]
    fn a_key_opens_exactly_in_its_window(from in 0u64..10, length in 1u64..10, lo in 0u64..25, width in 0u64..3) {
        let validity = Validity {
            from: NOW.plus(from),
            until: NOW.plus(from + length),
        };
        let mut claims = testing::claims(&holder(1), validity, Entitlements::UNLOCK);
        claims.grant_id = Some(GrantId([1; 8]));
        claims.policy.outage_limit_s = Some(u32::MAX);
        let key = KeyBuilder::first(&testing::owner(), &claims, &holder(1));
        let key = verify(&key.encode()).expect("a first link of the owner");
        let clock = ClockInterval { lo: NOW.plus(lo), hi: NOW.plus(lo + width) };
        let mut world = World::plain(VehicleCommand::Unlock);
        world.clock = clock;
        let opens = world.decide(&key, &StatusBoard::default()) == Decision::Allow;
        prop_assert_eq!(opens, clock.lo >= validity.from && clock.hi < validity.until);
    }
}
