//! Answers that are no receipt: RFC 9457 problems with the stable refusal codes.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use keys_core::refusal::Refusal;
use serde_json::json;

/// A problem document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
}

impl Problem {
    pub(super) const BAD_NONCE: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "malformed",
        "`phone_nonce` must be 32 hexadecimal digits",
    );
    pub(super) const NOT_FOUND: Self =
        Self::new(StatusCode::NOT_FOUND, "not-found", "there is nothing here");
    pub(super) const METHOD: Self = Self::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "this path takes another method",
    );
    pub(super) const SLOW: Self = Self::new(
        StatusCode::REQUEST_TIMEOUT,
        "too-slow",
        "the body did not arrive in time",
    );
    pub(super) const BROKEN: Self =
        Self::new(StatusCode::BAD_REQUEST, "malformed", "the body broke off");
    pub(super) const NOT_CBOR: Self = Self::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "the body must be application/cbor",
    );
    pub(super) const UNPAIRED: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unpaired",
        "this gateway is not paired with a car's owner yet",
    );
    pub(super) const UNAVAILABLE: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "the gateway cannot decide or record now, so it does nothing",
    );

    const fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self {
            status,
            code,
            detail,
        }
    }

    /// A refusal that no signature justifies a receipt for.
    pub(super) fn refused(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::Malformed | Refusal::Unsupported => StatusCode::BAD_REQUEST,
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::FORBIDDEN,
        };
        Self::new(status, refusal.code(), "refused")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            body.to_string(),
        )
            .into_response();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}
