//! A host with one car: every step over HTTP.

use data_encoding::BASE64URL_NOPAD;
use keys_core::time::Timestamp;
use serde_json::{Value, json};

use super::request::Answer;
use super::{FakeGateway, NOW, Phone, TestApp};

pub fn b64(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

pub fn unb64(text: &str) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
}

/// A host, signed in, with a managed car.
pub struct Host<'a> {
    pub test: &'a TestApp,
    pub token: String,
    pub vehicle: String,
}

impl<'a> Host<'a> {
    pub async fn new(test: &'a TestApp) -> Self {
        let token = test.sign_up("host@example.com").await;
        let vehicle = test.register_vehicle(&token).await;
        Self {
            test,
            token,
            vehicle,
        }
    }

    /// With a mandate for everything, keys up to a week.
    pub async fn with_mandate(test: &'a TestApp) -> Self {
        let host = Self::new(test).await;
        let answer = host.sign_mandate(json!({})).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        host
    }

    /// Signs a mandate; `change` goes over the usual terms.
    pub async fn sign_mandate(&self, change: Value) -> Answer {
        let usual = json!({
            "entitlements": ["unlock", "lock", "enable_driving", "open_trunk", "charge_port", "remote", "locate"],
            "max_duration_s": 7 * 86_400,
            "valid_until": at(90 * 86_400),
        });
        self.post("mandate", over(usual, change)).await
    }

    /// Pairs the car with a gateway.
    pub async fn pair(&self, gateway: &FakeGateway) -> Answer {
        let (id, offer) = gateway.offer(self.test).await;
        let code = gateway.code.reveal().to_string();
        let body = json!({"code": code});
        let (answer, ()) = tokio::join!(
            self.post("pair", body),
            gateway.accept_pairing(self.test, &id, &offer)
        );
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    /// Posts below the vehicle.
    pub async fn post(&self, what: &str, body: Value) -> Answer {
        let path = format!("/v1/vehicles/{}/{what}", self.vehicle);
        self.test
            .post(&path)
            .bearer(&self.token)
            .json(body)
            .send()
            .await
    }

    /// Gets below the vehicle.
    pub async fn get(&self, what: &str) -> Answer {
        let path = format!("/v1/vehicles/{}/{what}", self.vehicle);
        self.test.get(&path).bearer(&self.token).send().await
    }

    /// The body of an issue for a day from now; `change` goes over it.
    pub fn key_body(&self, change: Value) -> Value {
        let usual = json!({
            "vehicle_id": self.vehicle,
            "valid_from": at(0),
            "valid_until": at(86_400),
            "entitlements": ["unlock", "lock", "remote"],
        });
        over(usual, change)
    }

    /// Issues a key, whatever the answer.
    pub async fn try_issue(&self, change: Value) -> Answer {
        self.test
            .post("/v1/keys")
            .bearer(&self.token)
            .json(self.key_body(change))
            .send()
            .await
    }

    /// Issues a key.
    pub async fn issue(&self, change: Value) -> Answer {
        let answer = self.try_issue(change).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer
    }

    /// Does something to a key.
    pub async fn change(&self, key: &str, what: &str, body: Option<Value>) -> Answer {
        let call = self
            .test
            .post(&format!("/v1/keys/{key}/{what}"))
            .bearer(&self.token);
        match body {
            Some(body) => call.json(body).send().await,
            None => call.send().await,
        }
    }

    /// A key as it stands.
    pub async fn key(&self, key: &str) -> Answer {
        let path = format!("/v1/keys/{key}");
        self.test.get(&path).bearer(&self.token).send().await
    }

    /// Invites, and redeems with a fresh phone.
    pub async fn give(&self, change: Value, phone: u8) -> Phone {
        let key = self.issue(change).await.text("id");
        let invited = self.change(&key, "invitations", None).await;
        assert_eq!(invited.status, 201, "{invited:?}");
        Phone::redeem(self.test, &invited, phone).await
    }
}

/// `seconds` after the tests' now, as the API writes it.
pub fn at(seconds: u64) -> String {
    Timestamp(NOW.0 + seconds).to_string()
}

fn over(mut usual: Value, change: Value) -> Value {
    if let (Value::Object(usual), Value::Object(change)) = (&mut usual, change) {
        usual.extend(change);
    }
    usual
}
