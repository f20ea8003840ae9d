//! Bytes that nobody should send: every decoder refuses them without a panic, and without more memory than
//! they have themselves.
//!
//! The decoders are those of the fuzz targets, which are run here as well, over every seed.
//! `LATCHKEY_BAD_INPUTS` says how many malformed inputs each decoder gets; `docs/testing.md`.

#![cfg(feature = "testing")]

mod malformed;
#[path = "../../examples/write_seeds/seeds.rs"]
mod seeds;
#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;
mod tree;

use std::thread;

use allocation_counter::measure;
use keys_core::command::VehicleCommand;
use keys_core::entitlement::Entitlements;
use keys_core::key::UnverifiedKey;
use keys_core::presentation::{Presentation, encode_presentation};
use keys_core::refusal::Refusal;
use keys_core::testing::{self, KeyBuilder, holder, window};

use malformed::Malformed;
use targets::{DECODERS, Target};

/// How many malformed inputs each decoder gets.
fn inputs() -> u64 {
    std::env::var("LATCHKEY_BAD_INPUTS").map_or(20_000, |count| {
        count.parse().expect("LATCHKEY_BAD_INPUTS is a number")
    })
}

#[test]
fn every_fuzz_target_holds_on_every_seed() {
    for target in targets::all() {
        let seeds = seeds::of(target.name);
        let good = seeds.iter().filter(|(_, bytes)| (target.run)(bytes));
        assert!(good.count() > 0, "no good seed for {}", target.name);
    }
}

#[test]
fn malformed_bytes_are_refused_within_their_own_size() {
    let inputs = inputs();
    thread::scope(|scope| {
        for decoder in DECODERS {
            scope.spawn(move || refuses(decoder, inputs));
        }
    });
}

fn refuses(decoder: &Target, inputs: u64) {
    let good: Vec<Vec<u8>> = seeds::of(decoder.name)
        .into_iter()
        .map(|(_, bytes)| bytes)
        .filter(|bytes| (decoder.run)(bytes))
        .collect();
    let mut generator = Malformed::new(decoder.name, &good);
    for number in 0..inputs {
        let (kind, bytes) = generator.next();
        let mut taken = false;
        let memory = measure(|| taken = (decoder.run)(&bytes));
        let whole = || format!("{} {number}, {kind:?}: {bytes:02x?}", decoder.name);
        assert!(!taken, "taken: {}", whole());
        let allocated = memory.bytes_total;
        let allowed = allowance(decoder, bytes.len());
        assert!(allocated <= allowed, "{allocated} bytes for {}", whole());
    }
}

/// What decoding may allocate in all. A board is no input from outside but what a gateway stored, and it is read
/// into maps: a constant number of bytes for each that was stored.
fn allowance(decoder: &Target, length: usize) -> u64 {
    let length = u64::try_from(length).expect("a length");
    if decoder.name == "board" {
        4_096 + 32 * length
    } else {
        length
    }
}

/// Parsing is given no key to check a signature with, so what parsing refuses has cost no signature.
#[test]
fn overlong_chains_are_refused_before_any_signature() {
    let chain = |links: u8| {
        let link = |number: u8| {
            let mut claims = testing::claims(&holder(number), window(), Entitlements::UNLOCK);
            claims.policy.delegations = 4_u8.saturating_sub(number);
            claims
        };
        (2..=links).fold(
            KeyBuilder::first(&testing::owner(), &link(1), &holder(1)),
            |key, number| key.then(link(number), &holder(number)),
        )
    };
    for (links, refusal) in [
        (5, None),
        (6, Some(Refusal::TooLarge)),
        (40, Some(Refusal::TooLarge)),
    ] {
        let key = chain(links);
        let encoded = key.encode();
        let code =
            |parsed: Option<keys_core::codec::DecodeError>| parsed.map(|error| error.refusal());
        assert_eq!(
            code(UnverifiedKey::parse(&encoded).err()),
            refusal,
            "{links}"
        );
        let challenge = testing::challenge(1).bytes;
        let proof = testing::proof(
            VehicleCommand::Unlock,
            1,
            &holder(links),
            &challenge,
            &key.leaf(),
        );
        let presented = encode_presentation(&challenge, &encoded, &proof.bytes);
        assert_eq!(
            code(Presentation::parse(&presented).err()),
            refusal,
            "{links}"
        );
    }
}
