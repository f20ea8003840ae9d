//! Why a back-end gave no answer.

use super::Declined;

/// A call to a back-end that failed.
///
/// No variant carries what was sent or a credential: texts are fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectorError {
    /// The car could not be woken in time.
    #[error("the car is asleep and did not wake in time")]
    Asleep,
    /// The back-end answered with something that makes no sense.
    #[error("the back-end's answer could not be read: {0}")]
    Garbled(&'static str),
    /// The car or its back-end is out of reach; nothing was sent.
    #[error("the car is out of reach")]
    Offline,
    /// The back-end refused and has done nothing.
    #[error("the back-end refused: {0}")]
    Refused(Declined),
    /// No answer came in time.
    #[error("no answer in time")]
    TimedOut,
}

impl ConnectorError {
    /// Whether the car may have acted on what was sent. Only a failure of which this is false may be tried again.
    #[must_use]
    pub fn may_have_acted(&self) -> bool {
        match self {
            Self::Asleep | Self::Offline | Self::Refused(_) => false,
            Self::Garbled(_) | Self::TimedOut => true,
        }
    }

    /// The reason to give when nothing had been sent yet.
    #[must_use]
    pub fn as_declined(&self) -> Declined {
        match self {
            Self::Asleep => Declined::Asleep,
            Self::Refused(reason) => *reason,
            Self::Garbled(_) | Self::Offline | Self::TimedOut => Declined::Offline,
        }
    }
}
