//! What a gateway knows when it is asked: at random, and as plain as can be.

use super::*;

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) ask: Ask,
    pub(super) clock: ClockInterval,
    pub(super) contact: Contact,
    pub(super) statement_age_s: Option<u64>,
    pub(super) denied: Option<Index>,
    pub(super) car: CarFacts,
    pub(super) used: u64,
    pub(super) floor_admission_left: bool,
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
    pub(super) fn world()(
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
    /// A known time at `NOW`, a car cut off of which all is known, and a tap for `command` at its door.
    pub(super) fn plain(command: VehicleCommand) -> Self {
        Self {
            ask: Ask {
                command,
                presence: Presence::Verified,
                not_after: NOW,
                channel: Channel::Local,
                proximity: Proximity::Uwb,
            },
            clock: ClockInterval::exactly(NOW),
            contact: Contact {
                in_contact: false,
                begun: false,
            },
            statement_age_s: None,
            denied: None,
            car: CarFacts {
                stationary: Some(true),
                ignition_off: Some(true),
                position: Some(Point::new(0, 0).expect("in range")),
            },
            used: 0,
            floor_admission_left: true,
        }
    }

    /// The board of this world, in which one of `links` may be denied.
    pub(super) fn board(&self, links: &[ObjectId]) -> StatusBoard {
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

    pub(super) fn decide(&self, key: &DigitalKey, board: &StatusBoard) -> Decision {
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

/// How much an answer gives: nothing, lock only, all that was asked.
pub(super) fn rank(decision: Decision) -> u8 {
    match decision {
        Decision::Refuse(_) => 0,
        Decision::LockOnly(_) => 1,
        Decision::Allow => 2,
    }
}
