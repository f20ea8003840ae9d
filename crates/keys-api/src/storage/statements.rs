//! Tables `statements` and `statement_sequences`. A number is taken in the transaction of its use.

use keys_core::id::ShortId;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use super::columns::{array, number, to_number};
use super::{Conn, StorageError, Tx};
use crate::clock::{from_db, to_db};
use crate::model::id::VehicleId;
use crate::model::statement::{Authority, StoredStatement};

/// A row of `statements`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "statements")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    vehicle_id: VehicleId,
    #[sea_orm(primary_key, auto_increment = false)]
    authority: String,
    #[sea_orm(primary_key, auto_increment = false)]
    seq: i64,
    short_id: Vec<u8>,
    bytes: Vec<u8>,
    issued_at: i64,
    expires_at: Option<i64>,
    created_at: i64,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

mod sequence {
    use sea_orm::entity::prelude::*;

    use crate::model::id::VehicleId;

    /// A row of `statement_sequences`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "statement_sequences")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) vehicle_id: VehicleId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) authority: String,
        pub(super) last_seq: i64,
        pub(super) least_generation: i64,
    }

    /// None are declared.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Platform statements kept behind the newest.
const KEPT: u64 = 64;

/// What an authority said last about a vehicle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sequence {
    /// Number of its newest statement; 0 if there is none.
    pub last_seq: u64,
    /// Least generation of first links, as it states.
    pub least_generation: u64,
}

/// The sequence of an authority.
pub async fn sequence(
    db: &impl Conn,
    vehicle: VehicleId,
    authority: Authority,
) -> Result<Sequence, StorageError> {
    let id = (vehicle, authority.as_str().to_owned());
    let Some(row) = sequence::Entity::find_by_id(id).one(db).await? else {
        return Ok(Sequence::default());
    };
    Ok(Sequence {
        last_seq: number(row.last_seq, "statement_sequences.last_seq")?,
        least_generation: number(row.least_generation, "statement_sequences.least_generation")?,
    })
}

/// Sets the sequence of an authority.
pub async fn set_sequence(
    tx: &Tx,
    vehicle: VehicleId,
    authority: Authority,
    to: Sequence,
) -> Result<(), StorageError> {
    let row = sequence::ActiveModel {
        vehicle_id: Set(vehicle),
        authority: Set(authority.as_str().to_owned()),
        last_seq: Set(to_number(to.last_seq)),
        least_generation: Set(to_number(to.least_generation)),
    };
    let id = (vehicle, authority.as_str().to_owned());
    if sequence::Entity::find_by_id(id).one(tx).await?.is_some() {
        sequence::Entity::update(row).exec(tx).await?;
    } else {
        sequence::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// The newest statement of an authority.
pub async fn newest(
    db: &impl Conn,
    vehicle: VehicleId,
    authority: Authority,
) -> Result<Option<StoredStatement>, StorageError> {
    let row = Entity::find()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::Authority.eq(authority.as_str()))
        .order_by_desc(Column::Seq)
        .limit(1)
        .one(db)
        .await?;
    row.map(StoredStatement::try_from).transpose()
}

/// Inserts a statement, and forgets platform statements that are long superseded.
pub async fn insert(tx: &Tx, statement: &StoredStatement) -> Result<(), StorageError> {
    let row = ActiveModel {
        vehicle_id: Set(statement.vehicle),
        authority: Set(statement.authority.as_str().to_owned()),
        seq: Set(to_number(statement.seq)),
        short_id: Set(statement.short.0.to_vec()),
        bytes: Set(statement.bytes.clone()),
        issued_at: Set(to_db(statement.issued_at)),
        expires_at: Set(statement.expires_at.map(to_db)),
        created_at: Set(to_db(statement.issued_at)),
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    if statement.authority == Authority::Platform && statement.seq > KEPT {
        Entity::delete_many()
            .filter(Column::VehicleId.eq(statement.vehicle))
            .filter(Column::Authority.eq(Authority::Platform.as_str()))
            .filter(Column::Seq.lt(to_number(statement.seq - KEPT)))
            .exec(tx)
            .await?;
    }
    Ok(())
}

impl TryFrom<Model> for StoredStatement {
    type Error = StorageError;

    fn try_from(row: Model) -> Result<Self, StorageError> {
        Ok(Self {
            vehicle: row.vehicle_id,
            authority: Authority::from_word(&row.authority)
                .ok_or(StorageError::damaged("statements.authority"))?,
            seq: number(row.seq, "statements.seq")?,
            short: ShortId(array(row.short_id, "statements.short_id")?),
            bytes: row.bytes,
            issued_at: from_db(row.issued_at),
            expires_at: row.expires_at.map(from_db),
        })
    }
}
