//! `POST /v1/holder/challenges`

use axum::extract::State;

use crate::http::extract::OptionalJson;
use crate::http::problem::ProblemDocument;
use crate::http::{HolderCaller, Idempotency, Problem, Reply};
use crate::routes::commands::json::{ChallengeBody, ChallengeJson};
use crate::routes::encode::base64url;
use crate::state::App;

/// A fresh challenge of the car's gateway, for the phone to sign over.
#[utoipa::path(post, path = "/v1/holder/challenges", tag = "holder", operation_id = "get_holder_challenge",
    security(("holder" = [])), request_body = ChallengeBody,
    responses((status = 201, description = "The challenge.", body = ChallengeJson),
        (status = 404, description = "The vehicle was removed.", body = ProblemDocument,
            content_type = "application/problem+json")))]
pub async fn challenge(
    State(app): State<App>,
    holder: HolderCaller,
    idempotency: Idempotency,
    OptionalJson(body): OptionalJson<ChallengeBody>,
) -> Result<Reply, Problem> {
    let vehicle = super::vehicle_of(app.db.read(), &holder).await?;
    let challenge = app.hub.challenge(vehicle.id, body.phone_nonce).await?;
    let json = ChallengeJson {
        challenge: base64url(&challenge),
    };
    let tx = app.db.begin().await?;
    idempotency.commit(tx, Reply::created(&json)).await
}
