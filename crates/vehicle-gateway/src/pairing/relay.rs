//! The API's pairing relay: three calls that pass opaque bytes.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use keys_core::pairing::{PAIR_MESSAGE_BYTES, PairOffer, fingerprint_of};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::sync::{ApiEndpoint, EndpointError};

/// How long the relay holds a question that has no answer yet.
const WAIT_S: u32 = 25;
/// The longest whole call.
const CALL_TIMEOUT: Duration = Duration::from_secs(40);
/// The most bytes of an answer: a confirmation in base64url, and room for the rest.
const ANSWER_BYTES: usize = 8 * 1024;
/// The longest id.
const ID_BYTES: usize = 64;

/// The relay of one API.
#[derive(Debug, Clone)]
pub struct Relay {
    client: Client,
    endpoint: ApiEndpoint,
}

/// Why the relay did not do its part.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The API cannot be reached, or broke off.
    #[error("API cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The API answered with another status.
    #[error("API answered with status {0}")]
    Status(StatusCode),
    /// The API's answer cannot be read.
    #[error("API's answer cannot be read: {0}")]
    Garbled(&'static str),
}

impl RelayError {
    /// Whether the same call may work a little later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Garbled(_) => true,
            Self::Status(status) => {
                status.is_server_error()
                    || matches!(
                        *status,
                        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
                    )
            }
        }
    }

    /// Whether the relay no longer knows the offer.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Status(StatusCode::GONE | StatusCode::NOT_FOUND))
    }
}

#[derive(Deserialize)]
struct Offered {
    id: String,
}

#[derive(Deserialize)]
struct Confirmed {
    confirm: String,
}

impl Relay {
    /// The relay of the API at `endpoint`.
    ///
    /// # Errors
    /// [`EndpointError`] if no HTTP client can be made for it.
    pub fn new(endpoint: ApiEndpoint) -> Result<Self, EndpointError> {
        Ok(Self {
            client: endpoint.http_client(CALL_TIMEOUT)?,
            endpoint,
        })
    }

    /// Posts the offer under the fingerprint of its key; gives the relay's id of it.
    ///
    /// # Errors
    /// [`RelayError`] if it was not taken.
    pub async fn offer(&self, offer: &PairOffer) -> Result<String, RelayError> {
        let body = json!({
            "fingerprint": fingerprint_of(&offer.gateway_key).to_string(),
            "offer": BASE64URL_NOPAD.encode(&offer.encode()),
        });
        let call = self
            .client
            .post(self.endpoint.http_url("/v1/pairings"))
            .json(&body);
        let answer = send(call, StatusCode::CREATED).await?;
        let offered: Offered = read(answer).await?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if offered.id.is_empty() || offered.id.len() > ID_BYTES || !offered.id.bytes().all(plain) {
            return Err(RelayError::Garbled("the id of the offer"));
        }
        Ok(offered.id)
    }

    /// Waits for the owner's confirmation; `None` if there is none yet.
    ///
    /// # Errors
    /// [`RelayError`] if the relay cannot be asked.
    pub async fn confirm(&self, id: &str) -> Result<Option<Vec<u8>>, RelayError> {
        let url = self
            .endpoint
            .http_url(&format!("/v1/pairings/{id}/confirm?wait={WAIT_S}"));
        let answer = self
            .client
            .get(url)
            .send()
            .await
            .map_err(RelayError::Unreachable)?;
        match answer.status() {
            StatusCode::NO_CONTENT => Ok(None),
            StatusCode::OK => {
                let confirmed: Confirmed = read(answer).await?;
                let bytes = BASE64URL_NOPAD.decode(confirmed.confirm.as_bytes());
                let bytes =
                    bytes.map_err(|_| RelayError::Garbled("the confirmation is not base64url"))?;
                if bytes.len() > PAIR_MESSAGE_BYTES {
                    return Err(RelayError::Garbled("the confirmation is too long"));
                }
                Ok(Some(bytes))
            }
            status => Err(RelayError::Status(status)),
        }
    }

    /// Posts the answer to the confirmation.
    ///
    /// # Errors
    /// [`RelayError`] if it was not taken.
    pub async fn answer(&self, id: &str, answer: &[u8]) -> Result<(), RelayError> {
        let url = self.endpoint.http_url(&format!("/v1/pairings/{id}/answer"));
        let body = json!({ "answer": BASE64URL_NOPAD.encode(answer) });
        send(self.client.post(url).json(&body), StatusCode::NO_CONTENT)
            .await
            .map(drop)
    }
}

async fn send(call: RequestBuilder, expected: StatusCode) -> Result<Response, RelayError> {
    let answer = call.send().await.map_err(RelayError::Unreachable)?;
    if answer.status() == expected {
        Ok(answer)
    } else {
        Err(RelayError::Status(answer.status()))
    }
}

async fn read<T: serde::de::DeserializeOwned>(mut answer: Response) -> Result<T, RelayError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(RelayError::Unreachable)? {
        if body.len() + chunk.len() > ANSWER_BYTES {
            return Err(RelayError::Garbled("the answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body)
        .map_err(|_| RelayError::Garbled("the answer is not the JSON expected"))
}
