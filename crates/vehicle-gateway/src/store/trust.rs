//! What the gateway believes: vehicle, bundle, anchors, and what is known about revocation.

use keys_core::codec::{DecodeError, Reader, Writer};
use keys_core::id::{ObjectId, ShortId, VehicleId};
use keys_core::journal::Entry;
use keys_core::time::Timestamp;
use redb::{ReadableTable, TableDefinition, WriteTransaction};

use super::meta::{FLOOR, META, put_admissions, put_number, raise_floor};
use super::{FloorAdmissions, Place, Store, StoreError};

const ANCHORS: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("anchors");
/// Links revoked before the car was paired again → until when that is remembered.
const DENIED: TableDefinition<&[u8; 16], u64> = TableDefinition::new("denied");
const VEHICLE: &str = "vehicle";
const BUNDLE: &str = "bundle";
const PENDING: &str = "pending_bundle";
const BOARD: &str = "board";

/// A bundle that changes owner keys or gateway key and waits its 72 hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// As signed.
    pub bundle: Vec<u8>,
    /// The latest it can have been when it was first seen, once the clock was trusted.
    pub first_seen: Option<Timestamp>,
    /// Seconds the gateway has been running since, at least.
    pub waited_s: u64,
}

/// Everything believed, as it was stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeldTrust {
    /// The vehicle, once paired.
    pub vehicle: Option<VehicleId>,
    /// The bundle in force, as signed.
    pub bundle: Option<Vec<u8>>,
    /// The bundle that waits.
    pub pending: Option<Pending>,
    /// Anchor links, as signed.
    pub anchors: Vec<Vec<u8>>,
    /// The encoded status board.
    pub board: Option<Vec<u8>>,
    /// Links revoked before the last pairing, and until when.
    pub denied: Vec<(ShortId, Timestamp)>,
}

/// A change of what is believed; `None` leaves a part as it is.
#[derive(Debug, Clone, Default)]
pub struct TrustChange {
    /// The vehicle.
    pub vehicle: Option<VehicleId>,
    /// The bundle in force.
    pub bundle: Option<Vec<u8>>,
    /// The bundle that waits, or none any more.
    pub pending: Option<Option<Pending>>,
    /// All anchors there are from now on.
    pub anchors: Option<Vec<(ObjectId, Vec<u8>)>>,
    /// The encoded status board.
    pub board: Option<Vec<u8>>,
    /// Links to be denied whatever statements say, and until when.
    pub denied: Vec<(ShortId, Timestamp)>,
    /// A verified time: the floor rises to it.
    pub floor: Option<Timestamp>,
    /// Whether `floor` takes the place of the floor held, as pairing does.
    pub resets_floor: bool,
    /// What the journal says about it.
    pub entry: Option<Entry>,
}

pub(super) fn make_tables(tx: &WriteTransaction) -> Result<(), StoreError> {
    tx.open_table(ANCHORS)?;
    tx.open_table(DENIED)?;
    Ok(())
}

impl Store {
    /// Makes a change of what is believed; durable before anything acts on it.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn change_trust(&self, change: TrustChange) -> Result<Option<Place>, StoreError> {
        self.write(|tx| {
            if change.resets_floor {
                put_number(tx, FLOOR, change.floor.map_or(0, |floor| floor.0))?;
                put_admissions(tx, FloorAdmissions::default())?;
            } else if let Some(floor) = change.floor {
                raise_floor(tx, floor)?;
            }
            self.put_values(tx, &change)?;
            if let Some(anchors) = &change.anchors {
                let mut table = tx.open_table(ANCHORS)?;
                table.retain(|_, _| false)?;
                for (id, bytes) in anchors {
                    table.insert(&id.0, &bytes[..])?;
                }
            }
            let mut denied = tx.open_table(DENIED)?;
            for (id, until) in &change.denied {
                denied.insert(&id.0, until.0)?;
            }
            drop(denied);
            change
                .entry
                .map_or(Ok(None), |entry| self.append(tx, entry))
        })
    }

    fn put_values(&self, tx: &WriteTransaction, change: &TrustChange) -> Result<(), StoreError> {
        let mut meta = tx.open_table(META)?;
        if let Some(vehicle) = &change.vehicle {
            meta.insert(VEHICLE, &vehicle.as_bytes()[..])?;
        }
        if let Some(bundle) = &change.bundle {
            meta.insert(BUNDLE, &bundle[..])?;
        }
        if let Some(board) = &change.board {
            meta.insert(BOARD, &board[..])?;
        }
        match &change.pending {
            None => {}
            Some(None) => {
                meta.remove(PENDING)?;
            }
            Some(Some(pending)) => {
                meta.insert(PENDING, &pending.encode()[..])?;
            }
        }
        Ok(())
    }

    /// Everything believed.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn trust(&self) -> Result<HeldTrust, StoreError> {
        self.read(|tx| {
            let meta = tx.open_table(META)?;
            let value = |key: &str| -> Result<Option<Vec<u8>>, StoreError> {
                Ok(meta.get(key)?.map(|value| value.value().to_vec()))
            };
            let vehicle = value(VEHICLE)?
                .map(|bytes| bytes.try_into().map(VehicleId::from_bytes))
                .transpose()
                .map_err(|_| StoreError::Garbled("vehicle id"))?;
            let pending = value(PENDING)?
                .map(|bytes| Pending::decode(&bytes))
                .transpose()
                .map_err(|_| StoreError::Garbled("pending bundle"))?;
            let anchors = tx.open_table(ANCHORS)?;
            let denied = tx.open_table(DENIED)?;
            Ok(HeldTrust {
                vehicle,
                bundle: value(BUNDLE)?,
                pending,
                anchors: anchors
                    .iter()?
                    .map(|row| Ok(row?.1.value().to_vec()))
                    .collect::<Result<_, StoreError>>()?,
                board: value(BOARD)?,
                denied: denied
                    .iter()?
                    .map(|row| {
                        row.map(|(id, until)| (ShortId(*id.value()), Timestamp(until.value())))
                    })
                    .collect::<Result<_, redb::StorageError>>()?,
            })
        })
    }
}

impl Pending {
    /// `[bundle, [] / [first seen], seconds waited]`; a store format, not a wire one.
    fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.array(3).bytes(&self.bundle);
        match self.first_seen {
            Some(at) => w.array(1).uint(at.0),
            None => w.array(0),
        };
        w.uint(self.waited_s);
        w.into_bytes()
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        r.array_of(3, 3)?;
        let bundle = r.bytes()?.to_vec();
        let first_seen = match r.array_of(0, 1)? {
            1 => Some(Timestamp(r.uint()?)),
            _ => None,
        };
        let waited_s = r.uint()?;
        r.finish()?;
        Ok(Self {
            bundle,
            first_seen,
            waited_s,
        })
    }
}
