//! `GET /v1/vehicles/{id}`

use axum::extract::State;

use super::json::VehicleJson;
use crate::http::{OwnerCaller, Path, Problem, Reply};
use crate::model::id::VehicleId;
use crate::state::App;
use crate::storage::{signing_keys, vehicles};

/// One vehicle of the account.
#[utoipa::path(get, path = "/v1/vehicles/{id}", tag = "vehicles", operation_id = "get_vehicle",
    security(("owner" = [])), params(("id" = VehicleId, Path, description = "The vehicle.")),
    responses((status = 200, description = "The vehicle.", body = VehicleJson)))]
pub async fn get(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<VehicleId>,
) -> Result<Reply, Problem> {
    let vehicle = vehicles::of(owner.account)
        .find(app.db.read(), id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let key = signing_keys::owner_of(app.db.read(), id).await?;
    Ok(Reply::ok(&VehicleJson::new(vehicle, key.as_ref())))
}
