//! Talking to the API: JSON over HTTP, problems as errors.

use std::fmt;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use keys_core::refusal::Refusal;
use reqwest::Method;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::{http, random};

/// Longer than the longest `?wait=`.
const DEADLINE: Duration = Duration::from_secs(40);

/// One caller of the API, signed in or not.
#[derive(Clone)]
pub(crate) struct Api {
    http: reqwest::Client,
    origin: String,
    token: Option<String>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Api({})", self.origin)
    }
}

/// Why the API gave no answer to work with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// Nobody answered, or not to the end.
    #[error("the API at {origin} did not answer")]
    Unreachable {
        /// Where it should be.
        origin: String,
        #[source]
        source: reqwest::Error,
    },
    /// It said no.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// It said something that is not of this API.
    #[error("`{request}` was answered without {expected}; is this a Latchkey API?")]
    Unexpected {
        /// Method and path.
        request: String,
        /// What was missing.
        expected: &'static str,
    },
    /// It could not be asked: no client, or no randomness for the idempotency key.
    #[error("the API could not be asked")]
    Here(#[from] anyhow::Error),
}

/// A problem document (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    request: String,
    /// HTTP status.
    pub(crate) status: u16,
    /// Stable code.
    pub(crate) code: String,
    detail: String,
    /// Stable reasons of a refusal, if the problem carries any.
    pub(crate) reasons: Vec<String>,
    fields: Vec<String>,
    retry_after: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` was answered {} {}",
            self.request, self.status, self.code
        )?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        if !self.reasons.is_empty() {
            write!(f, " ({})", self.reasons.join(", "))?;
        }
        for field in &self.fields {
            write!(f, "\n  {field}")?;
        }
        match &self.retry_after {
            Some(seconds) => write!(f, "; try again in {seconds} s"),
            None => Ok(()),
        }
    }
}

impl Problem {
    fn new(request: String, status: u16, headers: &HeaderMap, body: &Value) -> Self {
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let list = |name: &str| body[name].as_array().cloned().unwrap_or_default();
        let fields = list("errors")
            .iter()
            .map(|error| format!("{}: {}", text(error, "pointer"), text(error, "detail")))
            .collect();
        let detail = match (text(body, "detail"), text(body, "title")) {
            (detail, title) if detail.is_empty() => title,
            (detail, _) => detail,
        };
        Self {
            request,
            status,
            code: text(body, "code"),
            detail,
            reasons: list("reasons")
                .iter()
                .filter_map(|reason| reason.as_str().map(str::to_owned))
                .collect(),
            fields,
            retry_after: headers
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
        }
    }
}

impl Api {
    /// A caller of the API at `origin`, such as `http://127.0.0.1:8080`.
    pub(crate) fn new(origin: &str, token: Option<&str>) -> Result<Self, ApiError> {
        let origin = origin.trim_end_matches('/').to_owned();
        let http = http::client(DEADLINE)?;
        Ok(Self {
            http,
            origin,
            token: token.map(str::to_owned),
        })
    }

    /// The same API, called with another bearer token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// `GET`; the JSON of a 2xx answer.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.call(Method::GET, path, None).await
    }

    /// `POST` under a fresh idempotency key.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// `PUT`
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.call(Method::PUT, path, Some(body)).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ApiError> {
        let name = format!("{method} {path}");
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.origin));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if method == Method::POST {
            let key = BASE64URL_NOPAD.encode(&random::bytes::<16>()?);
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let unreachable = |source| ApiError::Unreachable {
            origin: self.origin.clone(),
            source,
        };
        let response = request.send().await.map_err(unreachable)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = http::body(response).await.map_err(unreachable)?;
        let bytes = bytes.ok_or(ApiError::Unexpected {
            request: name.clone(),
            expected: "an answer of reasonable length",
        })?;
        if !status.is_success() {
            let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            let problem = Problem::new(name, status.as_u16(), &headers, &body);
            return Err(ApiError::Problem(Box::new(problem)));
        }
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|_| ApiError::Unexpected {
            request: name,
            expected: "JSON",
        })
    }
}

/// The text of a field that the API always sends.
pub(crate) fn text<'a>(value: &'a Value, name: &'static str) -> Result<&'a str, ApiError> {
    value[name].as_str().ok_or_else(|| ApiError::Unexpected {
        request: "a request".to_owned(),
        expected: name,
    })
}

/// The bytes of a base64url field that the API always sends.
pub(crate) fn bytes(value: &Value, name: &'static str) -> Result<Vec<u8>, ApiError> {
    BASE64URL_NOPAD
        .decode(text(value, name)?.as_bytes())
        .map_err(|_| ApiError::Unexpected {
            request: "a request".to_owned(),
            expected: name,
        })
}

/// Bytes as the API takes them.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// The refusal codes a command resource lists.
pub(crate) fn reasons(command: &Value) -> Vec<Refusal> {
    command["reasons"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|reason| reason.as_str()?.parse().ok())
        .collect()
}
