//! A renter's phone: holds the private key, signs proofs.

use std::sync::Arc;

use keys_api::clock::{Clock, FixedClock};
use keys_core::command::VehicleCommand;
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::id::CommandId;
use keys_core::key::UnverifiedKey;
use keys_core::policy::Presence;
use keys_core::presentation::encode_presentation;
use keys_core::proof::{Proof, sign_proof};
use keys_core::receipt::Receipt;
use keys_core::signature::{Signer, SigningKey};
use serde_json::{Value, json};

use super::request::Answer;
use super::{TestApp, b64, unb64};

/// A phone after redeeming.
pub struct Phone {
    pub key: SigningKey,
    pub token: String,
    pub recovery_code: String,
    /// The redeemed key as answered.
    pub redeemed: Value,
    pub chain: Vec<u8>,
    commands: std::cell::Cell<u8>,
    clock: Arc<FixedClock>,
}

impl Phone {
    /// Redeems an invitation as its 201 answer gives it.
    pub async fn redeem(test: &TestApp, invited: &Answer, number: u8) -> Self {
        let key = keys_core::testing::holder(number);
        let body = json!({
            "secret": invited.text("secret"),
            "activation_code": invited.body["activation_code"],
            "holder_key": b64(key.verifying_key().as_bytes()),
            "device_name": format!("Phone {number}"),
        });
        let path = format!("/v1/invitations/{}/redeem", invited.text("id"));
        let answer = test.post(&path).json(body).send().await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let chain = answer.body["key"]["chain"].as_str().map(unb64);
        Self {
            key,
            token: answer.text("holder_token"),
            recovery_code: answer.text("recovery_code"),
            redeemed: answer.body["key"].clone(),
            chain: chain.unwrap_or_default(),
            commands: std::cell::Cell::new(number),
            clock: test.clock.clone(),
        }
    }

    pub fn key_id(&self) -> String {
        self.redeemed["id"].as_str().unwrap().to_owned()
    }

    /// Signs a presentation over a challenge.
    pub fn present(&self, challenge: &[u8], command: VehicleCommand) -> Vec<u8> {
        let number = self.commands.get();
        self.commands.set(number.wrapping_add(16));
        self.present_as(challenge, command, &self.chain, [number; 16])
    }

    pub fn present_as(
        &self,
        challenge: &[u8],
        command: VehicleCommand,
        chain: &[u8],
        command_id: [u8; 16],
    ) -> Vec<u8> {
        let leaf = leaf_of(chain);
        let proof = Proof {
            command,
            phone_time: self.clock.now(),
            share: None,
            parameters: None,
            presence: Presence::Tap,
            command_id: CommandId(command_id),
            not_after: self.clock.now().plus(30),
            position: None,
        };
        let proof = sign_proof(&proof, &self.key, challenge, &leaf).unwrap();
        encode_presentation(challenge, chain, &proof.bytes)
    }

    /// Asks for a challenge over the API.
    pub async fn challenge(&self, test: &TestApp) -> Vec<u8> {
        let answer = test
            .post("/v1/holder/challenges")
            .bearer(&self.token)
            .send()
            .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        unb64(&answer.text("challenge"))
    }

    /// Sends a command over the API and waits for its end.
    pub async fn command(&self, test: &TestApp, command: VehicleCommand) -> Answer {
        let challenge = self.challenge(test).await;
        self.relay(test, &self.present(&challenge, command), 20)
            .await
    }

    /// Posts a presentation.
    pub async fn relay(&self, test: &TestApp, presentation: &[u8], wait: u64) -> Answer {
        test.post(&format!("/v1/holder/commands?wait={wait}"))
            .bearer(&self.token)
            .json(json!({"presentation": b64(presentation)}))
            .send()
            .await
    }
}

/// The id of a chain's last link, as its holder computes it.
pub fn leaf_of(chain: &[u8]) -> keys_core::id::ObjectId {
    let key = UnverifiedKey::parse(chain).unwrap();
    *key.unverified_ids().last().unwrap()
}

/// What a receipt says, if its gateway signed it.
pub fn receipt_of(answer: &Answer, gateway: &SigningKey) -> Receipt {
    let bytes = unb64(&answer.text("receipt"));
    Unverified::<Receipt>::decode(&bytes)
        .unwrap()
        .verify(gateway.verifying_key(), NO_REST)
        .unwrap()
        .into_body()
}
