//! `POST /v1/invitations/{id}/redeem`

use axum::extract::State;

use super::json::{RedeemBody, RedeemedJson};
use crate::http::problem::ProblemDocument;
use crate::http::{Idempotency, Json, Path, Problem, Reply};
use crate::model::id::InvitationId;
use crate::routes::keys::json::KeyJson;
use crate::service::invitations::{self, InvitationError, Redeemer};
use crate::service::key_view;
use crate::state::App;
use crate::storage::StorageError;

/// Binds the key to the phone that made `holder_key`. The first to redeem wins.
#[utoipa::path(post, path = "/v1/invitations/{id}/redeem", tag = "invitations", operation_id = "redeem_invitation",
    params(("id" = InvitationId, Path, description = "The invitation.")), request_body = RedeemBody,
    responses((status = 201, description = "The key, a holder session and a recovery code.", body = RedeemedJson),
        (status = 403, description = "The activation code is wrong.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 410, description = "Used, locked, withdrawn or over.", body = ProblemDocument,
            content_type = "application/problem+json")))]
pub async fn redeem(
    State(app): State<App>,
    idempotency: Idempotency,
    Path(id): Path<InvitationId>,
    Json(body): Json<RedeemBody>,
) -> Result<Reply, Problem> {
    let redeemer = Redeemer {
        secret: body.secret,
        activation_code: body.activation_code,
        holder: body.holder_key,
        device_name: body.device_name,
    };
    let tx = app.db.begin().await?;
    let invitation = match invitations::check_code(&app, &tx, id, &redeemer).await {
        Ok(invitation) => invitation,
        Err(error @ InvitationError::CodeWrong(_)) => {
            // The try is gone, although the answer is a refusal.
            tx.commit().await.map_err(StorageError::from)?;
            return Err(error.into());
        }
        Err(error) => return Err(error.into()),
    };
    let redeemed = invitations::redeem(&app, &tx, invitation, redeemer).await?;
    let vehicle = redeemed.key.vehicle;
    let view = key_view::show_one(&app, &tx, redeemed.key).await?;
    let reply = Reply::created(&RedeemedJson {
        key: KeyJson::from(view),
        holder_token: redeemed.holder_token.reveal().to_owned(),
        recovery_code: redeemed.recovery_code.reveal().to_owned(),
    });
    let reply = idempotency.commit(tx, reply).await?;
    app.hub.wake(vehicle);
    Ok(reply)
}
