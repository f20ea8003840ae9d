//! A phone: a holder key and a key to the car.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use keys_core::anchors::AnchorStore;
use keys_core::bundle::Bundle;
use keys_core::chain::DigitalKey;
use keys_core::command::VehicleCommand;
use keys_core::entitlement::Entitlements;
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::id::CommandId;
use keys_core::key::{UnverifiedKey, append_link};
use keys_core::limits;
use keys_core::link::{Claims, sign_link};
use keys_core::policy::{Policy, Presence};
use keys_core::presentation::encode_presentation;
use keys_core::proof::{Proof, sign_proof};
use keys_core::signature::{Signer, SigningKey};
use serde_json::Value;

use super::random::Random;
use super::stage::now;

/// A phone.
#[derive(Debug, Clone)]
pub(super) struct Phone {
    signing_key: Arc<SigningKey>,
    /// The API's id of the key.
    pub(super) key: String,
    /// Its holder session.
    pub(super) token: String,
    chain: Vec<u8>,
    bundle: Vec<u8>,
    /// What it carries to the car.
    pub(super) carry: Vec<Vec<u8>>,
}

impl Phone {
    /// A phone that holds nothing yet.
    pub(super) fn new(random: &mut Random) -> Self {
        Self {
            signing_key: Arc::new(SigningKey::from_seed(&random.seed())),
            key: String::new(),
            token: String::new(),
            chain: Vec::new(),
            bundle: Vec::new(),
            carry: Vec::new(),
        }
    }

    /// Its public key, as the API takes it.
    pub(super) fn holder_key(&self) -> String {
        BASE64URL_NOPAD.encode(self.signing_key.verifying_key().as_bytes())
    }

    /// Takes what `GET /v1/holder/key` gave.
    pub(super) fn refresh(&mut self, answer: &Value) {
        self.chain = bytes(&answer["key"]["chain"]);
        self.bundle = bytes(&answer["bundle"]);
        let carry = answer["carry"].as_array().expect("what to carry");
        self.carry = carry.iter().map(|item| bytes(&item["carried"])).collect();
    }

    fn verified(&self) -> DigitalKey {
        let bundle = Unverified::<Bundle>::decode(&self.bundle).expect("a bundle");
        let owners = bundle.unverified_body().owner_keys.clone();
        let bundle = bundle.verify_any(&owners, NO_REST).expect("the owner's");
        let bundle = bundle.body();
        UnverifiedKey::parse(&self.chain)
            .expect("a key")
            .verify(bundle.vehicle, &bundle.roots(), &AnchorStore::default())
            .expect("a key that holds")
    }

    /// M2.
    pub(super) fn present(
        &self,
        random: &mut Random,
        challenge: &[u8],
        command: VehicleCommand,
    ) -> Vec<u8> {
        let proof = Proof {
            command,
            phone_time: now(),
            share: None,
            parameters: None,
            presence: Presence::Tap,
            command_id: CommandId(random.id()),
            not_after: now().plus(limits::COMMAND_LIFE_S),
            position: None,
        };
        let leaf = self.verified().leaf();
        let proof = sign_proof(&proof, &*self.signing_key, challenge, &leaf).expect("a proof");
        encode_presentation(challenge, &self.chain, &proof.bytes)
    }

    /// A narrower key for another phone, and the link to report.
    pub(super) fn delegate(&self, to: &Self) -> (Self, Vec<u8>) {
        let key = self.verified();
        let claims = Claims {
            vehicle: None,
            validity: key.effective().validity(),
            grant_id: None,
            holder: *to.signing_key.verifying_key().as_bytes(),
            policy: Policy::of(Entitlements::UNLOCK | Entitlements::LOCK),
            booking_hash: None,
        };
        let link = sign_link(&claims, &*self.signing_key, Some(&key.leaf())).expect("a link");
        let delegate = Self {
            signing_key: to.signing_key.clone(),
            chain: append_link(&self.chain, &link.bytes).expect("room for one more"),
            token: String::new(),
            ..self.clone()
        };
        (delegate, link.bytes)
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("bytes in base64url");
    BASE64URL_NOPAD.decode(text.as_bytes()).expect("base64url")
}
