//! `GET /v1/keys`

use axum::extract::State;

use super::json::{KeyJson, KeysQuery};
use crate::http::{OwnerCaller, Page, Problem, Query, Reply};
use crate::model::id::VehicleId;
use crate::model::key::KeyState;
use crate::service::key_view;
use crate::state::App;
use crate::storage::keys;

/// The account's keys, newest first.
#[utoipa::path(get, path = "/v1/keys", tag = "keys", operation_id = "list_keys",
    security(("owner" = [])),
    params(("vehicle_id" = Option<VehicleId>, Query, description = "Only of this vehicle."),
        ("state" = Option<KeyState>, Query, description = "Only in this state."),
        crate::openapi::PageParams),
    responses((status = 200, description = "A page of keys.", body = Page<KeyJson>)))]
pub async fn list(
    State(app): State<App>,
    owner: OwnerCaller,
    Query(query): Query<KeysQuery>,
) -> Result<Reply, Problem> {
    let db = app.db.read();
    let now = app.clock.now();
    let rows = keys::of(owner.account)
        .list(db, query.filter, now, &query.page)
        .await?;
    let views = key_view::show(&app, db, rows).await?;
    Ok(Reply::ok(&Page::of(
        &query.page,
        views,
        |view| view.key.id.to_string(),
        KeyJson::from,
    )))
}
