//! M3: the gateway's signed answer.

use arrayvec::ArrayVec;

use crate::codec::{DecodeError, Reader, Writer};
use crate::command::VehicleCommand;
use crate::envelope::{Body, Context, HintRule};
use crate::id::{CommandId, ObjectId, VehicleId};
use crate::limits;
use crate::link::read_time;
use crate::refusal::{Refusal, Refusals};
use crate::time::Timestamp;

/// What the car did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeCode {
    /// It obeyed; a newer state shows it.
    Done,
    /// It did not.
    Declined,
    /// It may have; nobody knows yet.
    Unknown,
}

impl OutcomeCode {
    /// From the wire number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Done, Self::Declined, Self::Unknown]
            .get(usize::from(number))
            .copied()
    }

    /// The wire number.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Declined => "declined",
            Self::Unknown => "unknown",
        }
    }
}

/// A receipt (M3), signed by the gateway key under `ck1:rcpt`. Shape: ck1 section 5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// 1: ids of the key's links, from the owner.
    pub links: ArrayVec<ObjectId, { limits::LINKS }>,
    /// 2: the command.
    pub command: VehicleCommand,
    /// 3: the vehicle.
    pub vehicle: VehicleId,
    /// 4: the command id.
    pub command_id: CommandId,
    /// 5: whether the command was allowed (1) or refused (0).
    pub allowed: bool,
    /// 6: every reason; for an allowed lock, why it was lock-only.
    pub reasons: Refusals,
    /// 7: what the car did, if the command was allowed.
    pub outcome: Option<OutcomeCode>,
    /// 8: SHA-256 of the presentation (M2).
    pub presentation: [u8; 32],
    /// 9: journal index and head after the entry this receipt is about.
    pub journal: (u64, [u8; 32]),
    /// 10: the gateway's time, or its floor if the clock is untrusted.
    pub time: Timestamp,
    /// 11: whether the clock is trusted.
    pub clock_trusted: bool,
    /// 12: the first receipt, if this one tells a later outcome.
    pub follows: Option<ObjectId>,
}

impl Body for Receipt {
    const CONTEXT: Context = Context(b"ck1:rcpt");
    const MAX_BYTES: usize = 1_536;
    const HINT: HintRule = HintRule::Required;

    fn write(&self, writer: &mut Writer) {
        writer.map(10 + usize::from(self.outcome.is_some()) + usize::from(self.follows.is_some()));
        writer.uint(1).array(self.links.len());
        self.links.iter().for_each(|id| {
            writer.bytes(&id.0);
        });
        writer
            .uint(2)
            .uint(u64::from(self.command.bit()))
            .uint(3)
            .text(&self.vehicle.to_aud());
        writer
            .uint(4)
            .bytes(&self.command_id.0)
            .uint(5)
            .uint(u64::from(self.allowed));
        write_reasons(writer.uint(6), self.reasons);
        if let Some(outcome) = self.outcome {
            writer.uint(7).uint(u64::from(outcome.number()));
        }
        writer.uint(8).bytes(&self.presentation);
        writer
            .uint(9)
            .array(2)
            .uint(self.journal.0)
            .bytes(&self.journal.1);
        writer
            .uint(10)
            .uint(self.time.0)
            .uint(11)
            .uint(u64::from(self.clock_trusted));
        if let Some(first) = &self.follows {
            writer.uint(12).bytes(&first.0);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const INCOMPLETE: DecodeError = DecodeError::Malformed("a receipt lacks a field");
        let mut links = ArrayVec::new();
        let (mut command, mut vehicle, mut command_id, mut allowed, mut reasons) =
            (None, None, None, None, None);
        let (mut outcome, mut presentation, mut journal, mut time, mut clock_trusted, mut follows) =
            (None, None, None, None, None, None);
        let mut map = reader.map()?;
        while let Some(key) = map.next_key(reader)? {
            match key {
                1 => {
                    for _ in 0..reader.array_of(1, limits::LINKS)? {
                        links.push(ObjectId(*reader.bytes_exact()?));
                    }
                }
                2 => command = VehicleCommand::from_bit(reader.uint()?),
                3 => vehicle = Some(VehicleId::from_aud(reader.text(limits::AUD_BYTES)?)?),
                4 => command_id = Some(CommandId(*reader.bytes_exact()?)),
                5 => allowed = Some(read_flag(reader)?),
                6 => reasons = Some(read_reasons(reader)?),
                7 => outcome = Some(read_outcome(reader)?),
                8 => presentation = Some(*reader.bytes_exact()?),
                9 => {
                    reader.array_of(2, 2)?;
                    journal = Some((reader.uint()?, *reader.bytes_exact()?));
                }
                10 => time = Some(read_time(reader)?),
                11 => clock_trusted = Some(read_flag(reader)?),
                12 => follows = Some(ObjectId(*reader.bytes_exact()?)),
                _ => return Err(DecodeError::Malformed("unknown receipt field")),
            }
        }
        if links.is_empty() {
            return Err(INCOMPLETE);
        }
        Ok(Self {
            links,
            command: command.ok_or(INCOMPLETE)?,
            vehicle: vehicle.ok_or(INCOMPLETE)?,
            command_id: command_id.ok_or(INCOMPLETE)?,
            allowed: allowed.ok_or(INCOMPLETE)?,
            reasons: reasons.ok_or(INCOMPLETE)?,
            outcome,
            presentation: presentation.ok_or(INCOMPLETE)?,
            journal: journal.ok_or(INCOMPLETE)?,
            time: time.ok_or(INCOMPLETE)?,
            clock_trusted: clock_trusted.ok_or(INCOMPLETE)?,
            follows,
        })
    }
}

pub(crate) fn read_flag(reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
    Ok(reader.byte_up_to(1)? == 1)
}

pub(crate) fn read_outcome(reader: &mut Reader<'_>) -> Result<OutcomeCode, DecodeError> {
    OutcomeCode::from_number(reader.byte_up_to(2)?).ok_or(DecodeError::Malformed("unknown outcome"))
}

/// Writes reasons as an array of codes in the order of ck1 section 11.
pub(crate) fn write_reasons(writer: &mut Writer, reasons: Refusals) {
    writer.array(reasons.len());
    reasons.iter().for_each(|refusal| {
        writer.text(refusal.code());
    });
}

pub(crate) fn read_reasons(reader: &mut Reader<'_>) -> Result<Refusals, DecodeError> {
    let mut reasons = Refusals::NONE;
    let mut last = None;
    for _ in 0..reader.array_of(0, Refusal::ALL.len())? {
        let refusal: Refusal = reader
            .text(32)?
            .parse()
            .map_err(|_| DecodeError::Malformed("unknown refusal code"))?;
        if last.is_some_and(|last| last >= refusal) {
            return Err(DecodeError::Malformed("refusal codes are not in order"));
        }
        last = Some(refusal);
        reasons.insert(refusal);
    }
    Ok(reasons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::edits::{assert_body, payload, read_payload};
    use crate::envelope::{NO_REST, Unverified, seal};
    use crate::testing::{NOW, gateway, vehicle};

    fn full() -> Receipt {
        Receipt {
            links: [ObjectId([1; 32]), ObjectId([2; 32])].into_iter().collect(),
            command: VehicleCommand::Lock,
            vehicle: vehicle(),
            command_id: CommandId([3; 16]),
            allowed: true,
            reasons: [Refusal::Expired, Refusal::Revoked].into_iter().collect(),
            outcome: Some(OutcomeCode::Done),
            presentation: [4; 32],
            journal: (5, [6; 32]),
            time: NOW,
            clock_trusted: true,
            follows: Some(ObjectId([7; 32])),
        }
    }

    #[test]
    fn a_receipt_comes_back_as_written_and_nothing_else_is_read() {
        let harmless = ["remove /7", "remove /12", "pop /1", "pop /6"];
        assert_body(&full(), &harmless);
        let mut least = full();
        least.links.pop();
        least.outcome = None;
        least.follows = None;
        least.reasons = Refusals::NONE;
        least.allowed = false;
        assert_body(&least, &[]);
    }

    #[test]
    fn the_largest_receipt_fits() {
        let mut receipt = full();
        receipt.links = [ObjectId([1; 32]); 5].into();
        receipt.reasons = Refusal::ALL.iter().copied().collect();
        let sealed = seal(&receipt, &gateway(), NO_REST).unwrap();
        let decoded = Unverified::<Receipt>::decode(&sealed.bytes).unwrap();
        assert_eq!(*decoded.unverified_body(), receipt);
    }

    #[test]
    fn unknown_commands_outcomes_and_codes_are_refused() {
        let encoded = payload(&full());
        let spoil = |from: &[u8], to: &[u8]| {
            let at = encoded.windows(from.len()).position(|bytes| bytes == from);
            let mut spoilt = encoded.clone();
            spoilt.splice(at.unwrap()..at.unwrap() + from.len(), to.iter().copied());
            read_payload::<Receipt>(&spoilt).is_ok()
        };
        assert!(spoil(&[2, 1, 3], &[2, 6, 3]), "locate is a command");
        assert!(!spoil(&[2, 1, 3], &[2, 5, 3]), "remote is none");
        assert!(!spoil(&[2, 1, 3], &[2, 7, 3]), "sign_status is none");
        assert!(!spoil(&[7, 0, 8], &[7, 3, 8]), "a fourth outcome");
        assert!(
            !spoil(&[5, 1, 6], &[5, 2, 6]),
            "neither allowed nor refused"
        );
        assert!(!spoil(b"\x67expired", b"\x67Expired"), "an unknown code");
        assert!(
            !spoil(b"\x67expired\x67revoked", b"\x67revoked\x67expired"),
            "codes out of order"
        );
        assert!(
            !spoil(b"\x67expired\x67revoked", b"\x67expired\x67expired"),
            "a code twice"
        );
    }
}
