//! `POST /v1/invitations/{id}/look`

use axum::extract::State;

use super::json::{LookBody, LookJson, OfferedVehicle};
use crate::http::{Idempotency, Json, Path, Problem, Reply};
use crate::model::id::InvitationId;
use crate::service::invitations;
use crate::state::App;
use crate::storage::vehicles;

/// Shows an invitation to who has its secret. Consumes nothing.
#[utoipa::path(post, path = "/v1/invitations/{id}/look", tag = "invitations", operation_id = "look_at_invitation",
    params(("id" = InvitationId, Path, description = "The invitation.")), request_body = LookBody,
    responses((status = 200, description = "What is offered.", body = LookJson)))]
pub async fn look(
    State(app): State<App>,
    _idempotency: Idempotency,
    Path(id): Path<InvitationId>,
    Json(body): Json<LookBody>,
) -> Result<Reply, Problem> {
    let db = app.db.read();
    let (invitation, key) = invitations::look(&app, db, id, &body.secret).await?;
    let vehicle = vehicles::find_unscoped(db, key.vehicle).await?;
    let details = vehicle.ok_or_else(Problem::not_found)?.details;
    Ok(Reply::ok(&LookJson {
        state: invitation.state,
        key_state: key.state,
        vehicle: OfferedVehicle {
            name: details.name,
            brand: details.brand,
            model: details.model,
            time_zone: details.time_zone.name().to_owned(),
        },
        valid_from: key.window.from.into(),
        valid_until: key.window.until.into(),
        entitlements: key.entitlements().names(),
        needs_activation_code: invitation.activation_hash.is_some(),
        tries_left: invitation.tries_left,
    }))
}
