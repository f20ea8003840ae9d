//! `GET /v1/vehicles/{id}/bundle`

use axum::extract::State;

use super::json::BundleJson;
use crate::http::{OwnerCaller, Path, Problem, Reply};
use crate::model::id::VehicleId;
use crate::service::trust;
use crate::state::App;
use crate::storage::{bundles, vehicles};

/// The newest bundle of a vehicle; 404 before it is paired.
#[utoipa::path(get, path = "/v1/vehicles/{id}/bundle", tag = "trust", operation_id = "get_bundle",
    security(("owner" = [])), params(("id" = VehicleId, Path, description = "The vehicle.")),
    responses((status = 200, description = "The bundle.", body = BundleJson)))]
pub async fn get(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<VehicleId>,
) -> Result<Reply, Problem> {
    let db = app.db.read();
    let vehicle = vehicles::of(owner.account).find(db, id).await?;
    let vehicle = vehicle.ok_or_else(Problem::not_found)?;
    let stored = bundles::newest(db, vehicle.id).await?;
    let stored = stored.ok_or_else(Problem::not_found)?;
    let bundle = trust::read_bundle(&stored)?;
    Ok(Reply::ok(&BundleJson::new(&bundle, &stored)))
}
