//! `dead_by` in a simulated world: the host revokes, phones carry what they like, the car is in contact or
//! not and may lose its clock. After any time that was promised the car never obeys the key again.

use keys_core::freshness::{Ending, dead_by};

use super::*;

/// A key to be revoked.
#[derive(Debug, Clone, Copy)]
struct Terms {
    below_mandate: bool,
    from: u64,
    length: u64,
    outage_limit_s: u32,
    begun_limit_s: Option<u32>,
    clock_rule: ClockRule,
}

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// The authority signs a statement that phones may carry, its clock so many seconds ahead.
    Publish(u64),
    /// A phone hands over one of the statements published, the newest at 0.
    Carry(Index),
    /// The API's word reaches the car, so many seconds old, perhaps with the newest statement.
    Hear(u64, bool),
    /// The car loses its clock.
    LoseClock,
    /// The car learns the time, as surely as so many seconds.
    Attest(u64),
    /// Somebody holds the key to the car.
    Try(VehicleCommand),
    /// The host asks by when the key is dead.
    AskDeadBy,
    /// The host revokes.
    Revoke,
}

fn terms() -> impl Strategy<Value = Terms> {
    let limit = || select(vec![900u32, 1_000, 3_600, 10_800]);
    let outage = prop_oneof![4 => limit(), 1 => Just(u32::MAX)];
    (
        any::<bool>(),
        select(vec![0u64, 3_000, 6_600, 7_200, 7_500, 8_000, 9_000, 12_000]),
        select(vec![600u64, 5_000, 40_000]),
        outage,
        option::weighted(0.8, limit()),
        prop_oneof![4 => Just(0u8), 1 => Just(1u8), 1 => Just(2u8)],
    )
        .prop_map(|(below_mandate, from, length, outage, begun, rule)| Terms {
            below_mandate,
            from: NOW.0 - 7_200 + from,
            length,
            outage_limit_s: if below_mandate {
                outage.min(86_400)
            } else {
                outage
            },
            begun_limit_s: begun,
            clock_rule: ClockRule::from_number(if below_mandate { rule.min(1) } else { rule })
                .expect("three rules"),
        })
}

fn event() -> impl Strategy<Value = (u64, Event)> {
    let opening = select(vec![VehicleCommand::Unlock, VehicleCommand::EnableDriving]);
    let event = prop_oneof![
        4 => select(vec![0u64, 0, 250]).prop_map(Event::Publish),
        4 => any::<Index>().prop_map(Event::Carry),
        2 => (0u64..30, any::<bool>()).prop_map(|(late, fresh)| Event::Hear(late, fresh)),
        1 => Just(Event::LoseClock),
        2 => (0u64..10).prop_map(Event::Attest),
        10 => opening.prop_map(Event::Try),
        3 => Just(Event::AskDeadBy),
        2 => Just(Event::Revoke),
    ];
    (select(vec![0u64, 1, 40, 300, 899, 1_200, 3_000]), event)
}

/// Some time passes, a phone brings the newest statement or an older one, the host revokes, life goes on.
fn story() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let before = vec(event(), 0..8);
    let after = vec(event(), 4..20);
    (
        before,
        any::<Index>(),
        select(vec![0u64, 300, 1_200]),
        after,
    )
        .prop_map(|(mut events, carried, later, after)| {
            events.push((0, Event::Publish(0)));
            events.push((0, Event::Carry(carried)));
            events.push((later, Event::Revoke));
            events.extend(after);
            events
        })
}

/// The key of these terms, below the mandate or signed by the owner.
fn sign(terms: &Terms) -> DigitalKey {
    static ABOVE: std::sync::OnceLock<(KeyBuilder, AnchorStore)> = std::sync::OnceLock::new();
    let (above, anchors) = ABOVE.get_or_init(|| {
        let mut mandate = testing::mandate_claims();
        mandate.policy.clock_rule = Some(ClockRule::Floor);
        let mut issuer = testing::claims(&testing::issuer(), window(), mandate.policy.entitlements);
        issuer.validity.from = Timestamp(NOW.0 - 7_200);
        issuer.policy.delegations = 3;
        let above = KeyBuilder::first(&testing::owner(), &mandate, &testing::platform_root())
            .then(issuer, &testing::issuer());
        let links = above.links().iter().map(|link| &link.bytes[..]);
        let anchors = AnchorStore::from_links(links, vehicle(), &roots());
        (above, anchors)
    });
    let validity = Validity {
        from: Timestamp(terms.from),
        until: Timestamp(terms.from + terms.length),
    };
    let rights = Entitlements::UNLOCK | Entitlements::ENABLE_DRIVING;
    let mut claims = testing::claims(&holder(1), validity, rights);
    claims.grant_id = Some(GrantId([1; 8]));
    claims.policy.outage_limit_s = Some(terms.outage_limit_s);
    claims.policy.begun_limit_s = terms.begun_limit_s;
    claims.policy.clock_rule = Some(terms.clock_rule);
    let bytes = if terms.below_mandate {
        above.clone().then(claims, &holder(1)).encode_from(2)
    } else {
        KeyBuilder::first(&testing::owner(), &claims, &holder(1)).encode()
    };
    let key = UnverifiedKey::parse(&bytes).expect("a key");
    key.verify(vehicle(), &roots(), anchors)
        .expect("inside its mandate")
}

/// The host's side: what was signed, and what was promised.
#[derive(Default)]
struct Host {
    published: Vec<(Timestamp, bool)>,
    revoked_at: Option<Timestamp>,
    /// By when the key was said to be dead.
    promises: Vec<Timestamp>,
}

/// The car's side.
struct Car {
    board: StatusBoard,
    clock: ClockInterval,
    lost_at: Timestamp,
    admitted_on_floor: u32,
    heard_at: Option<Timestamp>,
    begun: bool,
    /// When it told the API that it has the statement that lists the key.
    acknowledged_at: Option<Timestamp>,
}

struct Simulation {
    terms: Terms,
    key: DigitalKey,
    now: Timestamp,
    host: Host,
    car: Car,
}

impl Simulation {
    fn new(terms: Terms) -> Self {
        let now = Timestamp(NOW.0 - 7_200);
        Self {
            key: sign(&terms),
            terms,
            now,
            host: Host::default(),
            car: Car {
                board: StatusBoard::default(),
                clock: ClockInterval::exactly(now),
                lost_at: now,
                admitted_on_floor: 0,
                heard_at: None,
                begun: false,
                acknowledged_at: None,
            },
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now.plus(seconds);
        self.car.clock = self.car.clock.after(seconds);
    }

    fn publish(&mut self, ahead: u64) -> usize {
        let lists_key = self.host.revoked_at.is_some();
        // Once revoked, nobody signs with a clock that is ahead of the revocation's statement.
        let at = if lists_key {
            self.now
        } else {
            self.now.plus(ahead)
        };
        self.host.published.push((at, lists_key));
        self.host.published.len() - 1
    }

    /// The car takes a statement, if it is the newest of its signer.
    fn take(&mut self, index: usize) {
        static STATUS: std::sync::OnceLock<AnchorStore> = std::sync::OnceLock::new();
        let status = STATUS.get_or_init(|| {
            let link = testing::status_link().bytes;
            AnchorStore::from_links([&link[..]], vehicle(), &roots())
        });
        let (at, lists_key) = self.host.published[index];
        let revoked: Vec<ShortId> = lists_key
            .then(|| self.key.leaf().short())
            .into_iter()
            .collect();
        let until = self.terms.below_mandate.then(|| at.plus(7 * 86_400));
        let seq = u64::try_from(index).expect("few") + 1;
        let sealed = testing::statement(seq, at, until, &revoked, &[]);
        let statement = Unverified::<Statement>::decode(&sealed.bytes).expect("a statement");
        let (board, clock) = (&mut self.car.board, self.car.clock);
        if board
            .accept(&statement, vehicle(), &roots(), status, clock)
            .is_ok()
        {
            self.car.clock = clock.raise_floor(at);
        }
    }

    /// A message the API sent `late` seconds ago. Whatever it says, a revocation goes first.
    fn hear(&mut self, late: u64, is_fresh: bool) {
        let sent_at = Timestamp(self.now.0 - late);
        self.car.heard_at = Some(self.now);
        let knows = self.host.revoked_at.is_some_and(|at| at <= sent_at);
        if is_fresh {
            self.publish(0);
        }
        let newest = self
            .host
            .published
            .iter()
            .rposition(|(at, lists)| *lists == knows && (knows || *at <= sent_at));
        if let Some(newest) = newest {
            self.take(newest);
        }
        if self.car.board.revoked().count() > 0 {
            self.car.acknowledged_at.get_or_insert(self.now);
        }
    }

    fn lose_clock(&mut self) {
        self.car.clock = ClockInterval::at_least(self.car.board.time_floor());
        self.car.lost_at = self.now;
        self.car.admitted_on_floor = 0;
    }

    fn ask_dead_by(&mut self) {
        let Some(revoked_at) = self.host.revoked_at else {
            return;
        };
        let unlisting = self.host.published.iter().filter(|(_, lists)| !lists);
        let newest = unlisting.map(|(at, _)| *at).max().unwrap_or(revoked_at);
        let effective = self.key.effective();
        let ending = Ending {
            now: self.now,
            acknowledged_at: self.car.acknowledged_at,
            valid_until: effective.validity().until,
            valid_from: effective.validity().from,
            newest_unlisting_at: newest.max(revoked_at),
            outage_limit_s: effective.outage_limit_s(),
            begun_limit_s: effective.begun_limit_s(),
            clock_rule: effective.clock_rule(),
            clock_trusted: self.car.clock.is_trusted(),
        };
        self.host.promises.extend(dead_by(&ending));
    }

    /// Somebody tries the key at the car; whether it obeys.
    fn try_key(&mut self, command: VehicleCommand) -> bool {
        let in_contact = self.car.heard_at.is_some_and(|at| self.now.since(at) <= 60);
        let mut world = World::plain(command);
        world.clock = self.car.clock;
        world.contact = Contact {
            in_contact,
            begun: self.car.begun,
        };
        world.floor_admission_left =
            self.car.admitted_on_floor < 3 && self.now.since(self.car.lost_at) < 7_200;
        let opens = world.decide(&self.key, &self.car.board).allows();
        if opens {
            self.car.begun = true;
            self.car.admitted_on_floor += u32::from(!self.car.clock.is_trusted());
        }
        opens
    }

    /// What happens; whether the car obeyed the key.
    fn step(&mut self, event: Event) -> bool {
        match event {
            Event::Publish(ahead) => {
                self.publish(ahead);
            }
            Event::Carry(which) if !self.host.published.is_empty() => {
                self.take(which.index(self.host.published.len()));
            }
            Event::Carry(_) => {}
            Event::Hear(late, fresh) => self.hear(late, fresh),
            Event::LoseClock => self.lose_clock(),
            Event::Attest(elapsed) => {
                self.car.clock = self
                    .car
                    .clock
                    .attested(Timestamp(self.now.0 - elapsed), elapsed);
            }
            Event::Try(command) => return self.try_key(command),
            Event::AskDeadBy => self.ask_dead_by(),
            Event::Revoke => {
                self.host.revoked_at.get_or_insert(self.now);
                self.publish(0);
                self.ask_dead_by();
            }
        }
        false
    }
}

proptest! {
    #![proptest_config(law())]

    #[test]
    fn after_dead_by_the_car_never_obeys(terms in terms(), events in story()) {
        let mut world = Simulation::new(terms);
        for (seconds, event) in events {
            world.pass(seconds);
            if world.step(event) {
                let now = world.now;
                let broken = world.host.promises.iter().find(|dead_by| now > **dead_by);
                prop_assert!(broken.is_none(), "obeyed at {now} after {:?}", broken.map(Timestamp::to_string));
            }
        }
    }
}
