//! `GET /v1/commands/{id}`

use axum::extract::State;

use super::json::CommandJson;
use crate::http::{AnyCaller, Path, Problem, Query, Reply};
use crate::model::id::CommandRowId;
use crate::routes::wait::{WaitParams, WaitQuery};
use crate::state::App;
use crate::storage::{commands, vehicles};

/// A command as it stands, for the owner of its vehicle or the holder who sent it.
#[utoipa::path(get, path = "/v1/commands/{id}", tag = "commands", operation_id = "get_command",
    security(("owner" = []), ("holder" = [])),
    params(("id" = CommandRowId, Path, description = "The command."), WaitParams),
    responses((status = 200, description = "The command.", body = CommandJson)))]
pub async fn get(
    State(app): State<App>,
    caller: AnyCaller,
    Path(id): Path<CommandRowId>,
    Query(wait): Query<WaitQuery>,
) -> Result<Reply, Problem> {
    let db = app.db.read();
    let command = commands::find_unscoped(db, id).await?;
    let command = command.ok_or_else(Problem::not_found)?;
    let allowed = match caller {
        AnyCaller::Holder(holder) => command.key == Some(holder.key),
        AnyCaller::Owner(owner) => vehicles::of(owner.account)
            .find(db, command.vehicle)
            .await?
            .is_some(),
    };
    if !allowed {
        return Err(Problem::not_found());
    }
    let command = super::settled(&app, id, wait.duration()).await?;
    Ok(Reply::ok(&CommandJson::new(command, app.clock.now())))
}
