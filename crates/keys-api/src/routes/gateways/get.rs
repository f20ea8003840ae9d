//! `GET /v1/vehicles/{id}/gateway`

use axum::extract::State;
use data_encoding::HEXLOWER;

use crate::http::time::Rfc3339;
use crate::http::{OwnerCaller, Path, Problem, Reply};
use crate::model::id::VehicleId;
use crate::routes::encode::base64url;
use crate::service::trust::{self, TrustTier};
use crate::state::App;
use crate::storage::gateways::Gateway;
use crate::storage::{gateways, vehicles};

/// What is known of a car's gateway. The car's state is what it said last, not what is.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Gateway)]
pub struct GatewayJson {
    /// Whether the vehicle was paired.
    paired: bool,
    /// Whether its gateway is connected now.
    connected: bool,
    /// Ed25519 public key, base64url.
    gateway_key: Option<String>,
    /// How far the owner must trust the platform with this vehicle.
    trust_tier: TrustTier,
    last_contact_at: Option<Rfc3339>,
    /// Whether its clock is trusted, as it told.
    clock_trusted: Option<bool>,
    /// Number of the bundle it holds.
    bundle_seq: u64,
    /// Number of the newest owner statement it holds.
    owner_seq: u64,
    /// Number of the newest platform statement it holds.
    platform_seq: u64,
    /// Newest entry of its journal.
    journal_index: Option<u64>,
    /// Hash of that entry, hex.
    journal_head: Option<String>,
    /// The car's state as it told.
    #[schema(value_type = Option<Object>)]
    state: Option<serde_json::Value>,
}

impl GatewayJson {
    fn new(known: Option<&Gateway>, connected: bool, trust_tier: TrustTier) -> Self {
        let seqs = known.map(|gateway| gateway.seqs).unwrap_or_default();
        Self {
            paired: known.is_some(),
            connected,
            gateway_key: known.map(|gateway| base64url(&gateway.key)),
            trust_tier,
            last_contact_at: known
                .and_then(|gateway| gateway.last_contact_at)
                .map(Rfc3339::from),
            clock_trusted: known.and_then(|gateway| gateway.clock_trusted),
            bundle_seq: seqs.bundle,
            owner_seq: seqs.owner,
            platform_seq: seqs.platform,
            journal_index: known
                .and_then(|gateway| gateway.journal)
                .map(|(index, _)| index),
            journal_head: known
                .and_then(|gateway| gateway.journal)
                .map(|(_, head)| HEXLOWER.encode(&head)),
            state: known
                .and_then(|gateway| gateway.state.as_deref())
                .and_then(|json| serde_json::from_str(json).ok()),
        }
    }
}

/// A car's gateway: whether it is connected, what it holds, what it said last.
#[utoipa::path(get, path = "/v1/vehicles/{id}/gateway", tag = "gateways", operation_id = "get_gateway",
    security(("owner" = [])), params(("id" = VehicleId, Path, description = "The vehicle.")),
    responses((status = 200, description = "What is known of the gateway.", body = GatewayJson)))]
pub async fn get(
    State(app): State<App>,
    owner: OwnerCaller,
    Path(id): Path<VehicleId>,
) -> Result<Reply, Problem> {
    let db = app.db.read();
    let vehicle = vehicles::of(owner.account).find(db, id).await?;
    let vehicle = vehicle.ok_or_else(Problem::not_found)?;
    let gateway = gateways::find(db, vehicle.id).await?;
    let tier = trust::tier(db, &vehicle, app.clock.now()).await?;
    let connected = app.hub.is_connected(vehicle.id);
    Ok(Reply::ok(&GatewayJson::new(
        gateway.as_ref(),
        connected,
        tier,
    )))
}
