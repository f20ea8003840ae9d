//! `POST /v1/holder/commands`

use axum::extract::State;

use crate::http::problem::ProblemDocument;
use crate::http::{HolderCaller, Idempotency, Json, Problem, Query, Reply};
use crate::routes::commands::json::{CommandJson, PresentBody};
use crate::routes::commands::{reply, settled};
use crate::routes::wait::{WaitParams, WaitQuery};
use crate::service::commands::{self, Sender};
use crate::state::App;

/// Relays a presentation to the car's gateway, which decides. The same bytes again give the same
/// command; a command is sent once.
#[utoipa::path(post, path = "/v1/holder/commands", tag = "holder", operation_id = "send_holder_command",
    security(("holder" = [])), params(WaitParams), request_body = PresentBody,
    responses((status = 200, description = "The command, answered.", body = CommandJson),
        (status = 202, description = "The command, under way.", body = CommandJson),
        (status = 404, description = "The vehicle was removed.", body = ProblemDocument,
            content_type = "application/problem+json")))]
pub async fn command(
    State(app): State<App>,
    holder: HolderCaller,
    idempotency: Idempotency,
    Query(wait): Query<WaitQuery>,
    Json(body): Json<PresentBody>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    let vehicle = super::vehicle_of(&tx, &holder).await?;
    let sender = Sender::Holder(holder.key);
    let taken = commands::accept(&app, &tx, vehicle.id, sender, body.presentation).await?;
    let row = taken.id;
    idempotency.commit(tx, reply(&app, taken)).await?;
    app.hub.wake(vehicle.id);
    let command = settled(&app, row, wait.duration()).await?;
    Ok(reply(&app, command))
}
