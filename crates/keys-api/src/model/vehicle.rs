//! Vehicles as the API knows them.

use chrono_tz::Tz;
use keys_core::time::Timestamp;

use super::id::{AccountId, VehicleId};
use super::vin::Vin;

/// A vehicle of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vehicle {
    /// Its id; the same UUID as in signed objects.
    pub id: VehicleId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What the owner shows and may change.
    pub details: VehicleDetails,
    /// Where the owner key lives.
    pub custody: KeyCustody,
    /// Whether the platform runs its gateway; lowers the trust tier.
    pub platform_gateway: bool,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What an owner says about a vehicle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VehicleDetails {
    /// Shown to owner and holders.
    pub name: String,
    /// Maker.
    pub brand: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Model year.
    pub year: Option<u16>,
    /// Vehicle identification number.
    pub vin: Option<Vin>,
    /// IANA zone in which its windows and hours are shown.
    pub time_zone: Tz,
}

/// Where the owner key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyCustody {
    /// In the API's key store, encrypted. The trust tier says so.
    Managed,
    /// On the owner's device; the API knows the public half only.
    Sovereign,
}

impl KeyCustody {
    /// The word tables and answers use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::Sovereign => "sovereign",
        }
    }
}
