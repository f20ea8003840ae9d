//! Does the export hold together, and do heads and receipts speak of it?

use std::collections::BTreeMap;
use std::fmt;

use keys_core::envelope::{NO_REST, Unverified};
use keys_core::id::{CommandId, VehicleId};
use keys_core::journal::{ChainCheck, Entry, EntryKind, JournalError, JournalHead, entry_hash};
use keys_core::receipt::Receipt;
use keys_core::refusal::Refusal;
use keys_core::signature::VerifyingKey;

use super::export::Export;

/// What is wrong, in the words a report uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The chain of entries breaks.
    Chain(JournalError),
    /// A signed head is no head of this gateway.
    Head { number: usize, refusal: Refusal },
    /// A receipt is no receipt of this gateway.
    Receipt { number: usize, refusal: Refusal },
    /// A head or receipt is of another vehicle than the first one.
    OtherVehicle { what: Signed, vehicle: VehicleId },
    /// The journal ends before an entry that was signed: its tail was cut.
    CutTail {
        what: Signed,
        index: u64,
        entries: u64,
    },
    /// The entry at a signed place is another one: edited, or a second history.
    OtherHistory { what: Signed, index: u64 },
    /// A receipt does not say what its entry says.
    Contradiction {
        number: usize,
        index: u64,
        field: &'static str,
    },
    /// The car was acted on without an intent before.
    NoIntent { index: u64 },
}

/// A signed object, numbered from 1 in the order it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    Head(usize),
    Receipt(usize),
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(number) => write!(f, "signed head {number}"),
            Self::Receipt(number) => write!(f, "receipt {number}"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(error) => write!(f, "{error}"),
            Self::Head { number, refusal } => {
                write!(f, "signed head {number} is not this gateway's: {refusal}")
            }
            Self::Receipt { number, refusal } => {
                write!(f, "receipt {number} is not this gateway's: {refusal}")
            }
            Self::OtherVehicle { what, vehicle } => {
                write!(f, "{what} is of another vehicle, {vehicle}")
            }
            Self::CutTail {
                what,
                index,
                entries,
            } => write!(
                f,
                "{what} names entry {index}, but the journal ends after {entries} entries: its tail was cut"
            ),
            Self::OtherHistory { what, index } => write!(
                f,
                "{what} names another entry {index}: the journal was edited, or there are two of it"
            ),
            Self::Contradiction {
                number,
                index,
                field,
            } => write!(
                f,
                "receipt {number} and entry {index} do not agree about the {field}"
            ),
            Self::NoIntent { index } => {
                write!(
                    f,
                    "entry {index} tells an outcome without an intent before it"
                )
            }
        }
    }
}

/// The result of checking an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Audit {
    /// Entries up to the first break.
    pub(crate) entries: Vec<Entry>,
    /// Hash of each of them.
    hashes: Vec<[u8; 32]>,
    /// Heads that hold.
    pub(crate) heads: usize,
    /// Receipts that hold and match their entry.
    pub(crate) receipts: usize,
    /// Intents without an outcome: the car may have acted, nobody knows yet.
    pub(crate) open_intents: Vec<u64>,
    /// Everything that is wrong, the first broken entry first.
    pub(crate) findings: Vec<Finding>,
    vehicle: Option<VehicleId>,
}

impl Audit {
    /// Checks an export against the key of the gateway that is said to have written it.
    pub(crate) fn of(export: &Export, gateway_key: &VerifyingKey) -> Self {
        let mut audit = Self::default();
        audit.follow_chain(&export.entries);
        audit.match_intents();
        for (number, bytes) in (1..).zip(&export.heads) {
            let found = audit.check_head(number, bytes, gateway_key);
            audit.heads += usize::from(found.is_ok());
            audit.findings.extend(found.err());
        }
        for (number, bytes) in (1..).zip(&export.receipts) {
            let found = audit.check_receipt(number, bytes, gateway_key);
            audit.receipts += usize::from(found.is_ok());
            audit.findings.extend(found.err());
        }
        audit
    }

    /// The vehicle the signed objects are about, if there are any.
    pub(crate) fn vehicle(&self) -> Option<VehicleId> {
        self.vehicle
    }

    fn follow_chain(&mut self, entries: &[Vec<u8>]) {
        let mut chain = ChainCheck::default();
        for bytes in entries {
            match chain.push(bytes) {
                Ok(entry) => {
                    self.entries.push(entry);
                    self.hashes.push(entry_hash(bytes));
                }
                Err(error) => return self.findings.push(Finding::Chain(error)),
            }
        }
    }

    /// Every act has its intent before it; intents that no outcome follows are listed.
    fn match_intents(&mut self) {
        let mut open: BTreeMap<CommandId, u64> = BTreeMap::new();
        let mut seen = std::collections::BTreeSet::new();
        for entry in &self.entries {
            match (entry.kind, entry.command_id) {
                (EntryKind::Intent, Some(id)) => {
                    open.insert(id, entry.index);
                    seen.insert(id);
                }
                (EntryKind::Outcome, Some(id)) => {
                    open.remove(&id);
                    if !seen.contains(&id) {
                        self.findings.push(Finding::NoIntent { index: entry.index });
                    }
                }
                _ => {}
            }
        }
        self.open_intents = open.into_values().collect();
        self.open_intents.sort_unstable();
    }

    fn check_head(
        &mut self,
        number: usize,
        bytes: &[u8],
        key: &VerifyingKey,
    ) -> Result<(), Finding> {
        let head = Unverified::<JournalHead>::decode(bytes)
            .map_err(Refusal::from)
            .and_then(|head| head.verify(key, NO_REST))
            .map_err(|refusal| Finding::Head { number, refusal })?
            .into_body();
        self.check_vehicle(Signed::Head(number), head.vehicle)?;
        self.check_place(Signed::Head(number), head.index, head.head)
    }

    fn check_receipt(
        &mut self,
        number: usize,
        bytes: &[u8],
        key: &VerifyingKey,
    ) -> Result<(), Finding> {
        let receipt = Unverified::<Receipt>::decode(bytes)
            .map_err(Refusal::from)
            .and_then(|receipt| receipt.verify(key, NO_REST))
            .map_err(|refusal| Finding::Receipt { number, refusal })?
            .into_body();
        let (index, head) = receipt.journal;
        self.check_vehicle(Signed::Receipt(number), receipt.vehicle)?;
        self.check_place(Signed::Receipt(number), index, head)?;
        match self
            .entry(index)
            .and_then(|entry| contradiction(&receipt, entry))
        {
            Some(field) => Err(Finding::Contradiction {
                number,
                index,
                field,
            }),
            None => Ok(()),
        }
    }

    fn check_vehicle(&mut self, what: Signed, vehicle: VehicleId) -> Result<(), Finding> {
        if *self.vehicle.get_or_insert(vehicle) == vehicle {
            Ok(())
        } else {
            Err(Finding::OtherVehicle { what, vehicle })
        }
    }

    fn check_place(&self, what: Signed, index: u64, hash: [u8; 32]) -> Result<(), Finding> {
        let entries = self.hashes.len() as u64;
        match usize::try_from(index)
            .ok()
            .and_then(|at| self.hashes.get(at))
        {
            Some(found) if *found == hash => Ok(()),
            Some(_) => Err(Finding::OtherHistory { what, index }),
            None => Err(Finding::CutTail {
                what,
                index,
                entries,
            }),
        }
    }

    fn entry(&self, index: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(index).ok()?)
    }
}

/// What a receipt says otherwise than the entry it names. An entry that stands for many refusals
/// speaks of none of them in particular.
fn contradiction(receipt: &Receipt, entry: &Entry) -> Option<&'static str> {
    if entry.count.is_some_and(|count| count > 1) {
        return None;
    }
    if entry.command_id != Some(receipt.command_id) {
        return Some("command id");
    }
    if entry
        .command
        .is_some_and(|command| command != receipt.command)
    {
        return Some("command");
    }
    if entry
        .presentation
        .is_some_and(|hash| hash != receipt.presentation)
    {
        return Some("presentation");
    }
    if !entry.links.is_empty() && entry.links != receipt.links {
        return Some("links");
    }
    match entry.kind {
        EntryKind::Refusal if receipt.allowed => Some("decision"),
        EntryKind::Refusal if entry.reasons != receipt.reasons => Some("reasons"),
        EntryKind::Outcome if entry.outcome != receipt.outcome => Some("outcome"),
        EntryKind::Outcome | EntryKind::Intent if !receipt.allowed => Some("decision"),
        EntryKind::Trust | EntryKind::Boot => Some("kind of entry"),
        EntryKind::Refusal | EntryKind::Outcome | EntryKind::Intent => None,
    }
}
