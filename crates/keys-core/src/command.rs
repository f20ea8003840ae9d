//! What is asked of a car.

use core::fmt;
use core::str::FromStr;

use crate::entitlement::Entitlements;

/// A command to the car. The numbers are those of ck1 section 2, policy 1, and go on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum VehicleCommand {
    /// Open the doors.
    Unlock,
    /// Lock the doors.
    Lock,
    /// Release the immobilizer or in-car key, whichever the car has.
    EnableDriving,
    /// Open the trunk.
    OpenTrunk,
    /// Open the charge port.
    ChargePort,
    /// Say where the car is.
    Locate,
}

impl VehicleCommand {
    /// Every command, in wire order.
    pub const ALL: [Self; 6] = [
        Self::Unlock,
        Self::Lock,
        Self::EnableDriving,
        Self::OpenTrunk,
        Self::ChargePort,
        Self::Locate,
    ];

    /// The wire number, which is also the entitlement bit it needs.
    #[must_use]
    pub fn bit(self) -> u8 {
        match self {
            Self::Unlock => 0,
            Self::Lock => 1,
            Self::EnableDriving => 2,
            Self::OpenTrunk => 3,
            Self::ChargePort => 4,
            Self::Locate => 6,
        }
    }

    /// The command of a wire number, if there is one.
    #[must_use]
    pub fn from_bit(bit: u64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|command| u64::from(command.bit()) == bit)
    }

    /// The stable name, as in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unlock => "unlock",
            Self::Lock => "lock",
            Self::EnableDriving => "enable_driving",
            Self::OpenTrunk => "open_trunk",
            Self::ChargePort => "charge_port",
            Self::Locate => "locate",
        }
    }

    /// The entitlement a holder needs for it.
    #[must_use]
    pub fn entitlement(self) -> Entitlements {
        Entitlements::from_bit(self.bit())
    }

    /// Whether an allowed one counts as a use (policy 9).
    #[must_use]
    pub fn counts_as_use(self) -> bool {
        !matches!(self, Self::Lock | Self::Locate)
    }

    /// Whether an allowed one begins the trip (ck1 section 6, *begun*).
    #[must_use]
    pub fn begins_trip(self) -> bool {
        matches!(self, Self::Unlock | Self::EnableDriving)
    }
}

impl fmt::Display for VehicleCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that names no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a command; expected unlock, lock, enable_driving, open_trunk, charge_port or locate")]
pub struct UnknownCommand;

impl FromStr for VehicleCommand {
    type Err = UnknownCommand;
    fn from_str(text: &str) -> Result<Self, UnknownCommand> {
        Self::ALL
            .into_iter()
            .find(|command| command.as_str() == text)
            .ok_or(UnknownCommand)
    }
}
