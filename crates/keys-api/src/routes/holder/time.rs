//! `POST /v1/holder/time`

use axum::extract::State;
use keys_core::attestation::attest;
use keys_core::carried::{Carried, CarriedKind};
use keys_core::challenge::Challenge;
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::signature::VerifyingKey;

use super::json::{TimeBody, TimeJson};
use crate::http::problem::ProblemDocument;
use crate::http::{HolderCaller, Idempotency, Json, Problem, Reply};
use crate::routes::encode::base64url;
use crate::state::App;
use crate::storage::bundles;

/// Attests the time over a challenge of the holder's car, for a phone to carry there.
#[utoipa::path(post, path = "/v1/holder/time", tag = "holder", operation_id = "attest_time",
    security(("holder" = [])), request_body = TimeBody,
    responses((status = 201, description = "The attestation.", body = TimeJson),
        (status = 404, description = "The vehicle was removed.", body = ProblemDocument,
            content_type = "application/problem+json")))]
pub async fn time(
    State(app): State<App>,
    holder: HolderCaller,
    idempotency: Idempotency,
    Json(body): Json<TimeBody>,
) -> Result<Reply, Problem> {
    let db = app.db.read();
    let vehicle = super::vehicle_of(db, &holder).await?;
    let bundle = bundles::newest(db, vehicle.id).await?;
    let gateway = bundle.and_then(|bundle| VerifyingKey::decode(&bundle.gateway_key).ok());
    let of_this_car = gateway.is_some_and(|gateway| {
        let decoded = Unverified::<Challenge>::decode(&body.challenge).ok();
        decoded
            .and_then(|challenge| challenge.verify(&gateway, NO_REST).ok())
            .is_some_and(|challenge| challenge.body().vehicle == vehicle.id.core())
    });
    if !of_this_car {
        let detail = "not a challenge of this car's gateway";
        return Err(Problem::invalid_field("/challenge", detail));
    }
    let status = &app.platform().status;
    let sealed = attest(app.clock.now(), status, &body.challenge)
        .map_err(|error| Problem::internal(&error))?;
    let carried = Carried {
        kind: CarriedKind::Time,
        object: &sealed.bytes,
        challenge: Some(&body.challenge),
    };
    let json = TimeJson {
        attestation: base64url(&sealed.bytes),
        carried: base64url(&carried.encode()),
    };
    let tx = app.db.begin().await?;
    idempotency.commit(tx, Reply::created(&json)).await
}
