//! Weekly hours: a key that works only at some times of some weekdays, by the clock on the wall where the car's owner set it.
//!
//! An owner or a delegate states the hours in a link (policy 8). The gateway turns its own UTC time into the local time of
//! the stated zone: from UTC to local there is always exactly one answer, also in the hour that a change of the clocks
//! repeats or leaves out. Nothing here touches the heap.
//!
//! Source: ck1 section 2 (policy, key 8).

use core::fmt;

use arrayvec::{ArrayString, ArrayVec};
use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;
use thiserror::Error;

use crate::codec::{DecodeError, Reader, Writer};
use crate::limits;
use crate::time::{ClockInterval, Timestamp};

/// Greatest number of windows in the hours of one link (ck1 section 2).
pub const MAX_WINDOWS: usize = 4;

/// Minutes of a local day by the wall clock, and the greatest end of a window (ck1 section 2).
pub const MINUTES_PER_DAY: u16 = 1_440;

/// Longest clock interval that [`WeeklyHours::contains_all`] considers, in seconds: one day.
pub const MAX_INTERVAL_S: u64 = 86_400;

const SECONDS_PER_MINUTE: u64 = 60;
const ALL_WEEKDAYS: u8 = 0b111_1111;

/// Why hours are not hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HoursError {
    /// The mask names no weekday, or an eighth one.
    #[error("weekday mask is `{0}`, expected 1 to 127 (bit 0 is Monday)")]
    Weekdays(u8),
    /// The window, in minutes of the local day, is empty, reversed or runs past midnight.
    #[error(
        "window is `{start}` to `{end}`, expected start below end and end at most 1440 (minutes)"
    )]
    Window {
        /// First minute inside.
        start: u16,
        /// First minute outside.
        end: u16,
    },
    /// There are no windows, or more than [`MAX_WINDOWS`].
    #[error("hours have {0} windows, expected 1 to 4")]
    WindowCount(usize),
    /// The zone name is longer than [`limits::ZONE_BYTES`] or not ASCII.
    #[error("zone name is not ASCII text of at most 64 bytes")]
    ZoneName,
}

/// The name of a time zone as somebody signed it; perhaps one that nobody here knows.
///
/// ASCII, at most [`limits::ZONE_BYTES`] bytes, kept letter for letter.
///
/// Source: ck1 section 2 (policy, key 8).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ZoneName(ArrayString<{ limits::ZONE_BYTES }>);

impl ZoneName {
    /// Takes a name without asking whether the zone exists; [`ZoneName::resolve`] does that.
    ///
    /// # Errors
    /// [`HoursError::ZoneName`] if it is too long or not ASCII.
    pub fn new(name: &str) -> Result<Self, HoursError> {
        if !name.is_ascii() {
            return Err(HoursError::ZoneName);
        }
        ArrayString::from(name)
            .map(Self)
            .map_err(|_full| HoursError::ZoneName)
    }

    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The zone of this name: an exact IANA Zone or Link name, upper and lower case told apart.
    ///
    /// `None` if this build does not know it; a gateway then refuses the key as `unsupported`, because guessing a zone
    /// would open the car at the wrong hours.
    ///
    /// Source: ck1 section 2 (narrowing); names from the IANA database inside `chrono-tz`.
    #[must_use]
    pub fn resolve(&self) -> Option<Tz> {
        self.0.parse().ok()
    }
}

impl fmt::Debug for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ZoneName({:?})", self.as_str())
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A stretch of some local weekdays, from the first minute inside to the first outside.
///
/// It never passes midnight: a night is two windows.
///
/// CDDL: `[uint, uint, uint]` (weekday mask 1 to 127, bit 0 Monday; start; end; start < end ≤ 1440).
///
/// Source: ck1 section 2 (policy, key 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoursWindow {
    weekdays: u8,
    start: u16,
    end: u16,
}

impl HoursWindow {
    /// Makes a window from a weekday mask (bit 0 is Monday) and minutes of the local day.
    ///
    /// # Errors
    /// [`HoursError::Weekdays`] outside 1 to 127; [`HoursError::Window`] unless start < end ≤ 1440.
    pub fn new(weekdays: u8, start: u16, end: u16) -> Result<Self, HoursError> {
        if weekdays == 0 || weekdays > ALL_WEEKDAYS {
            return Err(HoursError::Weekdays(weekdays));
        }
        if start >= end || end > MINUTES_PER_DAY {
            return Err(HoursError::Window { start, end });
        }
        Ok(Self {
            weekdays,
            start,
            end,
        })
    }

    /// The weekdays as a mask, bit 0 Monday to bit 6 Sunday; 1 to 127.
    #[must_use]
    pub const fn weekdays(&self) -> u8 {
        self.weekdays
    }

    /// The first minute inside, counted from local midnight by the wall clock.
    #[must_use]
    pub const fn start(&self) -> u16 {
        self.start
    }

    /// The first minute outside, counted from local midnight by the wall clock; 1440 is the end of the day.
    #[must_use]
    pub const fn end(&self) -> u16 {
        self.end
    }

    fn holds(&self, moment: WallMinute) -> bool {
        self.weekdays >> moment.weekday & 1 == 1
            && (u32::from(self.start)..u32::from(self.end)).contains(&moment.minute)
    }
}

/// What a clock on the wall shows: days since Monday and minutes since midnight.
#[derive(Clone, Copy)]
struct WallMinute {
    weekday: u32,
    minute: u32,
}

impl WallMinute {
    /// `None` for a time beyond the calendar, some 260,000 years from now.
    fn at(zone: Tz, time: Timestamp) -> Option<Self> {
        let utc = DateTime::from_timestamp(i64::try_from(time.0).ok()?, 0)?;
        let local = utc.with_timezone(&zone);
        Some(Self {
            weekday: local.weekday().num_days_from_monday(),
            minute: local.hour() * 60 + local.minute(),
        })
    }
}

/// The hours of one link: a zone and one to four windows, any of which suffices.
///
/// CDDL: `[tstr, [1*4 [uint, uint, uint]]]`. Hours of several links must all hold, which is for the caller to see to.
///
/// Source: ck1 section 2 (policy, key 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeeklyHours {
    zone: ZoneName,
    windows: ArrayVec<HoursWindow, MAX_WINDOWS>,
}

impl WeeklyHours {
    /// Makes weekly hours from a zone name and one to four windows, kept in their order.
    ///
    /// # Errors
    /// [`HoursError::WindowCount`] for none or more than four.
    pub fn new(zone: ZoneName, windows: &[HoursWindow]) -> Result<Self, HoursError> {
        let count = HoursError::WindowCount(windows.len());
        let windows = ArrayVec::try_from(windows).map_err(|_full| count)?;
        if windows.is_empty() {
            return Err(count);
        }
        Ok(Self { zone, windows })
    }

    /// The name of the zone.
    #[must_use]
    pub fn zone(&self) -> &ZoneName {
        &self.zone
    }

    /// The windows in their order; one to four.
    #[must_use]
    pub fn windows(&self) -> &[HoursWindow] {
        &self.windows
    }

    /// The zone itself; see [`ZoneName::resolve`].
    #[must_use]
    pub fn resolve(&self) -> Option<Tz> {
        self.zone.resolve()
    }

    /// Whether the wall clock in `zone`, from [`WeeklyHours::resolve`], is inside a window at time `at`.
    ///
    /// Where a change of the clocks repeats an hour, both passes count; an hour left out never comes.
    ///
    /// Source: ck1 section 2 (policy, key 8).
    #[must_use]
    pub fn contains(&self, zone: Tz, at: Timestamp) -> bool {
        WallMinute::at(zone, at)
            .is_some_and(|moment| self.windows.iter().any(|window| window.holds(moment)))
    }

    /// Whether [`WeeklyHours::contains`] holds at every second of `clock`, both ends included, so that an uncertain clock
    /// never opens outside the hours.
    ///
    /// The windows may hand over to each other on the way, as at midnight in a night of two windows. An interval turned
    /// round or longer than [`MAX_INTERVAL_S`] is not inside: the work stays below 1,442 looks at the zone, and hours are
    /// meaningless to a gateway that does not know the day.
    ///
    /// Source: ck1 section 2 (policy, key 8) and section 6 (clock).
    #[must_use]
    pub fn contains_all(&self, zone: Tz, clock: ClockInterval) -> bool {
        let ClockInterval { lo, hi } = clock;
        if lo > hi || hi.since(lo) > MAX_INTERVAL_S {
            return false;
        }
        // Zones have kept whole minutes from UTC, and changed them at whole minutes, since 1972. So the wall clock
        // shows one minute throughout a minute of UTC, and one look into each decides.
        let later_minutes = lo.0 / SECONDS_PER_MINUTE + 1..=hi.0 / SECONDS_PER_MINUTE;
        self.contains(zone, lo)
            && later_minutes
                .into_iter()
                .all(|minute| self.contains(zone, Timestamp(minute * SECONDS_PER_MINUTE)))
    }

    /// Reads the value of policy 8. An unknown zone is read; see [`ZoneName::resolve`].
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] for anything but the shape above, values out of range included.
    ///
    /// Source: ck1 section 2 (policy, key 8).
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array_of(2, 2)?;
        let zone = ZoneName::new(reader.text(limits::ZONE_BYTES)?)?;
        let count = reader.array_of(1, MAX_WINDOWS)?;
        let windows = (0..count)
            .map(|_| read_window(reader))
            .collect::<Result<ArrayVec<_, MAX_WINDOWS>, _>>()?;
        Ok(Self::new(zone, &windows)?)
    }

    /// Writes the value of policy 8 as [`WeeklyHours::read`] reads it.
    pub fn write(&self, writer: &mut Writer) {
        writer
            .array(2)
            .text(self.zone.as_str())
            .array(self.windows.len());
        for window in &self.windows {
            writer
                .array(3)
                .uint(u64::from(window.weekdays))
                .uint(u64::from(window.start))
                .uint(u64::from(window.end));
        }
    }
}

impl From<HoursError> for DecodeError {
    fn from(error: HoursError) -> Self {
        Self::Malformed(match error {
            HoursError::Weekdays(_) => "weekday mask out of range",
            HoursError::Window { .. } => "window is empty or passes midnight",
            HoursError::WindowCount(_) => "wrong number of windows",
            HoursError::ZoneName => "zone name is too long or not ASCII",
        })
    }
}

fn read_window(reader: &mut Reader<'_>) -> Result<HoursWindow, DecodeError> {
    let narrow = |value: u64| {
        u16::try_from(value).map_err(|_large| DecodeError::Malformed("minute out of range"))
    };
    reader.array_of(3, 3)?;
    let weekdays = reader.byte_up_to(ALL_WEEKDAYS)?;
    Ok(HoursWindow::new(
        weekdays,
        narrow(reader.uint()?)?,
        narrow(reader.uint()?)?,
    )?)
}

#[cfg(test)]
mod tests;
