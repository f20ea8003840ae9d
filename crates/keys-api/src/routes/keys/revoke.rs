//! `POST /v1/keys/{id}/revoke`

use axum::extract::State;

use super::change::change;
use super::json::KeyJson;
use crate::http::{Idempotency, OwnerCaller, Path, Problem, Reply};
use crate::model::id::KeyId;
use crate::model::key::KeyState;
use crate::service::key_changes;
use crate::state::App;

/// Ends a key and everything below it, for good. `dead_by` says when it opens nothing any more.
#[utoipa::path(post, path = "/v1/keys/{id}/revoke", tag = "keys", operation_id = "revoke_key",
    security(("owner" = [])), params(("id" = KeyId, Path, description = "The key.")),
    responses((status = 200, description = "The key, revoked.", body = KeyJson)))]
pub async fn revoke(
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
        async |app, tx, vehicle, key| {
            key_changes::end(app, tx, vehicle, key, KeyState::Revoked).await
        },
    )
    .await
}
