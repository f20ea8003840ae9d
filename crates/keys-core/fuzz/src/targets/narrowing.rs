//! Keys that somebody really signed, of links drawn from the bytes: so that narrowing and deciding are
//! reached, which no fuzzer gets to through a signature.

use std::sync::OnceLock;

use keys_core::anchors::AnchorStore;
use keys_core::area::{Area, Point};
use keys_core::chain::DigitalKey;
use keys_core::command::VehicleCommand;
use keys_core::decide::{Ask, CarFacts, Channel, Decision, Situation, decide};
use keys_core::effective::Effective;
use keys_core::entitlement::Entitlements;
use keys_core::envelope::{NO_REST, Unverified, seal};
use keys_core::freshness::Contact;
use keys_core::hours::{HoursWindow, WeeklyHours, ZoneName};
use keys_core::id::{GrantId, ObjectId, ShortId};
use keys_core::key::{First, UnverifiedKey, encode_key};
use keys_core::link::{Claims, sign_link};
use keys_core::policy::{CarConditions, ClockRule, Policy, Presence, Proximity};
use keys_core::refusal::{Refusal, Refusals};
use keys_core::signature::SigningKey;
use keys_core::statement::{Statement, id_list};
use keys_core::status::StatusBoard;
use keys_core::testing::{self, NOW, vehicle, window};
use keys_core::time::{ClockInterval, Timestamp, Validity};
use keys_core::trust::Roots;

use super::picker::Picker;

/// The keys of this world; making them again for every input would be half of the work.
struct Signers {
    owner: SigningKey,
    platform_root: SigningKey,
    holders: Vec<SigningKey>,
    roots: Roots,
}

fn signers() -> &'static Signers {
    static SIGNERS: OnceLock<Signers> = OnceLock::new();
    SIGNERS.get_or_init(|| Signers {
        owner: testing::owner(),
        platform_root: testing::platform_root(),
        holders: (1..=5).map(testing::holder).collect(),
        roots: testing::roots(),
    })
}

/// A key that one link was added to never allows what it did not allow before.
///
/// # Panics
/// If it does, if a link comes back other than it was written, or if the longer key states more.
pub(crate) fn narrowing(data: &[u8]) -> bool {
    let mut pick = Picker::new(data);
    let (claims, links) = signed_chain(&mut pick);
    for (claims, link) in claims.iter().zip(&links) {
        if let Ok(link) = Unverified::<Claims>::decode(link) {
            assert_eq!(link.unverified_body(), claims);
        }
    }
    let (Some(shorter), Some(longer)) = (verified(&links[..links.len() - 1]), verified(&links))
    else {
        return false;
    };
    assert_narrower(shorter.effective(), longer.effective());
    let world = World::pick(&mut pick, longer.links());
    let (before, after) = (world.decide(&shorter), world.decide(&longer));
    // The longest window that a mandate allows is tested on the last link alone.
    let excused = before.reasons() == Refusals::from(Refusal::MandateExceeded);
    assert!(
        !after.allows() || before.allows() || excused,
        "{before:?} became {after:?}"
    );
    true
}

/// Two to five links, each signed by the holder of the one before.
fn signed_chain(pick: &mut Picker<'_>) -> (Vec<Claims>, Vec<Vec<u8>>) {
    let mut signer = &signers().owner;
    let mut parent: Option<ObjectId> = None;
    let (mut all, mut links): (Vec<Claims>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    let mandated = pick.byte() % 4 == 3;
    let length = pick.one(&[2, 2, 2, 3, 3, 4, 5]);
    for (index, mut holder) in signers().holders.iter().take(length).enumerate() {
        if mandated && index == 0 {
            holder = &signers().platform_root;
        }
        let claims = pick_claims(pick, all.last(), holder);
        let link = sign_link(&claims, signer, parent.as_ref()).expect("a key in memory signs");
        parent = Some(link.id);
        signer = holder;
        all.push(claims);
        links.push(link.bytes);
    }
    (all, links)
}

fn verified(links: &[Vec<u8>]) -> Option<DigitalKey> {
    let links: Vec<&[u8]> = links.iter().map(Vec::as_slice).collect();
    let key = encode_key(First::Link(links[0]), &links[1..]);
    let anchors = AnchorStore::default();
    UnverifiedKey::parse(&key)
        .ok()?
        .verify(vehicle(), &signers().roots, &anchors)
        .ok()
}

/// Claims inside those of the parent in most choices, or too few chains would get far.
fn pick_claims(pick: &mut Picker<'_>, parent: Option<&Claims>, holder: &SigningKey) -> Claims {
    let outer = parent.map_or_else(window, |parent| parent.validity);
    let validity = Validity {
        from: Timestamp(outer.from.0 + pick.one(&[0, 0, 0, 1, 60])),
        until: Timestamp(outer.until.0 - pick.one(&[0, 0, 0, 1, 86_400])),
    };
    let given = parent.map_or(0x7f, |parent| u64::from(parent.policy.entitlements.bits()));
    let bits = match pick.byte() {
        keep @ 0x80.. => given & u64::from(keep & 0x7f),
        0x7f => 0x7f,
        _ => given,
    };
    let rights = Entitlements::from_bits(bits).expect("seven bits");
    let mut claims = testing::claims(holder, validity, rights);
    claims.vehicle = parent.is_none().then(vehicle);
    claims.grant_id = pick.maybe(&[1, 2]).map(|grant| GrantId([grant; 8]));
    if parent.is_none() && pick.byte() != 0 {
        claims.grant_id = claims.grant_id.or(Some(GrantId([3; 8])));
    }
    claims.policy = pick_policy(pick, rights);
    let deepest = parent.map_or(4, |parent| parent.policy.delegations.saturating_sub(1));
    claims.policy.delegations = deepest.saturating_sub(pick.one(&[0, 0, 0, 1]));
    claims
}

fn pick_policy(pick: &mut Picker<'_>, rights: Entitlements) -> Policy {
    let mut policy = Policy::of(rights);
    policy.outage_limit_s = pick.maybe(&[900, 86_399, 86_400, 86_401, u32::MAX]);
    policy.begun_limit_s = pick.maybe(&[900, 3_600, 259_199, 259_200]);
    policy.grace_s = pick.maybe(&[0, 1, 3_600, 86_400]);
    policy.max_uses = pick.maybe(&[0, 1, 2, 3]);
    policy.max_window_s = pick.maybe(&[0, 86_400, 90_000, 100_000, 1 << 50]);
    policy.proximity = pick.maybe(&[0, 1, 2, 3]).and_then(Proximity::from_number);
    policy.clock_rule = pick.maybe(&[0, 1, 2]).and_then(ClockRule::from_number);
    policy.car_conditions = pick.maybe(&[0, 1, 2, 3]).and_then(CarConditions::from_bits);
    policy.presence = pick.maybe(&[0, 1, 2]).and_then(Presence::from_number);
    policy.hours = pick
        .maybe(&[
            (127, 0, 1_440),
            (127, 840, 841),
            (127, 0, 840),
            (1, 0, 1_440),
        ])
        .map(hours);
    policy.areas = pick
        .maybe(&[0, 100_000, 500_000])
        .map(around)
        .into_iter()
        .collect();
    policy.return_areas = pick.maybe(&[0, 100_000]).map(around).into_iter().collect();
    policy
}

fn hours((weekdays, start, end): (u8, u16, u16)) -> WeeklyHours {
    let zone = ZoneName::new("Europe/Berlin").expect("short");
    let window = HoursWindow::new(weekdays, start, end).expect("in range");
    WeeklyHours::new(zone, &[window]).expect("one window")
}

fn place(lat: i64) -> Point {
    Point::new(lat, 0).expect("in range")
}

fn around(lat: i64) -> Area {
    Area::circle(place(lat), 1_000).expect("in range")
}

/// Item by item, as ck1 section 2 says it.
fn assert_narrower(parent: &Effective, child: &Effective) {
    assert_eq!(parent.vehicle(), child.vehicle());
    assert!(parent.validity().covers(&child.validity()));
    assert!(child.entitlements().is_subset_of(parent.entitlements()));
    assert!(child.delegations() < parent.delegations());
    assert!(child.areas().starts_with(parent.areas()));
    assert!(child.hours().starts_with(parent.hours()));
    assert!(child.use_limits().len() >= parent.use_limits().len());
    assert!(child.return_lists().count() >= parent.return_lists().count());
    assert!(child.generation() == parent.generation());
    let no_more = |child: Option<u64>, parent: Option<u64>| {
        parent.is_none_or(|parent| child.is_some_and(|child| child <= parent))
    };
    assert!(no_more(
        child.outage_limit_s().map(u64::from),
        parent.outage_limit_s().map(u64::from)
    ));
    assert!(no_more(
        child.begun_limit_s().map(u64::from),
        parent.begun_limit_s().map(u64::from)
    ));
    assert!(no_more(child.max_window_s(), parent.max_window_s()));
    assert!(child.grace_s() <= parent.grace_s());
    assert!(child.proximity() >= parent.proximity());
    assert!(child.presence() >= parent.presence());
    assert!(child.clock_rule() <= parent.clock_rule());
    assert!(child.clock_rule() < ClockRule::Ignore);
    let both = child.car_conditions().union(parent.car_conditions());
    assert_eq!(both, child.car_conditions());
}

/// What the gateway knows and is asked.
struct World {
    ask: Ask,
    clock: ClockInterval,
    contact: Contact,
    board: StatusBoard,
    car: CarFacts,
    used: u64,
    floor_admission_left: bool,
}

impl World {
    fn pick(pick: &mut Picker<'_>, links: &[ObjectId]) -> Self {
        let clock = pick_clock(pick);
        Self {
            ask: Ask {
                command: pick.one(&VehicleCommand::ALL),
                presence: pick.one(&[Presence::Verified, Presence::Tap, Presence::None]),
                not_after: NOW,
                channel: pick.one(&[Channel::Local, Channel::Local, Channel::Remote]),
                proximity: pick.one(&[Proximity::Uwb, Proximity::RoundTrip, Proximity::None]),
            },
            clock,
            contact: Contact {
                in_contact: pick.flag(),
                begun: pick.flag(),
            },
            board: pick_board(pick, clock, links),
            car: CarFacts {
                stationary: pick.one(&[Some(true), Some(true), Some(false), None]),
                ignition_off: pick.one(&[Some(true), Some(true), Some(false), None]),
                position: pick
                    .one(&[Some(50_000), Some(0), Some(500_000), None])
                    .map(place),
            },
            used: pick.one(&[0, 0, 1, 2]),
            floor_admission_left: pick.flag(),
        }
    }

    fn decide(&self, key: &DigitalKey) -> Decision {
        let situation = Situation {
            clock: self.clock,
            now: Some(NOW),
            contact: self.contact,
            status: &self.board,
            car: self.car,
            uses: &|_: GrantId| self.used,
            floor_admission_left: self.floor_admission_left,
        };
        decide(key, &self.ask, &situation)
    }
}

fn pick_clock(pick: &mut Picker<'_>) -> ClockInterval {
    let edges = [
        NOW,
        NOW,
        window().from,
        window().until,
        window().until.plus(3_600),
    ];
    let lo = Timestamp(pick.one(&edges).0 + pick.one(&[2, 0, 1, 3, 62]) - 2);
    let width = pick.one(&[Some(0), Some(0), Some(1), Some(4), None]);
    ClockInterval {
        lo,
        hi: width.map_or(Timestamp::UNKNOWN, |width| lo.plus(width)),
    }
}

/// A board with the owner's word of some age, which may deny a link; or without.
fn pick_board(pick: &mut Picker<'_>, clock: ClockInterval, links: &[ObjectId]) -> StatusBoard {
    let mut board = StatusBoard::default();
    let Some(age) = pick.one(&[Some(0), Some(0), Some(900), Some(901), Some(86_401), None]) else {
        return board;
    };
    let latest = if clock.is_trusted() {
        clock.hi
    } else {
        clock.lo
    };
    let issued_at = Timestamp(latest.0 - age);
    let listed: Vec<_> = pick.maybe(links).map(|id| id.short()).into_iter().collect();
    let (revoked, suspended) = if pick.flag() {
        (&listed[..], &[][..])
    } else {
        (&[][..], &listed[..])
    };
    let list = |ids: &[ShortId]| id_list(ids.iter().copied()).expect("at most one");
    let word = Statement {
        vehicle: vehicle(),
        expires_at: None,
        issued_at,
        seq: 1,
        least_generation: 0,
        revoked: list(revoked),
        owner_statement: None,
        suspended: list(suspended),
    };
    let sealed = seal(&word, &signers().owner, NO_REST).expect("a key in memory signs");
    let statement = Unverified::<Statement>::decode(&sealed.bytes).expect("a statement");
    let nothing_known = ClockInterval::at_least(Timestamp(0));
    board
        .accept(
            &statement,
            vehicle(),
            &signers().roots,
            &AnchorStore::default(),
            nothing_known,
        )
        .expect("the owner's word");
    board
}
