//! Single values: the format, the gateway key, the floor of the clock, admissions on that floor.

use keys_core::signature::SigningKey;
use keys_core::time::Timestamp;
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use zeroize::Zeroizing;

use super::{Store, StoreError};

pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

pub(super) const FORMAT: &str = "format";
const SEED: &str = "gateway_key_seed";
pub(super) const FLOOR: &str = "floor";
pub(super) const ADMISSIONS: &str = "floor_admissions";

/// Admissions under clock rule 1 since the clock was lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FloorAdmissions {
    /// How many.
    pub count: u64,
    /// Seconds the gateway has been running since, at least.
    pub lost_for_s: u64,
}

pub(super) fn number(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    key: &str,
) -> Result<Option<u64>, StoreError> {
    match table.get(key)? {
        None => Ok(None),
        Some(value) => {
            let bytes = value
                .value()
                .try_into()
                .map_err(|_| StoreError::Garbled("number"))?;
            Ok(Some(u64::from_be_bytes(bytes)))
        }
    }
}

pub(super) fn put_number(tx: &WriteTransaction, key: &str, value: u64) -> Result<(), StoreError> {
    tx.open_table(META)?.insert(key, &value.to_be_bytes()[..])?;
    Ok(())
}

/// Raises the floor of the clock; it never falls but by pairing.
pub(super) fn raise_floor(tx: &WriteTransaction, floor: Timestamp) -> Result<(), StoreError> {
    let mut table = tx.open_table(META)?;
    if number(&table, FLOOR)?.is_none_or(|held| held < floor.0) {
        table.insert(FLOOR, &floor.0.to_be_bytes()[..])?;
    }
    Ok(())
}

impl Store {
    pub(super) fn format(&self) -> Result<Option<u64>, StoreError> {
        // The first transaction of a new file makes its table.
        self.write(|tx| number(&tx.open_table(META)?, FORMAT))
    }

    pub(super) fn initialize(&self, format: u64, seed: &[u8; 32]) -> Result<(), StoreError> {
        self.write(|tx| {
            super::command::make_tables(tx)?;
            super::journal::make_tables(tx)?;
            super::outbox::make_tables(tx)?;
            super::trust::make_tables(tx)?;
            tx.open_table(META)?.insert(SEED, &seed[..])?;
            put_number(tx, FORMAT, format)
        })
    }

    /// The gateway key.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn gateway_key(&self) -> Result<SigningKey, StoreError> {
        self.read(|tx| {
            let table = tx.open_table(META)?;
            let value = table.get(SEED)?.ok_or(StoreError::Garbled("gateway key"))?;
            let mut seed = Zeroizing::new([0u8; 32]);
            if value.value().len() != seed.len() {
                return Err(StoreError::Garbled("gateway key"));
            }
            seed.copy_from_slice(value.value());
            Ok(SigningKey::from_seed(&seed))
        })
    }

    /// The floor of the clock: true time is not before it.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn floor(&self) -> Result<Timestamp, StoreError> {
        self.read(|tx| {
            Ok(Timestamp(
                number(&tx.open_table(META)?, FLOOR)?.unwrap_or(0),
            ))
        })
    }

    /// Raises the floor of the clock.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn raise_floor(&self, floor: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| raise_floor(tx, floor))
    }

    /// Admissions since the clock was lost; they count from nothing if it was known until now.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read or written.
    pub fn clock_lost(&self) -> Result<FloorAdmissions, StoreError> {
        self.write(|tx| {
            if let Some(held) = admissions(&tx.open_table(META)?)? {
                return Ok(held);
            }
            put_admissions(tx, FloorAdmissions::default())?;
            Ok(FloorAdmissions::default())
        })
    }

    /// Writes down for how long the clock has been lost, if it is.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn clock_lost_for(&self, lost_for_s: u64) -> Result<(), StoreError> {
        self.write(|tx| {
            let held = admissions(&tx.open_table(META)?)?;
            held.map_or(Ok(()), |held| {
                put_admissions(tx, FloorAdmissions { lost_for_s, ..held })
            })
        })
    }

    /// The clock is known again: admissions on its floor count from nothing next time.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn clock_found(&self, floor: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.open_table(META)?.remove(ADMISSIONS)?;
            raise_floor(tx, floor)
        })
    }
}

pub(super) fn put_admissions(
    tx: &WriteTransaction,
    admissions: FloorAdmissions,
) -> Result<(), StoreError> {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&admissions.count.to_be_bytes());
    bytes[8..].copy_from_slice(&admissions.lost_for_s.to_be_bytes());
    tx.open_table(META)?.insert(ADMISSIONS, &bytes[..])?;
    Ok(())
}

fn admissions(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Option<FloorAdmissions>, StoreError> {
    const BAD: StoreError = StoreError::Garbled("admissions");
    let Some(value) = table.get(ADMISSIONS)? else {
        return Ok(None);
    };
    let bytes: &[u8; 16] = value.value().try_into().map_err(|_| BAD)?;
    let (count, lost_for_s) = bytes.split_at(8);
    Ok(Some(FloorAdmissions {
        count: u64::from_be_bytes(count.try_into().map_err(|_| BAD)?),
        lost_for_s: u64::from_be_bytes(lost_for_s.try_into().map_err(|_| BAD)?),
    }))
}

/// Counts one more admission on the floor.
pub(super) fn count_admission(tx: &WriteTransaction) -> Result<(), StoreError> {
    let held = admissions(&tx.open_table(META)?)?.unwrap_or_default();
    put_admissions(
        tx,
        FloorAdmissions {
            count: held.count + 1,
            ..held
        },
    )
}
