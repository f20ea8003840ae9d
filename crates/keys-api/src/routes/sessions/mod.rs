//! `/v1/sessions`.

pub mod create;
pub mod json;
pub mod list;
pub mod revoke;

use axum::http::{HeaderMap, header};

/// The client's name for itself, cut to what is worth keeping.
#[must_use]
pub fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(200).collect())
}
