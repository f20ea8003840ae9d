//! Wire structs of bundles.

use keys_core::bundle::Bundle;
use keys_core::limits;

use crate::http::fields::{Fields, FromFields};
use crate::http::read;
use crate::http::time::Rfc3339;
use crate::model::statement::StoredBundle;
use crate::routes::encode::base64url;

/// Body of a bundle that a sovereign owner's device signed.
#[derive(Debug, utoipa::ToSchema)]
pub struct PutBundle {
    /// The signed bundle, base64url.
    #[schema(value_type = String)]
    pub bundle: Vec<u8>,
}

impl FromFields for PutBundle {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                bundle: required(read::bytes(1, limits::CARRIED_BYTES)),
            }
        )
    }
}

/// A trust bundle: what the gateway believes, and what phones check before they sign.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Bundle)]
pub struct BundleJson {
    /// Its number.
    seq: u64,
    issued_at: Rfc3339,
    /// The signed bytes, base64url.
    bundle: String,
    /// Ed25519 public keys, base64url.
    owner_keys: Vec<String>,
    /// Ed25519 public key of the platform it names, base64url.
    platform_root: Option<String>,
    /// Ed25519 public key, base64url.
    gateway_key: String,
    mandate_allowed: bool,
    least_generation: u64,
    platform_operated: bool,
    page_origin: Option<String>,
}

impl BundleJson {
    /// A stored bundle and what it says.
    #[must_use]
    pub fn new(bundle: &Bundle, stored: &StoredBundle) -> Self {
        Self {
            seq: bundle.seq,
            issued_at: bundle.issued_at.into(),
            bundle: base64url(&stored.bytes),
            owner_keys: bundle
                .owner_keys
                .iter()
                .map(|key| base64url(key.as_bytes()))
                .collect(),
            platform_root: bundle
                .platform_root
                .as_ref()
                .map(|key| base64url(key.as_bytes())),
            gateway_key: base64url(bundle.gateway_key.as_bytes()),
            mandate_allowed: bundle.mandate_allowed,
            least_generation: bundle.least_generation,
            platform_operated: bundle.platform_operated,
            page_origin: bundle.page_origin.clone(),
        }
    }
}
