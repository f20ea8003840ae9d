//! `GET /v1/account`

use axum::extract::State;

use super::json::AccountJson;
use crate::http::{OwnerCaller, Problem, Reply};
use crate::state::App;
use crate::storage::accounts;

/// The account that is asking.
#[utoipa::path(get, path = "/v1/account", tag = "accounts", operation_id = "get_account", security(("owner" = [])),
    responses((status = 200, description = "The account.", body = AccountJson)))]
pub async fn get(State(app): State<App>, owner: OwnerCaller) -> Result<Reply, Problem> {
    let account = accounts::find(app.db.read(), owner.account)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Reply::ok(&AccountJson::from(account)))
}
