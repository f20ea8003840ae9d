//! What a holder may do.

use alloc::vec::Vec;
use core::fmt;
use core::ops::BitOr;

/// A set of entitlements, the bits of ck1 section 2, policy 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Entitlements(u8);

/// Names in bit order.
const NAMES: [&str; 8] = [
    "unlock",
    "lock",
    "enable_driving",
    "open_trunk",
    "charge_port",
    "remote",
    "locate",
    "sign_status",
];

impl Entitlements {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Open the doors.
    pub const UNLOCK: Self = Self(1);
    /// Lock the doors.
    pub const LOCK: Self = Self(1 << 1);
    /// Drive.
    pub const ENABLE_DRIVING: Self = Self(1 << 2);
    /// Open the trunk.
    pub const OPEN_TRUNK: Self = Self(1 << 3);
    /// Open the charge port.
    pub const CHARGE_PORT: Self = Self(1 << 4);
    /// Needed for every command that arrives through the API.
    pub const REMOTE: Self = Self(1 << 5);
    /// Ask where the car is.
    pub const LOCATE: Self = Self(1 << 6);
    /// Sign status statements; only from the platform root, alone, with depth 0.
    pub const SIGN_STATUS: Self = Self(1 << 7);

    /// From the wire number; unknown bits give `None`.
    #[must_use]
    pub fn from_bits(bits: u64) -> Option<Self> {
        u8::try_from(bits).ok().map(Self)
    }

    /// The set of one bit number (0–7).
    #[must_use]
    pub(crate) fn from_bit(bit: u8) -> Self {
        Self(1u8.checked_shl(u32::from(bit)).unwrap_or(0))
    }

    /// The wire number.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Whether every entitlement of `other` is in this set.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether this set lies inside `parent`.
    #[must_use]
    pub fn is_subset_of(self, parent: Self) -> bool {
        parent.contains(self)
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The stable names, in bit order.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        NAMES
            .iter()
            .enumerate()
            .filter(|(bit, _)| self.0 >> bit & 1 == 1)
            .map(|(_, name)| *name)
            .collect()
    }

    /// The set of one stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .position(|known| *known == name)
            .and_then(|bit| u8::try_from(bit).ok())
            .map(Self::from_bit)
    }
}

impl BitOr for Entitlements {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Entitlements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
