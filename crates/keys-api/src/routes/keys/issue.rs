//! `POST /v1/keys`

use axum::extract::State;

use super::json::{IssueKey, KeyJson};
use crate::http::{Idempotency, Json, OwnerCaller, Problem, Reply};
use crate::service::{issuing, key_view};
use crate::state::App;

/// Issues a key: checks mandate, window and overlap, reserves the slot, and signs at once if the holder
/// is known.
#[utoipa::path(post, path = "/v1/keys", tag = "keys", operation_id = "issue_key",
    security(("owner" = [])), request_body = IssueKey,
    responses((status = 201, description = "The key.", body = KeyJson)))]
pub async fn issue(
    State(app): State<App>,
    owner: OwnerCaller,
    idempotency: Idempotency,
    Json(body): Json<IssueKey>,
) -> Result<Reply, Problem> {
    let request = body.into_request();
    let vehicle = request.vehicle;
    let tx = app.db.begin().await?;
    let key = issuing::issue(&app, &tx, owner.account, request).await?;
    let view = key_view::show_one(&app, &tx, key).await?;
    let reply = Reply::created(&KeyJson::from(view));
    let reply = idempotency.commit(tx, reply).await?;
    // Its links may be new to the gateway.
    app.hub.wake(vehicle);
    Ok(reply)
}
