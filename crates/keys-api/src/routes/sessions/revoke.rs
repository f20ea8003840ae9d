//! `DELETE /v1/sessions/{id}`

use axum::extract::State;

use crate::http::{OwnerCaller, Path, Problem, Reply};
use crate::model::id::SessionId;
use crate::state::App;
use crate::storage::{StorageError, sessions};

/// Ends a session of the account.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "accounts", operation_id = "revoke_session",
    security(("owner" = [])), params(("id" = SessionId, Path, description = "The session.")),
    responses((status = 204, description = "The session has ended.")))]
pub async fn revoke(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<SessionId>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    if !sessions::delete(&tx, owner.account, id).await? {
        return Err(Problem::not_found());
    }
    tx.commit().await.map_err(StorageError::from)?;
    Ok(Reply::no_content())
}
