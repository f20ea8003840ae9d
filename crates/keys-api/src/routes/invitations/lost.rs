//! `POST /v1/invitations/{id}/lost`

use axum::extract::State;

use super::json::{LostBody, LostJson};
use crate::http::time::Rfc3339;
use crate::http::{Idempotency, Json, Path, Problem, Reply};
use crate::model::id::InvitationId;
use crate::service::{invitations, key_view};
use crate::state::App;

/// A lost phone: link and recovery code suspend the key from any browser. A new phone needs the host.
#[utoipa::path(post, path = "/v1/invitations/{id}/lost", tag = "invitations", operation_id = "report_lost_phone",
    params(("id" = InvitationId, Path, description = "The invitation the key came by.")),
    request_body = LostBody,
    responses((status = 200, description = "The key is suspended.", body = LostJson)))]
pub async fn lost(
    State(app): State<App>,
    idempotency: Idempotency,
    Path(id): Path<InvitationId>,
    Json(body): Json<LostBody>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    let key = invitations::lost(&app, &tx, id, &body.secret, &body.recovery_code).await?;
    let vehicle = key.vehicle;
    let view = key_view::show_one(&app, &tx, key).await?;
    let reply = Reply::ok(&LostJson {
        state: view.key.state,
        dead_by: view.dead_by.ok().map(Rfc3339::from),
    });
    let reply = idempotency.commit(tx, reply).await?;
    app.hub.wake(vehicle);
    Ok(reply)
}
