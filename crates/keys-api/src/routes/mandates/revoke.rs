//! `DELETE /v1/vehicles/{id}/mandate`

use axum::extract::State;

use crate::http::{OwnerCaller, Path, Problem, Reply};
use crate::model::id::VehicleId;
use crate::service::mandates;
use crate::state::App;
use crate::storage::{StorageError, vehicles};

/// Ends every live mandate of a vehicle and all keys below.
///
/// For a managed vehicle the owner's statement is signed here. For a sovereign one the platform stops
/// at once and denies its own links; the owner's statement waits for the owner's device, see
/// `to_sign` of the vehicle's statements.
#[utoipa::path(delete, path = "/v1/vehicles/{id}/mandate", tag = "trust", operation_id = "revoke_mandate",
    security(("owner" = [])), params(("id" = VehicleId, Path, description = "The vehicle.")),
    responses((status = 204, description = "Mandate and keys below it are revoked.")))]
pub async fn revoke(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<VehicleId>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    let vehicle = vehicles::of(owner.account)
        .find(&tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    mandates::revoke(&app, &tx, owner.account, &vehicle).await?;
    tx.commit().await.map_err(StorageError::from)?;
    app.hub.wake(id);
    Ok(Reply::no_content())
}
