//! `DELETE /v1/vehicles/{id}`

use axum::extract::State;

use crate::http::{OwnerCaller, Path, Problem, Reply};
use crate::model::id::VehicleId;
use crate::service::vehicles;
use crate::state::App;
use crate::storage::StorageError;

/// Removes a vehicle from the account. Its record stays.
#[utoipa::path(delete, path = "/v1/vehicles/{id}", tag = "vehicles", operation_id = "remove_vehicle",
    security(("owner" = [])), params(("id" = VehicleId, Path, description = "The vehicle.")),
    responses((status = 204, description = "The vehicle is gone.")))]
pub async fn remove(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<VehicleId>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    vehicles::remove(&app, &tx, owner.account, id).await?;
    tx.commit().await.map_err(StorageError::from)?;
    Ok(Reply::no_content())
}
