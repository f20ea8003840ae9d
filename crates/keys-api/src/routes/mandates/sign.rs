//! `POST /v1/vehicles/{id}/mandate`

use axum::extract::State;

use super::json::{Asked, MandateJson, SignMandate};
use crate::http::{Idempotency, Json, OwnerCaller, Path, Problem, Reply};
use crate::model::id::VehicleId;
use crate::service::mandates;
use crate::state::App;
use crate::storage::vehicles;

/// Lets the platform issue keys within limits: signed here for a managed vehicle, by the owner's device
/// for a sovereign one. A sovereign vehicle's trust tier falls to `mandated`.
///
/// A live mandate stays beside the new one until its own end; new keys are issued below the newest.
#[utoipa::path(post, path = "/v1/vehicles/{id}/mandate", tag = "trust", operation_id = "sign_mandate",
    security(("owner" = [])), params(("id" = VehicleId, Path, description = "The vehicle.")),
    request_body = SignMandate,
    responses((status = 201, description = "The mandate.", body = MandateJson)))]
pub async fn sign(
    State(app): State<App>,
    owner: OwnerCaller,
    idempotency: Idempotency,
    Path(id): Path<VehicleId>,
    Json(body): Json<SignMandate>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    let vehicle = vehicles::of(owner.account)
        .find(&tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let asked = body.into_asked();
    let (mandate, link) = match asked {
        Some(Asked::Link(link)) => mandates::adopt(&app, &tx, &vehicle, link).await?,
        Some(Asked::Terms(terms)) => mandates::sign(&app, &tx, &vehicle, terms).await?,
        None => {
            return Err(Problem::invalid_field(
                "/link",
                "required, unless there are terms",
            ));
        }
    };
    let reply = Reply::created(&MandateJson::new(&mandate, &link));
    let reply = idempotency.commit(tx, reply).await?;
    app.hub.wake(id);
    Ok(reply)
}
