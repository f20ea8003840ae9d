//! `DELETE /v1/api-tokens/{id}`

use axum::extract::State;

use crate::http::{OwnerCaller, Path, Problem, Reply};
use crate::model::id::ApiTokenId;
use crate::state::App;
use crate::storage::{StorageError, api_tokens};

/// Ends an API token of the account.
#[utoipa::path(delete, path = "/v1/api-tokens/{id}", tag = "accounts", operation_id = "revoke_api_token",
    security(("owner" = [])), params(("id" = ApiTokenId, Path, description = "The API token.")),
    responses((status = 204, description = "The token has ended.")))]
pub async fn revoke(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<ApiTokenId>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    if !api_tokens::delete(&tx, owner.account, id).await? {
        return Err(Problem::not_found());
    }
    tx.commit().await.map_err(StorageError::from)?;
    Ok(Reply::no_content())
}
