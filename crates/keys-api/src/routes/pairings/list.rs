//! `GET /v1/pairings`

use axum::extract::State;

use super::json::{OfferJson, OffersJson, OffersQuery};
use crate::http::{OwnerCaller, Problem, Query, Reply};
use crate::state::App;
use crate::storage::pairings;

/// Offers of gateways under the public half of a code.
#[utoipa::path(get, path = "/v1/pairings", tag = "pairings", operation_id = "list_pairings",
    security(("owner" = [])),
    params(("fingerprint" = String, Query, description = "First 16 symbols of the code.")),
    responses((status = 200, description = "Offers that wait, newest first.", body = OffersJson)))]
pub async fn list(
    State(app): State<App>,
    _owner: OwnerCaller,
    Query(query): Query<OffersQuery>,
) -> Result<Reply, Problem> {
    let now = app.clock.now();
    let offers = pairings::by_fingerprint(app.db.read(), &query.fingerprint, now).await?;
    Ok(Reply::ok(&OffersJson {
        data: offers.into_iter().map(OfferJson::from).collect(),
    }))
}
