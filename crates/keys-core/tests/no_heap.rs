//! The check allocates nothing, whatever a key states and whatever the answer is.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;

use keys_core::anchors::AnchorStore;
use keys_core::area::{Area, Point};
use keys_core::cache::KeyCache;
use keys_core::chain::DigitalKey;
use keys_core::challenge::{Challenge, Origin};
use keys_core::command::VehicleCommand;
use keys_core::decide::{Ask, CarFacts, Channel, Decision, Situation, decide};
use keys_core::envelope::{NO_REST, Unverified, seal, sha256};
use keys_core::freshness::Contact;
use keys_core::hours::{HoursWindow, WeeklyHours, ZoneName};
use keys_core::id::{GrantId, ShortId};
use keys_core::link::Claims;
use keys_core::policy::{CarConditions, ClockRule, Policy, Presence, Proximity};
use keys_core::presentation::{Presentation, PresentedKey, cached_key_item, encode_presentation};
use keys_core::proof::challenge_hash;
use keys_core::refusal::{Refusal, Refusals};
use keys_core::statement::Statement;
use keys_core::status::StatusBoard;
use keys_core::testing::{self, KeyBuilder, NOW, holder};
use keys_core::time::{ClockInterval, Timestamp};
use keys_core::trust::Roots;

struct World {
    roots: Roots,
    anchors: AnchorStore,
    board: StatusBoard,
    cache: KeyCache,
    clock: ClockInterval,
    position: Option<Point>,
}

impl World {
    /// A car that knows a mandate, an issuer, a status key and statements of both authorities.
    fn new() -> Self {
        let roots = testing::roots();
        let mandated = KeyBuilder::mandated();
        let status = testing::status_link();
        let links = mandated
            .links()
            .iter()
            .chain([&status])
            .map(|link| &link.bytes[..]);
        let anchors = AnchorStore::from_links(links, testing::vehicle(), &roots);
        let mut board = StatusBoard::default();
        let ids: Vec<ShortId> = (0..60).map(|id| ShortId([id; 16])).collect();
        for sealed in [
            testing::statement(1, NOW, None, &ids[..30], &ids[30..40]),
            testing::statement(1, NOW, Some(NOW.plus(3_600)), &ids[40..], &[]),
        ] {
            let statement = Unverified::<Statement>::decode(&sealed.bytes).unwrap();
            let clock = ClockInterval::exactly(NOW);
            board
                .accept(&statement, testing::vehicle(), &roots, &anchors, clock)
                .unwrap();
        }
        Self {
            roots,
            anchors,
            board,
            cache: KeyCache::default(),
            clock: ClockInterval::exactly(NOW),
            position: Point::new(525_200_070, 134_049_540).ok(),
        }
    }

    fn answer(&self, bytes: &[u8]) -> Decision {
        self.check(bytes)
            .unwrap_or_else(|refusal| Decision::Refuse(Refusals::from(refusal)))
    }

    fn check(&self, bytes: &[u8]) -> Result<Decision, Refusal> {
        let presentation = Presentation::parse(bytes)?;
        let hash = challenge_hash(presentation.challenge.envelope().bytes());
        let remembered = match &presentation.key {
            PresentedKey::Cached(leaf) => self.cache.by_leaf(leaf),
            PresentedKey::Whole(_) => self.cache.by_hash(&sha256(presentation.key_bytes)),
        };
        match (&presentation.key, remembered) {
            (_, Some(key)) => self.prove(&presentation, &key, &hash),
            (PresentedKey::Whole(key), None) => {
                let key = key.verify(testing::vehicle(), &self.roots, &self.anchors)?;
                self.prove(&presentation, &key, &hash)
            }
            (PresentedKey::Cached(_), None) => Err(Refusal::UnknownSigner),
        }
    }

    fn prove(
        &self,
        presentation: &Presentation<'_>,
        key: &DigitalKey,
        challenge_hash: &[u8; 32],
    ) -> Result<Decision, Refusal> {
        let proof = key.verify_proof(&presentation.proof, challenge_hash)?;
        let ask = Ask {
            command: proof.body().command,
            presence: proof.body().presence,
            not_after: proof.body().not_after,
            channel: Channel::Local,
            proximity: Proximity::Uwb,
        };
        let situation = Situation {
            clock: self.clock,
            now: Some(NOW),
            contact: Contact {
                in_contact: true,
                begun: true,
            },
            status: &self.board,
            car: CarFacts {
                stationary: Some(true),
                ignition_off: Some(true),
                position: self.position,
            },
            uses: &|_: GrantId| 0,
            floor_admission_left: true,
        };
        Ok(decide(key, &ask, &situation))
    }
}

/// Everything a policy can state, so that it holds at the usual time and place.
fn everything(policy: &mut Policy) {
    let corner = |lat, lon| Point::new(lat, lon).unwrap();
    let square = [
        corner(524_000_000, 133_000_000),
        corner(526_000_000, 133_000_000),
        corner(526_000_000, 135_000_000),
        corner(524_000_000, 135_000_000),
    ];
    policy.areas.push(Area::polygon(square).unwrap());
    policy.return_areas.push(Area::polygon(square).unwrap());
    policy.proximity = Some(Proximity::Uwb);
    policy.clock_rule = Some(ClockRule::Floor);
    let zone = ZoneName::new("America/Argentina/ComodRivadavia").unwrap();
    let window = HoursWindow::new(127, 0, 1_440).unwrap();
    policy.hours = Some(WeeklyHours::new(zone, &[window; 4]).unwrap());
    policy.max_uses = Some(3);
    policy.begun_limit_s = Some(900);
    policy.grace_s = Some(600);
    policy.car_conditions = CarConditions::from_bits(3);
    policy.presence = Some(Presence::Tap);
}

fn claims(number: u8, delegations: u8) -> Claims {
    let all = testing::mandate_claims().policy.entitlements;
    let mut claims = testing::claims(&holder(number), testing::window(), all);
    claims.grant_id = Some(GrantId([number; 8]));
    claims.policy.delegations = delegations;
    claims
}

/// A challenge with all that a challenge can say.
fn challenge() -> Vec<u8> {
    let sealed = testing::challenge(1).bytes;
    let parsed = Unverified::<Challenge>::decode(&sealed).unwrap();
    let mut body = parsed.unverified_body().clone();
    body.phone_nonce = Some([5; 16]);
    body.return_origin = Origin::from("https://keys.example").ok();
    seal(&body, &testing::gateway(), NO_REST).unwrap().bytes
}

fn present(key: &[u8], leaf: &keys_core::id::ObjectId, by: u8) -> Vec<u8> {
    let challenge = challenge();
    let proof = testing::proof(VehicleCommand::Unlock, 1, &holder(by), &challenge, leaf);
    encode_presentation(&challenge, key, &proof.bytes)
}

/// Presentations that are allowed: owner-signed with one to five links, issued, from an anchor, cached.
fn good(world: &mut World) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut first = claims(1, 4);
    everything(&mut first.policy);
    let mut owned = KeyBuilder::first(&testing::owner(), &first, &holder(1));
    all.push(present(&owned.encode(), &owned.leaf(), 1));
    for number in 2..=5 {
        let mut next = claims(number, 5 - number);
        everything(&mut next.policy);
        if number > 4 {
            // Areas count over the whole chain.
            next.policy.areas.clear();
        }
        owned = owned.then(next, &holder(number));
        all.push(present(&owned.encode(), &owned.leaf(), number));
    }
    let mut leaf = claims(1, 0);
    everything(&mut leaf.policy);
    // The mandate says nothing of these, which is stricter.
    (leaf.policy.clock_rule, leaf.policy.grace_s) = (None, None);
    let issued = KeyBuilder::mandated().then(leaf, &holder(1));
    all.push(present(&issued.encode(), &issued.leaf(), 1));
    all.push(present(&issued.encode_from(2), &issued.leaf(), 1));

    let bytes = KeyBuilder::owned(&holder(9));
    let key = keys_core::key::UnverifiedKey::parse(&bytes.encode())
        .unwrap()
        .verify(testing::vehicle(), &world.roots, &world.anchors)
        .unwrap();
    world.cache.remember(sha256(&bytes.encode()), Arc::new(key));
    all.push(present(&bytes.encode(), &bytes.leaf(), 9));
    all.push(present(&cached_key_item(&bytes.leaf()), &bytes.leaf(), 9));
    all
}

fn allocations(world: &World, presentations: &[Vec<u8>], allowed: usize) -> u64 {
    let mut count = 0;
    let counted = allocation_counter::measure(|| {
        for presentation in presentations {
            count += usize::from(world.answer(presentation) == Decision::Allow);
        }
    });
    assert_eq!(count, allowed);
    counted.count_total
}

#[test]
fn whatever_a_key_states_the_check_stays_off_the_heap() {
    let mut world = World::new();
    let good = good(&mut world);
    for (number, presentation) in good.iter().enumerate() {
        assert_eq!(world.check(presentation), Ok(Decision::Allow), "{number}");
    }
    assert_eq!(allocations(&world, &good, good.len()), 0);
}

#[test]
fn refusing_stays_off_the_heap_too() {
    let mut world = World::new();
    let good = good(&mut world);
    world.clock = ClockInterval::at_least(Timestamp(NOW.0 + 10 * 86_400));
    world.position = None;
    assert_eq!(allocations(&world, &good, 0), 0, "too late and nowhere");

    let world = World::new();
    let spoilt: Vec<Vec<u8>> = good
        .iter()
        .flat_map(|whole| (0..whole.len()).step_by(7).map(move |at| (whole, at)))
        .flat_map(|(whole, at)| {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            [flipped, whole[..at].to_vec()]
        })
        .collect();
    assert_eq!(allocations(&world, &spoilt, 0), 0, "spoilt");
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(vec![1_u8])));
    assert_eq!(counted.count_total, 1);
}
