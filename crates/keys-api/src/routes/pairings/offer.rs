//! `POST /v1/pairings`

use axum::extract::State;

use super::json::{OfferBody, OfferedJson};
use crate::http::{Idempotency, Json, Problem, Reply};
use crate::service::pairing;
use crate::state::App;

/// A gateway offers itself for pairing, under the public half of its code.
#[utoipa::path(post, path = "/v1/pairings", tag = "pairings", operation_id = "offer_pairing",
    request_body = OfferBody,
    responses((status = 201, description = "The offer waits for its owner.", body = OfferedJson)))]
pub async fn offer(
    State(app): State<App>,
    idempotency: Idempotency,
    Json(body): Json<OfferBody>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    let pairing = pairing::offer(&app, &tx, body.fingerprint, body.offer).await?;
    let offered = OfferedJson {
        id: pairing.id,
        expires_at: pairing.expires_at.into(),
    };
    idempotency.commit(tx, Reply::created(&offered)).await
}
