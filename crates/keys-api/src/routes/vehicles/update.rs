//! `PATCH /v1/vehicles/{id}`

use axum::extract::State;

use super::json::{UpdateVehicle, VehicleJson};
use crate::http::{Json, OwnerCaller, Path, Problem, Reply};
use crate::model::id::VehicleId;
use crate::service::vehicles;
use crate::state::App;
use crate::storage::{StorageError, signing_keys};

/// Changes what is shown about a vehicle.
#[utoipa::path(patch, path = "/v1/vehicles/{id}", tag = "vehicles", operation_id = "update_vehicle",
    security(("owner" = [])), params(("id" = VehicleId, Path, description = "The vehicle.")),
    request_body = UpdateVehicle,
    responses((status = 200, description = "The vehicle as changed.", body = VehicleJson)))]
pub async fn update(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<VehicleId>,
    Json(body): Json<UpdateVehicle>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    let vehicle =
        vehicles::update(&app, &tx, owner.account, id, |details| body.apply(details)).await?;
    let key = signing_keys::owner_of(&tx, id).await?;
    tx.commit().await.map_err(StorageError::from)?;
    Ok(Reply::ok(&VehicleJson::new(vehicle, key.as_ref())))
}
