//! A host whose owner key lives on their own device, not with the platform.

use keys_core::bundle::Bundle;
use keys_core::codec::Reader;
use keys_core::entitlement::Entitlements;
use keys_core::envelope::{Body, NO_REST, seal};
use keys_core::link::{Claims, sign_link};
use keys_core::pairing::{PairAnswer, PairOffer, check_answer, owner_confirm};
use keys_core::policy::Policy;
use keys_core::signature::{Signer, SigningKey, VerifyingKey};
use keys_core::statement::Statement;
use keys_core::time::{Timestamp, Validity};
use serde_json::{Value, json};

use super::request::Answer;
use super::{FakeGateway, Host, NOW, TestApp, b64, unb64};

/// The owner's device, and the account it works with.
pub struct Sovereign<'a> {
    pub host: Host<'a>,
    pub owner: SigningKey,
}

impl<'a> Sovereign<'a> {
    pub async fn new(test: &'a TestApp) -> Self {
        let owner = keys_core::testing::owner();
        let token = test.sign_up("sovereign@example.com").await;
        let body = json!({"name": "Own Fiat", "time_zone": "Europe/Rome",
            "owner_key": b64(owner.verifying_key().as_bytes())});
        let made = test
            .post("/v1/vehicles")
            .bearer(&token)
            .json(body)
            .send()
            .await;
        assert_eq!(made.status, 201, "{made:?}");
        let host = Host {
            test,
            token,
            vehicle: made.text("id"),
        };
        Self { host, owner }
    }

    pub fn vehicle(&self) -> keys_core::id::VehicleId {
        let id: keys_api::model::id::VehicleId = self.host.vehicle.parse().unwrap();
        id.core()
    }

    pub async fn platform_root(&self) -> VerifyingKey {
        let answer = self.host.test.get("/v1/platform").send().await;
        VerifyingKey::decode(&unb64(&answer.text("root_key")).try_into().unwrap()).unwrap()
    }

    /// Signs a bundle that names the platform.
    pub async fn bundle(&self, seq: u64, gateway: &FakeGateway) -> Vec<u8> {
        let bundle = Bundle {
            vehicle: self.vehicle(),
            issued_at: NOW,
            seq,
            owner_keys: [*self.owner.verifying_key()].into_iter().collect(),
            platform_root: Some(self.platform_root().await),
            gateway_key: *gateway.key.verifying_key(),
            mandate_allowed: true,
            least_generation: 0,
            platform_operated: false,
            page_origin: None,
        };
        seal(&bundle, &self.owner, NO_REST).unwrap().bytes
    }

    /// Pairs over the relay; the code never reaches the API.
    pub async fn pair(&self, gateway: &FakeGateway) {
        let test = self.host.test;
        let (id, offered) = gateway.offer(test).await;
        let path = format!("/v1/pairings?fingerprint={}", gateway.code.fingerprint());
        let list = test.get(&path).bearer(&self.host.token).send().await;
        assert_eq!(list.body["data"][0]["id"], id);
        let offer = unb64(list.body["data"][0]["offer"].as_str().unwrap());
        let offer = PairOffer::decode(&offer).unwrap();
        let bundle = self.bundle(1, gateway).await;
        let confirm = owner_confirm(
            &gateway.code,
            &offer,
            self.vehicle(),
            self.owner.verifying_key(),
            [2; 16],
            &bundle,
        )
        .unwrap();
        let body = json!({"confirm": b64(&confirm.encode())});
        let path = format!("/v1/pairings/{id}/confirm");
        let token = &self.host.token;
        assert_eq!(
            test.post(&path)
                .bearer(token)
                .json(body)
                .send()
                .await
                .status,
            204
        );
        gateway.accept_pairing(test, &id, &offered).await;
        let path = format!("/v1/pairings/{id}/answer?wait=20");
        let answer = test.get(&path).bearer(token).send().await;
        let answer = PairAnswer::decode(&unb64(&answer.text("answer"))).unwrap();
        check_answer(gateway.code.secret(), &offer, &confirm, &answer).unwrap();
        let put = self.put_bundle(&bundle).await;
        assert_eq!(put.status, 200, "{put:?}");
    }

    pub async fn put_bundle(&self, bundle: &[u8]) -> Answer {
        let path = format!("/v1/vehicles/{}/bundle", self.host.vehicle);
        self.host
            .test
            .put(&path)
            .bearer(&self.host.token)
            .json(json!({"bundle": b64(bundle)}))
            .send()
            .await
    }

    /// Signs the claims that a key's `to_sign` asks for, after `change`, and posts the link.
    pub async fn sign_key(&self, key: &Value, change: impl FnOnce(&mut Claims)) -> Answer {
        let bytes = unb64(key["to_sign"]["claims"].as_str().unwrap());
        let mut claims = Claims::read(&mut Reader::new(&bytes)).unwrap();
        change(&mut claims);
        let link = sign_link(&claims, &self.owner, None).unwrap();
        self.put_link(key, &link.bytes).await
    }

    pub async fn put_link(&self, key: &Value, link: &[u8]) -> Answer {
        let path = format!("/v1/keys/{}/link", key["id"].as_str().unwrap());
        self.host
            .test
            .put(&path)
            .bearer(&self.host.token)
            .json(json!({"link": b64(link)}))
            .send()
            .await
    }

    /// Signs the statement that waits, and posts it.
    pub async fn sign_statement(&self) -> Answer {
        let waiting = self.host.get("statements").await;
        let bytes = unb64(waiting.body["to_sign"]["statement"].as_str().unwrap());
        let statement = Statement::read(&mut Reader::new(&bytes)).unwrap();
        self.post_statement(&statement).await
    }

    pub async fn post_statement(&self, statement: &Statement) -> Answer {
        let sealed = seal(statement, &self.owner, NO_REST).unwrap();
        let body = json!({"statement": b64(&sealed.bytes)});
        self.host.post("statements", body).await
    }

    /// A mandate of the owner's device for the platform: unlock and lock, keys up to a day.
    pub async fn mandate(&self) -> Vec<u8> {
        let root = self.platform_root().await;
        let entitlements = Entitlements::UNLOCK | Entitlements::LOCK | Entitlements::REMOTE;
        let claims = Claims {
            vehicle: Some(self.vehicle()),
            validity: Validity {
                from: Timestamp(NOW.0 - 3_600),
                until: NOW.plus(30 * 86_400),
            },
            grant_id: None,
            holder: *root.as_bytes(),
            policy: Policy {
                delegations: 3,
                outage_limit_s: Some(3_600),
                max_window_s: Some(86_400),
                ..Policy::of(entitlements)
            },
            booking_hash: None,
        };
        sign_link(&claims, &self.owner, None).unwrap().bytes
    }
}
