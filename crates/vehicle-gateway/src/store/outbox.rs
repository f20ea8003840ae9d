//! Receipts on their way to the API.

use redb::{ReadableTableMetadata, TableDefinition, WriteTransaction};

use super::meta::{META, number, put_number};
use super::{Store, StoreError};

const OUTBOX: TableDefinition<u64, &[u8]> = TableDefinition::new("outbox");
const NEXT: &str = "outbox_next";

/// Receipts kept for an API that is away; the oldest give way, and stay in the journal.
pub const OUTBOX_RECEIPTS: u64 = 10_000;

pub(super) fn make_tables(tx: &WriteTransaction) -> Result<(), StoreError> {
    tx.open_table(OUTBOX)?;
    Ok(())
}

/// Adds a receipt in the running transaction.
pub(super) fn push(tx: &WriteTransaction, receipt: &[u8]) -> Result<(), StoreError> {
    let index = number(&tx.open_table(META)?, NEXT)?.unwrap_or(1);
    put_number(tx, NEXT, index + 1)?;
    let mut outbox = tx.open_table(OUTBOX)?;
    outbox.insert(index, receipt)?;
    if outbox.len()? > OUTBOX_RECEIPTS {
        outbox.pop_first()?;
    }
    Ok(())
}

impl Store {
    /// The first waiting receipt above `index`.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn receipt_after(&self, index: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.read(|tx| {
            let table = tx.open_table(OUTBOX)?;
            let mut range = table.range(index.saturating_add(1)..)?;
            match range.next() {
                None => Ok(None),
                Some(found) => {
                    let (index, receipt) = found?;
                    Ok(Some((index.value(), receipt.value().to_vec())))
                }
            }
        })
    }

    /// Forgets receipts up to and with `index`.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn forget_receipts(&self, index: u64) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.open_table(OUTBOX)?.retain_in(..=index, |_, _| false)?;
            Ok(())
        })
    }

    /// How many receipts wait.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be counted.
    pub fn receipts_waiting(&self) -> Result<u64, StoreError> {
        self.read(|tx| Ok(tx.open_table(OUTBOX)?.len()?))
    }
}
