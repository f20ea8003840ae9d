//! One recorded presentation, read from JSON.
//!
//! What may be null may be absent as well; every other field must be there, or a record that lost one would
//! be judged more mildly than the one it was. Fields that are not known here are ignored.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER_PERMISSIVE;
use keys_core::area::Point;
use keys_core::command::VehicleCommand;
use keys_core::decide::{CarFacts, Channel};
use keys_core::freshness::Contact;
use keys_core::id::{GrantId, VehicleId};
use keys_core::limits;
use keys_core::policy::Proximity;
use keys_core::refusal::Refusal;
use keys_core::signature::VerifyingKey;
use keys_core::time::{ClockInterval, Timestamp};
use keys_core::trust::Roots;
use serde_json::Value;

/// Most anchors and most statements in one record.
const OBJECTS: usize = 64;
/// The fields of a record that ck1 section 10 does not let be null; null is read as nothing known.
pub(super) const REQUIRED: [&str; 14] = [
    "vehicle",
    "roots",
    "anchors",
    "now",
    "in_contact",
    "begun",
    "uses",
    "channel",
    "proximity",
    "statements",
    "known",
    "gateway_key",
    "key",
    "command",
];
/// Units of a degree in ck1.
const UNITS_PER_DEGREE: f64 = 1e7;

/// What the record says the gateway knew before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    pub(super) owner_seq: u64,
    pub(super) platform_seq: u64,
    pub(super) generation: u64,
}

/// A presentation and the situation it arrived in.
pub(super) struct Record {
    pub(super) vehicle: VehicleId,
    pub(super) roots: Roots,
    pub(super) anchors: Vec<Vec<u8>>,
    pub(super) now: Option<Timestamp>,
    pub(super) clock: Option<ClockInterval>,
    pub(super) contact: Contact,
    pub(super) uses: BTreeMap<GrantId, u64>,
    pub(super) channel: Channel,
    pub(super) proximity: Proximity,
    pub(super) statements: Vec<Vec<u8>>,
    pub(super) known: Known,
    pub(super) gateway_key: Option<VerifyingKey>,
    pub(super) key: Vec<u8>,
    pub(super) challenge: Option<Vec<u8>>,
    pub(super) proof: Option<Vec<u8>>,
    pub(super) command: VehicleCommand,
    pub(super) car: CarFacts,
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] if a field cannot be read, [`Refusal::TooLarge`] if a list is too long.
    pub(super) fn read(value: &Value) -> Result<Self, Refusal> {
        let fields = Fields(value);
        if !REQUIRED.iter().all(|name| value.get(name).is_some()) {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            vehicle: vehicle(fields.text("vehicle")?)?,
            roots: roots(&fields)?,
            anchors: fields.hex_list("anchors", OBJECTS)?,
            now: fields.stated("now").map(uint).transpose()?.map(Timestamp),
            clock: fields.stated("clock").map(clock).transpose()?,
            contact: Contact {
                in_contact: fields.flag("in_contact")?,
                begun: fields.flag("begun")?,
            },
            uses: fields.stated("uses").map_or(Ok(BTreeMap::new()), uses)?,
            channel: channel(&fields)?,
            proximity: proximity(&fields)?,
            statements: fields.hex_list("statements", OBJECTS)?,
            known: fields.stated("known").map_or(Ok(Known::default()), known)?,
            gateway_key: fields.stated("gateway_key").map(key_of).transpose()?,
            key: hex(fields.stated("key").ok_or(Refusal::Malformed)?)?,
            challenge: fields.stated("challenge").map(hex).transpose()?,
            proof: fields.stated("proof").map(hex).transpose()?,
            command: fields
                .text("command")?
                .parse()
                .map_err(|_| Refusal::Malformed)?,
            car: car(&fields)?,
        })
    }
}

/// An object whose absent and null fields are the same.
struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    fn stated(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<&'a str, Refusal> {
        self.stated(name)
            .and_then(Value::as_str)
            .ok_or(Refusal::Malformed)
    }

    fn flag(&self, name: &str) -> Result<bool, Refusal> {
        self.stated(name).map_or(Ok(false), flag)
    }

    fn list(&self, name: &str, most: usize) -> Result<&'a [Value], Refusal> {
        let Some(value) = self.stated(name) else {
            return Ok(&[]);
        };
        let list = value.as_array().ok_or(Refusal::Malformed)?;
        if list.len() > most {
            return Err(Refusal::TooLarge);
        }
        Ok(list)
    }

    fn hex_list(&self, name: &str, most: usize) -> Result<Vec<Vec<u8>>, Refusal> {
        self.list(name, most)?.iter().map(hex).collect()
    }
}

fn vehicle(text: &str) -> Result<VehicleId, Refusal> {
    VehicleId::from_aud(text)
        .ok()
        .or_else(|| text.parse().ok())
        .ok_or(Refusal::Malformed)
}

fn roots(fields: &Fields<'_>) -> Result<Roots, Refusal> {
    let owner_keys = fields
        .list("roots", limits::OWNER_KEYS)?
        .iter()
        .map(key_of)
        .collect::<Result<_, _>>()?;
    let platform_root = fields.stated("platform_root").map(key_of).transpose()?;
    Ok(Roots {
        owner_keys,
        platform_root,
        mandate_allowed: platform_root.is_some(),
    })
}

fn key_of(value: &Value) -> Result<VerifyingKey, Refusal> {
    let bytes: [u8; 32] = hex(value)?.try_into().map_err(|_| Refusal::Malformed)?;
    VerifyingKey::decode(&bytes).map_err(|_| Refusal::Malformed)
}

fn hex(value: &Value) -> Result<Vec<u8>, Refusal> {
    value
        .as_str()
        .and_then(|text| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok())
        .ok_or(Refusal::Malformed)
}

fn flag(value: &Value) -> Result<bool, Refusal> {
    value.as_bool().ok_or(Refusal::Malformed)
}

fn uint(value: &Value) -> Result<u64, Refusal> {
    value.as_u64().ok_or(Refusal::Malformed)
}

/// `[lo, hi]`; `hi` null or 2^40−1 where nothing bounds the time.
fn clock(value: &Value) -> Result<ClockInterval, Refusal> {
    let [lo, hi] = pair(value)?;
    let clock = ClockInterval {
        lo: Timestamp(uint(lo)?),
        hi: if hi.is_null() {
            Timestamp::UNKNOWN
        } else {
            Timestamp(uint(hi)?)
        },
    };
    if clock.lo <= clock.hi {
        Ok(clock)
    } else {
        Err(Refusal::Malformed)
    }
}

fn pair(value: &Value) -> Result<&[Value; 2], Refusal> {
    value
        .as_array()
        .and_then(|list| list.as_slice().try_into().ok())
        .ok_or(Refusal::Malformed)
}

fn uses(value: &Value) -> Result<BTreeMap<GrantId, u64>, Refusal> {
    value
        .as_object()
        .ok_or(Refusal::Malformed)?
        .iter()
        .map(|(grant, count)| {
            let grant = grant.parse().map_err(|_| Refusal::Malformed)?;
            Ok((grant, uint(count)?))
        })
        .collect()
}

fn known(value: &Value) -> Result<Known, Refusal> {
    let number = |name| uint(value.get(name).ok_or(Refusal::Malformed)?);
    Ok(Known {
        owner_seq: number("owner_seq")?,
        platform_seq: number("platform_seq")?,
        generation: number("generation")?,
    })
}

fn channel(fields: &Fields<'_>) -> Result<Channel, Refusal> {
    match fields.stated("channel").map(Value::as_str) {
        None | Some(Some("local")) => Ok(Channel::Local),
        Some(Some("remote")) => Ok(Channel::Remote),
        Some(_) => Err(Refusal::Malformed),
    }
}

fn proximity(fields: &Fields<'_>) -> Result<Proximity, Refusal> {
    let number = fields.stated("proximity").map_or(Ok(0), uint)?;
    u8::try_from(number)
        .ok()
        .and_then(Proximity::from_number)
        .ok_or(Refusal::Malformed)
}

fn car(fields: &Fields<'_>) -> Result<CarFacts, Refusal> {
    let state = match fields.stated("state") {
        None => &Value::Null,
        Some(state) if state.is_object() => state,
        Some(_) => return Err(Refusal::Malformed),
    };
    let fact = |name| Fields(state).stated(name).map(flag).transpose();
    Ok(CarFacts {
        stationary: fact("stationary")?,
        ignition_off: fact("ignition_off")?,
        position: fields.stated("position").map(position).transpose()?,
    })
}

/// `[latitude, longitude]`: two integers are 1e-7 degree as in ck1, anything else is degrees.
fn position(value: &Value) -> Result<Point, Refusal> {
    let [lat, lon] = pair(value)?;
    let (lat, lon) = match (lat.as_i64(), lon.as_i64()) {
        (Some(lat), Some(lon)) => (lat, lon),
        _ => (units(lat)?, units(lon)?),
    };
    Point::new(lat, lon).map_err(|_| Refusal::Malformed)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float to integer cast saturates, and Point refuses what is beyond the poles"
)]
fn units(value: &Value) -> Result<i64, Refusal> {
    let degrees = value.as_f64().ok_or(Refusal::Malformed)?;
    Ok((degrees * UNITS_PER_DEGREE).round() as i64)
}
