//! `GET /v1/sessions`

use axum::extract::State;

use super::json::SessionJson;
use crate::http::caller::OwnerToken;
use crate::http::{OwnerCaller, Page, PageQuery, Problem, Query, Reply};
use crate::state::App;
use crate::storage::sessions;

/// The account's sessions, newest first.
#[utoipa::path(get, path = "/v1/sessions", tag = "accounts", operation_id = "list_sessions", security(("owner" = [])),
    params(crate::openapi::PageParams),
    responses((status = 200, description = "A page of sessions.", body = Page<SessionJson>)))]
pub async fn list(
    State(app): State<App>,
    owner: OwnerCaller,
    Query(page): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let rows = sessions::list(app.db.read(), owner.account, &page, app.clock.now()).await?;
    let asking = match owner.by {
        OwnerToken::Session(id) => Some(id),
        OwnerToken::ApiToken(_) => None,
    };
    let page = Page::of(
        &page,
        rows,
        |row| row.id.to_string(),
        |row| SessionJson::new(row, asking),
    );
    Ok(Reply::ok(&page))
}
