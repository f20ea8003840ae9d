//! Every condition by itself, and all of them at once.

use alloc::vec::Vec;

use super::*;

#[test]
fn a_key_opens_in_its_window() {
    case(|_| {}).assert_allowed();
    mandated(|_| {}).assert_allowed();
}

#[test]
fn at_each_end_of_the_window_the_answer_changes_once() {
    let case = case(|claims| {
        claims.validity = Validity {
            from: NOW,
            until: NOW.plus(100),
        };
    });
    for (at, expected) in [
        (NOW.0 - 1, Some(Refusal::NotYetValid)),
        (NOW.0, None),
        (NOW.0 + 1, None),
        (NOW.0 + 99, None),
        (NOW.0 + 100, Some(Refusal::Expired)),
        (NOW.0 + 101, Some(Refusal::Expired)),
    ] {
        let case = case.with(|case| case.clock = ClockInterval::exactly(Timestamp(at)));
        assert_eq!(case.decide().reasons().iter().next(), expected);
        assert_eq!(case.decide().allows(), expected.is_none());
    }
    // An uncertain clock must be inside with both ends.
    let interval = |lo: u64, hi: u64| ClockInterval {
        lo: Timestamp(NOW.0 - 5 + lo),
        hi: Timestamp(NOW.0 - 5 + hi),
    };
    let at = |lo, hi| case.with(|case| case.clock = interval(lo, hi));
    at(5, 104).assert_allowed();
    at(4, 104).assert_refused(&[Refusal::NotYetValid]);
    at(5, 105).assert_refused(&[Refusal::Expired]);
    at(4, 105).assert_refused(&[Refusal::Expired, Refusal::NotYetValid]);
}

#[test]
fn every_command_needs_its_entitlement_and_through_the_api_remote_as_well() {
    for command in VehicleCommand::ALL {
        let only = command.entitlement();
        let without = Entitlements::from_bits(u64::from(!only.bits() & 0x7f)).unwrap();
        let ask = |entitlements, channel| {
            case(|claims| claims.policy.entitlements = entitlements).with(|case| {
                case.ask.command = command;
                case.ask.channel = channel;
            })
        };
        ask(only, Channel::Local).assert_allowed();
        ask(without, Channel::Local).assert_refused(&[Refusal::NotEntitled]);
        ask(only, Channel::Remote).assert_refused(&[Refusal::NotEntitled]);
        ask(only | Entitlements::REMOTE, Channel::Remote).assert_allowed();
        ask(without, Channel::Remote).assert_refused(&[Refusal::NotEntitled]);
    }
}

#[test]
fn presence_is_as_the_key_says_and_driving_needs_a_tap() {
    for needed in [Presence::None, Presence::Tap, Presence::Verified] {
        for given in [Presence::None, Presence::Tap, Presence::Verified] {
            for command in [
                VehicleCommand::Unlock,
                VehicleCommand::Lock,
                VehicleCommand::EnableDriving,
            ] {
                let case = case(|claims| claims.policy.presence = Some(needed)).with(|case| {
                    case.ask.presence = given;
                    case.ask.command = command;
                });
                let drives = command == VehicleCommand::EnableDriving;
                if given >= needed && !(drives && given == Presence::None) {
                    case.assert_allowed();
                } else {
                    case.assert_refused(&[Refusal::PresenceNeeded]);
                }
            }
        }
    }
}

#[test]
fn proximity_is_tested_on_every_channel() {
    let levels = [
        Proximity::None,
        Proximity::RoundTrip,
        Proximity::ChannelSounding,
        Proximity::Uwb,
    ];
    for needed in levels {
        for given in levels {
            for channel in [Channel::Local, Channel::Remote] {
                let case = case(|claims| claims.policy.proximity = Some(needed)).with(|case| {
                    case.ask.proximity = given;
                    case.ask.channel = channel;
                });
                if given >= needed {
                    case.assert_allowed();
                } else {
                    case.assert_refused(&[Refusal::TooFar]);
                }
            }
        }
    }
}

#[test]
fn a_leaf_longer_than_its_mandate_allows_opens_nothing() {
    let lasting = |seconds| Validity {
        from: NOW,
        until: NOW.plus(seconds),
    };
    let week = 7 * 86_400;
    mandated(|claims| claims.validity = lasting(week)).assert_allowed();
    mandated(|claims| claims.validity = lasting(week + 1))
        .assert_refused(&[Refusal::MandateExceeded]);
    // An issuer's own link is as long as it needs to be, and so opens nothing itself.
    let mut mandate = mandate_claims();
    mandate.grant_id = Some(GrantId([7; 8]));
    let alone = KeyBuilder::first(&owner(), &mandate, &platform_root());
    Case::of(&alone).assert_refused(&[Refusal::MandateExceeded]);
}

#[test]
fn areas_hold_for_every_command_but_lock() {
    let around = |lat: i64| Area::circle(Point::new(lat, 0).unwrap(), 1_000).unwrap();
    // Two circles that overlap; 1e-7 degree is about a centimetre.
    let case = case(|claims| {
        claims.policy.areas = [around(0), around(150_000)].into_iter().collect();
    });
    let at = |lat: i64| case.with(|case| case.car.position = Some(Point::new(lat, 0).unwrap()));
    for command in VehicleCommand::ALL {
        let ask = |case: Case| case.with(|case| case.ask.command = command);
        if command == VehicleCommand::Lock {
            ask(at(9_000_000)).assert_allowed();
            ask(case.clone()).assert_allowed();
        } else {
            ask(at(75_000)).assert_allowed();
            ask(at(0)).assert_refused(&[Refusal::OutsideArea]);
            ask(at(150_000)).assert_refused(&[Refusal::OutsideArea]);
            ask(case.clone()).assert_refused(&[Refusal::LocationUnknown]);
        }
    }
}

#[test]
fn return_areas_keep_nobody_out_of_the_car() {
    let far = Area::circle(Point::new(500_000_000, 0).unwrap(), 1).unwrap();
    case(|claims| claims.policy.return_areas = [far].into_iter().collect()).assert_allowed();
}

#[test]
fn the_car_must_be_as_the_key_says() {
    for bits in 0..4 {
        let case = case(|claims| claims.policy.car_conditions = CarConditions::from_bits(bits));
        let (stationary, ignition_off) = (bits & 1 != 0, bits & 2 != 0);
        case.assert_allowed();
        let set = |stationary, ignition_off| {
            case.with(|case| {
                case.car.stationary = stationary;
                case.car.ignition_off = ignition_off;
            })
        };
        let mut contrary = Vec::new();
        contrary.extend(stationary.then_some(Refusal::CarMoving));
        contrary.extend(ignition_off.then_some(Refusal::IgnitionOn));
        let unknown = if bits == 0 {
            &[][..]
        } else {
            &[Refusal::StateStale]
        };
        for (case, reasons) in [
            (set(Some(false), Some(false)), &contrary[..]),
            (set(None, None), unknown),
        ] {
            if reasons.is_empty() {
                case.assert_allowed();
            } else {
                case.assert_refused(reasons);
            }
        }
    }
}

#[test]
fn weekly_hours_hold_in_the_zone_of_the_key() {
    // 14:00 in Berlin.
    let hours = |start, end| case(|claims| claims.policy.hours = Some(berlin(start, end)));
    hours(840, 841).assert_allowed();
    hours(0, 840).assert_refused(&[Refusal::OutsideHours]);
    hours(841, 1_440).assert_refused(&[Refusal::OutsideHours]);
    let lost = hours(0, 1_440).with(|case| case.clock = ClockInterval::at_least(NOW));
    lost.assert_refused(&[Refusal::ClockUntrusted]);
}

#[test]
fn a_zone_that_nobody_knows_is_unsupported() {
    let always = [HoursWindow::new(127, 0, 1_440).unwrap()];
    for zone in ["Europe/Atlantis", "europe/berlin", ""] {
        let hours = WeeklyHours::new(ZoneName::new(zone).unwrap(), &always).unwrap();
        case(|claims| claims.policy.hours = Some(hours)).assert_refused(&[Refusal::Unsupported]);
    }
}

#[test]
fn uses_are_spent_by_all_commands_but_lock_and_locate() {
    for command in VehicleCommand::ALL {
        for (used, left) in [(1, true), (2, false), (3, false)] {
            let case = case(|claims| claims.policy.max_uses = Some(2)).with(|case| {
                case.used = used;
                case.ask.command = command;
            });
            let free = [VehicleCommand::Lock, VehicleCommand::Locate].contains(&command);
            if left || free {
                case.assert_allowed();
            } else {
                case.assert_refused(&[Refusal::UsesSpent]);
            }
        }
    }
    case(|claims| claims.policy.max_uses = Some(0)).assert_refused(&[Refusal::UsesSpent]);
}

#[test]
fn revoked_and_suspended_links_open_nothing() {
    let builder = key(|_| {});
    let case = Case::of(&builder);
    case.with(|case| case.board = revoking(builder.leaf()))
        .assert_refused(&[Refusal::Revoked]);
    case.with(|case| case.board = suspending(builder.leaf()))
        .assert_refused(&[Refusal::Suspended]);
}

#[test]
fn a_first_link_is_at_least_of_the_cars_generation() {
    for (generation, current) in [(None, 0), (Some(2), 2), (Some(3), 2)] {
        case(|claims| claims.policy.generation = generation)
            .with(|case| case.board.raise_generation(current))
            .assert_allowed();
    }
    for (generation, current) in [(None, 1), (Some(1), 2)] {
        case(|claims| claims.policy.generation = generation)
            .with(|case| case.board.raise_generation(current))
            .assert_refused(&[Refusal::OldGeneration]);
    }
}

#[test]
fn a_command_has_its_own_deadline() {
    let case = case(|_| {});
    let at = |now: Option<Timestamp>| case.with(|case| case.now = now);
    at(Some(NOW.plus(29))).assert_allowed();
    at(Some(NOW.plus(30))).assert_allowed();
    at(Some(NOW.plus(31))).assert_refused(&[Refusal::CommandExpired]);
    at(None).assert_allowed();
}

#[test]
fn all_reasons_are_told_at_once() {
    let builder = key(|claims| {
        claims.validity.until = NOW;
        let policy = &mut claims.policy;
        policy.entitlements = Entitlements::LOCK;
        policy.presence = Some(Presence::Verified);
        policy.proximity = Some(Proximity::Uwb);
        policy.car_conditions = CarConditions::from_bits(3);
        policy.max_uses = Some(0);
        policy.max_window_s = Some(1);
        policy.hours = Some(berlin(0, 1));
        policy.areas = [Area::circle(Point::new(0, 0).unwrap(), 1).unwrap()]
            .into_iter()
            .collect();
    });
    let mut case = Case::of(&builder);
    case.board = said(90_000, |body| {
        body.revoked = id_list([builder.leaf().short()]).unwrap();
    });
    case.board.raise_generation(1);
    case.car.stationary = Some(false);
    case.car.ignition_off = None;
    case.now = Some(NOW.plus(31));
    case.ask.channel = Channel::Remote;
    case.assert_refused(&[
        Refusal::Expired,
        Refusal::OutsideHours,
        Refusal::LocationUnknown,
        Refusal::StateStale,
        Refusal::CarMoving,
        Refusal::NotEntitled,
        Refusal::PresenceNeeded,
        Refusal::TooFar,
        Refusal::UsesSpent,
        Refusal::Revoked,
        Refusal::OldGeneration,
        Refusal::StatementTooOld,
        Refusal::MandateExceeded,
        Refusal::CommandExpired,
    ]);
}
