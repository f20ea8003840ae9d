//! `POST /v1/sessions`

use axum::extract::State;
use axum::http::HeaderMap;

use super::json::SignInBody;
use crate::http::{Idempotency, Json, Problem, Reply};
use crate::routes::accounts::json::SignedIn;
use crate::service::accounts;
use crate::state::App;

/// Signs in: begins a session.
#[utoipa::path(post, path = "/v1/sessions", tag = "accounts", operation_id = "sign_in", request_body = SignInBody,
    responses((status = 201, description = "The account and a new session.", body = SignedIn)))]
pub async fn create(
    State(app): State<App>,
    idempotency: Idempotency,
    headers: HeaderMap,
    Json(body): Json<SignInBody>,
) -> Result<Reply, Problem> {
    app.limits.check_email(body.email.as_str())?;
    let account = accounts::authenticate(&app, &body.email, body.password).await?;
    let tx = app.db.begin().await?;
    let (_, token) =
        accounts::begin_session(&app, &tx, account.id, super::user_agent(&headers)).await?;
    let signed_in = SignedIn {
        account: account.into(),
        token: token.reveal().to_owned(),
    };
    idempotency.commit(tx, Reply::created(&signed_in)).await
}
