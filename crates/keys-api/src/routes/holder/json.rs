//! Wire structs of the holder's routes.

use keys_core::carried::CarriedKind;
use keys_core::limits;

use crate::http::fields::{Fields, FromFields};
use crate::http::read;
use crate::model::id::VehicleId;
use crate::model::vehicle::Vehicle;
use crate::relay::deliver::Item;
use crate::routes::encode::base64url;
use crate::routes::keys::json::KeyJson;

/// A holder's key and all that the phone needs at the car with no network.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = HolderKey)]
pub struct HolderKeyJson {
    /// The key.
    pub key: KeyJson,
    /// Its vehicle, as the host shows it.
    pub vehicle: HolderVehicleJson,
    /// The newest bundle, base64url: check challenges against it before signing.
    pub bundle: Option<String>,
    /// Objects to hand to the gateway, in this order.
    pub carry: Vec<CarryJson>,
}

/// A vehicle as its holder sees it.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = HolderVehicle)]
pub struct HolderVehicleJson {
    id: VehicleId,
    name: String,
    brand: Option<String>,
    model: Option<String>,
    time_zone: String,
}

impl From<Vehicle> for HolderVehicleJson {
    fn from(vehicle: Vehicle) -> Self {
        Self {
            id: vehicle.id,
            name: vehicle.details.name,
            brand: vehicle.details.brand,
            model: vehicle.details.model,
            time_zone: vehicle.details.time_zone.name().to_owned(),
        }
    }
}

/// One object to carry.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Carry)]
pub struct CarryJson {
    /// bundle, anchor or statement.
    kind: &'static str,
    /// The body of `POST /v1/carry` at the gateway, base64url.
    carried: String,
}

impl From<Item> for CarryJson {
    fn from(item: Item) -> Self {
        let kind = match item.name.kind() {
            CarriedKind::Bundle => "bundle",
            CarriedKind::Anchor => "anchor",
            CarriedKind::Statement => "statement",
            CarriedKind::Time => "time",
            CarriedKind::JournalAck => "journal_ack",
        };
        Self {
            kind,
            carried: base64url(&item.carried),
        }
    }
}

/// Body that reports a co-driver's link.
#[derive(Debug, utoipa::ToSchema)]
pub struct ReportDelegation {
    /// The link that this phone, or a co-driver's, signed; base64url.
    #[schema(value_type = String)]
    pub link: Vec<u8>,
    /// What the holder calls the co-driver; the host sees it.
    #[schema(min_length = 1, max_length = 80)]
    pub label: Option<String>,
}

impl FromFields for ReportDelegation {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                link: required(read::bytes(1, limits::LINK_BYTES)),
                label: optional(read::text(1, 80)),
            }
        )
    }
}

/// Body that asks for the time over a challenge.
#[derive(Debug, utoipa::ToSchema)]
pub struct TimeBody {
    /// M1 of the car's gateway, base64url.
    #[schema(value_type = String)]
    pub challenge: Vec<u8>,
}

impl FromFields for TimeBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                challenge: required(read::bytes(1, 1024)),
            }
        )
    }
}

/// The time, attested for one challenge.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = TimeAttestation)]
pub struct TimeJson {
    /// The signed attestation, base64url.
    pub attestation: String,
    /// The body of `POST /v1/carry` at the gateway, base64url.
    pub carried: String,
}
