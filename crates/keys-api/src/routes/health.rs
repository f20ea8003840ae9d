//! Whether the process lives, and whether it can serve.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use sea_orm::ConnectionTrait;

use crate::http::{Problem, Reply};
use crate::state::App;
use crate::storage::StorageError;

/// How the process is.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok`
    status: &'static str,
}

/// The process lives.
#[utoipa::path(get, path = "/health", tag = "operation", operation_id = "health",
    responses((status = 200, description = "The process lives.", body = Health)))]
pub async fn health() -> Reply {
    Reply::ok(&Health { status: "ok" })
}

/// The process can serve: its database answers, and it is not stopping.
#[utoipa::path(get, path = "/ready", tag = "operation", operation_id = "ready",
    responses((status = 200, description = "The process can serve.", body = Health)))]
pub async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    if app.stopping.is_cancelled() {
        return Err(Problem::unavailable("the server is stopping"));
    }
    app.db
        .read()
        .execute_unprepared("SELECT 1")
        .await
        .map_err(StorageError::from)?;
    Ok(Reply::ok(&Health { status: "ok" }).into_response())
}
