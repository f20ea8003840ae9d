//! `GET /v1/vehicles`

use std::collections::HashMap;

use axum::extract::State;

use super::json::VehicleJson;
use crate::http::{OwnerCaller, Page, PageQuery, Problem, Query, Reply};
use crate::state::App;
use crate::storage::{signing_keys, vehicles};

/// The account's vehicles, newest first.
#[utoipa::path(get, path = "/v1/vehicles", tag = "vehicles", operation_id = "list_vehicles",
    security(("owner" = [])), params(crate::openapi::PageParams),
    responses((status = 200, description = "A page of vehicles.", body = Page<VehicleJson>)))]
pub async fn list(
    State(app): State<App>,
    owner: OwnerCaller,
    Query(page): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let db = app.db.read();
    let rows = vehicles::of(owner.account).list(db, &page).await?;
    let mut keys: HashMap<_, _> =
        signing_keys::owners_of(db, rows.iter().map(|row| row.id)).await?;
    let show = |row: crate::model::vehicle::Vehicle| {
        let key = keys.remove(&row.id);
        VehicleJson::new(row, key.as_ref())
    };
    Ok(Reply::ok(&Page::of(
        &page,
        rows,
        |row| row.id.to_string(),
        show,
    )))
}
