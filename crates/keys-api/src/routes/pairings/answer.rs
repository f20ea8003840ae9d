//! `POST /v1/pairings/{id}/answer`

use axum::extract::State;

use super::json::AnswerBody;
use crate::http::{Idempotency, Json, Path, Problem, Reply};
use crate::model::id::PairingId;
use crate::relay::bells::Bell;
use crate::service::pairing;
use crate::state::App;

/// A gateway answers a confirmation that it has pinned.
#[utoipa::path(post, path = "/v1/pairings/{id}/answer", tag = "pairings", operation_id = "answer_pairing",
    params(("id" = PairingId, Path, description = "The pairing.")), request_body = AnswerBody,
    responses((status = 204, description = "Passed on to the owner's device.")))]
pub async fn answer(
    State(app): State<App>,
    idempotency: Idempotency,
    Path(id): Path<PairingId>,
    Json(body): Json<AnswerBody>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    pairing::answer(&app, &tx, id, body.answer).await?;
    let reply = idempotency.commit(tx, Reply::no_content()).await?;
    app.bells.ring(Bell::Pairing(id));
    Ok(reply)
}
