//! `GET /v1/api-tokens`

use axum::extract::State;

use super::json::ApiTokenJson;
use crate::http::{OwnerCaller, Page, PageQuery, Problem, Query, Reply};
use crate::state::App;
use crate::storage::api_tokens;

/// The account's API tokens, newest first.
#[utoipa::path(get, path = "/v1/api-tokens", tag = "accounts", operation_id = "list_api_tokens",
    security(("owner" = [])), params(crate::openapi::PageParams),
    responses((status = 200, description = "A page of API tokens.", body = Page<ApiTokenJson>)))]
pub async fn list(
    State(app): State<App>,
    owner: OwnerCaller,
    Query(page): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let rows = api_tokens::list(app.db.read(), owner.account, &page, app.clock.now()).await?;
    Ok(Reply::ok(&Page::of(
        &page,
        rows,
        |row| row.id.to_string(),
        ApiTokenJson::from,
    )))
}
