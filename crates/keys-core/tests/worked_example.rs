//! The example in `docs/key-format.md` is what this crate writes, byte for byte.

#![cfg(feature = "testing")]

use std::fmt::Write as _;

use data_encoding::HEXLOWER;
use keys_core::anchors::AnchorStore;
use keys_core::command::VehicleCommand;
use keys_core::entitlement::Entitlements;
use keys_core::id::GrantId;
use keys_core::key::UnverifiedKey;
use keys_core::signature::{Signer, SigningKey};
use keys_core::testing::{self, KeyBuilder};

/// The parts of the example: a label and the bytes it names.
fn example() -> Vec<(&'static str, Vec<u8>)> {
    let (renter, co_driver) = (testing::holder(1), testing::holder(2));
    let rights = Entitlements::UNLOCK | Entitlements::LOCK | Entitlements::ENABLE_DRIVING;
    let mut first = testing::claims(&renter, testing::window(), rights);
    first.grant_id = Some(GrantId(*b"booking1"));
    first.policy.delegations = 1;
    let fewer = Entitlements::UNLOCK | Entitlements::LOCK;
    let second = testing::claims(&co_driver, testing::window(), fewer);
    let key = KeyBuilder::first(&testing::owner(), &first, &renter).then(second, &co_driver);
    let encoded = key.encode();
    let verified = UnverifiedKey::parse(&encoded)
        .expect("the example parses")
        .verify(
            testing::vehicle(),
            &testing::roots(),
            &AnchorStore::default(),
        )
        .expect("the example verifies");
    assert_eq!(verified.leaf(), key.leaf());

    let challenge = testing::challenge(1).bytes;
    let leaf = key.leaf();
    let proof = testing::proof(VehicleCommand::Unlock, 1, &co_driver, &challenge, &leaf).bytes;
    let public = |key: &SigningKey| key.verifying_key().as_bytes().to_vec();
    vec![
        ("owner key", public(&testing::owner())),
        ("renter key", public(&renter)),
        ("co-driver key", public(&co_driver)),
        ("gateway key", public(&testing::gateway())),
        ("first link", key.links()[0].bytes.clone()),
        ("first link id", key.links()[0].id.0.to_vec()),
        ("second link", key.links()[1].bytes.clone()),
        ("leaf id", leaf.0.to_vec()),
        ("key", encoded),
        ("challenge", challenge),
        ("proof", proof),
    ]
}

fn render() -> String {
    let mut text = String::new();
    for (label, bytes) in example() {
        writeln!(text, "{label} ({} bytes)", bytes.len()).expect("writing to a string");
        for line in HEXLOWER.encode(&bytes).as_bytes().chunks(104) {
            writeln!(text, "  {}", String::from_utf8_lossy(line)).expect("writing to a string");
        }
    }
    text
}

#[test]
fn the_example_in_the_documentation_is_current() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/key-format.md");
    let text = std::fs::read_to_string(page).expect("docs/key-format.md is readable");
    let example = render();
    assert!(
        text.contains(&example),
        "section 17 should hold:\n{example}"
    );
}
