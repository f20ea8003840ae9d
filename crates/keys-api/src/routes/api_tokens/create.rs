//! `POST /v1/api-tokens`

use axum::extract::State;

use super::json::{CreateApiToken, NewApiToken};
use crate::http::{Idempotency, Json, OwnerCaller, Problem, Reply};
use crate::service::api_tokens;
use crate::state::App;

/// Makes an API token. Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/v1/api-tokens", tag = "accounts", operation_id = "create_api_token",
    security(("owner" = [])), request_body = CreateApiToken,
    responses((status = 201, description = "The token and its secret.", body = NewApiToken)))]
pub async fn create(
    State(app): State<App>,
    owner: OwnerCaller,
    idempotency: Idempotency,
    Json(body): Json<CreateApiToken>,
) -> Result<Reply, Problem> {
    if body.expires_at.is_some_and(|at| at <= app.clock.now()) {
        return Err(Problem::invalid_field(
            "/expires_at",
            "expected a time in the future",
        ));
    }
    let tx = app.db.begin().await?;
    let (token, secret) =
        api_tokens::create(&app, &tx, owner.account, body.name, body.expires_at).await?;
    idempotency
        .commit(tx, Reply::created(&NewApiToken::new(token, &secret)))
        .await
}
