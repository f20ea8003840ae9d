//! `POST /v1/holder/relinquish`

use axum::extract::State;

use crate::http::problem::ProblemDocument;
use crate::http::{HolderCaller, Idempotency, Problem, Reply};
use crate::model::key::KeyState;
use crate::routes::keys::json::KeyJson;
use crate::service::{key_changes, key_view};
use crate::state::App;

/// The holder gives the key back: it and everything below it end for good.
#[utoipa::path(post, path = "/v1/holder/relinquish", tag = "holder", operation_id = "relinquish_key",
    security(("holder" = [])),
    responses((status = 200, description = "The key, relinquished.", body = KeyJson),
        (status = 404, description = "The vehicle was removed.", body = ProblemDocument,
            content_type = "application/problem+json")))]
pub async fn relinquish(
    State(app): State<App>,
    holder: HolderCaller,
    idempotency: Idempotency,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    let (vehicle, mut key) = super::key_of(&app, &tx, &holder).await?;
    key_changes::end(&app, &tx, &vehicle, &mut key, KeyState::Relinquished).await?;
    key.booking = None;
    let view = key_view::show_one(&app, &tx, key).await?;
    let reply = Reply::ok(&KeyJson::from(view));
    let reply = idempotency.commit(tx, reply).await?;
    app.hub.wake(vehicle.id);
    Ok(reply)
}
