//! Table `gateways`: what each car's gateway is known to hold and last said.

use keys_core::challenge::Seqs;
use keys_core::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use super::columns::{array, number, to_number};
use super::{Conn, StorageError, Tx};
use crate::clock::{from_db, to_db};
use crate::model::id::VehicleId;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "gateways")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    vehicle_id: VehicleId,
    gateway_key: Vec<u8>,
    bundle_seq: i64,
    owner_seq: i64,
    platform_seq: i64,
    last_contact_at: Option<i64>,
    journal_index: Option<i64>,
    journal_head: Option<Vec<u8>>,
    state: Option<String>,
    clock_trusted: Option<bool>,
    updated_at: i64,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What is known of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Its key, as the bundle names it.
    pub key: [u8; 32],
    /// What it confirmed to hold.
    pub seqs: Seqs,
    /// When it last spoke, to the minute.
    pub last_contact_at: Option<Timestamp>,
    /// Its journal's newest entry: number and hash.
    pub journal: Option<(u64, [u8; 32])>,
    /// The car's state as it told, JSON.
    pub state: Option<String>,
    /// Whether its clock is trusted, as it told.
    pub clock_trusted: Option<bool>,
}

/// What a gateway told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// It is there.
    pub contact: bool,
    /// What it holds.
    pub seqs: Option<Seqs>,
    /// Its journal's newest entry.
    pub journal: Option<(u64, [u8; 32])>,
    /// The car's state.
    pub state: Option<String>,
    /// Whether its clock is trusted.
    pub clock_trusted: Option<bool>,
}

/// What is known of a vehicle's gateway.
pub async fn find(db: &impl Conn, vehicle: VehicleId) -> Result<Option<Gateway>, StorageError> {
    let row = Entity::find_by_id(vehicle).one(db).await?;
    row.map(Gateway::try_from).transpose()
}

/// Begins the record of a gateway; of another one than before, from nothing.
pub async fn adopt(
    tx: &Tx,
    vehicle: VehicleId,
    key: [u8; 32],
    now: Timestamp,
) -> Result<(), StorageError> {
    let known = Entity::find_by_id(vehicle).one(tx).await?;
    if known
        .as_ref()
        .is_some_and(|known| known.gateway_key == key.to_vec())
    {
        return Ok(());
    }
    let row = ActiveModel {
        vehicle_id: Set(vehicle),
        gateway_key: Set(key.to_vec()),
        bundle_seq: Set(0),
        owner_seq: Set(0),
        platform_seq: Set(0),
        last_contact_at: Set(None),
        journal_index: Set(None),
        journal_head: Set(None),
        state: Set(None),
        clock_trusted: Set(None),
        updated_at: Set(to_db(now)),
    };
    if known.is_some() {
        Entity::update(row).exec(tx).await?;
    } else {
        Entity::insert(row).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Notes what a gateway told. Numbers of what it holds only rise.
pub async fn note(
    tx: &Tx,
    vehicle: VehicleId,
    news: News,
    now: Timestamp,
) -> Result<(), StorageError> {
    let Some(known) = Entity::find_by_id(vehicle).one(tx).await? else {
        return Ok(());
    };
    let mut row = ActiveModel {
        vehicle_id: Set(vehicle),
        updated_at: Set(to_db(now)),
        ..Default::default()
    };
    if news.contact {
        row.last_contact_at = Set(Some(to_db(now)));
    }
    if let Some(seqs) = news.seqs {
        row.bundle_seq = Set(known.bundle_seq.max(to_number(seqs.bundle)));
        row.owner_seq = Set(known.owner_seq.max(to_number(seqs.owner)));
        row.platform_seq = Set(known.platform_seq.max(to_number(seqs.platform)));
    }
    if let Some((index, head)) = news.journal {
        row.journal_index = Set(Some(to_number(index)));
        row.journal_head = Set(Some(head.to_vec()));
    }
    if let Some(state) = news.state {
        row.state = Set(Some(state));
    }
    if let Some(trusted) = news.clock_trusted {
        row.clock_trusted = Set(Some(trusted));
    }
    Entity::update(row).exec(tx).await?;
    Ok(())
}

impl TryFrom<Model> for Gateway {
    type Error = StorageError;

    fn try_from(row: Model) -> Result<Self, StorageError> {
        let journal = match (row.journal_index, row.journal_head) {
            (Some(index), Some(head)) => Some((
                number(index, "gateways.journal_index")?,
                array(head, "gateways.journal_head")?,
            )),
            _ => None,
        };
        Ok(Self {
            key: array(row.gateway_key, "gateways.gateway_key")?,
            seqs: Seqs {
                owner: number(row.owner_seq, "gateways.owner_seq")?,
                platform: number(row.platform_seq, "gateways.platform_seq")?,
                bundle: number(row.bundle_seq, "gateways.bundle_seq")?,
            },
            last_contact_at: row.last_contact_at.map(from_db),
            journal,
            state: row.state,
            clock_trusted: row.clock_trusted,
        })
    }
}
