//! `POST /v1/keys/{id}/resume`

use axum::extract::State;

use super::change::change;
use super::json::KeyJson;
use crate::http::{Idempotency, OwnerCaller, Path, Problem, Reply};
use crate::model::id::KeyId;
use crate::service::key_changes;
use crate::state::App;

/// Lets a paused key work again.
#[utoipa::path(post, path = "/v1/keys/{id}/resume", tag = "keys", operation_id = "resume_key",
    security(("owner" = [])), params(("id" = KeyId, Path, description = "The key.")),
    responses((status = 200, description = "The key, active.", body = KeyJson)))]
pub async fn resume(
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
        async |app, tx, vehicle, key| key_changes::resume(app, tx, vehicle, key).await,
    )
    .await
}
