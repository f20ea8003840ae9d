//! `POST /v1/vehicles/{id}/statements`

use axum::extract::State;

use super::json::{PostStatement, StatementsJson};
use crate::http::{Idempotency, Json, OwnerCaller, Path, Problem, Reply};
use crate::model::id::VehicleId;
use crate::model::statement::Authority;
use crate::model::vehicle::KeyCustody;
use crate::service::{denials, statements, trust};
use crate::state::App;
use crate::storage::{self, vehicles};

/// Takes a statement that a sovereign owner's device signed, carries it out, and pushes it to the car.
#[utoipa::path(post, path = "/v1/vehicles/{id}/statements", tag = "trust", operation_id = "post_statement",
    security(("owner" = [])), params(("id" = VehicleId, Path, description = "The vehicle.")),
    request_body = PostStatement,
    responses((status = 200, description = "The statements as they stand now.", body = StatementsJson)))]
pub async fn post(
    State(app): State<App>,
    owner: OwnerCaller,
    idempotency: Idempotency,
    Path(id): Path<VehicleId>,
    Json(body): Json<PostStatement>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    let vehicle = vehicles::of(owner.account)
        .find(&tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if vehicle.custody == KeyCustody::Managed {
        let title = "The platform signs for this vehicle";
        let detail = "the platform signs a managed owner's statements";
        return Err(Problem::conflict("platform-signs", title, detail));
    }
    let now = app.clock.now();
    let trust = trust::load(&app, &tx, &vehicle, now).await?;
    let known = storage::statements::sequence(&tx, vehicle.id, Authority::Owner).await?;
    let (statement, sealed) = statements::verify_owner(&body.statement, &trust, known, now)?;
    statements::adopt_owner(&app, &tx, &vehicle, &statement, sealed).await?;
    denials::apply_owner_word(&app, &tx, &vehicle, &statement).await?;
    let reply = Reply::ok(&StatementsJson::load(&app, &tx, &vehicle).await?);
    let reply = idempotency.commit(tx, reply).await?;
    app.hub.wake(id);
    Ok(reply)
}
