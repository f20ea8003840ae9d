//! The check itself, in the order of ck1 section 5, and parts of it.

use std::sync::Arc;

use anyhow::{anyhow, ensure};
use keys_core::cache::KeyCache;
use keys_core::chain::DigitalKey;
use keys_core::decide::{Ask, CarFacts, Channel, Decision, Situation, decide};
use keys_core::envelope::{Unverified, sha256};
use keys_core::freshness::Contact;
use keys_core::id::GrantId;
use keys_core::key::UnverifiedKey;
use keys_core::policy::Proximity;
use keys_core::presentation::{Presentation, PresentedKey};
use keys_core::proof::{Proof, challenge_hash};
use keys_core::refusal::Refusal;
use keys_core::time::ClockInterval;

use super::name;
use super::rounds::Work;
use super::scene::{Car, NOW, Scene};

fn weigh(key: &DigitalKey, proof: &Proof, car: &Car) -> Decision {
    let ask = Ask {
        command: proof.command,
        presence: proof.presence,
        not_after: proof.not_after,
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
        status: &car.board,
        car: CarFacts {
            stationary: Some(true),
            ignition_off: Some(true),
            position: Scene::position(),
        },
        uses: &|_: GrantId| 0,
        floor_admission_left: false,
    };
    decide(key, &ask, &situation)
}

fn prove_and_weigh(
    proof: &Unverified<'_, Proof>,
    challenge: &[u8],
    key: &DigitalKey,
    car: &Car,
) -> Result<Decision, Refusal> {
    let proof = key.verify_proof(proof, &challenge_hash(challenge))?;
    Ok(weigh(key, proof.body(), car))
}

/// Parses, verifies every signature, narrows, verifies the proof, decides.
pub(super) fn check(car: &Car) -> Result<Decision, Refusal> {
    let presentation = Presentation::parse(&car.presentation)?;
    let challenge = &presentation.challenge;
    if challenge.unverified_body().vehicle != car.vehicle {
        return Err(Refusal::WrongVehicle);
    }
    let PresentedKey::Whole(key) = &presentation.key else {
        return Err(Refusal::UnknownSigner);
    };
    let key = key.verify(car.vehicle, &car.roots, &car.anchors)?;
    prove_and_weigh(&presentation.proof, challenge.envelope().bytes(), &key, car)
}

/// The same for a key the cache holds.
pub(super) fn check_cached(bytes: &[u8], car: &Car, cache: &KeyCache) -> Result<Decision, Refusal> {
    let presentation = Presentation::parse(bytes)?;
    let challenge = &presentation.challenge;
    if challenge.unverified_body().vehicle != car.vehicle {
        return Err(Refusal::WrongVehicle);
    }
    let key = match &presentation.key {
        PresentedKey::Cached(leaf) => cache.by_leaf(leaf),
        PresentedKey::Whole(_) => cache.by_hash(&sha256(presentation.key_bytes)),
    };
    let key = key.ok_or(Refusal::UnknownSigner)?;
    prove_and_weigh(&presentation.proof, challenge.envelope().bytes(), &key, car)
}

/// A cache that holds the keys of all cars, as a gateway's holds those of all holders.
pub(super) fn filled_cache(scene: &Scene) -> anyhow::Result<KeyCache> {
    let mut cache = KeyCache::default();
    for car in &scene.cars {
        let key = UnverifiedKey::parse(&car.key)?
            .verify(car.vehicle, &car.roots, &car.anchors)
            .map_err(refused)?;
        cache.remember(sha256(&car.key), Arc::new(key));
    }
    Ok(cache)
}

fn refused(refusal: Refusal) -> anyhow::Error {
    anyhow!("the check refused: {}", refusal.code())
}

fn must_allow(decision: Result<Decision, Refusal>) -> anyhow::Result<()> {
    let decision = decision.map_err(refused)?;
    ensure!(
        decision == Decision::Allow,
        "the check refused: {:?}",
        decision.reasons()
    );
    Ok(())
}

/// The whole check.
pub(super) fn whole<'a>(name: &'static str, scene: &'a Scene) -> anyhow::Result<Work<'a>> {
    scene
        .cars
        .iter()
        .try_for_each(|car| must_allow(check(car)))?;
    Ok(Work::new(name, |index| check(&scene.cars[index])))
}

/// A cached key, named by its last link.
pub(super) fn cached_by_leaf(scene: &Scene) -> anyhow::Result<Work<'_>> {
    cached(name::CACHED_LEAF, scene, |car| &car.short_presentation)
}

/// A cached key, sent whole again.
pub(super) fn cached_by_hash(scene: &Scene) -> anyhow::Result<Work<'_>> {
    cached(name::CACHED_HASH, scene, |car| &car.presentation)
}

fn cached<'a>(
    name: &'static str,
    scene: &'a Scene,
    bytes: impl Fn(&Car) -> &[u8] + 'a,
) -> anyhow::Result<Work<'a>> {
    let cache = filled_cache(scene)?;
    for car in &scene.cars {
        must_allow(check_cached(bytes(car), car, &cache))?;
    }
    Ok(Work::new(name, move |index| {
        let car = &scene.cars[index];
        check_cached(bytes(car), car, &cache)
    }))
}

/// Strict parsing of a key.
pub(super) fn parse(scene: &Scene) -> Work<'_> {
    Work::short(name::PARSE, |index| {
        UnverifiedKey::parse(&scene.cars[index].key).is_ok()
    })
}
