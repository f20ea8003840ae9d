//! Table `links`: every signed link, by its object id.

use keys_core::id::{GrantId, ObjectId, ShortId};
use keys_core::time::{Timestamp, Validity};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use super::columns::array;
use super::{Conn, StorageError};
use crate::clock::{from_db, to_db};
use crate::model::id::{KeyId, VehicleId};
use crate::model::statement::{LinkKind, StoredLink};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "links")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    short_id: Vec<u8>,
    vehicle_id: VehicleId,
    kind: String,
    parent_id: Option<Vec<u8>>,
    key_id: Option<KeyId>,
    grant_id: Option<Vec<u8>>,
    holder_key: Vec<u8>,
    bytes: Vec<u8>,
    valid_from: i64,
    valid_until: i64,
    label: Option<String>,
    created_at: i64,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Most links a vehicle's anchors or a key's tree are read with.
const MOST: u64 = 256;

/// Inserts a link; storing it again changes nothing.
pub async fn insert(db: &impl Conn, link: &StoredLink) -> Result<(), StorageError> {
    if find(db, link.id).await?.is_some() {
        return Ok(());
    }
    let row = ActiveModel {
        id: Set(link.id.0.to_vec()),
        short_id: Set(link.id.short().0.to_vec()),
        vehicle_id: Set(link.vehicle),
        kind: Set(link.kind.as_str().to_owned()),
        parent_id: Set(link.parent.map(|parent| parent.0.to_vec())),
        key_id: Set(link.key),
        grant_id: Set(link.grant.map(|grant| grant.0.to_vec())),
        holder_key: Set(link.holder.to_vec()),
        bytes: Set(link.bytes.clone()),
        valid_from: Set(to_db(link.window.from)),
        valid_until: Set(to_db(link.window.until)),
        label: Set(link.label.clone()),
        created_at: Set(to_db(link.created_at)),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// One link.
pub async fn find(db: &impl Conn, id: ObjectId) -> Result<Option<StoredLink>, StorageError> {
    let row = Entity::find_by_id(id.0.to_vec()).one(db).await?;
    row.map(StoredLink::try_from).transpose()
}

/// The links of these kinds of a vehicle that are not over at `now`, oldest first.
pub async fn live(
    db: &impl Conn,
    vehicle: VehicleId,
    kinds: &[LinkKind],
    now: Timestamp,
) -> Result<Vec<StoredLink>, StorageError> {
    let rows = Entity::find()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::Kind.is_in(kinds.iter().map(|kind| kind.as_str())))
        .filter(Column::ValidUntil.gt(to_db(now)))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::ValidUntil)
        .limit(MOST)
        .all(db)
        .await?;
    rows.into_iter().map(StoredLink::try_from).collect()
}

/// The links of one kind of these keys, oldest first.
pub async fn of_keys(
    db: &impl Conn,
    keys: impl IntoIterator<Item = KeyId>,
    kind: LinkKind,
) -> Result<Vec<StoredLink>, StorageError> {
    let rows = Entity::find()
        .filter(Column::KeyId.is_in(keys))
        .filter(Column::Kind.eq(kind.as_str()))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::ValidUntil)
        .all(db)
        .await?;
    rows.into_iter().map(StoredLink::try_from).collect()
}

/// The links of a vehicle with these short ids.
pub async fn by_short(
    db: &impl Conn,
    vehicle: VehicleId,
    shorts: impl IntoIterator<Item = ShortId>,
) -> Result<Vec<StoredLink>, StorageError> {
    let shorts = shorts.into_iter().map(|short| short.0.to_vec());
    let rows = Entity::find()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::ShortId.is_in(shorts))
        .all(db)
        .await?;
    rows.into_iter().map(StoredLink::try_from).collect()
}

/// The key that one of these links belongs to.
pub async fn key_of(
    db: &impl Conn,
    vehicle: VehicleId,
    ids: impl IntoIterator<Item = ObjectId>,
) -> Result<Option<KeyId>, StorageError> {
    let ids = ids.into_iter().map(|id| id.0.to_vec());
    let row = Entity::find()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::Id.is_in(ids))
        .filter(Column::KeyId.is_not_null())
        .limit(1)
        .one(db)
        .await?;
    Ok(row.and_then(|row| row.key_id))
}

impl TryFrom<Model> for StoredLink {
    type Error = StorageError;

    fn try_from(row: Model) -> Result<Self, StorageError> {
        let parent = row.parent_id.map(|id| array(id, "links.parent_id"));
        let grant = row.grant_id.map(|id| array(id, "links.grant_id"));
        Ok(Self {
            id: ObjectId(array(row.id, "links.id")?),
            vehicle: row.vehicle_id,
            kind: LinkKind::from_word(&row.kind).ok_or(StorageError::damaged("links.kind"))?,
            parent: parent.transpose()?.map(ObjectId),
            key: row.key_id,
            grant: grant.transpose()?.map(GrantId),
            holder: array(row.holder_key, "links.holder_key")?,
            bytes: row.bytes,
            window: Validity {
                from: from_db(row.valid_from),
                until: from_db(row.valid_until),
            },
            label: row.label,
            created_at: from_db(row.created_at),
        })
    }
}
