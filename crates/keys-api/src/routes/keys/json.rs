//! Wire structs of keys.

use keys_core::entitlement::Entitlements;
use keys_core::key::UnverifiedLink;
use keys_core::limits;
use keys_core::policy::Policy;
use keys_core::signature::VerifyingKey;
use keys_core::time::{Timestamp, Validity};

use super::policy::{Conditions, PolicyJson};
use crate::http::fields::{At, Fields, FromFields};
use crate::http::time::Rfc3339;
use crate::http::{page, read};
use crate::model::id::{KeyId, VehicleId};
use crate::model::key::KeyState;
use crate::model::page::PageQuery;
use crate::model::statement::StoredLink;
use crate::routes::encode::base64url;
use crate::service::issuing::IssueRequest;
use crate::service::key_view::{KeyView, NoDeadline};
use crate::service::trust::TrustTier;
use crate::storage::keys::KeyFilter;

/// Reads a list of entitlement names; `sign_status` is not an owner's to give.
pub fn entitlements(at: At<'_>) -> Option<Entitlements> {
    let names = read::list(1, 7, |at: At<'_>| {
        let named = at
            .value()
            .as_str()
            .and_then(Entitlements::from_name)
            .filter(|one| *one != Entitlements::SIGN_STATUS);
        named.or_else(|| {
            at.refuse(
                "expected unlock, lock, enable_driving, open_trunk, charge_port, remote or locate",
            )
        })
    })(at)?;
    Some(
        names
            .into_iter()
            .fold(Entitlements::NONE, |all, one| all | one),
    )
}

/// Body that issues a key.
#[derive(Debug, utoipa::ToSchema)]
pub struct IssueKey {
    /// On which vehicle.
    pub vehicle_id: VehicleId,
    /// First second inside the window.
    #[schema(value_type = Rfc3339)]
    pub valid_from: Timestamp,
    /// First second outside; at most 92 days later.
    #[schema(value_type = Rfc3339)]
    pub valid_until: Timestamp,
    /// unlock, lock, enable_driving, open_trunk, charge_port, remote, locate.
    #[schema(value_type = Vec<String>)]
    pub entitlements: Entitlements,
    /// How many more times the holder may pass it on; 0 if absent.
    #[schema(value_type = Option<u64>, maximum = 4)]
    pub delegations: Option<u64>,
    /// Conditions.
    #[schema(value_type = Option<PolicyJson>)]
    pub policy: Option<Conditions>,
    /// The caller's reservation number; in the key only as a salted hash.
    #[schema(min_length = 1, max_length = 128)]
    pub booking_reference: Option<String>,
    /// Ed25519 public key of the holder's device, base64url. Present: signed at once. Absent: signed
    /// when an invitation is redeemed.
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z0-9_-]{43}$")]
    pub holder_key: Option<VerifyingKey>,
}

impl FromFields for IssueKey {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                vehicle_id: required(read::parsed),
                valid_from: required(read::time),
                valid_until: required(read::time),
                entitlements: required(entitlements),
                delegations: optional(read::uint(0, u64::from(limits::DEPTH))),
                policy: optional(read::object),
                booking_reference: optional(read::text(1, 128)),
                holder_key: optional(read::verifying_key),
            }
        )
    }
}

impl IssueKey {
    /// The request as the service takes it.
    #[must_use]
    pub fn into_request(self) -> IssueRequest {
        let stated = self.policy.map_or_else(
            || Policy::of(self.entitlements),
            |Conditions(policy)| policy,
        );
        IssueRequest {
            vehicle: self.vehicle_id,
            window: Validity {
                from: self.valid_from,
                until: self.valid_until,
            },
            policy: Policy {
                entitlements: self.entitlements,
                delegations: u8::try_from(self.delegations.unwrap_or(0)).unwrap_or(limits::DEPTH),
                ..stated
            },
            booking_reference: self.booking_reference,
            holder: self.holder_key,
        }
    }
}

/// Body that moves a key's end.
#[derive(Debug, utoipa::ToSchema)]
pub struct NewEnd {
    /// First second outside the window.
    #[schema(value_type = Rfc3339)]
    pub valid_until: Timestamp,
}

impl FromFields for NewEnd {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                valid_until: required(read::time),
            }
        )
    }
}

/// Body of a link that a sovereign owner's device signed.
#[derive(Debug, utoipa::ToSchema)]
pub struct PutLink {
    /// The signed link, base64url.
    #[schema(value_type = String)]
    pub link: Vec<u8>,
}

impl FromFields for PutLink {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                link: required(read::bytes(1, limits::LINK_BYTES)),
            }
        )
    }
}

/// Which keys a list shows.
#[derive(Debug)]
pub struct KeysQuery {
    /// Filter.
    pub filter: KeyFilter,
    /// Page.
    pub page: PageQuery,
}

impl FromFields for KeysQuery {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let vehicle = fields.optional("vehicle_id", read::parsed::<VehicleId>);
        let state = fields.optional("state", read::parsed::<KeyState>);
        let limit = fields.optional("limit", page::limit);
        let cursor = fields.optional("cursor", page::cursor);
        fields.refuse_unknown();
        Some(Self {
            filter: KeyFilter {
                vehicle: vehicle?,
                state: state?,
            },
            page: PageQuery::new(limit?, cursor?),
        })
    }
}

/// A key.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Key)]
pub struct KeyJson {
    id: KeyId,
    vehicle_id: VehicleId,
    state: KeyState,
    valid_from: Rfc3339,
    valid_until: Rfc3339,
    entitlements: Vec<&'static str>,
    /// How many more times the holder may pass it on.
    delegations: u8,
    policy: PolicyJson,
    /// How far the owner must trust the platform; the weakest that applies.
    trust_tier: TrustTier,
    /// When it opens nothing any more, whatever anybody carries.
    dead_by: Option<Rfc3339>,
    /// Why there is no `dead_by`.
    dead_by_reason: Option<NoDeadline>,
    /// Until when a begun trip may still lock the standing car.
    locks_until: Option<Rfc3339>,
    booking_reference: Option<String>,
    /// Ed25519 public key, base64url.
    holder_key: Option<String>,
    /// Random id that extensions repeat, hex.
    grant_id: String,
    /// Id of its newest link, hex.
    leaf_id: Option<String>,
    /// The whole key as the holder presents it, base64url.
    chain: Option<String>,
    /// What waits for the owner's device.
    to_sign: Option<ToSignJson>,
    begun_at: Option<Rfc3339>,
    suspended_at: Option<Rfc3339>,
    ended_at: Option<Rfc3339>,
    /// Reported co-drivers, parents before children.
    delegates: Vec<DelegateJson>,
    created_at: Rfc3339,
    updated_at: Rfc3339,
}

/// What a sovereign owner's device signs.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = LinkToSign)]
pub struct ToSignJson {
    /// Claims of a first link, deterministic CBOR, base64url.
    claims: String,
}

/// A co-driver's link.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Delegate)]
pub struct DelegateJson {
    /// Link id, hex.
    id: String,
    /// The link above, hex.
    parent_id: Option<String>,
    /// Ed25519 public key, base64url.
    holder_key: String,
    valid_from: Rfc3339,
    valid_until: Rfc3339,
    entitlements: Vec<&'static str>,
    delegations: u8,
    /// What the reporting phone calls it.
    label: Option<String>,
    reported_at: Rfc3339,
}

impl From<StoredLink> for DelegateJson {
    fn from(link: StoredLink) -> Self {
        let policy = UnverifiedLink::decode(&link.bytes)
            .map(|decoded| decoded.unverified_body().policy.clone())
            .unwrap_or_else(|_| Policy::of(Entitlements::NONE));
        Self {
            id: link.id.to_string(),
            parent_id: link.parent.map(|id| id.to_string()),
            holder_key: base64url(&link.holder),
            valid_from: link.window.from.into(),
            valid_until: link.window.until.into(),
            entitlements: policy.entitlements.names(),
            delegations: policy.delegations,
            label: link.label,
            reported_at: link.created_at.into(),
        }
    }
}

impl From<KeyView> for KeyJson {
    fn from(view: KeyView) -> Self {
        let key = view.key;
        let (dead_by, dead_by_reason) = match view.dead_by {
            Ok(at) => (Some(at.into()), None),
            Err(reason) => (None, Some(reason)),
        };
        Self {
            id: key.id,
            vehicle_id: key.vehicle,
            state: key.state,
            valid_from: key.window.from.into(),
            valid_until: key.window.until.into(),
            entitlements: key.policy.entitlements.names(),
            delegations: key.policy.delegations,
            policy: PolicyJson::from(&key.policy),
            trust_tier: view.tier,
            dead_by,
            dead_by_reason,
            locks_until: view.locks_until.map(Rfc3339::from),
            booking_reference: key
                .booking
                .map(|booking| booking.reference)
                .filter(|reference| !reference.is_empty()),
            holder_key: key.holder.as_ref().map(|holder| base64url(holder)),
            grant_id: key.grant.to_string(),
            leaf_id: key.leaf.map(|leaf| leaf.to_string()),
            chain: key.chain.as_deref().map(base64url),
            to_sign: key.to_sign.as_deref().map(|claims| ToSignJson {
                claims: base64url(claims),
            }),
            begun_at: key.begun_at.map(Rfc3339::from),
            suspended_at: key.suspended_at.map(Rfc3339::from),
            ended_at: key.ended_at.map(Rfc3339::from),
            delegates: view.delegates.into_iter().map(DelegateJson::from).collect(),
            created_at: key.created_at.into(),
            updated_at: key.updated_at.into(),
        }
    }
}
