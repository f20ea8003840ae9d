//! `POST /v1/keys/{id}/suspend`

use axum::extract::State;

use super::change::change;
use super::json::KeyJson;
use crate::http::{Idempotency, OwnerCaller, Path, Problem, Reply};
use crate::model::id::KeyId;
use crate::service::key_changes;
use crate::state::App;

/// Pauses a key and everything below it. A paused key stays paused.
#[utoipa::path(post, path = "/v1/keys/{id}/suspend", tag = "keys", operation_id = "suspend_key",
    security(("owner" = [])), params(("id" = KeyId, Path, description = "The key.")),
    responses((status = 200, description = "The key, suspended.", body = KeyJson)))]
pub async fn suspend(
    State(app): State<App>,
    owner: OwnerCaller,
    idempotency: Idempotency,
    Path(id): Path<KeyId>,
) -> Result<Reply, Problem> {
    change(
        &app,
        owner,
        idempotency,
        id,
        async |app, tx, vehicle, key| key_changes::suspend(app, tx, vehicle, key).await,
    )
    .await
}
