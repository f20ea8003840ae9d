//! `GET /v1/vehicles/{id}/statements`

use axum::extract::State;

use super::json::StatementsJson;
use crate::http::{OwnerCaller, Path, Problem, Reply};
use crate::model::id::VehicleId;
use crate::state::App;
use crate::storage::vehicles;

/// The newest statements of owner and platform, and what the owner's device should sign.
#[utoipa::path(get, path = "/v1/vehicles/{id}/statements", tag = "trust", operation_id = "get_statements",
    security(("owner" = [])), params(("id" = VehicleId, Path, description = "The vehicle.")),
    responses((status = 200, description = "The statements.", body = StatementsJson)))]
pub async fn list(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<VehicleId>,
) -> Result<Reply, Problem> {
    let db = app.db.read();
    let vehicle = vehicles::of(owner.account).find(db, id).await?;
    let vehicle = vehicle.ok_or_else(Problem::not_found)?;
    Ok(Reply::ok(&StatementsJson::load(&app, db, &vehicle).await?))
}
