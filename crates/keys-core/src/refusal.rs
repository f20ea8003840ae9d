//! Why a gateway says no: stable codes in a fixed-size set.

use core::fmt;
use core::str::FromStr;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)+) => {
        /// One reason to refuse. The order is that of ck1 section 11; codes never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Refusal { $($(#[$doc])* $name,)+ }

        impl Refusal {
            /// Every refusal, in the order of ck1 section 11.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable kebab-case code.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }
        }
    };
}

refusals! {
    /// The bytes do not follow the format.
    Malformed = "malformed",
    /// A size limit is exceeded.
    TooLarge = "too-large",
    /// The object is for another vehicle.
    WrongVehicle = "wrong-vehicle",
    /// No trusted key has this hint.
    UnknownSigner = "unknown-signer",
    /// A signature does not verify.
    BadSignature = "bad-signature",
    /// A link states more than its parent gives, or more than any link may.
    Widened = "widened",
    /// An algorithm, version or zone that this gateway does not know.
    Unsupported = "unsupported",
    /// The window is over.
    Expired = "expired",
    /// The window has not begun.
    NotYetValid = "not-yet-valid",
    /// Outside the weekly hours.
    OutsideHours = "outside-hours",
    /// The car is outside an area.
    OutsideArea = "outside-area",
    /// An area must be tested and the place is not known.
    LocationUnknown = "location-unknown",
    /// A condition needs the car's state and it is unknown or older than 60 s.
    StateStale = "state-stale",
    /// The car must stand still.
    CarMoving = "car-moving",
    /// The ignition must be off.
    IgnitionOn = "ignition-on",
    /// The key does not give this right.
    NotEntitled = "not-entitled",
    /// The phone's user must be present.
    PresenceNeeded = "presence-needed",
    /// The phone is not proven near enough.
    TooFar = "too-far",
    /// All uses are spent.
    UsesSpent = "uses-spent",
    /// A link is revoked.
    Revoked = "revoked",
    /// A link is suspended.
    Suspended = "suspended",
    /// The first link is of an older generation than the car's.
    OldGeneration = "old-generation",
    /// The newest statement is too old, or missing.
    StatementTooOld = "statement-too-old",
    /// The time is not known well enough.
    ClockUntrusted = "clock-untrusted",
    /// Outside what the mandate, or the bundle about mandates, allows.
    MandateExceeded = "mandate-exceeded",
    /// The nonce or command id was used with other bytes.
    Replayed = "replayed",
    /// The challenge is too old.
    ChallengeExpired = "challenge-expired",
    /// The challenge is not this gateway's, or is missing.
    WrongChallenge = "wrong-challenge",
    /// The command's own deadline has passed.
    CommandExpired = "command-expired",
    /// Another command is in progress.
    Busy = "busy",
    /// Too many tries.
    RateLimited = "rate-limited",
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Text that is no refusal code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a refusal code")]
pub struct UnknownRefusal;

impl FromStr for Refusal {
    type Err = UnknownRefusal;
    fn from_str(text: &str) -> Result<Self, UnknownRefusal> {
        Self::ALL
            .iter()
            .copied()
            .find(|refusal| refusal.code() == text)
            .ok_or(UnknownRefusal)
    }
}

/// A set of refusals in one machine word.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Refusals(u32);

impl Refusals {
    /// No refusal.
    pub const NONE: Self = Self(0);

    /// Adds one.
    pub fn insert(&mut self, refusal: Refusal) {
        self.0 |= 1 << refusal as u8;
    }

    /// Whether it is in the set.
    #[must_use]
    pub fn contains(self, refusal: Refusal) -> bool {
        self.0 >> refusal as u8 & 1 == 1
    }

    /// Whether nothing refuses.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether every refusal here is in `other`.
    #[must_use]
    pub fn is_subset_of(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The refusals in the order of ck1 section 11.
    pub fn iter(self) -> impl Iterator<Item = Refusal> {
        Refusal::ALL
            .iter()
            .copied()
            .filter(move |refusal| self.contains(*refusal))
    }
}

impl From<Refusal> for Refusals {
    fn from(refusal: Refusal) -> Self {
        let mut set = Self::NONE;
        set.insert(refusal);
        set
    }
}

impl FromIterator<Refusal> for Refusals {
    fn from_iter<I: IntoIterator<Item = Refusal>>(refusals: I) -> Self {
        let mut set = Self::NONE;
        refusals.into_iter().for_each(|refusal| set.insert(refusal));
        set
    }
}

impl fmt::Debug for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(Refusal::code))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_back_and_fits_the_set() {
        assert_eq!(Refusal::ALL.len(), 31);
        for refusal in Refusal::ALL {
            assert_eq!(refusal.code().parse(), Ok(*refusal));
            assert!(Refusals::from(*refusal).contains(*refusal));
        }
        assert_eq!(Refusal::ALL.iter().copied().collect::<Refusals>().len(), 31);
    }
}
