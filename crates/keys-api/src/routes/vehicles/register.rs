//! `POST /v1/vehicles`

use axum::extract::State;

use super::json::{RegisterVehicle, VehicleJson};
use crate::http::{Idempotency, Json, OwnerCaller, Problem, Reply};
use crate::service::vehicles;
use crate::state::App;

/// Registers a vehicle.
#[utoipa::path(post, path = "/v1/vehicles", tag = "vehicles", operation_id = "register_vehicle",
    security(("owner" = [])), request_body = RegisterVehicle,
    responses((status = 201, description = "The vehicle.", body = VehicleJson)))]
pub async fn register(
    State(app): State<App>,
    owner: OwnerCaller,
    idempotency: Idempotency,
    Json(body): Json<RegisterVehicle>,
) -> Result<Reply, Problem> {
    let (details, owner_key) = body.into_parts();
    let tx = app.db.begin().await?;
    let (vehicle, key) = vehicles::register(&app, &tx, owner.account, details, owner_key).await?;
    idempotency
        .commit(tx, Reply::created(&VehicleJson::new(vehicle, Some(&key))))
        .await
}
