//! The journal's entries, in their place, within the disk budget.

use keys_core::journal::{ChainCheck, Entry, EntryKind, GENESIS, JournalError, entry_hash};
use redb::{ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction};

use super::meta::{META, raise_floor};
use super::{Store, StoreError};

const ENTRIES: TableDefinition<u64, &[u8]> = TableDefinition::new("journal");
const HEAD: &str = "journal";

/// Room an act needs after its intent: the outcome, and another one when an unknown outcome settles.
const AFTER_INTENT_BYTES: u64 = 2 * 1024;

/// An entry's index and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Counts from 0.
    pub index: u64,
    /// Its hash.
    pub head: [u8; 32],
}

/// How long the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Journal {
    /// Entries.
    pub entries: u64,
    /// Hash of the last one.
    pub head: [u8; 32],
    /// Bytes of all entries.
    pub bytes: u64,
}

impl Journal {
    const EMPTY: Self = Self {
        entries: 0,
        head: GENESIS,
        bytes: 0,
    };

    /// The last entry's place; before the first entry, index 0 and zeros.
    #[must_use]
    pub fn last(&self) -> Place {
        Place {
            index: self.entries.saturating_sub(1),
            head: self.head,
        }
    }

    fn encode(&self) -> [u8; 48] {
        let mut bytes = [0; 48];
        bytes[..8].copy_from_slice(&self.entries.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.bytes.to_be_bytes());
        bytes[16..].copy_from_slice(&self.head);
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        const BAD: StoreError = StoreError::Garbled("journal head");
        let bytes: &[u8; 48] = bytes.try_into().map_err(|_| BAD)?;
        let (entries, rest) = bytes.split_at(8);
        let (size, head) = rest.split_at(8);
        Ok(Self {
            entries: u64::from_be_bytes(entries.try_into().map_err(|_| BAD)?),
            bytes: u64::from_be_bytes(size.try_into().map_err(|_| BAD)?),
            head: head.try_into().map_err(|_| BAD)?,
        })
    }
}

pub(super) fn make_tables(tx: &WriteTransaction) -> Result<(), StoreError> {
    tx.open_table(ENTRIES)?;
    Ok(())
}

fn journal(meta: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<Journal, StoreError> {
    meta.get(HEAD)?
        .map_or(Ok(Journal::EMPTY), |value| Journal::decode(value.value()))
}

/// Whether an entry of `length` bytes fits: a tenth of the budget is kept for intents, and what
/// follows an intent always fits.
fn fits(kind: EntryKind, used: u64, length: u64, budget: u64) -> bool {
    match kind {
        EntryKind::Outcome => true,
        EntryKind::Intent => used + length + AFTER_INTENT_BYTES <= budget,
        EntryKind::Refusal | EntryKind::Trust | EntryKind::Boot => {
            used + length <= budget - budget / 10
        }
    }
}

impl Store {
    /// Appends an entry in the running transaction; its index and previous hash are filled in.
    /// `None` if there is no room for it. The floor of the clock rises to the entry's time.
    pub(super) fn append(
        &self,
        tx: &WriteTransaction,
        mut entry: Entry,
    ) -> Result<Option<Place>, StoreError> {
        raise_floor(tx, entry.time)?;
        let mut meta = tx.open_table(META)?;
        let before = journal(&meta)?;
        entry.index = before.entries;
        entry.previous = before.head;
        let encoded = entry.encode();
        let length = encoded.len() as u64;
        if !fits(entry.kind, before.bytes, length, self.journal_budget_bytes) {
            return Ok(None);
        }
        let after = Journal {
            entries: before.entries + 1,
            head: entry_hash(&encoded),
            bytes: before.bytes + length,
        };
        tx.open_table(ENTRIES)?.insert(entry.index, &encoded[..])?;
        meta.insert(HEAD, &after.encode()[..])?;
        Ok(Some(after.last()))
    }

    /// How long the journal is.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn journal(&self) -> Result<Journal, StoreError> {
        self.read(|tx| journal(&tx.open_table(META)?))
    }

    /// Entries from `from`, at most `most`, encoded as they are chained.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn entries(&self, from: u64, most: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read(|tx| {
            let table = tx.open_table(ENTRIES)?;
            let range = table.range(from..)?.take(most);
            range.map(|entry| Ok(entry?.1.value().to_vec())).collect()
        })
    }

    /// Appends an entry that is not part of another step; `None` if there is no room for it.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn note(&self, entry: Entry) -> Result<Option<Place>, StoreError> {
        self.write(|tx| self.append(tx, entry))
    }

    /// Follows the whole chain and compares its end with the head that was stored beside it.
    pub(super) fn verify_journal(&self) -> Result<Result<(), JournalError>, StoreError> {
        self.read(|tx| {
            let told = journal(&tx.open_table(META)?)?;
            let table = tx.open_table(ENTRIES)?;
            let mut chain = ChainCheck::default();
            for entry in table.iter()? {
                if let Err(error) = chain.push(entry?.1.value()) {
                    return Ok(Err(error));
                }
            }
            if chain.len() < told.entries || table.len()? != told.entries {
                return Ok(Err(JournalError::Malformed { index: chain.len() }));
            }
            if chain.head() != told.head {
                return Ok(Err(JournalError::Broken {
                    index: chain.len().saturating_sub(1),
                }));
            }
            Ok(Ok(()))
        })
    }
}

#[cfg(test)]
pub(super) mod tamper {
    //! Breaks a journal on purpose.

    use super::{ENTRIES, Store};

    impl Store {
        pub(in crate::store) fn overwrite_entry(&self, index: u64, bytes: Option<&[u8]>) {
            self.write(|tx| {
                let mut table = tx.open_table(ENTRIES)?;
                match bytes {
                    Some(bytes) => table.insert(index, bytes)?,
                    None => table.remove(index)?,
                };
                Ok(())
            })
            .unwrap();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_budget_is_kept_for_intents_and_outcomes_always_fit() {
        let budget = 100_000;
        assert!(fits(EntryKind::Refusal, 89_000, 1_000, budget));
        assert!(!fits(EntryKind::Refusal, 89_001, 1_000, budget));
        assert!(fits(EntryKind::Intent, 97_952 - 1_000, 1_000, budget));
        assert!(!fits(EntryKind::Intent, 97_953 - 1_000, 1_000, budget));
        assert!(fits(EntryKind::Outcome, 100_000, 1_000, budget));
    }
}
