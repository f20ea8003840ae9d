//! M2: a key, the challenge it answers and the holder's proof, as one message.

use alloc::vec::Vec;

use crate::challenge::Challenge;
use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::Unverified;
use crate::id::ObjectId;
use crate::key::UnverifiedKey;
use crate::limits;
use crate::proof::Proof;

/// The key of a presentation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one and lives on the stack"
)]
pub enum PresentedKey<'a> {
    /// The whole key.
    Whole(UnverifiedKey<'a>),
    /// The leaf id of a key this gateway verified before.
    Cached(ObjectId),
}

/// A parsed presentation: `[1, M1, key / id of a cached leaf, proof]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presentation<'a> {
    /// The challenge, as the phone received it.
    pub challenge: Unverified<'a, Challenge>,
    /// The key.
    pub key: PresentedKey<'a>,
    /// The bytes of the key item.
    pub key_bytes: &'a [u8],
    /// The proof.
    pub proof: Unverified<'a, Proof>,
}

impl<'a> Presentation<'a> {
    /// Parses a presentation.
    ///
    /// # Errors
    /// [`DecodeError`] if it is too long or does not follow ck1 section 5.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.len() > limits::PRESENTATION_BYTES {
            return Err(DecodeError::TooLarge("presentation"));
        }
        let mut reader = Reader::new(bytes);
        if reader.array()? != 4 {
            return Err(DecodeError::Malformed("a presentation has four items"));
        }
        if reader.uint()? != 1 {
            return Err(DecodeError::Unsupported("presentation version"));
        }
        let challenge = Unverified::read(&mut reader)?;
        let start = reader.position();
        let key = if reader.next_is_bytes() {
            PresentedKey::Cached(ObjectId(*reader.bytes_exact()?))
        } else {
            PresentedKey::Whole(UnverifiedKey::read(&mut reader)?)
        };
        let key_bytes = reader.since(start);
        let proof = Unverified::read(&mut reader)?;
        reader.finish()?;
        Ok(Self {
            challenge,
            key,
            key_bytes,
            proof,
        })
    }
}

/// Encodes a presentation from the challenge, the key (or the cached leaf id as a byte string item)
/// and the proof.
#[must_use]
pub fn encode_presentation(challenge: &[u8], key: &[u8], proof: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(4).uint(1).raw(challenge).raw(key).raw(proof);
    writer.into_bytes()
}

/// The item that stands for a key the gateway has verified before.
#[must_use]
pub fn cached_key_item(leaf: &ObjectId) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.bytes(&leaf.0);
    writer.into_bytes()
}

#[cfg(test)]
mod tests;
