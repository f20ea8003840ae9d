//! Wire structs of vehicles.

use chrono_tz::Tz;
use data_encoding::BASE64URL_NOPAD;
use keys_core::signature::VerifyingKey;

use crate::http::fields::{At, Fields, FromFields};
use crate::http::read;
use crate::http::time::Rfc3339;
use crate::model::id::VehicleId;
use crate::model::vehicle::{KeyCustody, Vehicle, VehicleDetails};
use crate::model::vin::Vin;
use crate::storage::signing_keys::StoredSigningKey;

const OLDEST_YEAR: u64 = 1886;
const NEWEST_YEAR: u64 = 2100;

/// Body that registers a vehicle.
#[derive(Debug, utoipa::ToSchema)]
pub struct RegisterVehicle {
    /// Shown to owner and holders.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// Maker.
    #[schema(min_length = 1, max_length = 40)]
    pub brand: Option<String>,
    /// Model.
    #[schema(min_length = 1, max_length = 40)]
    pub model: Option<String>,
    /// Model year.
    #[schema(value_type = Option<u16>, minimum = 1886, maximum = 2100)]
    pub year: Option<u64>,
    /// 17 characters without I, O and Q.
    #[schema(value_type = Option<String>, pattern = "^[A-HJ-NPR-Za-hj-npr-z0-9]{17}$")]
    pub vin: Option<Vin>,
    /// IANA zone name.
    #[schema(value_type = String, example = "Europe/Berlin")]
    pub time_zone: Tz,
    /// Ed25519 public key of the owner's device, base64url. Absent: the platform makes and keeps the
    /// owner key, and the trust tier says so.
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z0-9_-]{43}$")]
    pub owner_key: Option<VerifyingKey>,
}

impl FromFields for RegisterVehicle {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                name: required(read::text(1, 80)),
                brand: optional(read::text(1, 40)),
                model: optional(read::text(1, 40)),
                year: optional(read::uint(OLDEST_YEAR, NEWEST_YEAR)),
                vin: optional(read::parsed),
                time_zone: required(time_zone),
                owner_key: optional(read::verifying_key),
            }
        )
    }
}

impl RegisterVehicle {
    /// What the body says about the vehicle, and the owner key if it names one.
    #[must_use]
    pub fn into_parts(self) -> (VehicleDetails, Option<VerifyingKey>) {
        let details = VehicleDetails {
            name: self.name,
            brand: self.brand,
            model: self.model,
            year: self.year.and_then(|year| u16::try_from(year).ok()),
            vin: self.vin,
            time_zone: self.time_zone,
        };
        (details, self.owner_key)
    }
}

/// Body that changes a vehicle: absent fields stay, null clears.
#[derive(Debug, utoipa::ToSchema)]
pub struct UpdateVehicle {
    /// Shown to owner and holders.
    #[schema(min_length = 1, max_length = 80)]
    pub name: Option<String>,
    /// Maker.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 40)]
    pub brand: Option<Option<String>>,
    /// Model.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 40)]
    pub model: Option<Option<String>>,
    /// Model year.
    #[schema(value_type = Option<u16>, minimum = 1886, maximum = 2100)]
    pub year: Option<Option<u64>>,
    /// 17 characters without I, O and Q.
    #[schema(value_type = Option<String>, pattern = "^[A-HJ-NPR-Za-hj-npr-z0-9]{17}$")]
    pub vin: Option<Option<Vin>>,
    /// IANA zone name.
    #[schema(value_type = Option<String>)]
    pub time_zone: Option<Tz>,
}

impl FromFields for UpdateVehicle {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                name: optional(read::text(1, 80)),
                brand: change(read::text(1, 40)),
                model: change(read::text(1, 40)),
                year: change(read::uint(OLDEST_YEAR, NEWEST_YEAR)),
                vin: change(read::parsed),
                time_zone: optional(time_zone),
            }
        )
    }
}

impl UpdateVehicle {
    /// Writes the change into `details`.
    pub fn apply(self, details: &mut VehicleDetails) {
        let Self {
            name,
            brand,
            model,
            year,
            vin,
            time_zone,
        } = self;
        let year = year.map(|year| year.and_then(|year| u16::try_from(year).ok()));
        set(&mut details.name, name);
        set(&mut details.brand, brand);
        set(&mut details.model, model);
        set(&mut details.year, year);
        set(&mut details.vin, vin);
        set(&mut details.time_zone, time_zone);
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn time_zone(at: At<'_>) -> Option<Tz> {
    match at.value().as_str().and_then(|name| name.parse().ok()) {
        Some(zone) => Some(zone),
        None => at.refuse("expected an IANA zone name, such as Europe/Berlin"),
    }
}

/// A vehicle.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Vehicle)]
pub struct VehicleJson {
    id: VehicleId,
    name: String,
    brand: Option<String>,
    model: Option<String>,
    year: Option<u16>,
    vin: Option<String>,
    time_zone: String,
    /// Where the owner key lives.
    key_custody: KeyCustody,
    /// Ed25519 public key of the owner, base64url.
    owner_key: Option<String>,
    created_at: Rfc3339,
    updated_at: Rfc3339,
}

impl VehicleJson {
    /// The vehicle with its owner's public key.
    #[must_use]
    pub fn new(vehicle: Vehicle, owner: Option<&StoredSigningKey>) -> Self {
        let details = vehicle.details;
        Self {
            id: vehicle.id,
            name: details.name,
            brand: details.brand,
            model: details.model,
            year: details.year,
            vin: details.vin.map(|vin| vin.as_str().to_owned()),
            time_zone: details.time_zone.name().to_owned(),
            key_custody: vehicle.custody,
            owner_key: owner.map(|key| BASE64URL_NOPAD.encode(&key.public)),
            created_at: vehicle.created_at.into(),
            updated_at: vehicle.updated_at.into(),
        }
    }
}
