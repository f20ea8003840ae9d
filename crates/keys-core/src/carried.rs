//! What a phone brings to a gateway beside keys: one object a request, no proof needed.

use alloc::vec::Vec;

use crate::codec::{DecodeError, Reader, Writer};
use crate::limits;
use crate::refusal::Refusal;

/// Kinds of carried objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarriedKind {
    /// A trust bundle.
    Bundle,
    /// A link to be stored as an anchor.
    Anchor,
    /// A status statement.
    Statement,
    /// A time attestation, with the challenge it answers.
    Time,
    /// The API's word that it holds the journal up to an entry.
    JournalAck,
}

impl CarriedKind {
    const ALL: [Self; 5] = [
        Self::Bundle,
        Self::Anchor,
        Self::Statement,
        Self::Time,
        Self::JournalAck,
    ];

    /// The wire number, from 1.
    #[must_use]
    pub fn number(self) -> u64 {
        self as u64 + 1
    }

    fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// A carried object. Shape: `[1, kind, object bstr, ? challenge bstr]`; the challenge exactly with
/// [`CarriedKind::Time`]. The object is at most 2,048 bytes (ck1 section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried<'a> {
    /// What the object is.
    pub kind: CarriedKind,
    /// The signed object.
    pub object: &'a [u8],
    /// The challenge a time attestation answers.
    pub challenge: Option<&'a [u8]>,
}

/// Longest encoded form, bytes.
pub const MAX_BYTES: usize = limits::CARRIED_BYTES + 1_024;

impl<'a> Carried<'a> {
    /// Parses the encoded form.
    ///
    /// # Errors
    /// [`DecodeError`] if it is too long or does not follow the shape.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_BYTES {
            return Err(DecodeError::TooLarge("carried object"));
        }
        let mut reader = Reader::new(bytes);
        let count = reader.array_of(3, 4)?;
        if reader.uint()? != 1 {
            return Err(DecodeError::Unsupported("version of a carried object"));
        }
        let kind = CarriedKind::from_number(reader.uint()?)
            .ok_or(DecodeError::Malformed("unknown kind"))?;
        let object = reader.bytes()?;
        if object.len() > limits::CARRIED_BYTES {
            return Err(DecodeError::TooLarge("carried object"));
        }
        let challenge = if count == 4 {
            Some(reader.bytes()?)
        } else {
            None
        };
        if challenge.is_some() != (kind == CarriedKind::Time) {
            return Err(DecodeError::Malformed(
                "a challenge comes with a time attestation only",
            ));
        }
        reader.finish()?;
        Ok(Self {
            kind,
            object,
            challenge,
        })
    }

    /// The encoded form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .array(3 + usize::from(self.challenge.is_some()))
            .uint(1)
            .uint(self.kind.number())
            .bytes(self.object);
        if let Some(challenge) = self.challenge {
            writer.bytes(challenge);
        }
        writer.into_bytes()
    }
}

/// Encodes the answer to a carried object: `{1: 0/1, ? 2: code}`.
#[must_use]
pub fn encode_answer(refusal: Option<Refusal>) -> Vec<u8> {
    let mut writer = Writer::new();
    match refusal {
        None => writer.map(1).uint(1).uint(1),
        Some(refusal) => writer.map(2).uint(1).uint(0).uint(2).text(refusal.code()),
    };
    writer.into_bytes()
}

/// Reads the answer to a carried object.
///
/// # Errors
/// [`DecodeError`] if it does not follow the shape.
pub fn parse_answer(bytes: &[u8]) -> Result<Option<Refusal>, DecodeError> {
    const SHAPE: DecodeError = DecodeError::Malformed("an answer is {1: 0/1, ? 2: code}");
    let mut reader = Reader::new(bytes);
    let mut map = reader.map()?;
    if map.next_key(&mut reader)? != Some(1) {
        return Err(SHAPE);
    }
    let accepted = reader.byte_up_to(1)? == 1;
    let refusal = match map.next_key(&mut reader)? {
        Some(2) if !accepted => Some(reader.text(32)?.parse().map_err(|_| SHAPE)?),
        None if accepted => None,
        _ => return Err(SHAPE),
    };
    if map.next_key(&mut reader)?.is_some() {
        return Err(SHAPE);
    }
    reader.finish()?;
    Ok(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::edits::assert_strict;

    #[test]
    fn every_kind_comes_back_as_written_and_nothing_else_is_read() {
        for kind in CarriedKind::ALL {
            let carried = Carried {
                kind,
                object: &[1, 2, 3],
                challenge: (kind == CarriedKind::Time).then_some(&[4, 5]),
            };
            let encoded = carried.encode();
            assert_eq!(Carried::parse(&encoded), Ok(carried));
            // The object and the challenge are read by whoever takes them.
            let inside = ["longer /2", "shorter /2", "longer /3", "shorter /3"];
            let inside = if kind == CarriedKind::Time {
                &inside[..]
            } else {
                &inside[..2]
            };
            assert_strict(&encoded, |bytes| Carried::parse(bytes).is_ok(), inside);
        }
    }

    #[test]
    fn a_challenge_comes_with_a_time_attestation_only() {
        for kind in CarriedKind::ALL {
            let is_time = kind == CarriedKind::Time;
            let carried = Carried {
                kind,
                object: &[],
                challenge: (!is_time).then_some(&[]),
            };
            let refused = Carried::parse(&carried.encode()).unwrap_err();
            assert_eq!(refused.refusal(), Refusal::Malformed);
        }
    }

    #[test]
    fn unknown_kinds_and_versions_are_refused() {
        for (bytes, expected) in [
            (&[0x83, 1, 0, 0x40][..], Refusal::Malformed),
            (&[0x83, 1, 6, 0x40], Refusal::Malformed),
            (&[0x83, 2, 1, 0x40], Refusal::Unsupported),
        ] {
            assert_eq!(Carried::parse(bytes).unwrap_err().refusal(), expected);
        }
    }

    #[test]
    fn an_object_has_at_most_its_greatest_length() {
        let largest = [0; limits::CARRIED_BYTES + 1];
        for (length, expected) in [
            (limits::CARRIED_BYTES - 1, None),
            (limits::CARRIED_BYTES, None),
            (limits::CARRIED_BYTES + 1, Some(Refusal::TooLarge)),
        ] {
            let carried = Carried {
                kind: CarriedKind::Statement,
                object: &largest[..length],
                challenge: None,
            };
            let encoded = carried.encode();
            let refused = Carried::parse(&encoded).err().map(DecodeError::refusal);
            assert_eq!(refused, expected);
        }
        let whole = [0; MAX_BYTES + 1];
        assert_eq!(
            Carried::parse(&whole).unwrap_err().refusal(),
            Refusal::TooLarge
        );
    }

    #[test]
    fn answers_come_back_as_written_and_nothing_else_is_read() {
        for answer in [None, Some(Refusal::Revoked)] {
            let encoded = encode_answer(answer);
            assert_eq!(parse_answer(&encoded), Ok(answer));
            assert_strict(&encoded, |bytes| parse_answer(bytes).is_ok(), &[]);
        }
        assert!(parse_answer(&[0xa2, 1, 1, 2, 0x64, b'b', b'u', b's', b'y']).is_err());
        assert!(parse_answer(&[0xa1, 1, 0]).is_err());
    }
}
