//! `POST /v1/vehicles/{id}/challenges`

use axum::extract::State;

use super::json::{ChallengeBody, ChallengeJson};
use crate::http::extract::OptionalJson;
use crate::http::{Idempotency, OwnerCaller, Path, Problem, Reply};
use crate::model::id::VehicleId;
use crate::routes::encode::base64url;
use crate::state::App;
use crate::storage::vehicles;

/// A fresh challenge of the car's gateway, for the owner's device.
#[utoipa::path(post, path = "/v1/vehicles/{id}/challenges", tag = "commands", operation_id = "get_owner_challenge",
    security(("owner" = [])), params(("id" = VehicleId, Path, description = "The vehicle.")),
    request_body = ChallengeBody,
    responses((status = 201, description = "The challenge.", body = ChallengeJson)))]
pub async fn challenge(
    State(app): State<App>,
    owner: OwnerCaller,
    idempotency: Idempotency,
    Path(id): Path<VehicleId>,
    OptionalJson(body): OptionalJson<ChallengeBody>,
) -> Result<Reply, Problem> {
    let vehicle = vehicles::of(owner.account).find(app.db.read(), id).await?;
    let vehicle = vehicle.ok_or_else(Problem::not_found)?;
    let challenge = app.hub.challenge(vehicle.id, body.phone_nonce).await?;
    let json = ChallengeJson {
        challenge: base64url(&challenge),
    };
    let tx = app.db.begin().await?;
    idempotency.commit(tx, Reply::created(&json)).await
}
