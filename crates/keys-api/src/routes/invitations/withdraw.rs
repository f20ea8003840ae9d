//! `DELETE /v1/invitations/{id}`

use axum::extract::State;

use crate::http::problem::ProblemDocument;
use crate::http::{OwnerCaller, Path, Problem, Reply};
use crate::model::id::InvitationId;
use crate::service::invitations;
use crate::state::App;
use crate::storage::StorageError;

/// Takes back an invitation that nobody redeemed. To undo a redeemed one, revoke the key.
#[utoipa::path(delete, path = "/v1/invitations/{id}", tag = "invitations", operation_id = "withdraw_invitation",
    security(("owner" = [])), params(("id" = InvitationId, Path, description = "The invitation.")),
    responses((status = 204, description = "It cannot be redeemed any more."),
        (status = 410, description = "It was redeemed.", body = ProblemDocument,
            content_type = "application/problem+json")))]
pub async fn withdraw(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<InvitationId>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    invitations::withdraw(&app, &tx, owner.account, id).await?;
    tx.commit().await.map_err(StorageError::from)?;
    Ok(Reply::no_content())
}
