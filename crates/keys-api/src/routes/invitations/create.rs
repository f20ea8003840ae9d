//! `POST /v1/keys/{id}/invitations`

use axum::extract::State;

use super::json::{CreateInvitation, InvitationJson};
use crate::http::extract::OptionalJson;
use crate::http::{Idempotency, OwnerCaller, Path, Problem, Reply};
use crate::model::id::KeyId;
use crate::service::invitations;
use crate::state::App;

/// Makes the one-time offer of a key that waits for its holder.
#[utoipa::path(post, path = "/v1/keys/{id}/invitations", tag = "invitations", operation_id = "create_invitation",
    security(("owner" = [])), params(("id" = KeyId, Path, description = "The key.")),
    request_body = CreateInvitation,
    responses((status = 201, description = "The invitation; its secrets are shown once.", body = InvitationJson)))]
pub async fn create(
    State(app): State<App>,
    owner: OwnerCaller,
    idempotency: Idempotency,
    Path(id): Path<KeyId>,
    OptionalJson(body): OptionalJson<CreateInvitation>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    let made = invitations::create(&app, &tx, owner.account, id, body.activation_code).await?;
    let secret = made.secret.reveal();
    let json = InvitationJson {
        id: made.invitation.id,
        key_id: made.invitation.key,
        url: format!("{}/k/{}#{secret}", app.origin, made.invitation.id),
        secret: secret.to_owned(),
        activation_code: made.activation_code.map(|code| code.reveal().to_owned()),
        expires_at: made.invitation.expires_at.into(),
    };
    idempotency.commit(tx, Reply::created(&json)).await
}
