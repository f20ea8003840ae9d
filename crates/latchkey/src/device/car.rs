//! Talking to the gateway beside the car, over the local link: CBOR bodies, no server between.

use std::time::Duration;

use keys_core::carried::{self, Carried};
use keys_core::refusal::Refusal;
use serde_json::Value;

use super::http;

/// A car answers a command within its own deadline, which is shorter.
const DEADLINE: Duration = Duration::from_secs(30);
/// Challenges are given a few a second.
const CHALLENGE_TRIES: u32 = 5;
const ASK_AGAIN: Duration = Duration::from_millis(400);

/// One gateway, as a phone at the car reaches it.
#[derive(Debug, Clone)]
pub(crate) struct Car {
    http: reqwest::Client,
    url: String,
}

/// Why a gateway gave no signed answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CarError {
    /// Nobody answered, or not to the end.
    #[error("the gateway at {url} did not answer")]
    Unreachable {
        /// Where it should be.
        url: String,
        #[source]
        source: reqwest::Error,
    },
    /// It refused before any signature was believed, so without a receipt.
    #[error("the gateway refused: {0}")]
    Refused(Refusal),
    /// It could not be asked.
    #[error("the gateway could not be asked")]
    Here(#[from] anyhow::Error),
    /// It said something that is not of this protocol.
    #[error("the gateway at {url} answered {status}; is this a Latchkey gateway?")]
    Unexpected {
        /// Where it should be.
        url: String,
        /// HTTP status.
        status: u16,
    },
}

/// A gateway's signed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// M3.
    pub(crate) receipt: Vec<u8>,
    /// Whether it is the receipt of an earlier, equal presentation.
    pub(crate) repeated: bool,
}

impl Car {
    /// The gateway at `url`, such as `http://127.0.0.1:8081`.
    pub(crate) fn new(url: &str) -> Result<Self, CarError> {
        let url = url.trim_end_matches('/').to_owned();
        let http = http::client(DEADLINE)?;
        Ok(Self { http, url })
    }

    /// M1. A gateway that is asked too often is asked again a moment later, a few times.
    pub(crate) async fn challenge(&self, phone_nonce: &[u8; 16]) -> Result<Vec<u8>, CarError> {
        let nonce = data_encoding::HEXLOWER.encode(phone_nonce);
        let url = format!("{}/v1/challenge?phone_nonce={nonce}", self.url);
        let mut tries = CHALLENGE_TRIES;
        loop {
            tries -= 1;
            match self.send(self.http.get(&url)).await {
                Err(CarError::Refused(Refusal::RateLimited)) if tries > 0 => {
                    tokio::time::sleep(ASK_AGAIN).await;
                }
                answer => return Ok(answer?.receipt),
            }
        }
    }

    /// Hands over M2; M3 comes back, for refusals as well.
    pub(crate) async fn present(&self, presentation: Vec<u8>) -> Result<Answer, CarError> {
        self.send(self.post("/v1/present", presentation)).await
    }

    /// Hands over a carried object; `None` if it was taken.
    pub(crate) async fn carry(&self, object: &Carried<'_>) -> Result<Option<Refusal>, CarError> {
        self.carry_encoded(object.encode()).await
    }

    /// As [`Car::carry`], for an object that is encoded already.
    pub(crate) async fn carry_encoded(&self, object: Vec<u8>) -> Result<Option<Refusal>, CarError> {
        let answer = self.send(self.post("/v1/carry", object)).await?.receipt;
        carried::parse_answer(&answer).map_err(|_| self.unexpected(200))
    }

    /// `{"status", "vehicle", "paired"}`
    pub(crate) async fn health(&self) -> Result<Value, CarError> {
        let request = self.http.get(format!("{}/v1/health", self.url));
        let body = self.send(request).await?.receipt;
        serde_json::from_slice(&body).map_err(|_| self.unexpected(200))
    }

    fn post(&self, path: &str, body: Vec<u8>) -> reqwest::RequestBuilder {
        self.http
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/cbor")
            .body(body)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, CarError> {
        let unreachable = |source| CarError::Unreachable {
            url: self.url.clone(),
            source,
        };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let repeated = response
            .headers()
            .get("latchkey-repeated")
            .is_some_and(|value| value == "true");
        let body = http::body(response).await.map_err(unreachable)?;
        match body {
            Some(receipt) if status.is_success() => Ok(Answer { receipt, repeated }),
            Some(problem) => Err(refusal(&problem)
                .map_or_else(|| self.unexpected(status.as_u16()), CarError::Refused)),
            None => Err(self.unexpected(status.as_u16())),
        }
    }

    fn unexpected(&self, status: u16) -> CarError {
        CarError::Unexpected {
            url: self.url.clone(),
            status,
        }
    }
}

fn refusal(problem: &[u8]) -> Option<Refusal> {
    let problem: Value = serde_json::from_slice(problem).ok()?;
    problem["code"].as_str()?.parse().ok()
}
