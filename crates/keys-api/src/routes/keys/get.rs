//! `GET /v1/keys/{id}`

use axum::extract::State;

use super::json::KeyJson;
use crate::http::{OwnerCaller, Path, Problem, Reply};
use crate::model::id::KeyId;
use crate::service::key_view;
use crate::state::App;
use crate::storage::keys;

/// One key with its co-drivers and by when it is dead.
#[utoipa::path(get, path = "/v1/keys/{id}", tag = "keys", operation_id = "get_key",
    security(("owner" = [])), params(("id" = KeyId, Path, description = "The key.")),
    responses((status = 200, description = "The key.", body = KeyJson)))]
pub async fn get(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<KeyId>,
) -> Result<Reply, Problem> {
    let db = app.db.read();
    let key = keys::of(owner.account).find(db, id).await?;
    let key = key.ok_or_else(Problem::not_found)?;
    let view = key_view::show_one(&app, db, key).await?;
    Ok(Reply::ok(&KeyJson::from(view)))
}
