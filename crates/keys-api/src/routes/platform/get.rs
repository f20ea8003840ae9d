//! `GET /v1/platform`

use axum::extract::State;

use crate::http::Reply;
use crate::routes::encode::base64url;
use crate::state::App;

/// What owners' devices need to know of this platform.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Platform)]
pub struct PlatformJson {
    /// Ed25519 public key of the platform root, base64url: field 3 of a bundle, holder of a mandate.
    root_key: String,
    /// The origin gateways dial and bind their handshake to.
    origin: String,
}

/// The platform's root key and origin.
#[utoipa::path(get, path = "/v1/platform", tag = "operation", operation_id = "get_platform",
    responses((status = 200, description = "Root key and origin.", body = PlatformJson)))]
pub async fn get(State(app): State<App>) -> Reply {
    Reply::ok(&PlatformJson {
        root_key: base64url(app.platform().root.as_bytes()),
        origin: app.origin.clone(),
    })
}
