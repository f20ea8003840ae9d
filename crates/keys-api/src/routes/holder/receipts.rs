//! `GET /v1/holder/receipts`

use axum::extract::State;

use crate::http::{HolderCaller, Page, PageQuery, Problem, Query, Reply};
use crate::routes::receipts::json::ReceiptJson;
use crate::state::App;
use crate::storage;

/// The key's receipts, newest first.
#[utoipa::path(get, path = "/v1/holder/receipts", tag = "holder", operation_id = "list_holder_receipts",
    security(("holder" = [])), params(crate::openapi::PageParams),
    responses((status = 200, description = "A page of receipts.", body = Page<ReceiptJson>)))]
pub async fn receipts(
    State(app): State<App>,
    holder: HolderCaller,
    Query(page): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let rows = storage::receipts::of_key(app.db.read(), holder.key, &page).await?;
    Ok(Reply::ok(&Page::of(
        &page,
        rows,
        |row| row.id.to_string(),
        ReceiptJson::from,
    )))
}
