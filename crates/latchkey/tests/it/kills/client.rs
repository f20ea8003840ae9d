//! Callers of the API and of the gateway that do not give up before they have an answer.

use std::time::Duration;

use data_encoding::HEXLOWER;
use keys_core::carried::parse_answer;
use keys_core::challenge::Challenge;
use keys_core::envelope::{NO_REST, Unverified, Verified};
use keys_core::receipt::Receipt;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::random::Random;
use super::stage::{PATIENCE, Stage};

/// Longer than the longest `?wait=` and command.
const DEADLINE: Duration = Duration::from_secs(40);

/// A caller; its lane has an address of its own, as phones beside a car have.
pub(super) struct Caller<'a> {
    pub(super) stage: &'a Stage,
    http: Client,
}

/// What a gateway answered to a presentation.
pub(super) enum Answer {
    Receipt(Box<Verified<Receipt>>),
    /// Refused before any signature was believed.
    Unsigned,
}

impl<'a> Caller<'a> {
    pub(super) fn new(stage: &'a Stage, lane: u8) -> Self {
        Self {
            stage,
            http: http(lane),
        }
    }

    /// `POST` under one idempotency key, repeated until there is an answer: then it was done once.
    pub(super) async fn post(
        &self,
        random: &mut Random,
        path: &str,
        token: &str,
        body: &Value,
    ) -> (u16, Value) {
        let key = HEXLOWER.encode(&random.id());
        self.call(Method::POST, path, token, Some((&key, body)))
            .await
    }

    pub(super) async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        self.call(Method::GET, path, token, None).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<(&str, &Value)>,
    ) -> (u16, Value) {
        let end = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < end, "{method} {path} is never answered");
            if let Some((status, answer)) = self.once(&method, path, token, body).await {
                let in_flight = answer["code"] == "idempotency-in-flight";
                if status >= 500 {
                    self.stage
                        .wrong(format!("{method} {path} was answered {status}: {answer}"));
                } else if status != 429 && !in_flight {
                    return (status, answer);
                }
            }
            self.stage.api.wait().await;
        }
    }

    /// One attempt; `None` if the connection broke.
    async fn once(
        &self,
        method: &Method,
        path: &str,
        token: &str,
        body: Option<(&str, &Value)>,
    ) -> Option<(u16, Value)> {
        let url = format!("{}{path}", self.stage.api.url);
        let mut request = self.http.request(method.clone(), url);
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some((key, body)) = body {
            request = request.header("idempotency-key", key).json(body);
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.ok()?;
        let answer = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap_or_else(|_| json!({ "not": "JSON" }))
        };
        Some((status, answer))
    }

    /// M1 of the gateway; what it says it holds is never less than it said before.
    pub(super) async fn challenge(&self) -> Vec<u8> {
        let end = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < end, "the gateway gives no challenge");
            let before = self.stage.seqs();
            let url = format!("{}/v1/challenge", self.stage.gateway.url);
            if let Some((200, bytes)) = answer(self.http.get(url)).await {
                let challenge = Unverified::<Challenge>::decode(&bytes)
                    .expect("M1")
                    .verify(&self.stage.gateway_key, NO_REST)
                    .expect("signed by the gateway");
                self.stage.told(before, challenge.body().seqs);
                return bytes;
            }
            self.stage.gateway.wait().await;
        }
    }

    /// Hands over M2, the same bytes again until there is an answer.
    pub(super) async fn present(&self, presentation: &[u8]) -> Answer {
        let end = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < end, "a presentation is never answered");
            let got = answer(self.cbor("/v1/present", presentation)).await;
            match got {
                Some((200, bytes)) => {
                    let receipt = Unverified::<Receipt>::decode(&bytes)
                        .expect("M3")
                        .verify(&self.stage.gateway_key, NO_REST)
                        .expect("signed by the gateway");
                    self.stage.ledger().receipts.push(receipt.clone());
                    return Answer::Receipt(Box::new(receipt));
                }
                Some((status, _)) if status < 500 && status != 429 => {
                    return Answer::Unsigned;
                }
                Some((status, _)) if status >= 500 => {
                    self.stage
                        .wrong(format!("/v1/present was answered {status}"));
                }
                _ => {}
            }
            self.stage.gateway.wait().await;
        }
    }

    /// Carries an object to the gateway; the code of a refusal.
    pub(super) async fn carry(&self, object: &[u8]) -> Option<String> {
        let end = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < end, "a carried object is never answered");
            if let Some((200, bytes)) = answer(self.cbor("/v1/carry", object)).await {
                let refusal = parse_answer(&bytes).expect("an answer to a carried object");
                return refusal.map(|refusal| refusal.code().to_owned());
            }
            self.stage.gateway.wait().await;
        }
    }

    fn cbor(&self, path: &str, body: &[u8]) -> reqwest::RequestBuilder {
        self.http
            .post(format!("{}{path}", self.stage.gateway.url))
            .header("content-type", "application/cbor")
            .body(body.to_vec())
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Option<(u16, Vec<u8>)> {
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, response.bytes().await.ok()?.to_vec()))
}

/// A client of its own on the loopback network.
pub(super) fn http(lane: u8) -> Client {
    // The only failure is a provider that is there already, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .local_address(std::net::IpAddr::from([127, 0, 0, lane]))
        .connect_timeout(Duration::from_secs(5))
        .timeout(DEADLINE)
        .build()
        .expect("a client")
}
