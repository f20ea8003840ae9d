//! `POST /v1/vehicles/{id}/commands`

use axum::extract::State;

use super::json::{CommandJson, SendCommand};
use crate::http::{Idempotency, Json, OwnerCaller, Path, Problem, Query, Reply};
use crate::model::id::VehicleId;
use crate::routes::wait::{WaitParams, WaitQuery};
use crate::service::commands::{self, Sender};
use crate::state::App;
use crate::storage::vehicles;

/// An owner's command. A managed owner names it, and the server-held owner key presents it as an owner
/// device; a sovereign owner's device posts its own presentation.
#[utoipa::path(post, path = "/v1/vehicles/{id}/commands", tag = "commands", operation_id = "send_owner_command",
    security(("owner" = [])),
    params(("id" = VehicleId, Path, description = "The vehicle."), WaitParams),
    request_body = SendCommand,
    responses((status = 200, description = "The command, answered.", body = CommandJson),
        (status = 202, description = "The command, under way.", body = CommandJson)))]
pub async fn send(
    State(app): State<App>,
    owner: OwnerCaller,
    idempotency: Idempotency,
    Path(id): Path<VehicleId>,
    Query(wait): Query<WaitQuery>,
    Json(body): Json<SendCommand>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    let vehicle = vehicles::of(owner.account)
        .find(&tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let command = match (body.command, body.presentation) {
        (Some(command), _) => {
            commands::accept_managed(&app, &tx, owner.account, &vehicle, command).await?
        }
        (None, Some(presentation)) => {
            let sender = Sender::Owner(owner.account);
            commands::accept(&app, &tx, id, sender, presentation).await?
        }
        (None, None) => return Err(Problem::invalid_field("/command", "required")),
    };
    let row = command.id;
    idempotency.commit(tx, super::reply(&app, command)).await?;
    app.hub.wake(id);
    let command = super::settled(&app, row, wait.duration()).await?;
    Ok(super::reply(&app, command))
}
