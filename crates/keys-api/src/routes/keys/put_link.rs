//! `PUT /v1/keys/{id}/link`

use axum::extract::State;

use super::json::{KeyJson, PutLink};
use crate::http::{Json, OwnerCaller, Path, Problem, Reply};
use crate::model::id::KeyId;
use crate::service::{key_changes, key_view};
use crate::state::App;
use crate::storage::StorageError;

/// Takes the link that a sovereign owner's device signed over the key's `to_sign`, and nothing else.
#[utoipa::path(put, path = "/v1/keys/{id}/link", tag = "keys", operation_id = "put_key_link",
    security(("owner" = [])), params(("id" = KeyId, Path, description = "The key.")),
    request_body = PutLink,
    responses((status = 200, description = "The key, signed.", body = KeyJson)))]
pub async fn put_link(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<KeyId>,
    Json(body): Json<PutLink>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    let (vehicle, mut key) = key_changes::find(&app, &tx, owner.account, id).await?;
    key_changes::adopt_link(&app, &tx, &vehicle, &mut key, &body.link).await?;
    let view = key_view::show_one(&app, &tx, key).await?;
    tx.commit().await.map_err(StorageError::from)?;
    app.hub.wake(vehicle.id);
    Ok(Reply::ok(&KeyJson::from(view)))
}
