//! One command from its intent to its last outcome, with everything that is counted on the way.

use keys_core::chain::LinkIds;
use keys_core::codec::{DecodeError, Reader, Writer};
use keys_core::command::VehicleCommand;
use keys_core::envelope::Sealed;
use keys_core::id::{CommandId, GrantId, ObjectId};
use keys_core::journal::Entry;
use keys_core::receipt::OutcomeCode;
use keys_core::refusal::{Refusal, Refusals};
use keys_core::signature::SignError;
use redb::{ReadableTable, TableDefinition, WriteTransaction};

use super::journal::Place;
use super::meta::{META, count_admission, number, put_number};
use super::{Store, StoreError, outbox};

const COMMANDS: TableDefinition<&[u8; 16], &[u8]> = TableDefinition::new("commands");
const UNSETTLED: TableDefinition<&[u8; 16], ()> = TableDefinition::new("unsettled");
const USES: TableDefinition<&[u8; 8], u64> = TableDefinition::new("uses");
/// Grant id and holder key → commands that began this holder's trip.
const BEGUN: TableDefinition<&[u8; 40], u64> = TableDefinition::new("begun");

const LAST_INTENT: &str = "last_intent";

/// A command that was allowed: kept for ever, so that it executes at most once for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRecord {
    /// SHA-256 of the presentation.
    pub presentation: [u8; 32],
    /// The key's links.
    pub links: LinkIds,
    /// What was asked.
    pub command: VehicleCommand,
    /// Why it was lock-only, if it was.
    pub reasons: Refusals,
    /// Grants for which a use was counted.
    pub counted: Vec<GrantId>,
    /// Whose trip it began, if it did.
    pub trip: Option<Trip>,
    /// Index of the intent.
    pub intent: u64,
    /// What the back-end calls it.
    pub reference: Option<String>,
    /// What became of it; `None` between intent and outcome.
    pub outcome: Option<OutcomeCode>,
    /// Id of the first receipt.
    pub first_receipt: Option<ObjectId>,
    /// The newest receipt.
    pub receipt: Option<Vec<u8>>,
}

/// A grant and the holder who uses it.
pub type Trip = (GrantId, [u8; 32]);

/// What is written before the car is asked.
#[derive(Debug, Clone)]
pub struct Intent {
    /// The command id.
    pub id: CommandId,
    /// The record; its intent, outcome and receipts are still empty.
    pub record: CommandRecord,
    /// The journal's entry.
    pub entry: Entry,
    /// Whether clock rule 1 admitted it.
    pub on_floor: bool,
}

/// What became of an intent.
#[derive(Debug, Clone)]
pub enum Begin {
    /// It is durable: the car may be asked.
    New(Place),
    /// The command id was used before.
    Known(Box<CommandRecord>),
}

/// What is written after the car was asked.
#[derive(Debug, Clone)]
pub struct Finish {
    /// The command id.
    pub id: CommandId,
    /// What became of it.
    pub outcome: OutcomeCode,
    /// What the back-end calls it.
    pub reference: Option<String>,
    /// The journal's entry.
    pub entry: Entry,
    /// Whether the receipt goes to the API.
    pub report: bool,
}

pub(super) fn make_tables(tx: &WriteTransaction) -> Result<(), StoreError> {
    tx.open_table(COMMANDS)?;
    tx.open_table(UNSETTLED)?;
    tx.open_table(USES)?;
    tx.open_table(BEGUN)?;
    Ok(())
}

impl Store {
    /// Writes the intent with all that it counts, unless its command id was used before.
    ///
    /// # Errors
    /// [`StoreError::Full`] if the journal has no room; then nothing may be done.
    pub fn begin(&self, intent: Intent) -> Result<Begin, StoreError> {
        if let Some(record) = self.command(&intent.id)? {
            return Ok(Begin::Known(Box::new(record)));
        }
        self.write(|tx| self.begin_in(tx, intent))
    }

    fn begin_in(&self, tx: &WriteTransaction, intent: Intent) -> Result<Begin, StoreError> {
        if let Some(record) = find(&tx.open_table(COMMANDS)?, &intent.id)? {
            return Ok(Begin::Known(Box::new(record)));
        }
        let place = self.append(tx, intent.entry)?.ok_or(StoreError::Full)?;
        let mut record = intent.record;
        record.intent = place.index;
        put_number(tx, LAST_INTENT, place.index)?;
        count(tx, &record, 1)?;
        if intent.on_floor {
            count_admission(tx)?;
        }
        tx.open_table(COMMANDS)?
            .insert(&intent.id.0, &record.encode()[..])?;
        tx.open_table(UNSETTLED)?.insert(&intent.id.0, ())?;
        Ok(Begin::New(place))
    }

    /// Writes an outcome and the receipt that `seal` makes of its place; a command that was declined
    /// gives back what it counted. Gives the receipt.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written; the command stays unsettled then.
    pub fn finish(
        &self,
        finish: Finish,
        seal: impl FnOnce(Place, &CommandRecord) -> Result<Sealed, SignError>,
    ) -> Result<Vec<u8>, StoreError> {
        self.write(|tx| self.finish_in(tx, finish, seal))
    }

    fn finish_in(
        &self,
        tx: &WriteTransaction,
        finish: Finish,
        seal: impl FnOnce(Place, &CommandRecord) -> Result<Sealed, SignError>,
    ) -> Result<Vec<u8>, StoreError> {
        const LOST: StoreError = StoreError::Garbled("command");
        let mut record = find(&tx.open_table(COMMANDS)?, &finish.id)?.ok_or(LOST)?;
        if let Some(receipt) = record.settled_receipt() {
            return Ok(receipt.to_vec());
        }
        let place = self.append(tx, finish.entry)?.ok_or(StoreError::Full)?;
        record.outcome = Some(finish.outcome);
        record.reference = finish.reference.or(record.reference);
        let sealed = seal(place, &record)?;
        record.first_receipt.get_or_insert(sealed.id);
        if finish.outcome == OutcomeCode::Declined {
            count(tx, &record, -1)?;
            record.counted.clear();
            record.trip = None;
        }
        if finish.outcome != OutcomeCode::Unknown {
            tx.open_table(UNSETTLED)?.remove(&finish.id.0)?;
        }
        if finish.report {
            outbox::push(tx, &sealed.bytes)?;
        }
        record.receipt = Some(sealed.bytes.clone());
        tx.open_table(COMMANDS)?
            .insert(&finish.id.0, &record.encode()[..])?;
        Ok(sealed.bytes)
    }

    /// Leaves a command's outcome unknown for good: nothing can prove it any more.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn give_up(&self, id: &CommandId) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.open_table(UNSETTLED)?.remove(&id.0)?;
            Ok(())
        })
    }

    /// Writes a refusal and gives the receipt that `seal` makes of its place; without room in the
    /// journal, of the place of its last entry.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn refuse(
        &self,
        entry: Entry,
        report: bool,
        seal: impl FnOnce(Place) -> Result<Sealed, SignError>,
    ) -> Result<Vec<u8>, StoreError> {
        let last = self.journal()?.last();
        self.write(|tx| {
            let place = self.append(tx, entry)?;
            let sealed = seal(place.unwrap_or(last))?;
            if report && place.is_some() {
                outbox::push(tx, &sealed.bytes)?;
            }
            Ok(sealed.bytes)
        })
    }

    /// The record of a command id, if it was ever allowed.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn command(&self, id: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.read(|tx| find(&tx.open_table(COMMANDS)?, id))
    }

    /// Commands whose outcome is not known, in the order of their intents.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn unsettled(&self) -> Result<Vec<(CommandId, CommandRecord)>, StoreError> {
        self.read(|tx| {
            let commands = tx.open_table(COMMANDS)?;
            let mut found = Vec::new();
            for row in tx.open_table(UNSETTLED)?.iter()? {
                let id = CommandId(*row?.0.value());
                found.push((
                    id,
                    find(&commands, &id)?.ok_or(StoreError::Garbled("command"))?,
                ));
            }
            found.sort_by_key(|(_, record)| record.intent);
            Ok(found)
        })
    }

    /// Index of the newest intent.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn last_intent(&self) -> Result<Option<u64>, StoreError> {
        self.read(|tx| number(&tx.open_table(META)?, LAST_INTENT))
    }

    /// Uses counted for a grant.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn uses(&self, grant: &GrantId) -> Result<u64, StoreError> {
        self.read(|tx| {
            Ok(tx
                .open_table(USES)?
                .get(&grant.0)?
                .map_or(0, |uses| uses.value()))
        })
    }

    /// Whether a holder's trip under a grant has begun.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn has_begun(&self, trip: &Trip) -> Result<bool, StoreError> {
        self.read(|tx| Ok(tx.open_table(BEGUN)?.get(&trip_key(trip))?.is_some()))
    }
}

fn find(
    table: &impl ReadableTable<&'static [u8; 16], &'static [u8]>,
    id: &CommandId,
) -> Result<Option<CommandRecord>, StoreError> {
    table
        .get(&id.0)?
        .map(|bytes| CommandRecord::decode(bytes.value()))
        .transpose()
        .map_err(|_| StoreError::Garbled("command"))
}

fn trip_key((grant, holder): &Trip) -> [u8; 40] {
    let mut key = [0; 40];
    key[..8].copy_from_slice(&grant.0);
    key[8..].copy_from_slice(holder);
    key
}

/// Counts a command's uses and its beginning of a trip up, or down again.
fn count(tx: &WriteTransaction, record: &CommandRecord, by: i64) -> Result<(), StoreError> {
    let mut uses = tx.open_table(USES)?;
    for grant in &record.counted {
        let now = uses
            .get(&grant.0)?
            .map_or(0, |held| held.value())
            .saturating_add_signed(by);
        uses.insert(&grant.0, now)?;
    }
    if let Some(trip) = &record.trip {
        let mut begun = tx.open_table(BEGUN)?;
        let key = trip_key(trip);
        let now = begun
            .get(&key)?
            .map_or(0, |held| held.value())
            .saturating_add_signed(by);
        if now == 0 {
            begun.remove(&key)?;
        } else {
            begun.insert(&key, now)?;
        }
    }
    Ok(())
}

impl CommandRecord {
    /// The receipt, if the outcome is known and will not change any more.
    fn settled_receipt(&self) -> Option<&[u8]> {
        let settled = matches!(
            self.outcome,
            Some(OutcomeCode::Done | OutcomeCode::Declined)
        );
        self.receipt.as_deref().filter(|_| settled)
    }

    /// `[SHA-256(M2), [link], command, [code], [grant], [] / [grant, holder], intent, reference,
    /// [] / [outcome], [] / [first receipt], receipt]`; a store format, not a wire one.
    fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.array(11)
            .bytes(&self.presentation)
            .array(self.links.len());
        self.links.iter().for_each(|id| {
            w.bytes(&id.0);
        });
        w.uint(u64::from(self.command.bit()))
            .array(self.reasons.len());
        self.reasons.iter().for_each(|reason| {
            w.text(reason.code());
        });
        w.array(self.counted.len());
        self.counted.iter().for_each(|grant| {
            w.bytes(&grant.0);
        });
        match &self.trip {
            Some((grant, holder)) => w.array(2).bytes(&grant.0).bytes(holder),
            None => w.array(0),
        };
        w.uint(self.intent)
            .text(self.reference.as_deref().unwrap_or_default());
        match self.outcome {
            Some(outcome) => w.array(1).uint(u64::from(outcome.number())),
            None => w.array(0),
        };
        match &self.first_receipt {
            Some(id) => w.array(1).bytes(&id.0),
            None => w.array(0),
        };
        w.bytes(self.receipt.as_deref().unwrap_or_default());
        w.into_bytes()
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        const BAD: DecodeError = DecodeError::Malformed("not a command record");
        let mut r = Reader::new(bytes);
        r.array_of(11, 11)?;
        let presentation = *r.bytes_exact()?;
        let mut links = LinkIds::new();
        for _ in 0..r.array_of(1, links.capacity())? {
            links.push(ObjectId(*r.bytes_exact()?));
        }
        let command = VehicleCommand::from_bit(r.uint()?).ok_or(BAD)?;
        let mut reasons = Refusals::NONE;
        for _ in 0..r.array()? {
            reasons.insert(r.text(32)?.parse::<Refusal>().map_err(|_| BAD)?);
        }
        let mut counted = Vec::new();
        for _ in 0..r.array()? {
            counted.push(GrantId(*r.bytes_exact()?));
        }
        let trip = match r.array_of(0, 2)? {
            2 => Some((GrantId(*r.bytes_exact()?), *r.bytes_exact()?)),
            _ => None,
        };
        let intent = r.uint()?;
        let reference = Some(r.text(256)?.to_owned()).filter(|text| !text.is_empty());
        let outcome = match r.array_of(0, 1)? {
            1 => Some(OutcomeCode::from_number(r.byte_up_to(2)?).ok_or(BAD)?),
            _ => None,
        };
        let first_receipt = match r.array_of(0, 1)? {
            1 => Some(ObjectId(*r.bytes_exact()?)),
            _ => None,
        };
        let receipt = Some(r.bytes()?.to_vec()).filter(|bytes| !bytes.is_empty());
        r.finish()?;
        Ok(Self {
            presentation,
            links,
            command,
            reasons,
            counted,
            trip,
            intent,
            reference,
            outcome,
            first_receipt,
            receipt,
        })
    }
}
