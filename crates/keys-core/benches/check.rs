//! Works of the check path: `cargo bench -p keys-core --features testing` times them, and
//! `benches/instructions` counts their instructions under callgrind.
//!
//! ```text
//! check                 every work, nanoseconds each
//! check WORK COUNT      one work, COUNT times, without a clock
//! ```

#![expect(clippy::unwrap_used, reason = "a benchmark may fail by panicking")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use keys_core::anchors::AnchorStore;
use keys_core::area::{Area, Point};
use keys_core::cache::KeyCache;
use keys_core::chain::DigitalKey;
use keys_core::command::VehicleCommand;
use keys_core::decide::{Ask, CarFacts, Channel, Decision, Situation, decide};
use keys_core::envelope::{Unverified, sha256};
use keys_core::freshness::Contact;
use keys_core::id::{GrantId, ShortId};
use keys_core::key::UnverifiedKey;
use keys_core::policy::Proximity;
use keys_core::presentation::{Presentation, PresentedKey, cached_key_item, encode_presentation};
use keys_core::proof::{Proof, challenge_hash};
use keys_core::signature::{Signer, VerifyingKey};
use keys_core::statement::Statement;
use keys_core::status::StatusBoard;
use keys_core::testing::{self, KeyBuilder, NOW, holder};
use keys_core::time::ClockInterval;
use keys_core::trust::Roots;

/// Everything one gateway knows and one phone sends.
struct Scene {
    roots: Roots,
    anchors: AnchorStore,
    board: StatusBoard,
    cache: KeyCache,
    position: Option<Point>,
    key: Vec<u8>,
    presentation: Vec<u8>,
    short_presentation: Vec<u8>,
}

impl Scene {
    fn new(hops: u8) -> Self {
        let key = key(hops);
        let bytes = key.encode();
        let (roots, anchors) = (testing::roots(), AnchorStore::default());
        let verified = UnverifiedKey::parse(&bytes)
            .unwrap()
            .verify(testing::vehicle(), &roots, &anchors)
            .unwrap();
        let mut cache = KeyCache::default();
        cache.remember(sha256(&bytes), Arc::new(verified));
        let challenge = testing::challenge(1).bytes;
        let proof = testing::proof(
            VehicleCommand::Unlock,
            1,
            &holder(hops),
            &challenge,
            &key.leaf(),
        );
        Self {
            board: board(&roots),
            roots,
            anchors,
            cache,
            position: Some(here()),
            presentation: encode_presentation(&challenge, &bytes, &proof.bytes),
            short_presentation: encode_presentation(
                &challenge,
                &cached_key_item(&key.leaf()),
                &proof.bytes,
            ),
            key: bytes,
        }
    }

    /// The whole check of a presentation.
    fn check(&self, bytes: &[u8]) -> Decision {
        let presentation = Presentation::parse(bytes).unwrap();
        let hash = challenge_hash(presentation.challenge.envelope().bytes());
        match &presentation.key {
            PresentedKey::Whole(key) => {
                let key = key.verify(testing::vehicle(), &self.roots, &self.anchors);
                self.prove_and_decide(&key.unwrap(), &presentation.proof, &hash)
            }
            PresentedKey::Cached(leaf) => {
                let key = self.cache.by_leaf(leaf).unwrap();
                self.prove_and_decide(&key, &presentation.proof, &hash)
            }
        }
    }

    fn prove_and_decide(
        &self,
        key: &DigitalKey,
        proof: &Unverified<'_, Proof>,
        challenge_hash: &[u8; 32],
    ) -> Decision {
        let proof = key.verify_proof(proof, challenge_hash).unwrap();
        let ask = Ask {
            command: proof.body().command,
            presence: proof.body().presence,
            not_after: proof.body().not_after,
            channel: Channel::Local,
            proximity: Proximity::None,
        };
        let situation = Situation {
            clock: ClockInterval::exactly(NOW),
            now: Some(NOW),
            contact: Contact {
                in_contact: true,
                begun: false,
            },
            status: &self.board,
            car: CarFacts {
                stationary: Some(true),
                ignition_off: Some(true),
                position: self.position,
            },
            uses: &|_: GrantId| 0,
            floor_admission_left: false,
        };
        decide(key, &ask, &situation)
    }
}

fn here() -> Point {
    Point::new(525_200_070, 134_049_540).unwrap()
}

/// An owner's key in a circle, shared until it has `hops` links.
fn key(hops: u8) -> KeyBuilder {
    let rights = KeyBuilder::owned(&holder(1));
    let mut claims = Unverified::decode(&rights.links()[0].bytes)
        .map(|link: Unverified<'_, keys_core::link::Claims>| link.unverified_body().clone())
        .unwrap();
    claims
        .policy
        .areas
        .push(Area::circle(here(), 250_000).unwrap());
    let first = KeyBuilder::first(&testing::owner(), &claims, &holder(1));
    (2..=hops).fold(first, |key, number| {
        let mut narrower = testing::claims(
            &holder(number),
            testing::window(),
            claims.policy.entitlements,
        );
        narrower.policy.delegations = claims.policy.delegations - (number - 1);
        key.then(narrower, &holder(number))
    })
}

/// The owner's statement that revokes three other keys.
fn board(roots: &Roots) -> StatusBoard {
    let revoked = [1, 2, 3].map(|id| ShortId([id; 16]));
    let sealed = testing::statement(1, NOW, None, &revoked, &[]);
    let statement = Unverified::<Statement>::decode(&sealed.bytes).unwrap();
    let mut board = StatusBoard::default();
    board
        .accept(
            &statement,
            testing::vehicle(),
            roots,
            &AnchorStore::default(),
            ClockInterval::exactly(NOW),
        )
        .unwrap();
    board
}

type Work = (&'static str, Box<dyn Fn() -> bool>);

fn allows(hops: u8, bytes: fn(&Scene) -> &[u8]) -> Box<dyn Fn() -> bool> {
    let scene = Scene::new(hops);
    Box::new(move || scene.check(black_box(bytes(&scene))) == Decision::Allow)
}

fn works() -> Vec<Work> {
    let three = Scene::new(3);
    let garbage = vec![0x84; three.presentation.len()];
    let public = *holder(1).verifying_key().as_bytes();
    vec![
        ("one-hop", allows(1, |scene| &scene.presentation)),
        ("three-hop", allows(3, |scene| &scene.presentation)),
        ("cached", allows(3, |scene| &scene.short_presentation)),
        (
            "parse-three",
            Box::new(move || UnverifiedKey::parse(black_box(&three.key)).is_ok()),
        ),
        (
            "garbage",
            Box::new(move || Presentation::parse(black_box(&garbage)).is_err()),
        ),
        (
            "decode-key",
            Box::new(move || VerifyingKey::decode(black_box(&public)).is_ok()),
        ),
    ]
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let named = |name: &str| works().into_iter().find(|(known, _)| *known == name);
    match &arguments[..] {
        [name, count] if named(name).is_some() => {
            let count: usize = count.parse().expect("COUNT is a number");
            let (_, run) = named(name).expect("just found");
            for _ in 0..count {
                assert!(run(), "{name} does not do what it is measured for");
            }
        }
        _ => works().into_iter().for_each(|work| time(&work)),
    }
}

/// Prints the median of a hundred samples.
fn time((name, run): &Work) {
    let mut samples: Vec<u128> = (0..100)
        .map(|_| {
            let began = Instant::now();
            for _ in 0..50 {
                assert!(run(), "{name} does not do what it is measured for");
            }
            began.elapsed().as_nanos() / 50
        })
        .collect();
    samples.sort_unstable();
    println!("{:>9} ns  {name}", samples[samples.len() / 2]);
}
