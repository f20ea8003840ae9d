//! Laws of the format: what holds for every key, every statement and every sequence of bytes.

#![cfg(feature = "testing")]

mod bounds;
mod bytes;
mod chains;
mod codec;
mod endings;
mod flips;
mod meet;
mod narrowing;
mod splices;
mod statements;
mod uses;
mod world;

use keys_core::anchors::AnchorStore;
use keys_core::area::{Area, Point};
use keys_core::attestation::TimeAttestation;
use keys_core::bundle::Bundle;
use keys_core::carried::{Carried, CarriedKind, parse_answer};
use keys_core::chain::DigitalKey;
use keys_core::challenge::Challenge;
use keys_core::codec::{Reader, Writer};
use keys_core::command::VehicleCommand;
use keys_core::decide::{Ask, CarFacts, Channel, Decision, Situation, decide};
use keys_core::effective::Effective;
use keys_core::entitlement::Entitlements;
use keys_core::envelope::{Body, NO_REST, Unverified, seal};
use keys_core::freshness::Contact;
use keys_core::handshake::SyncHello;
use keys_core::hours::{HoursWindow, WeeklyHours, ZoneName};
use keys_core::id::{GrantId, ObjectId, ShortId};
use keys_core::journal::{Entry, JournalHead};
use keys_core::key::{First, UnverifiedKey, encode_key};
use keys_core::link::Claims;
use keys_core::pairing::{PairAnswer, PairConfirm, PairOffer};
use keys_core::policy::{CarConditions, ClockRule, Policy, Presence, Proximity};
use keys_core::presentation::{Presentation, PresentedKey, encode_presentation};
use keys_core::proof::{Proof, challenge_hash};
use keys_core::receipt::Receipt;
use keys_core::refusal::Refusal;
use keys_core::signature::{Signer, SigningKey};
use keys_core::statement::Statement;
use keys_core::status::{Authority, StatusBoard};
use keys_core::sync::SyncMessage;
use keys_core::testing::{self, KeyBuilder, NOW, holder, roots, vehicle, window};
use keys_core::time::{ClockInterval, Timestamp, Validity};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use world::{World, rank};

/// Cases a law is tried with, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 20_000;

fn law() -> ProptestConfig {
    let stated = std::env::var("PROPTEST_CASES").ok();
    ProptestConfig {
        cases: stated.and_then(|cases| cases.parse().ok()).unwrap_or(CASES),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

// Links and policies at random, from few enough values that the edges meet.

fn around(lat: i64) -> Area {
    Area::circle(Point::new(lat, 0).expect("in range"), 1_000).expect("in range")
}

fn hours() -> impl Strategy<Value = WeeklyHours> {
    (
        1u8..128,
        select(vec![(0u16, 1_440u16), (0, 840), (840, 900), (600, 841)]),
    )
        .prop_map(|(days, (start, end))| {
            let zone = ZoneName::new("Europe/Berlin").expect("short");
            let window = HoursWindow::new(days, start, end).expect("in range");
            WeeklyHours::new(zone, &[window]).expect("one window")
        })
}

prop_compose! {
    fn numbers()(
        outage in option::weighted(0.3, select(vec![900u32, 901, 3_600, 86_400, 86_401, u32::MAX - 1, u32::MAX])),
        begun in option::weighted(0.3, select(vec![900u32, 3_600, 259_199, 259_200])),
        grace in option::weighted(0.3, select(vec![0u32, 1, 3_600, 86_400])),
        uses in option::weighted(0.3, 0u64..4),
        most in option::weighted(0.3, select(vec![0u64, 86_400, 100_000, 1 << 50])),
        proximity in option::weighted(0.3, 0u8..4),
        rule in option::weighted(0.3, 0u8..3),
        car in option::weighted(0.3, 0u64..4),
        presence in option::weighted(0.3, 0u8..3),
    ) -> Policy {
        let mut policy = Policy::of(Entitlements::NONE);
        policy.outage_limit_s = outage;
        policy.begun_limit_s = begun;
        policy.grace_s = grace;
        policy.max_uses = uses;
        policy.max_window_s = most;
        policy.proximity = proximity.and_then(Proximity::from_number);
        policy.clock_rule = rule.and_then(ClockRule::from_number);
        policy.car_conditions = car.and_then(CarConditions::from_bits);
        policy.presence = presence.and_then(Presence::from_number);
        policy
    }
}

prop_compose! {
    fn policy()(
        numbers in numbers(),
        bits in prop_oneof![3 => Just(0x7fu64), 1 => 0u64..128],
        delegations in 0u8..5,
        areas in vec(select(vec![0i64, 100_000, 150_000]), 0..2),
        returns in vec(select(vec![0i64, 100_000]), 0..2),
        hours in option::weighted(0.2, hours()),
    ) -> Policy {
        let mut policy = numbers;
        policy.entitlements = Entitlements::from_bits(bits).expect("seven bits");
        policy.delegations = delegations;
        policy.areas = areas.into_iter().map(around).collect();
        policy.return_areas = returns.into_iter().map(around).collect();
        policy.hours = hours;
        policy
    }
}

prop_compose! {
    fn link_claims(number: u8)(
        policy in policy(),
        from in 0u64..4,
        until in 0u64..4,
        grant in option::of(0u8..3),
        booking in option::of(any::<[u8; 16]>()),
    ) -> Claims {
        let validity = Validity {
            from: Timestamp(window().from.0 + from),
            until: Timestamp(window().until.0 - until),
        };
        let mut claims = testing::claims(&holder(number), validity, policy.entitlements);
        claims.policy = policy;
        claims.grant_id = grant.map(|grant| GrantId([grant; 8]));
        claims.booking_hash = booking;
        claims
    }
}

/// Makes a link as strict as its parent in all that is one value, so that it is never wider.
fn inside(parent: &Effective, mut claims: Claims) -> Claims {
    let outer = parent.validity();
    claims.validity.from = claims.validity.from.max(outer.from);
    claims.validity.until = claims.validity.until.min(outer.until);
    let policy = &mut claims.policy;
    let bits = policy.entitlements.bits() & parent.entitlements().bits();
    policy.entitlements = Entitlements::from_bits(u64::from(bits)).expect("eight bits");
    policy.delegations = parent
        .delegations()
        .saturating_sub(1)
        .min(policy.delegations);
    let outage = parent.outage_limit_s().unwrap_or(u32::MAX);
    policy.outage_limit_s = policy.outage_limit_s.map(|limit| limit.min(outage));
    if let Some(begun) = parent.begun_limit_s() {
        policy.begun_limit_s = policy.begun_limit_s.map(|limit| limit.min(begun));
    }
    policy.grace_s = policy.grace_s.map(|grace| grace.min(parent.grace_s()));
    if let Some(most) = parent.max_window_s() {
        policy.max_window_s = policy.max_window_s.map(|stated| stated.min(most));
    }
    policy.proximity = policy.proximity.map(|level| level.max(parent.proximity()));
    policy.presence = policy.presence.map(|level| level.max(parent.presence()));
    let rule = parent.clock_rule().min(ClockRule::Floor);
    policy.clock_rule = policy.clock_rule.map(|stated| stated.min(rule));
    claims
}

fn verify(key: &[u8]) -> Result<DigitalKey, Refusal> {
    UnverifiedKey::parse(key)
        .map_err(|error| error.refusal())?
        .verify(vehicle(), &roots(), &AnchorStore::default())
}
