//! Wire structs of mandates.

use keys_core::entitlement::Entitlements;
use keys_core::limits;
use keys_core::policy::{LONGEST_GRACE_S, NO_OUTAGE_LIMIT, STRICTEST_LIMIT_S};
use keys_core::time::Timestamp;

use crate::http::fields::{Fields, FromFields};
use crate::http::read;
use crate::http::time::Rfc3339;
use crate::model::id::{MandateId, VehicleId};
use crate::model::statement::{Mandate, StoredLink};
use crate::routes::encode::base64url;
use crate::routes::keys::json::entitlements;
use crate::service::mandates::MandateTerms;

/// Body that makes a mandate: terms for a managed vehicle, or the signed link of a sovereign owner.
#[derive(Debug, utoipa::ToSchema)]
pub struct SignMandate {
    /// Managed: what keys may do at most.
    #[schema(value_type = Option<Vec<String>>)]
    pub entitlements: Option<Entitlements>,
    /// Managed: longest key, seconds.
    #[schema(minimum = 60, maximum = 7_948_800)]
    pub max_duration_s: Option<u64>,
    /// Managed: greatest statement age before a trip began, seconds; a day if absent.
    #[schema(minimum = 900)]
    pub outage_limit_s: Option<u64>,
    /// Managed: further delegations of the mandate's link; keys may allow two less. Four if absent.
    #[schema(minimum = 2, maximum = 4)]
    pub delegations: Option<u64>,
    /// Managed: longest lock-only grace after a key's end, seconds; a day if absent.
    #[schema(maximum = 86_400)]
    pub grace_s: Option<u64>,
    /// Managed: its end, at most 400 days ahead.
    #[schema(value_type = Option<Rfc3339>)]
    pub valid_until: Option<Timestamp>,
    /// Sovereign: the link that the owner's device signed, base64url.
    #[schema(value_type = Option<String>)]
    pub link: Option<Vec<u8>>,
}

/// What a body asks for.
#[derive(Debug)]
pub enum Asked {
    /// To take a link.
    Link(Vec<u8>),
    /// To sign one.
    Terms(MandateTerms),
}

impl FromFields for SignMandate {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let read = crate::read_fields!(
            fields,
            Self {
                entitlements: optional(entitlements),
                max_duration_s: optional(read::uint(60, limits::WINDOW_S)),
                outage_limit_s: optional(read::uint(
                    u64::from(STRICTEST_LIMIT_S),
                    u64::from(NO_OUTAGE_LIMIT) - 1
                )),
                delegations: optional(read::uint(2, u64::from(limits::DEPTH))),
                grace_s: optional(read::uint(0, u64::from(LONGEST_GRACE_S))),
                valid_until: optional(read::time),
                link: optional(read::bytes(1, limits::LINK_BYTES)),
            }
        )?;
        if read.link.is_some() {
            return Some(read);
        }
        for (name, there) in [
            ("entitlements", read.entitlements.is_some()),
            ("max_duration_s", read.max_duration_s.is_some()),
            ("valid_until", read.valid_until.is_some()),
        ] {
            if !there {
                fields.refuse::<()>(name, "required, unless there is a link");
            }
        }
        Some(read)
    }
}

impl SignMandate {
    /// What the body asks for; `None` cannot be, because reading it has refused that.
    #[must_use]
    pub fn into_asked(self) -> Option<Asked> {
        if let Some(link) = self.link {
            return Some(Asked::Link(link));
        }
        let small = |value: Option<u64>, usual: u32| {
            value
                .and_then(|value| u32::try_from(value).ok())
                .unwrap_or(usual)
        };
        Some(Asked::Terms(MandateTerms {
            entitlements: self.entitlements?,
            max_duration_s: self.max_duration_s?,
            outage_limit_s: small(self.outage_limit_s, 86_400),
            delegations: u8::try_from(self.delegations.unwrap_or(4)).unwrap_or(limits::DEPTH),
            grace_s: small(self.grace_s, LONGEST_GRACE_S),
            valid_until: self.valid_until?,
        }))
    }
}

/// A mandate.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Mandate)]
pub struct MandateJson {
    id: MandateId,
    vehicle_id: VehicleId,
    /// What keys below it may do at most.
    entitlements: Vec<&'static str>,
    /// Further delegations of its link; keys may allow two less.
    delegations: u8,
    /// Longest key, seconds.
    max_duration_s: u64,
    /// Greatest statement age before a trip began, seconds.
    outage_limit_s: u32,
    valid_from: Rfc3339,
    valid_until: Rfc3339,
    /// The signed link, base64url.
    link: String,
    created_at: Rfc3339,
}

impl MandateJson {
    /// A mandate with its link.
    #[must_use]
    pub fn new(mandate: &Mandate, link: &StoredLink) -> Self {
        Self {
            id: mandate.id,
            vehicle_id: mandate.vehicle,
            entitlements: mandate.entitlements.names(),
            delegations: mandate.delegations,
            max_duration_s: mandate.max_duration_s,
            outage_limit_s: mandate.outage_limit_s,
            valid_from: mandate.window.from.into(),
            valid_until: mandate.window.until.into(),
            link: base64url(&link.bytes),
            created_at: mandate.created_at.into(),
        }
    }
}
