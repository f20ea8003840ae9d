//! `POST /v1/pairings/{id}/confirm`

use axum::extract::State;

use super::json::ConfirmBody;
use crate::http::{Idempotency, Json, OwnerCaller, Path, Problem, Reply};
use crate::model::id::PairingId;
use crate::relay::bells::Bell;
use crate::service::pairing;
use crate::state::App;

/// An owner's device confirms an offer for one of the account's vehicles. Until the gateway answers, a
/// later confirmation replaces an earlier one.
#[utoipa::path(post, path = "/v1/pairings/{id}/confirm", tag = "pairings", operation_id = "confirm_pairing",
    security(("owner" = [])), params(("id" = PairingId, Path, description = "The pairing.")),
    request_body = ConfirmBody,
    responses((status = 204, description = "Passed on to the gateway.")))]
pub async fn confirm(
    State(app): State<App>,
    owner: OwnerCaller,
    idempotency: Idempotency,
    Path(id): Path<PairingId>,
    Json(body): Json<ConfirmBody>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    pairing::confirm(&app, &tx, owner.account, id, body.confirm).await?;
    let reply = idempotency.commit(tx, Reply::no_content()).await?;
    app.bells.ring(Bell::Pairing(id));
    Ok(reply)
}
