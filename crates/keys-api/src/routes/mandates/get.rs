//! `GET /v1/vehicles/{id}/mandate`

use axum::extract::State;

use super::json::MandateJson;
use crate::http::{OwnerCaller, Path, Problem, Reply};
use crate::model::id::VehicleId;
use crate::state::App;
use crate::storage::{links, mandates, vehicles};

/// The newest live mandate of a vehicle; 404 if there is none.
#[utoipa::path(get, path = "/v1/vehicles/{id}/mandate", tag = "trust", operation_id = "get_mandate",
    security(("owner" = [])), params(("id" = VehicleId, Path, description = "The vehicle.")),
    responses((status = 200, description = "The mandate.", body = MandateJson)))]
pub async fn get(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<VehicleId>,
) -> Result<Reply, Problem> {
    let db = app.db.read();
    let vehicle = vehicles::of(owner.account).find(db, id).await?;
    let vehicle = vehicle.ok_or_else(Problem::not_found)?;
    let live = mandates::live(db, vehicle.id, app.clock.now()).await?;
    let mandate = live.into_iter().next().ok_or_else(Problem::not_found)?;
    let link = links::find(db, mandate.link).await?;
    let link = link.ok_or_else(Problem::not_found)?;
    Ok(Reply::ok(&MandateJson::new(&mandate, &link)))
}
