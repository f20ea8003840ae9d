//! `POST /v1/keys/{id}/shorten`

use axum::extract::State;

use super::change::change;
use super::json::{KeyJson, NewEnd};
use crate::http::{Idempotency, Json, OwnerCaller, Path, Problem, Reply};
use crate::model::id::KeyId;
use crate::service::key_changes;
use crate::state::App;

/// Lets a key end earlier: a new link, and the old ones are revoked.
#[utoipa::path(post, path = "/v1/keys/{id}/shorten", tag = "keys", operation_id = "shorten_key",
    security(("owner" = [])), params(("id" = KeyId, Path, description = "The key.")),
    request_body = NewEnd,
    responses((status = 200, description = "The key with its new end.", body = KeyJson)))]
pub async fn shorten(
    State(app): State<App>,
    owner: OwnerCaller,
    idempotency: Idempotency,
    Path(id): Path<KeyId>,
    Json(body): Json<NewEnd>,
) -> Result<Reply, Problem> {
    let until = body.valid_until;
    change(
        &app,
        owner,
        idempotency,
        id,
        async |app, tx, vehicle, key| key_changes::shorten(app, tx, vehicle, key, until).await,
    )
    .await
}
