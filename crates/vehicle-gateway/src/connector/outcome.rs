//! What the car did, in three values.

use std::fmt;

use super::{CarState, ConnectorError};

/// What became of an order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The car did it: `state` is newer than the order and shows the effect.
    Done {
        /// The state that proves it.
        state: Box<CarState>,
    },
    /// The car has not done it and will not.
    Declined {
        /// Why.
        reason: Declined,
    },
    /// The car may have acted, or may still act. Read it back; never send again.
    Unknown {
        /// What the back-end calls the order, for the read-back.
        reference: CommandRef,
    },
}

impl Outcome {
    /// The stable name: `done`, `declined` or `unknown`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Declined { .. } => "declined",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// The outcome of an order whose sending failed with `error`.
    #[must_use]
    pub fn of_failed_send(error: &ConnectorError, reference: CommandRef) -> Self {
        if error.may_have_acted() {
            Self::Unknown { reference }
        } else {
            Self::Declined {
                reason: error.as_declined(),
            }
        }
    }
}

/// What a back-end calls an order: opaque text, at most [`CommandRef::LIMIT`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CommandRef(String);

impl CommandRef {
    /// The most bytes a reference may have; longer ones are cut at a character.
    pub const LIMIT: usize = 128;

    /// A reference made from what the back-end said.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut end = text.len().min(Self::LIMIT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(text[..end].to_owned())
    }

    /// The text of the reference.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommandRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why the car has not acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Declined {
    /// The car could not be woken in time; nothing was sent.
    Asleep,
    /// A door stands open, so the car will not lock.
    DoorsOpen,
    /// The command expired before the car acted on it.
    Expired,
    /// The lock motor is jammed.
    Jammed,
    /// The car is moving.
    Moving,
    /// A reading newer than the command shows that it had no effect, and it can no longer have one.
    NotDone,
    /// The car or its back-end is out of reach; nothing was sent.
    Offline,
    /// The back-end refused for a reason of its own, kept in its log.
    Refused,
    /// This car cannot do that.
    Unsupported,
}

impl Declined {
    /// The stable kebab-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asleep => "asleep",
            Self::DoorsOpen => "doors-open",
            Self::Expired => "expired",
            Self::Jammed => "jammed",
            Self::Moving => "moving",
            Self::NotDone => "not-done",
            Self::Offline => "offline",
            Self::Refused => "refused",
            Self::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reference_is_cut_at_a_character() {
        let text = "é".repeat(CommandRef::LIMIT);
        let reference = CommandRef::new(&text);
        assert!(reference.as_str().len() <= CommandRef::LIMIT);
        assert!(text.starts_with(reference.as_str()));
    }

    #[test]
    fn a_failed_send_is_unknown_only_if_the_car_may_have_acted() {
        let reference = CommandRef::new("1");
        assert_eq!(
            Outcome::of_failed_send(&ConnectorError::TimedOut, reference.clone()),
            Outcome::Unknown {
                reference: reference.clone()
            }
        );
        assert_eq!(
            Outcome::of_failed_send(&ConnectorError::Offline, reference),
            Outcome::Declined {
                reason: Declined::Offline
            }
        );
    }
}
