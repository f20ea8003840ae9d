//! The holder's signature over one challenge and one command.

use crate::area::{Point, read_point, write_point};
use crate::challenge::Challenge;
use crate::codec::{DecodeError, Reader, Writer};
use crate::command::VehicleCommand;
use crate::envelope::{Body, Context, HintRule, Sealed, seal, sha256};
use crate::id::{CommandId, ObjectId};
use crate::limits;
use crate::link::read_time;
use crate::policy::Presence;
use crate::signature::{SignError, Signer};
use crate::time::Timestamp;

/// A proof, signed by the holder key under `ck1:pop\0`, SHA-256(challenge bytes) and the leaf id.
/// Shape: ck1 section 5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// 1: what is asked of the car.
    pub command: VehicleCommand,
    /// 2: the phone's time, for display and logs.
    pub phone_time: Timestamp,
    /// 3: X25519 share of the phone.
    pub share: Option<[u8; 32]>,
    /// 4: SHA-256 of the command's parameters; no command of version 1 has any.
    pub parameters: Option<[u8; 32]>,
    /// 5: how sure the phone is that a person asked.
    pub presence: Presence,
    /// 7: made by the phone; executes at most once for ever.
    pub command_id: CommandId,
    /// 8: phone time after which the command must not run, at most 30 s ahead.
    pub not_after: Timestamp,
    /// 9: where the phone is.
    pub position: Option<Point>,
}

impl Body for Proof {
    const CONTEXT: Context = Context(b"ck1:pop\0");
    const MAX_BYTES: usize = 320;
    const HINT: HintRule = HintRule::Forbidden;

    fn write(&self, writer: &mut Writer) {
        let optional = [
            self.share.is_some(),
            self.parameters.is_some(),
            self.position.is_some(),
        ];
        writer.map(5 + optional.into_iter().filter(|stated| *stated).count());
        writer
            .uint(1)
            .uint(u64::from(self.command.bit()))
            .uint(2)
            .uint(self.phone_time.0);
        if let Some(share) = &self.share {
            writer.uint(3).bytes(share);
        }
        if let Some(parameters) = &self.parameters {
            writer.uint(4).bytes(parameters);
        }
        writer.uint(5).uint(u64::from(self.presence.number()));
        writer
            .uint(7)
            .bytes(&self.command_id.0)
            .uint(8)
            .uint(self.not_after.0);
        if let Some(position) = &self.position {
            writer.uint(9);
            write_point(writer, position);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const INCOMPLETE: DecodeError = DecodeError::Malformed("a proof lacks a field");
        let (mut command, mut phone_time, mut share, mut parameters) = (None, None, None, None);
        let (mut presence, mut command_id, mut not_after, mut position) = (None, None, None, None);
        let mut map = reader.map()?;
        while let Some(key) = map.next_key(reader)? {
            match key {
                1 => command = Some(read_command(reader)?),
                2 => phone_time = Some(read_time(reader)?),
                3 => share = Some(*reader.bytes_exact()?),
                4 => parameters = Some(*reader.bytes_exact()?),
                5 => {
                    let number = reader.byte_up_to(2)?;
                    presence = Some(Presence::from_number(number).ok_or(INCOMPLETE)?);
                }
                7 => command_id = Some(CommandId(*reader.bytes_exact()?)),
                8 => not_after = Some(read_time(reader)?),
                9 => position = Some(read_point(reader)?),
                _ => return Err(DecodeError::Malformed("unknown proof field")),
            }
        }
        let proof = Self {
            command: command.ok_or(INCOMPLETE)?,
            phone_time: phone_time.ok_or(INCOMPLETE)?,
            share,
            parameters,
            presence: presence.ok_or(INCOMPLETE)?,
            command_id: command_id.ok_or(INCOMPLETE)?,
            not_after: not_after.ok_or(INCOMPLETE)?,
            position,
        };
        if proof.not_after < proof.phone_time
            || proof.not_after.since(proof.phone_time) > limits::COMMAND_LIFE_S
        {
            return Err(DecodeError::Malformed(
                "not-after lies within 30 s of the phone's time",
            ));
        }
        if proof.parameters.is_some() {
            return Err(DecodeError::Malformed("this command has no parameters"));
        }
        Ok(proof)
    }
}

fn read_command(reader: &mut Reader<'_>) -> Result<VehicleCommand, DecodeError> {
    VehicleCommand::from_bit(reader.uint()?).ok_or(DecodeError::Malformed("not a command"))
}

/// The hash of a challenge's bytes that proofs and time attestations are bound to.
#[must_use]
pub fn challenge_hash(challenge: &[u8]) -> [u8; 32] {
    sha256(challenge)
}

/// Signs a proof for one challenge with the key whose last link is `leaf`.
///
/// # Errors
/// [`SignError`] if the signer cannot sign now.
pub fn sign_proof(
    proof: &Proof,
    signer: &dyn Signer,
    challenge: &[u8],
    leaf: &ObjectId,
) -> Result<Sealed, SignError> {
    seal(proof, signer, [&challenge_hash(challenge), &leaf.0, &[]])
}

/// The leaf that a proof names is the one it was signed under; see [`sign_proof`].
pub(crate) fn proof_rest<'a>(challenge_hash: &'a [u8; 32], leaf: &'a ObjectId) -> [&'a [u8]; 3] {
    [challenge_hash, &leaf.0, &[]]
}

/// Whether a challenge speaks this protocol version.
#[must_use]
pub fn speaks_this_version(challenge: &Challenge) -> bool {
    challenge.versions.contains(&crate::challenge::VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::edits::{assert_body, payload, read_payload};
    use crate::testing::NOW;

    fn full() -> Proof {
        Proof {
            command: VehicleCommand::Unlock,
            phone_time: NOW,
            share: Some([1; 32]),
            parameters: None,
            presence: Presence::Verified,
            command_id: CommandId([2; 16]),
            not_after: NOW.plus(30),
            position: Some(Point::new(520_000_000, -134_000_000).unwrap()),
        }
    }

    #[test]
    fn a_proof_comes_back_as_written_and_nothing_else_is_read() {
        assert_body(&full(), &["remove /3", "remove /9"]);
    }

    #[test]
    fn every_command_can_be_asked_and_nothing_else() {
        let encoded = payload(&full());
        assert_eq!(encoded[..3], [0xa7, 1, 0]);
        for bit in 0..24 {
            let mut other = encoded.clone();
            other[2] = bit;
            let is_command = VehicleCommand::ALL
                .iter()
                .any(|command| command.bit() == bit);
            assert_eq!(read_payload::<Proof>(&other).is_ok(), is_command, "{bit}");
        }
    }

    #[test]
    fn a_command_lives_at_most_thirty_seconds() {
        let read = |not_after: u64| {
            let mut proof = full();
            proof.not_after = Timestamp(not_after);
            read_payload::<Proof>(&payload(&proof)).is_ok()
        };
        assert!(!read(NOW.0 - 1));
        assert!(read(NOW.0));
        assert!(read(NOW.0 + 29));
        assert!(read(NOW.0 + 30));
        assert!(!read(NOW.0 + 31));
    }

    #[test]
    fn no_command_has_parameters() {
        let mut proof = full();
        proof.parameters = Some([0; 32]);
        assert_eq!(
            read_payload::<Proof>(&payload(&proof)),
            Err(DecodeError::Malformed("this command has no parameters"))
        );
    }

    #[test]
    fn presence_has_three_levels() {
        let encoded = payload(&full());
        let at = encoded
            .windows(3)
            .position(|bytes| bytes == [5, 2, 7])
            .unwrap();
        for (level, expected) in [(0, true), (1, true), (2, true), (3, false)] {
            let mut other = encoded.clone();
            other[at + 1] = level;
            assert_eq!(read_payload::<Proof>(&other).is_ok(), expected);
        }
    }
}
