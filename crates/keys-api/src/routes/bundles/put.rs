//! `PUT /v1/vehicles/{id}/bundle`

use axum::extract::State;

use super::json::{BundleJson, PutBundle};
use crate::http::{Json, OwnerCaller, Path, Problem, Reply};
use crate::model::id::VehicleId;
use crate::service::bundles;
use crate::state::App;
use crate::storage::{StorageError, vehicles};

/// Takes a bundle that a sovereign owner's device signed; it reaches the gateway at once or by phone.
#[utoipa::path(put, path = "/v1/vehicles/{id}/bundle", tag = "trust", operation_id = "put_bundle",
    security(("owner" = [])), params(("id" = VehicleId, Path, description = "The vehicle.")),
    request_body = PutBundle,
    responses((status = 200, description = "The bundle as taken.", body = BundleJson)))]
pub async fn put(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<VehicleId>,
    Json(body): Json<PutBundle>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    let vehicle = vehicles::of(owner.account)
        .find(&tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let (bundle, stored) = bundles::adopt(&app, &tx, &vehicle, body.bundle).await?;
    tx.commit().await.map_err(StorageError::from)?;
    app.hub.wake(id);
    Ok(Reply::ok(&BundleJson::new(&bundle, &stored)))
}
