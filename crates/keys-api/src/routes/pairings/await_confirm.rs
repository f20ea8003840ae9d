//! `GET /v1/pairings/{id}/confirm`

use axum::extract::State;

use super::json::ConfirmJson;
use crate::http::{Path, Problem, Query, Reply};
use crate::model::id::PairingId;
use crate::relay::bells::Bell;
use crate::routes::encode::base64url;
use crate::routes::wait::{WaitParams, WaitQuery};
use crate::state::App;
use crate::storage::pairings;

/// A gateway waits for its owner's confirmation.
#[utoipa::path(get, path = "/v1/pairings/{id}/confirm", tag = "pairings", operation_id = "await_pairing_confirm",
    params(("id" = PairingId, Path, description = "The pairing."), WaitParams),
    responses((status = 200, description = "The confirmation.", body = ConfirmJson),
        (status = 204, description = "None yet; ask again.")))]
pub async fn await_confirm(
    State(app): State<App>,
    Path(id): Path<PairingId>,
    Query(wait): Query<WaitQuery>,
) -> Result<Reply, Problem> {
    let found = app
        .bells
        .wait(&app, Bell::Pairing(id), wait.duration(), || async {
            let now = app.clock.now();
            let pairing = pairings::find(app.db.read(), id, now).await?;
            let pairing = pairing.ok_or_else(Problem::not_found)?;
            Ok::<_, Problem>(pairing.confirm)
        })
        .await?;
    Ok(match found {
        Some(confirm) => Reply::ok(&ConfirmJson {
            confirm: base64url(&confirm),
        }),
        None => Reply::no_content(),
    })
}
