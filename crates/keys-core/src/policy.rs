//! What one link states: entitlements, further delegations and conditions.

use arrayvec::ArrayVec;

use crate::area::{Area, read_area, write_area};
use crate::codec::{DecodeError, MapReader, Reader, Writer};
use crate::entitlement::Entitlements;
use crate::hours::WeeklyHours;
use crate::limits;

/// Up to eight areas.
pub type Areas = ArrayVec<Area, { limits::AREAS }>;

/// Policy 4: no limit; only without a mandate.
pub const NO_OUTAGE_LIMIT: u32 = u32::MAX;
/// Policy 4 where no link states one, seconds.
pub const DEFAULT_OUTAGE_LIMIT_S: u32 = 86_400;
/// Policy 11 where no link states one, seconds.
pub const DEFAULT_BEGUN_LIMIT_S: u32 = 259_200;
/// The strictest policy 4 and 11, seconds.
pub const STRICTEST_LIMIT_S: u32 = 900;
/// The longest policy 12, seconds.
pub const LONGEST_GRACE_S: u32 = 86_400;

/// How near the phone is proven to be (policy 6), weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Proximity {
    /// Not at all.
    #[default]
    None,
    /// By a round trip.
    RoundTrip,
    /// By channel sounding.
    ChannelSounding,
    /// By ultra-wideband ranging.
    Uwb,
}

impl Proximity {
    /// From the wire number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [
            Self::None,
            Self::RoundTrip,
            Self::ChannelSounding,
            Self::Uwb,
        ]
        .get(usize::from(number))
        .copied()
    }

    /// The wire number.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// What to do while the time is not known (policy 7), strictest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ClockRule {
    /// Refuse.
    #[default]
    Refuse,
    /// Admit while the floor of the clock is inside the window, three times or two hours.
    Floor,
    /// Ignore the window; for links an owner signed directly.
    Ignore,
}

impl ClockRule {
    /// From the wire number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Refuse, Self::Floor, Self::Ignore]
            .get(usize::from(number))
            .copied()
    }

    /// The wire number.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// How sure it is that a person asked (policy 14, proof field 5), weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Presence {
    /// Nobody needs to be there.
    #[default]
    None,
    /// A tap.
    Tap,
    /// A tap after user verification.
    Verified,
}

impl Presence {
    /// From the wire number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::None, Self::Tap, Self::Verified]
            .get(usize::from(number))
            .copied()
    }

    /// The wire number.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// What the car must be doing (policy 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CarConditions {
    /// It stands still.
    pub stationary: bool,
    /// Its ignition is off.
    pub ignition_off: bool,
}

impl CarConditions {
    /// From the wire number; unknown bits give `None`.
    #[must_use]
    pub fn from_bits(bits: u64) -> Option<Self> {
        (bits <= 3).then_some(Self {
            stationary: bits & 1 != 0,
            ignition_off: bits & 2 != 0,
        })
    }

    /// The wire number.
    #[must_use]
    pub fn bits(self) -> u64 {
        u64::from(self.stationary) | u64::from(self.ignition_off) << 1
    }

    /// Everything either asks for.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            stationary: self.stationary || other.stationary,
            ignition_off: self.ignition_off || other.ignition_off,
        }
    }
}

/// The policy of one link; `None` and empty lists mean "not stated": the parent's holds.
///
/// Shape: ck1 section 2, `policy`. Seconds and metres throughout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// 1: what the holder may do.
    pub entitlements: Entitlements,
    /// 2: further delegations allowed, 0–4.
    pub delegations: u8,
    /// 3: areas that must all hold for commands other than lock.
    pub areas: Areas,
    /// 4: greatest statement age before the trip began, 900–2^32−1 s; 2^32−1 = none.
    pub outage_limit_s: Option<u32>,
    /// 5: generation; first link only.
    pub generation: Option<u64>,
    /// 6: proximity needed.
    pub proximity: Option<Proximity>,
    /// 7: clock rule.
    pub clock_rule: Option<ClockRule>,
    /// 8: weekly hours.
    pub hours: Option<WeeklyHours>,
    /// 9: greatest number of uses.
    pub max_uses: Option<u64>,
    /// 10: greatest window of the leaf, s; set in mandates.
    pub max_window_s: Option<u64>,
    /// 11: greatest statement age after the trip began, 900–259200 s.
    pub begun_limit_s: Option<u32>,
    /// 12: lock-only grace after the end, 0–86400 s.
    pub grace_s: Option<u32>,
    /// 13: car state needed.
    pub car_conditions: Option<CarConditions>,
    /// 14: user presence needed.
    pub presence: Option<Presence>,
    /// 15: return areas, any one suffices.
    pub return_areas: Areas,
}

impl Policy {
    /// A policy of these entitlements that states nothing else and allows no delegation.
    #[must_use]
    pub fn of(entitlements: Entitlements) -> Self {
        Self {
            entitlements,
            delegations: 0,
            areas: Areas::new(),
            outage_limit_s: None,
            generation: None,
            proximity: None,
            clock_rule: None,
            hours: None,
            max_uses: None,
            max_window_s: None,
            begun_limit_s: None,
            grace_s: None,
            car_conditions: None,
            presence: None,
            return_areas: Areas::new(),
        }
    }

    /// Writes the policy map.
    pub fn write(&self, writer: &mut Writer) {
        let numbers = self.numbers();
        let stated = numbers.iter().flatten().count()
            + usize::from(!self.areas.is_empty())
            + usize::from(self.hours.is_some())
            + usize::from(!self.return_areas.is_empty());
        writer.map(stated);
        for (key, number) in (1u64..=14).zip(numbers) {
            match (key, number) {
                (3, _) => write_areas(writer, 3, &self.areas),
                (8, _) => {
                    if let Some(hours) = &self.hours {
                        writer.uint(8);
                        hours.write(writer);
                    }
                }
                (_, Some(number)) => {
                    writer.uint(key).uint(number);
                }
                (_, None) => {}
            }
        }
        write_areas(writer, 15, &self.return_areas);
    }

    /// The items that are one number, in the order of their keys 1–14; 3 and 8 are lists.
    fn numbers(&self) -> [Option<u64>; 14] {
        [
            Some(u64::from(self.entitlements.bits())),
            Some(u64::from(self.delegations)),
            None,
            self.outage_limit_s.map(u64::from),
            self.generation,
            self.proximity.map(|level| u64::from(level.number())),
            self.clock_rule.map(|rule| u64::from(rule.number())),
            None,
            self.max_uses,
            self.max_window_s,
            self.begun_limit_s.map(u64::from),
            self.grace_s.map(u64::from),
            self.car_conditions.map(CarConditions::bits),
            self.presence.map(|presence| u64::from(presence.number())),
        ]
    }

    /// Reads the policy map.
    ///
    /// # Errors
    /// [`DecodeError`] if it does not follow ck1 section 2.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut policy = Self::of(Entitlements::NONE);
        policy.read_into(reader)?;
        Ok(policy)
    }

    /// As [`Policy::read`], into a policy that states nothing yet: 2 KB less to move.
    pub(crate) fn read_into(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        const INCOMPLETE: DecodeError =
            DecodeError::Malformed("a policy states entitlements and delegations");
        let mut map = reader.map()?;
        if map.next_key(reader)? != Some(1) {
            return Err(INCOMPLETE);
        }
        self.entitlements = Entitlements::from_bits(reader.uint()?)
            .ok_or(DecodeError::Malformed("unknown entitlement bit"))?;
        if map.next_key(reader)? != Some(2) {
            return Err(INCOMPLETE);
        }
        self.delegations = reader.byte_up_to(limits::DEPTH)?;
        self.read_stated(&mut map, reader)
    }

    fn read_stated(
        &mut self,
        map: &mut MapReader,
        reader: &mut Reader<'_>,
    ) -> Result<(), DecodeError> {
        while let Some(key) = map.next_key(reader)? {
            match key {
                3 => read_areas(reader, &mut self.areas)?,
                4 => self.outage_limit_s = Some(read_seconds(reader, STRICTEST_LIMIT_S, u32::MAX)?),
                5 => self.generation = Some(reader.uint()?),
                6 => self.proximity = Some(read_enum(reader, Proximity::from_number)?),
                7 => self.clock_rule = Some(read_enum(reader, ClockRule::from_number)?),
                8 => self.hours = Some(WeeklyHours::read(reader)?),
                9 => self.max_uses = Some(reader.uint()?),
                10 => self.max_window_s = Some(reader.uint()?),
                11 => {
                    self.begun_limit_s = Some(read_seconds(
                        reader,
                        STRICTEST_LIMIT_S,
                        DEFAULT_BEGUN_LIMIT_S,
                    )?);
                }
                12 => self.grace_s = Some(read_seconds(reader, 0, LONGEST_GRACE_S)?),
                13 => {
                    let conditions = CarConditions::from_bits(reader.uint()?);
                    self.car_conditions =
                        Some(conditions.ok_or(DecodeError::Malformed("unknown car condition"))?);
                }
                14 => self.presence = Some(read_enum(reader, Presence::from_number)?),
                15 => read_areas(reader, &mut self.return_areas)?,
                _ => return Err(DecodeError::Malformed("unknown policy item")),
            }
        }
        Ok(())
    }
}

fn read_enum<T>(
    reader: &mut Reader<'_>,
    from_number: impl Fn(u8) -> Option<T>,
) -> Result<T, DecodeError> {
    from_number(reader.byte_up_to(u8::MAX)?).ok_or(DecodeError::Malformed("unknown value"))
}

fn read_seconds(reader: &mut Reader<'_>, least: u32, most: u32) -> Result<u32, DecodeError> {
    let value = reader.uint_up_to(u64::from(most))?;
    u32::try_from(value)
        .ok()
        .filter(|value| *value >= least)
        .ok_or(DecodeError::Malformed("seconds out of range"))
}

fn read_areas(reader: &mut Reader<'_>, areas: &mut Areas) -> Result<(), DecodeError> {
    let count = reader.array()?;
    if count == 0 {
        return Err(DecodeError::Malformed("an area list is not empty"));
    }
    if count > limits::AREAS {
        return Err(DecodeError::TooLarge("more than 8 areas"));
    }
    for _ in 0..count {
        areas.push(read_area(reader)?);
    }
    Ok(())
}

fn write_areas(writer: &mut Writer, key: u64, areas: &Areas) {
    if !areas.is_empty() {
        writer.uint(key).array(areas.len());
        areas.iter().for_each(|area| write_area(writer, area));
    }
}
