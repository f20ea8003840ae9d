//! `POST /v1/accounts`

use axum::extract::State;
use axum::http::HeaderMap;

use super::json::{SignUpBody, SignedIn};
use crate::http::{Idempotency, Json, Problem, Reply};
use crate::service::accounts::{self, SignUp};
use crate::state::App;

/// Signs up: makes an account and begins a session.
#[utoipa::path(post, path = "/v1/accounts", tag = "accounts", operation_id = "sign_up", request_body = SignUpBody,
    responses((status = 201, description = "The account and its first session.", body = SignedIn)))]
pub async fn sign_up(
    State(app): State<App>,
    idempotency: Idempotency,
    headers: HeaderMap,
    Json(body): Json<SignUpBody>,
) -> Result<Reply, Problem> {
    let password_hash = app
        .passwords
        .hash(body.password, app.random.as_ref())
        .await?;
    let new = SignUp {
        email: body.email,
        name: body.name,
        password_hash,
    };
    let tx = app.db.begin().await?;
    let account = accounts::sign_up(&app, &tx, new).await?;
    let agent = crate::routes::sessions::user_agent(&headers);
    let (_, token) = accounts::begin_session(&app, &tx, account.id, agent).await?;
    let signed_in = SignedIn {
        account: account.into(),
        token: token.reveal().to_owned(),
    };
    idempotency.commit(tx, Reply::created(&signed_in)).await
}
