//! `POST /v1/holder/delegations`

use axum::extract::State;

use super::json::ReportDelegation;
use crate::http::problem::ProblemDocument;
use crate::http::{HolderCaller, Idempotency, Json, Problem, Reply};
use crate::routes::keys::json::DelegateJson;
use crate::service::delegations;
use crate::state::App;

/// Reports a co-driver's link, so that the host sees the tree. The link works without this.
#[utoipa::path(post, path = "/v1/holder/delegations", tag = "holder", operation_id = "report_delegation",
    security(("holder" = [])), request_body = ReportDelegation,
    responses((status = 201, description = "The co-driver's link as the host sees it.", body = DelegateJson),
        (status = 404, description = "The vehicle was removed.", body = ProblemDocument,
            content_type = "application/problem+json")))]
pub async fn delegation(
    State(app): State<App>,
    holder: HolderCaller,
    idempotency: Idempotency,
    Json(body): Json<ReportDelegation>,
) -> Result<Reply, Problem> {
    let tx = app.db.begin().await?;
    let (vehicle, key) = super::key_of(&app, &tx, &holder).await?;
    let link = delegations::report(&app, &tx, &vehicle, &key, body.link, body.label).await?;
    let reply = Reply::created(&DelegateJson::from(link));
    idempotency.commit(tx, reply).await
}
