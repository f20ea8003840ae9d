//! `POST /v1/vehicles/{id}/pair`

use axum::extract::State;

use super::json::PairBody;
use crate::http::{Idempotency, Json, OwnerCaller, Path, Problem, Reply};
use crate::model::id::VehicleId;
use crate::routes::bundles::json::BundleJson;
use crate::service::pairing;
use crate::state::App;

/// Pairs a managed vehicle with the gateway that shows this code. The API acts as the owner's device,
/// and the trust tier says so. Takes up to half a minute.
#[utoipa::path(post, path = "/v1/vehicles/{id}/pair", tag = "pairings", operation_id = "pair_vehicle",
    security(("owner" = [])), params(("id" = VehicleId, Path, description = "The vehicle.")),
    request_body = PairBody,
    responses((status = 200, description = "The bundle that the gateway now trusts.", body = BundleJson)))]
pub async fn pair(
    State(app): State<App>,
    owner: OwnerCaller,
    idempotency: Idempotency,
    Path(id): Path<VehicleId>,
    Json(body): Json<PairBody>,
) -> Result<Reply, Problem> {
    let paired = pairing::pair_managed(&app, owner.account, id, &body.code).await?;
    let tx = app.db.begin().await?;
    let (bundle, stored) = pairing::store_managed(&app, &tx, &paired).await?;
    let reply = Reply::ok(&BundleJson::new(&bundle, &stored));
    let reply = idempotency.commit(tx, reply).await?;
    app.hub.wake(id);
    Ok(reply)
}
