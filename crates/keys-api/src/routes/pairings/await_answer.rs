//! `GET /v1/pairings/{id}/answer`

use axum::extract::State;

use super::json::AnswerJson;
use crate::http::{OwnerCaller, Path, Problem, Query, Reply};
use crate::model::id::PairingId;
use crate::relay::bells::Bell;
use crate::routes::encode::base64url;
use crate::routes::wait::{WaitParams, WaitQuery};
use crate::state::App;
use crate::storage::pairings;

/// The owner's device that confirmed waits for the gateway's answer.
#[utoipa::path(get, path = "/v1/pairings/{id}/answer", tag = "pairings", operation_id = "await_pairing_answer",
    security(("owner" = [])),
    params(("id" = PairingId, Path, description = "The pairing."), WaitParams),
    responses((status = 200, description = "The answer.", body = AnswerJson),
        (status = 204, description = "None yet; ask again.")))]
pub async fn await_answer(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<PairingId>,
    Query(wait): Query<WaitQuery>,
) -> Result<Reply, Problem> {
    let found = app
        .bells
        .wait(&app, Bell::Pairing(id), wait.duration(), || async {
            let now = app.clock.now();
            let pairing = pairings::find(app.db.read(), id, now).await?;
            let pairing = pairing
                .filter(|pairing| pairing.account == Some(owner.account))
                .ok_or_else(Problem::not_found)?;
            Ok::<_, Problem>(pairing.answer)
        })
        .await?;
    Ok(match found {
        Some(answer) => Reply::ok(&AnswerJson {
            answer: base64url(&answer),
        }),
        None => Reply::no_content(),
    })
}
