//! What a key gives, and what one link more leaves of it.

use super::*;

#[derive(Debug, Clone)]
struct World {
    ask: Ask,
    clock: ClockInterval,
    contact: Contact,
    statement_age_s: Option<u64>,
    denied: Option<Index>,
    car: CarFacts,
    used: u64,
    floor_admission_left: bool,
}

fn clocks() -> impl Strategy<Value = ClockInterval> {
    let edges = [window().from.0, window().until.0, window().until.0 + 3_600];
    let near = prop_oneof![2 => Just(NOW.0), 1 => select(edges.to_vec())];
    (near, -4i64..5, option::weighted(0.8, 0u64..4)).prop_map(|(edge, by, width)| {
        let lo = Timestamp(edge.wrapping_add_signed(by));
        let hi = width.map_or(Timestamp::UNKNOWN, |width| lo.plus(width));
        ClockInterval { lo, hi }
    })
}

fn fact() -> impl Strategy<Value = Option<bool>> {
    select(vec![Some(true), Some(true), Some(true), Some(false), None])
}

prop_compose! {
    fn ask()(
        command in prop_oneof![select(VehicleCommand::ALL.to_vec()), Just(VehicleCommand::Lock)],
        presence in select(vec![0u8, 1, 2, 2, 2]),
        proximity in select(vec![0u8, 1, 2, 3, 3, 3]),
        remote in prop::bool::weighted(0.2),
    ) -> Ask {
        Ask {
            command,
            presence: Presence::from_number(presence).expect("three levels"),
            not_after: NOW,
            channel: if remote { Channel::Remote } else { Channel::Local },
            proximity: Proximity::from_number(proximity).expect("four levels"),
        }
    }
}

prop_compose! {
    fn world()(
        ask in ask(),
        clock in clocks(),
        contact in any::<(bool, bool)>(),
        statement_age_s in option::weighted(0.9, select(vec![0u64, 0, 0, 899, 900, 901, 3_600, 86_400, 86_401])),
        denied in option::weighted(0.2, any::<Index>()),
        facts in (fact(), fact()),
        lat in option::weighted(0.8, select(vec![0i64, 75_000, 75_000, 500_000])),
        used in select(vec![0u64, 0, 0, 1, 2, 3]),
        floor_admission_left in any::<bool>(),
    ) -> World {
        World {
            ask,
            clock,
            contact: Contact { in_contact: contact.0, begun: contact.1 },
            statement_age_s,
            denied,
            car: CarFacts {
                stationary: facts.0,
                ignition_off: facts.1,
                position: lat.map(|lat| Point::new(lat, 0).expect("in range")),
            },
            used,
            floor_admission_left,
        }
    }
}

impl World {
    /// The board of this world, in which one of `links` may be denied.
    fn board(&self, links: &[ObjectId]) -> StatusBoard {
        let mut board = StatusBoard::default();
        if let Some(age) = self.statement_age_s {
            let denied: Vec<ShortId> = self
                .denied
                .iter()
                .map(|index| index.get(links).short())
                .collect();
            let reference = if self.clock.is_trusted() {
                self.clock.hi
            } else {
                self.clock.lo
            };
            let issued_at = Timestamp(reference.0.saturating_sub(age));
            let sealed = testing::statement(1, issued_at, None, &denied, &[]);
            let statement = Unverified::<Statement>::decode(&sealed.bytes).expect("a statement");
            let clock = ClockInterval::at_least(Timestamp(0));
            board
                .accept(
                    &statement,
                    vehicle(),
                    &roots(),
                    &AnchorStore::default(),
                    clock,
                )
                .expect("the owner's word");
        }
        board
    }

    fn decide(&self, key: &DigitalKey, board: &StatusBoard) -> Decision {
        let uses = |_: GrantId| self.used;
        let situation = Situation {
            clock: self.clock,
            now: None,
            contact: self.contact,
            status: board,
            car: self.car,
            uses: &uses,
            floor_admission_left: self.floor_admission_left,
        };
        decide(key, &self.ask, &situation)
    }
}

fn rank(decision: Decision) -> u8 {
    match decision {
        Decision::Refuse(_) => 0,
        Decision::LockOnly(_) => 1,
        Decision::Allow => 2,
    }
}

/// The key of the first link of `first`, and longer ones with `further` below it, as far as they may go.
fn chain(first: &Claims, further: Vec<Claims>) -> Vec<DigitalKey> {
    let mut builder = KeyBuilder::first(&testing::owner(), first, &holder(1));
    let mut keys = vec![verify(&builder.encode()).expect("a first link of the owner")];
    for (claims, number) in further.into_iter().zip(2..) {
        let effective = keys.last().expect("at least one").effective();
        if effective.delegations() == 0 {
            break;
        }
        let claims = inside(effective, claims);
        builder = builder.then(claims, &holder(number));
        match verify(&builder.encode()) {
            Ok(key) => keys.push(key),
            // Lists add up, and links have a size.
            Err(refusal) => {
                assert_eq!(refusal, Refusal::TooLarge);
                break;
            }
        }
    }
    keys
}

proptest! {
    #![proptest_config(cases(800))]

    #[test]
    fn a_longer_chain_never_allows_more(
        first in link_claims(1),
        further in vec(link_claims(2), 1..4),
        worlds in vec(world(), 6),
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
    #![proptest_config(cases(2_000))]

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
        let world = World {
            ask: Ask {
                command: VehicleCommand::Unlock,
                presence: Presence::None,
                not_after: NOW,
                channel: Channel::Local,
                proximity: Proximity::None,
            },
            clock,
            contact: Contact { in_contact: false, begun: false },
            statement_age_s: None,
            denied: None,
            car: CarFacts::default(),
            used: 0,
            floor_admission_left: true,
        };
        let opens = world.decide(&key, &StatusBoard::default()) == Decision::Allow;
        prop_assert_eq!(opens, clock.lo >= validity.from && clock.hi < validity.until);
    }
}
