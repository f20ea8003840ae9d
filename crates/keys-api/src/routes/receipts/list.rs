//! `GET /v1/vehicles/{id}/receipts`

use axum::extract::State;

use super::json::ReceiptJson;
use crate::http::{OwnerCaller, Page, PageQuery, Path, Problem, Query, Reply};
use crate::model::id::VehicleId;
use crate::state::App;
use crate::storage::{receipts, vehicles};

/// A vehicle's receipts, newest first.
#[utoipa::path(get, path = "/v1/vehicles/{id}/receipts", tag = "receipts", operation_id = "list_receipts",
    security(("owner" = [])),
    params(("id" = VehicleId, Path, description = "The vehicle."), crate::openapi::PageParams),
    responses((status = 200, description = "A page of receipts.", body = Page<ReceiptJson>)))]
pub async fn list(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<VehicleId>,
    Query(page): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let db = app.db.read();
    let vehicle = vehicles::of(owner.account).find(db, id).await?;
    let vehicle = vehicle.ok_or_else(Problem::not_found)?;
    let rows = receipts::of_vehicle(db, vehicle.id, &page).await?;
    Ok(Reply::ok(&Page::of(
        &page,
        rows,
        |row| row.id.to_string(),
        ReceiptJson::from,
    )))
}
