//! The local link over HTTP: four routes, CBOR bodies, every size and rate bounded.
//!
//! `GET /v1/challenge[?phone_nonce=hex32]` · `POST /v1/present` · `POST /v1/carry` · `GET /v1/health`.
//! It needs no password: without a proof the answer is never "allow".

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use data_encoding::HEXLOWER_PERMISSIVE;
use keys_core::carried::{self, Carried, encode_answer};
use keys_core::decide::Channel;
use keys_core::limits;
use keys_core::refusal::Refusal;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::problem::Problem;
use crate::carry::Carry;
use crate::core::{Core, lock};
use crate::dispatch::Answer;
use crate::handler::NoChallenge;
use crate::rate::Peer;

const CBOR: &str = "application/cbor";
/// Header of a receipt that was given before.
pub const REPEATED: &str = "latchkey-repeated";

#[derive(Clone)]
struct App {
    core: Arc<Core>,
    body_deadline: Duration,
}

/// The routes. Each request carries its [`Peer`] as an extension.
pub(crate) fn router(core: Arc<Core>, body_deadline: Duration) -> Router {
    Router::new()
        .route("/v1/challenge", get(challenge))
        .route("/v1/present", post(present))
        .route("/v1/carry", post(carry))
        .route("/v1/health", get(health))
        .fallback(async || Problem::NOT_FOUND)
        .method_not_allowed_fallback(async || Problem::METHOD)
        .with_state(App {
            core,
            body_deadline,
        })
}

#[derive(Deserialize)]
struct ChallengeQuery {
    phone_nonce: Option<String>,
}

async fn challenge(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    query: Result<Query<ChallengeQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Ok(Query(query)) = query else {
        return Err(Problem::BAD_NONCE);
    };
    let phone_nonce = query
        .phone_nonce
        .map(|text| read_nonce(&text))
        .transpose()?;
    if !lock(&app.core.rates)
        .challenges
        .admits(peer, app.core.now_ms())
    {
        return Err(Problem::refused(Refusal::RateLimited));
    }
    match app.core.new_challenge(phone_nonce) {
        Ok(challenge) => Ok(cbor(challenge)),
        Err(NoChallenge::Unpaired) => Err(Problem::UNPAIRED),
        Err(NoChallenge::Sign) => Err(Problem::UNAVAILABLE),
    }
}

fn read_nonce(text: &str) -> Result<[u8; 16], Problem> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(Problem::BAD_NONCE)
}

async fn present(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if !lock(&app.core.rates)
        .presented
        .admits(peer, app.core.now_ms())
    {
        return Err(Problem::refused(Refusal::RateLimited));
    }
    let presentation = read_body(&app, &headers, body, limits::PRESENTATION_BYTES).await?;
    if app.core.vehicle().is_none() {
        return Err(Problem::UNPAIRED);
    }
    match app.core.present(presentation, Channel::Local).await {
        Answer::Signed {
            receipt,
            repeated: false,
        } => Ok(cbor(receipt)),
        Answer::Signed {
            receipt,
            repeated: true,
        } => Ok(([(REPEATED, "true")], cbor(receipt)).into_response()),
        Answer::Unsigned(refusal) => Err(Problem::refused(refusal)),
        Answer::Unavailable => Err(Problem::UNAVAILABLE),
    }
}

async fn carry(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if !lock(&app.core.rates)
        .carried
        .admits(peer, app.core.now_ms())
    {
        return Err(Problem::refused(Refusal::RateLimited));
    }
    let bytes = read_body(&app, &headers, body, carried::MAX_BYTES).await?;
    if app.core.vehicle().is_none() {
        return Err(Problem::UNPAIRED);
    }
    let carried = Carried::parse(&bytes).map_err(|error| Problem::refused(error.refusal()))?;
    match app.core.carry(&carried).await {
        Carry::Taken => Ok(cbor(encode_answer(None))),
        Carry::Refused(refusal) => Ok(cbor(encode_answer(Some(refusal)))),
        Carry::Unavailable => Err(Problem::UNAVAILABLE),
    }
}

async fn health(State(app): State<App>) -> Response {
    let vehicle = app.core.vehicle();
    let body = json!({
        "status": "ok",
        "vehicle": vehicle.map(|vehicle| vehicle.to_string()),
        "paired": vehicle.is_some(),
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// Reads a CBOR body of at most `limit` bytes, within the deadline.
async fn read_body(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Vec<u8>, Problem> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    // A page of another origin can post without asking only what is not of this type.
    if !content_type.is_some_and(|text| text.eq_ignore_ascii_case(CBOR)) {
        return Err(Problem::NOT_CBOR);
    }
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    if announced
        .and_then(|text| text.parse().ok())
        .is_some_and(|length: usize| length > limit)
    {
        return Err(Problem::refused(Refusal::TooLarge));
    }
    match timeout(app.body_deadline, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(error)) if is_too_long(&error) => Err(Problem::refused(Refusal::TooLarge)),
        Ok(Err(_)) => Err(Problem::BROKEN),
        Err(_) => Err(Problem::SLOW),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    std::error::Error::source(error)
        .is_some_and(|source| source.is::<http_body_util::LengthLimitError>())
}

fn cbor(bytes: Vec<u8>) -> Response {
    (
        [
            (header::CONTENT_TYPE, CBOR),
            (header::CACHE_CONTROL, "no-store"),
        ],
        bytes,
    )
        .into_response()
}
