//! `Idempotency-Key`: the same POST twice has one effect and one answer.
//!
//! A handler takes [`Idempotency`] after its caller and before its body, and ends its work with
//! [`Idempotency::commit`], which stores the answer in the transaction of the effect. Extraction
//! itself answers a repeat (the stored reply, with `idempotency-replayed: true`), 409 while the first
//! is still at work, and 422 for another request under the same key. Errors are not stored.
//!
//! What is stored: SHA-256 over token and key as the row id, a fingerprint of the request, and the
//! reply encrypted under a key derived from Idempotency-Key, token and body. None of the three is in
//! the database, so its readers learn no reply, not even under a guessable Idempotency-Key.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::body::WholeBody;
use super::problem::{FieldError, Problem};
use super::reply::Reply;
use crate::sealer::Sealer;
use crate::secret::sha256_of;
use crate::state::App;
use crate::storage::{StorageError, Tx, replies};

/// The request header.
pub const HEADER: &str = "idempotency-key";
/// How long a reply is kept.
pub const KEPT_S: u64 = 24 * 3600;

const PURPOSE: &str = "idempotent reply";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The right to answer a POST for the first time.
#[derive(Debug)]
pub struct Idempotency {
    app: App,
    ticket: Option<Ticket>,
}

#[derive(Debug)]
struct Ticket {
    id: [u8; 32],
    fingerprint: [u8; 32],
    sealer: Sealer,
    /// Held for its drop: frees the key for the next request.
    _place: Place,
}

impl Idempotency {
    /// Stores `reply` with the effects in `tx` and commits both.
    ///
    /// # Errors
    /// What the database says; 409 if another node answered the same key first.
    pub async fn commit(self, tx: Tx, reply: Reply) -> Result<Reply, Problem> {
        if let Some(ticket) = &self.ticket {
            self.store(&tx, ticket, &reply).await?;
        }
        tx.commit().await.map_err(StorageError::from)?;
        Ok(reply)
    }

    async fn store(&self, tx: &Tx, ticket: &Ticket, reply: &Reply) -> Result<(), Problem> {
        let now = self.app.clock.now();
        let plain = [reply.status.as_u16().to_be_bytes().as_slice(), &reply.body].concat();
        let sealed = ticket
            .sealer
            .seal(PURPOSE, &plain, self.app.random.as_ref());
        match replies::save(
            tx,
            ticket.id,
            ticket.fingerprint,
            sealed,
            now,
            now.plus(KEPT_S),
        )
        .await
        {
            Err(StorageError::Taken(_)) => Err(in_flight()),
            other => Ok(other?),
        }
    }
}

impl FromRequestParts<App> for Idempotency {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let Some(key) = key_of(&parts.headers).map_err(IntoResponse::into_response)? else {
            return Ok(Self {
                app: app.clone(),
                ticket: None,
            });
        };
        let ticket = ticket(parts, app, key).map_err(IntoResponse::into_response)?;
        match stored(app, &ticket)
            .await
            .map_err(IntoResponse::into_response)?
        {
            None => Ok(Self {
                app: app.clone(),
                ticket: Some(ticket),
            }),
            Some(reply) => {
                let mut response = reply.into_response();
                response
                    .headers_mut()
                    .insert(REPLAYED, HeaderValue::from_static("true"));
                Err(response)
            }
        }
    }
}

fn ticket(parts: &Parts, app: &App, key: &str) -> Result<Ticket, Problem> {
    let token = parts
        .headers
        .get(header::AUTHORIZATION)
        .map_or(&b""[..], HeaderValue::as_bytes);
    let body = parts
        .extensions
        .get::<WholeBody>()
        .map_or(&b""[..], |WholeBody(bytes)| bytes);
    let target = parts
        .uri
        .path_and_query()
        .map_or("", |target| target.as_str());
    let request = [parts.method.as_str().as_bytes(), target.as_bytes(), body];
    let [method, target, body] = request;
    let id = sha256_of("idempotency key", &[token, key.as_bytes()]);
    let fingerprint = sha256_of(
        "idempotent request",
        &[token, key.as_bytes(), method, target, body],
    );
    let sealer = Sealer::new(sha256_of(
        PURPOSE,
        &[token, key.as_bytes(), method, target, body],
    ));
    let place = app.in_flight.take(id).ok_or_else(in_flight)?;
    Ok(Ticket {
        id,
        fingerprint,
        sealer,
        _place: place,
    })
}

async fn stored(app: &App, ticket: &Ticket) -> Result<Option<Reply>, Problem> {
    let Some(row) = replies::find(app.db.read(), ticket.id, app.clock.now()).await? else {
        return Ok(None);
    };
    if row.fingerprint != ticket.fingerprint {
        let detail = "this key was used for another request; use a fresh key for each request";
        let title = "Idempotency-Key used for another request";
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            title,
            detail,
        ));
    }
    let plain = ticket
        .sealer
        .open(PURPOSE, &row.sealed_reply)
        .map_err(|error| Problem::internal(&error))?;
    let (status, body) = plain
        .split_first_chunk::<2>()
        .ok_or_else(|| Problem::internal(&crate::sealer::OpenError))?;
    let status = StatusCode::from_u16(u16::from_be_bytes(*status))
        .map_err(|error| Problem::internal(&error))?;
    Ok(Some(Reply {
        status,
        body: body.to_vec(),
    }))
}

fn key_of(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) => Ok(Some(key)),
        _ => Err(Problem::invalid(vec![FieldError {
            pointer: HEADER.to_owned(),
            detail: "expected 1 to 255 visible ASCII characters".to_owned(),
        }])),
    }
}

fn in_flight() -> Problem {
    let detail =
        "the first request with this Idempotency-Key is still at work; repeat to get its answer";
    Problem::conflict(
        "idempotency-in-flight",
        "The first request is still at work",
        detail,
    )
    .retry_after(1)
}

/// The keys being answered on this node.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<[u8; 32]>>>);

#[derive(Debug)]
struct Place {
    all: InFlight,
    id: [u8; 32],
}

impl InFlight {
    fn take(&self, id: [u8; 32]) -> Option<Place> {
        let fresh = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id);
        fresh.then(|| Place {
            all: self.clone(),
            id,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
    }
}
