//! Every bound is one point: to one side of it the car obeys, to the other it does not.

use super::*;

/// The values of `range` at which the answer is another than just before.
fn changes(range: std::ops::RangeInclusive<u64>, allows: impl Fn(u64) -> bool) -> Vec<u64> {
    let before = |at: u64| allows(at - 1);
    let (start, end) = range.into_inner();
    (start + 1..=end)
        .filter(|at| allows(*at) != before(*at))
        .collect()
}

/// An owner-signed key that states what `edit` adds, asks for no statement and is in its window at `NOW`.
fn key(edit: impl FnOnce(&mut Claims)) -> DigitalKey {
    let all = Entitlements::from_bits(0x7f).expect("seven bits");
    let mut claims = testing::claims(&holder(1), window(), all);
    claims.grant_id = Some(GrantId([1; 8]));
    claims.policy.outage_limit_s = Some(u32::MAX);
    edit(&mut claims);
    let link = KeyBuilder::first(&testing::owner(), &claims, &holder(1));
    verify(&link.encode()).expect("a first link of the owner")
}

fn allows(world: &World, key: &DigitalKey, board: &StatusBoard) -> bool {
    world.decide(key, board) == Decision::Allow
}

/// A board whose only statement the owner signed at `NOW`.
fn word_at_now() -> &'static StatusBoard {
    static BOARD: std::sync::OnceLock<StatusBoard> = std::sync::OnceLock::new();
    BOARD.get_or_init(|| {
        let mut world = World::plain(VehicleCommand::Unlock);
        world.statement_age_s = Some(0);
        world.board(&[])
    })
}

fn any_command() -> impl Strategy<Value = VehicleCommand> {
    select(VehicleCommand::ALL.to_vec())
}

proptest! {
    #![proptest_config(law())]

    #[test]
    fn a_window_opens_once_and_closes_once(
        command in any_command(), from in 3u64..2_000_000, length in 8u64..2_000_000, width in 0u64..3,
    ) {
        let from = NOW.0 - 1_000_000 + from;
        let until = from + length;
        let key = key(|claims| claims.validity = Validity { from: Timestamp(from), until: Timestamp(until) });
        let at = |lo: u64| {
            let mut world = World::plain(command);
            world.clock = ClockInterval { lo: Timestamp(lo), hi: Timestamp(lo + width) };
            allows(&world, &key, &StatusBoard::default())
        };
        prop_assert_eq!(changes(from - 3..=from + 3, at), vec![from]);
        prop_assert_eq!(changes(until - width - 3..=until + 3, at), vec![until - width]);
    }

    #[test]
    fn under_clock_rule_1_the_floor_enters_the_window_once_and_leaves_it_once(length in 8u64..1_000) {
        let until = NOW.0 + length;
        let key = key(|claims| {
            claims.validity = Validity { from: NOW, until: Timestamp(until) };
            claims.policy.clock_rule = Some(ClockRule::Floor);
        });
        let at = |lo: u64| {
            let mut world = World::plain(VehicleCommand::Unlock);
            world.clock = ClockInterval::at_least(Timestamp(lo));
            allows(&world, &key, word_at_now())
        };
        prop_assert_eq!(changes(NOW.0 - 3..=NOW.0 + 3, at), vec![NOW.0]);
        prop_assert_eq!(changes(until - 3..=until + 3, at), vec![until]);
    }

    #[test]
    fn a_statement_is_too_old_from_one_second_on(
        outage in 900u32..10_000, begun_limit in 900u32..10_000, in_contact in any::<bool>(), begun in any::<bool>(), width in 0u64..3,
    ) {
        let key = key(|claims| {
            claims.policy.outage_limit_s = Some(outage);
            claims.policy.begun_limit_s = Some(begun_limit);
        });
        let last = match (begun, in_contact) {
            (true, true) => None,
            (true, false) => Some(u64::from(begun_limit)),
            (false, true) => Some(900),
            (false, false) => Some(u64::from(outage)),
        };
        let at = |age: u64| {
            let mut world = World::plain(VehicleCommand::Unlock);
            let hi = NOW.plus(age);
            world.clock = ClockInterval { lo: Timestamp(hi.0 - width), hi };
            world.contact = Contact { in_contact, begun };
            allows(&world, &key, word_at_now())
        };
        let around = last.unwrap_or(5_000);
        let expected: Vec<u64> = last.map(|last| last + 1).into_iter().collect();
        prop_assert_eq!(changes(around - 3..=around + 3, at), expected);
        prop_assert_eq!(at(around + 1), last.is_none());
    }

    #[test]
    fn the_commands_own_deadline_passes_once(command in any_command(), not_after in 3u64..1_000) {
        let key = key(|_| {});
        let not_after = NOW.plus(not_after);
        let at = |now: u64| {
            let mut world = World::plain(command);
            world.ask.not_after = not_after;
            let situation = Situation {
                clock: world.clock,
                now: Some(Timestamp(now)),
                contact: world.contact,
                status: &StatusBoard::default(),
                car: world.car,
                uses: &|_: GrantId| 0,
                floor_admission_left: false,
            };
            decide(&key, &world.ask, &situation) == Decision::Allow
        };
        prop_assert_eq!(changes(not_after.0 - 3..=not_after.0 + 3, at), vec![not_after.0 + 1]);
    }

    #[test]
    fn the_grace_ends_once(grace in 1u32..86_401, width in 0u64..3) {
        let key = key(|claims| claims.policy.grace_s = Some(grace));
        let at = |command, hi: u64| {
            let mut world = World::plain(command);
            world.clock = ClockInterval { lo: Timestamp(hi - width), hi: Timestamp(hi) };
            world.contact.begun = true;
            world.decide(&key, &StatusBoard::default())
        };
        let (until, end) = (window().until.0, window().until.0 + u64::from(grace));
        let locks = |hi| at(VehicleCommand::Lock, hi).allows();
        prop_assert_eq!(changes(end - 3..=end + 3, locks), vec![end]);
        let locks_fully = |hi| at(VehicleCommand::Lock, hi) == Decision::Allow;
        prop_assert_eq!(changes(until - 3..=until + 3, locks_fully), vec![until]);
        let unlocks = |hi| at(VehicleCommand::Unlock, hi).allows();
        prop_assert_eq!(changes(until - 3..=until + 3, unlocks), vec![until]);
    }

    #[test]
    fn the_last_use_is_the_one_of_the_limit(command in any_command(), most in 0u64..1_000_000) {
        let key = key(|claims| claims.policy.max_uses = Some(most));
        let at = |used: u64| {
            let mut world = World::plain(command);
            world.used = used;
            allows(&world, &key, &StatusBoard::default())
        };
        let uncounted = matches!(command, VehicleCommand::Lock | VehicleCommand::Locate);
        let expected = if uncounted || most == 0 { vec![] } else { vec![most] };
        prop_assert_eq!(changes(most.saturating_sub(3)..=most + 3, at), expected);
        prop_assert_eq!(at(most), uncounted);
    }

    #[test]
    fn proximity_and_presence_suffice_from_one_level_on(near in 0u8..4, present in 0u8..3, command in any_command()) {
        let key = key(|claims| {
            claims.policy.proximity = Proximity::from_number(near);
            claims.policy.presence = Presence::from_number(present);
        });
        // Driving wants a tap whatever the policy says.
        let least = present.max(u8::from(command == VehicleCommand::EnableDriving));
        for (proximity, presence) in (0u8..4).flat_map(|near| (0u8..3).map(move |tap| (near, tap))) {
            let mut world = World::plain(command);
            world.ask.proximity = Proximity::from_number(proximity).expect("four levels");
            world.ask.presence = Presence::from_number(presence).expect("three levels");
            let opens = allows(&world, &key, &StatusBoard::default());
            prop_assert_eq!(opens, proximity >= near && presence >= least);
        }
    }

    #[test]
    fn a_generation_is_old_from_the_next_on(generation in 0u64..1_000_000) {
        let key = key(|claims| claims.policy.generation = Some(generation));
        let at = |least: u64| {
            let board = StatusBoard::with_known(0, 0, least);
            allows(&World::plain(VehicleCommand::Unlock), &key, &board)
        };
        prop_assert_eq!(changes(generation..=generation + 4, at), vec![generation + 1]);
    }

    #[test]
    fn a_longest_window_is_kept_or_exceeded(most in 10u64..100_000) {
        let at = |length: u64| {
            let until = window().from.plus(length);
            let key = key(|claims| {
                claims.validity.until = until;
                claims.policy.max_window_s = Some(most);
            });
            let mut world = World::plain(VehicleCommand::Unlock);
            world.clock = ClockInterval::exactly(window().from);
            allows(&world, &key, &StatusBoard::default())
        };
        prop_assert_eq!(changes(most..=most + 1, at), vec![most + 1]);
    }

    #[test]
    fn an_area_is_left_once_on_the_way_out(radius_m in 1u64..2_000_000, command in any_command()) {
        let middle = Point::new(0, 0).expect("in range");
        let area = Area::circle(middle, radius_m).expect("in range");
        let key = key(|claims| claims.policy.areas.push(area));
        // 100 m on the sphere of ck1 are some 8,993 units of latitude.
        let at = |hundreds: u64| {
            let lat = i64::try_from(hundreds).expect("small") * 8_993;
            let mut world = World::plain(command);
            world.car.position = Point::new(lat, 0).ok();
            allows(&world, &key, &StatusBoard::default())
        };
        let around = radius_m / 100;
        let found = changes(around.saturating_sub(2)..=around + 4, at);
        if command == VehicleCommand::Lock {
            prop_assert_eq!(found, vec![]);
        } else {
            prop_assert_eq!(found.len(), 1);
        }
    }
}
