//! RFC 9457 problem documents: the one form every error takes on its way out.
//!
//! A [`Problem`] does not know its request; [`super::request_id`] adds the id as `instance` and writes
//! the final body, so that every error, also one from a layer, looks the same.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::storage::StorageError;

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// One thing wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// JSON pointer to the field in the body, or the name of a query parameter or header.
    pub pointer: String,
    /// What was expected there.
    pub detail: String,
}

/// An error answer. Codes are stable and documented in docs/api.md.
#[derive(Debug, Clone)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    members: Map<String, Value>,
    retry_after_s: Option<u64>,
    lost_race: bool,
}

/// Carried in the extensions of a response, for the layer that writes the body.
#[derive(Debug, Clone)]
pub(super) struct Rendered(pub(super) Arc<Problem>);

impl Problem {
    /// A problem of the caller's making, or of the state it met. `title` names the kind of problem,
    /// `detail` this case.
    #[must_use]
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let detail = detail.into();
        let (errors, members) = (Vec::new(), Map::new());
        Self(Box::new(Inner {
            status,
            code,
            title,
            detail,
            errors,
            members,
            retry_after_s: None,
            lost_race: false,
        }))
    }

    /// 400: the request cannot be read.
    #[must_use]
    pub fn unreadable(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "unreadable",
            "The request cannot be read",
            detail,
        )
    }

    /// 401: no token, or one that is not valid any more.
    #[must_use]
    pub fn unauthenticated() -> Self {
        let detail = "send a valid token as `Authorization: Bearer …`";
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "Not signed in",
            detail,
        )
    }

    /// 403: known, but of the wrong kind for this route.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    /// 404: there is none, or none the caller may know of.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "Not found",
            "there is nothing here that you may see",
        )
    }

    /// 409: the state of things forbids it.
    #[must_use]
    pub fn conflict(code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, title, detail)
    }

    /// 422: readable, but these fields do not hold.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("`{}`: {}", one.pointer, one.detail),
            many => format!("{} fields do not hold", many.len()),
        };
        let mut problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "Some fields do not hold",
            detail,
        );
        problem.0.errors = errors;
        problem
    }

    /// 422 for one field, found wrong by a service.
    #[must_use]
    pub fn invalid_field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError {
            pointer: pointer.to_owned(),
            detail: detail.into(),
        }])
    }

    /// 429: too many.
    #[must_use]
    pub fn rate_limited(retry_after_s: u64) -> Self {
        let detail = format!("try again in {retry_after_s} s");
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate-limited",
            "Too many requests",
            detail,
        )
        .retry_after(retry_after_s)
    }

    /// 503: ours, and passing.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Try again later",
            detail,
        )
        .retry_after(1)
    }

    /// 500: ours. The cause goes to the log, not to the caller.
    #[must_use]
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(cause = %Chain(cause), "request failed");
        let detail = "the failure was logged under this request's id";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something failed here",
            detail,
        )
    }

    /// A plain problem for a status without a more exact one.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => return Self::not_found(),
            StatusCode::UNAUTHORIZED => return Self::unauthenticated(),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method-not-allowed",
                "the `allow` header lists the methods of this path",
            ),
            StatusCode::REQUEST_TIMEOUT => {
                ("request-timeout", "the request took too long to arrive")
            }
            StatusCode::PAYLOAD_TOO_LARGE => ("too-large", "the body is too large"),
            StatusCode::UPGRADE_REQUIRED => ("upgrade-required", "this path speaks WebSocket"),
            status if status.is_server_error() => {
                ("internal", "the failure was logged under this request's id")
            }
            _ => ("refused", "the request was refused"),
        };
        Self::new(
            status,
            code,
            status.canonical_reason().unwrap_or("Refused"),
            detail,
        )
    }

    /// Sets `retry-after`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// Adds an extension member, such as `reasons` or the key in the way.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(member.to_owned(), value.into());
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// Whether a transaction lost a race, so that the same request may simply run again.
    pub(super) fn lost_race(&self) -> bool {
        self.0.lost_race
    }

    /// The document for the request `instance`.
    pub(super) fn document(&self, instance: &str) -> Vec<u8> {
        let Inner {
            status,
            code,
            title,
            detail,
            errors,
            members,
            ..
        } = self.0.as_ref();
        let mut document = json!({
            "type": format!("urn:latchkey:problem:{code}"),
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
            "instance": instance,
            "code": code,
        });
        if let Value::Object(object) = &mut document {
            if !errors.is_empty() {
                object.insert("errors".to_owned(), json!(errors));
            }
            object.extend(members.clone());
        }
        document.to_string().into_bytes()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(Rendered(Arc::new(self)));
        response
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Busy(_) => Self::unavailable("the database is busy"),
            StorageError::Conflict(_) => {
                let mut problem = Self::unavailable("others are changing the same things");
                problem.0.lost_race = true;
                problem
            }
            other => Self::internal(&other),
        }
    }
}

impl From<sea_orm::DbErr> for Problem {
    fn from(error: sea_orm::DbErr) -> Self {
        StorageError::from(error).into()
    }
}

/// Prints an error and its sources in one line.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(source) = next {
            write!(f, ": {source}")?;
            next = source.source();
        }
        Ok(())
    }
}

/// The shape of a problem document, for the API description.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// Stable URI of the kind of problem: `urn:latchkey:problem:` and the code.
    r#type: String,
    /// The kind of problem in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened in this case.
    detail: String,
    /// The request id, as in `x-request-id`.
    instance: String,
    /// Stable code of the kind of problem.
    code: String,
    /// Every field that does not hold.
    #[schema(required = false)]
    errors: Vec<FieldErrorDocument>,
    /// Refusal codes, where a key or command was refused.
    #[schema(required = false)]
    reasons: Vec<String>,
}

/// One field that does not hold.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[schema(as = FieldError)]
pub struct FieldErrorDocument {
    /// JSON pointer into the body, or the name of a query parameter or header.
    pointer: String,
    /// What was expected there.
    detail: String,
}
