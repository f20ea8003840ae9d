//! The gateway's journal: hash-chained entries, and signed heads that pin the chain's length.
//!
//! Source: ck1 section 9. An entry's hash is SHA-256 over its bytes, which hold the hash of the
//! entry before it; a cut tail, an edit, a reorder or a fork shows against any signed head.

use alloc::string::String;
use alloc::vec::Vec;

use arrayvec::ArrayVec;

use crate::codec::{DecodeError, Reader, Writer};
use crate::command::VehicleCommand;
use crate::envelope::{Body, Context, HintRule, sha256};
use crate::id::{CommandId, ObjectId, VehicleId};
use crate::limits;
use crate::link::read_time;
use crate::receipt::{OutcomeCode, read_flag, read_outcome, read_reasons, write_reasons};
use crate::refusal::Refusals;
use crate::time::Timestamp;

/// Longest entry, bytes.
pub const ENTRY_BYTES: usize = 1_536;
/// Longest note of an entry, bytes.
pub const NOTE_BYTES: usize = 128;
/// The hash before the first entry.
pub const GENESIS: [u8; 32] = [0; 32];

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A command is about to be handed to the car.
    Intent,
    /// What the car did.
    Outcome,
    /// A signed presentation was refused.
    Refusal,
    /// What the gateway believes changed: bundle, anchor, statement, pairing.
    Trust,
    /// The gateway started.
    Boot,
}

impl EntryKind {
    const ALL: [Self; 5] = [
        Self::Intent,
        Self::Outcome,
        Self::Refusal,
        Self::Trust,
        Self::Boot,
    ];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Outcome => "outcome",
            Self::Refusal => "refusal",
            Self::Trust => "trust",
            Self::Boot => "boot",
        }
    }
}

/// A journal entry.
///
/// Shape: `{1: index, 2: previous hash (32), 3: kind, 4: time, 5: clock trusted 0/1,
/// 6: [*5 link id (32)], ? 7: command id (16), ? 8: command, ? 9: outcome, ? 10: [*code],
/// ? 11: SHA-256(M2) (32), ? 12: note, ? 13: count}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// 1: counts from 0.
    pub index: u64,
    /// 2: hash of the entry before.
    pub previous: [u8; 32],
    /// 3: what it is about.
    pub kind: EntryKind,
    /// 4: the gateway's time, or its floor.
    pub time: Timestamp,
    /// 5: whether the clock is trusted.
    pub clock_trusted: bool,
    /// 6: the links of the key, or the id of the object a trust entry is about.
    pub links: ArrayVec<ObjectId, { limits::LINKS }>,
    /// 7: the command id.
    pub command_id: Option<CommandId>,
    /// 8: the command.
    pub command: Option<VehicleCommand>,
    /// 9: the outcome.
    pub outcome: Option<OutcomeCode>,
    /// 10: reasons of a refusal or of a lock-only answer.
    pub reasons: Refusals,
    /// 11: SHA-256 of the presentation.
    pub presentation: Option<[u8; 32]>,
    /// 12: a stable word saying more, at most 128 bytes; [`Entry::encode`] cuts what is longer.
    pub note: Option<String>,
    /// 13: how many refusals this entry stands for.
    pub count: Option<u64>,
}

impl Entry {
    /// An entry that says nothing yet beyond its place, kind and time.
    #[must_use]
    pub fn new(
        index: u64,
        previous: [u8; 32],
        kind: EntryKind,
        time: Timestamp,
        clock_trusted: bool,
    ) -> Self {
        Self {
            index,
            previous,
            kind,
            time,
            clock_trusted,
            links: ArrayVec::new(),
            command_id: None,
            command: None,
            outcome: None,
            reasons: Refusals::NONE,
            presentation: None,
            note: None,
            count: None,
        }
    }

    /// Encodes the entry.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let optional = [
            self.command_id.is_some(),
            self.command.is_some(),
            self.outcome.is_some(),
            !self.reasons.is_empty(),
            self.presentation.is_some(),
            self.note.is_some(),
            self.count.is_some(),
        ];
        let mut w = Writer::new();
        w.map(6 + optional.into_iter().filter(|stated| *stated).count());
        w.uint(1)
            .uint(self.index)
            .uint(2)
            .bytes(&self.previous)
            .uint(3)
            .uint(self.kind as u64);
        w.uint(4)
            .uint(self.time.0)
            .uint(5)
            .uint(u64::from(self.clock_trusted))
            .uint(6)
            .array(self.links.len());
        self.links.iter().for_each(|id| {
            w.bytes(&id.0);
        });
        if let Some(id) = &self.command_id {
            w.uint(7).bytes(&id.0);
        }
        if let Some(command) = self.command {
            w.uint(8).uint(u64::from(command.bit()));
        }
        if let Some(outcome) = self.outcome {
            w.uint(9).uint(u64::from(outcome.number()));
        }
        if !self.reasons.is_empty() {
            write_reasons(w.uint(10), self.reasons);
        }
        if let Some(hash) = &self.presentation {
            w.uint(11).bytes(hash);
        }
        if let Some(note) = &self.note {
            // An entry that cannot be read back would break the whole chain.
            w.uint(12)
                .text(&note[..note.floor_char_boundary(NOTE_BYTES)]);
        }
        if let Some(count) = self.count {
            w.uint(13).uint(count);
        }
        w.into_bytes()
    }

    /// Decodes an entry.
    ///
    /// # Errors
    /// [`DecodeError`] if it is too long or does not follow the shape.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        const INCOMPLETE: DecodeError = DecodeError::Malformed("a journal entry lacks a field");
        if bytes.len() > ENTRY_BYTES {
            return Err(DecodeError::TooLarge("journal entry"));
        }
        let mut r = Reader::new(bytes);
        let mut entry = Self::new(0, GENESIS, EntryKind::Boot, Timestamp(0), false);
        let mut required = 0;
        let mut map = r.map()?;
        while let Some(key) = map.next_key(&mut r)? {
            required += usize::from((1..=6).contains(&key));
            entry.read_field(key, &mut r)?;
        }
        r.finish()?;
        if required == 6 {
            Ok(entry)
        } else {
            Err(INCOMPLETE)
        }
    }

    fn read_field(&mut self, key: i64, r: &mut Reader<'_>) -> Result<(), DecodeError> {
        match key {
            1 => self.index = r.uint()?,
            2 => self.previous = *r.bytes_exact()?,
            3 => {
                let kind = EntryKind::ALL.get(usize::from(r.byte_up_to(4)?)).copied();
                self.kind = kind.ok_or(DecodeError::Malformed("unknown kind of entry"))?;
            }
            4 => self.time = read_time(r)?,
            5 => self.clock_trusted = read_flag(r)?,
            6 => {
                for _ in 0..r.array_of(0, limits::LINKS)? {
                    self.links.push(ObjectId(*r.bytes_exact()?));
                }
            }
            7 => self.command_id = Some(CommandId(*r.bytes_exact()?)),
            8 => {
                let command = VehicleCommand::from_bit(r.uint()?);
                self.command = Some(command.ok_or(DecodeError::Malformed("not a command"))?);
            }
            9 => self.outcome = Some(read_outcome(r)?),
            10 => self.reasons = read_reasons(r)?,
            11 => self.presentation = Some(*r.bytes_exact()?),
            12 => self.note = Some(r.text(NOTE_BYTES)?.into()),
            13 => self.count = Some(r.uint()?),
            _ => return Err(DecodeError::Malformed("unknown journal field")),
        }
        Ok(())
    }
}

/// The hash that names an encoded entry and all before it.
#[must_use]
pub fn entry_hash(encoded: &[u8]) -> [u8; 32] {
    sha256(encoded)
}

/// Where a chain of entries is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// An entry does not decode.
    #[error("entry {index} does not decode")]
    Malformed {
        /// Its expected index.
        index: u64,
    },
    /// An entry has another index than its place.
    #[error("entry {index} carries index {found}")]
    Misplaced {
        /// The expected index.
        index: u64,
        /// The index it carries.
        found: u64,
    },
    /// An entry does not name the hash of the one before it.
    #[error("entry {index} does not follow the entry before it")]
    Broken {
        /// Its index.
        index: u64,
    },
}

/// Follows a chain entry by entry; at the end its head is known to be unbroken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainCheck {
    next: u64,
    head: [u8; 32],
}

impl Default for ChainCheck {
    fn default() -> Self {
        Self {
            next: 0,
            head: GENESIS,
        }
    }
}

impl ChainCheck {
    /// Takes the next entry.
    ///
    /// # Errors
    /// [`JournalError`] at the first entry that does not fit.
    pub fn push(&mut self, encoded: &[u8]) -> Result<Entry, JournalError> {
        let index = self.next;
        let entry = Entry::decode(encoded).map_err(|_| JournalError::Malformed { index })?;
        if entry.index != index {
            return Err(JournalError::Misplaced {
                index,
                found: entry.index,
            });
        }
        if entry.previous != self.head {
            return Err(JournalError::Broken { index });
        }
        self.next += 1;
        self.head = entry_hash(encoded);
        Ok(entry)
    }

    /// Entries taken so far.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.next
    }

    /// Whether none was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.next == 0
    }

    /// Hash of the last entry.
    #[must_use]
    pub fn head(&self) -> [u8; 32] {
        self.head
    }
}

/// A journal head, signed by the gateway key under `ck1:jrnl`.
///
/// Shape: `{1: index, 2: head (32), 3: aud, 10: time}`: the entry of that index has that hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalHead {
    /// 1: index of the last entry.
    pub index: u64,
    /// 2: its hash.
    pub head: [u8; 32],
    /// 3: the vehicle.
    pub vehicle: VehicleId,
    /// 10: the gateway's time, or its floor.
    pub time: Timestamp,
}

impl Body for JournalHead {
    const CONTEXT: Context = Context(b"ck1:jrnl");
    const MAX_BYTES: usize = 320;
    const HINT: HintRule = HintRule::Required;

    fn write(&self, writer: &mut Writer) {
        writer
            .map(4)
            .uint(1)
            .uint(self.index)
            .uint(2)
            .bytes(&self.head);
        writer
            .uint(3)
            .text(&self.vehicle.to_aud())
            .uint(10)
            .uint(self.time.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const SHAPE: DecodeError =
            DecodeError::Malformed("a journal head is {1: index, 2: head, 3: aud, 10: time}");
        let mut map = reader.map()?;
        if map.next_key(reader)? != Some(1) {
            return Err(SHAPE);
        }
        let index = reader.uint()?;
        if map.next_key(reader)? != Some(2) {
            return Err(SHAPE);
        }
        let head = *reader.bytes_exact()?;
        if map.next_key(reader)? != Some(3) {
            return Err(SHAPE);
        }
        let vehicle = VehicleId::from_aud(reader.text(limits::AUD_BYTES)?)?;
        if map.next_key(reader)? != Some(10) {
            return Err(SHAPE);
        }
        let time = read_time(reader)?;
        if map.next_key(reader)?.is_some() {
            Err(SHAPE)
        } else {
            Ok(Self {
                index,
                head,
                vehicle,
                time,
            })
        }
    }
}

#[cfg(test)]
mod tests;
