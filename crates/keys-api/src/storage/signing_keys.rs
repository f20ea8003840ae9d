//! Table `signing_keys`: the key store's rows. Seeds are sealed before they come here.

use std::collections::HashMap;

use keys_core::time::Timestamp;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder};

use super::{Conn, StorageError};
use crate::clock::to_db;
use crate::model::id::{SigningKeyId, VehicleId};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: SigningKeyId,
    kind: String,
    vehicle_id: Option<VehicleId>,
    public_key: Vec<u8>,
    sealed_seed: Option<Vec<u8>>,
    created_at: i64,
    retired_at: Option<i64>,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a stored signing key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningKeyKind {
    /// Signs keys below a mandate.
    Issuer,
    /// A vehicle's owner key.
    Owner,
    /// Signs the links to issuer and status keys.
    PlatformRoot,
    /// Signs statements and time attestations.
    Status,
}

impl SigningKeyKind {
    /// The word the table uses, and the purpose its seed is sealed for.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Owner => "owner",
            Self::PlatformRoot => "platform_root",
            Self::Status => "status",
        }
    }
}

/// A signing key as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSigningKey {
    /// Its row.
    pub id: SigningKeyId,
    /// The vehicle it belongs to; platform keys belong to none.
    pub vehicle: Option<VehicleId>,
    /// The public half.
    pub public: [u8; 32],
    /// The sealed seed; absent for a sovereign owner.
    pub sealed_seed: Option<Vec<u8>>,
}

/// Inserts a signing key.
pub async fn insert(
    db: &impl Conn,
    kind: SigningKeyKind,
    key: &StoredSigningKey,
    now: Timestamp,
) -> Result<(), StorageError> {
    let row = ActiveModel {
        id: Set(key.id),
        kind: Set(kind.as_str().to_owned()),
        vehicle_id: Set(key.vehicle),
        public_key: Set(key.public.to_vec()),
        sealed_seed: Set(key.sealed_seed.clone()),
        created_at: Set(to_db(now)),
        retired_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// The newest live owner key of a vehicle.
pub async fn owner_of(
    db: &impl Conn,
    vehicle: VehicleId,
) -> Result<Option<StoredSigningKey>, StorageError> {
    newest(db, SigningKeyKind::Owner, Some(vehicle)).await
}

/// The newest live owner key of each of these vehicles.
pub async fn owners_of(
    db: &impl Conn,
    vehicles: impl IntoIterator<Item = VehicleId>,
) -> Result<HashMap<VehicleId, StoredSigningKey>, StorageError> {
    let rows = Entity::find()
        .filter(Column::Kind.eq(SigningKeyKind::Owner.as_str()))
        .filter(Column::RetiredAt.is_null())
        .filter(Column::VehicleId.is_in(vehicles))
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    let keys = rows.into_iter().map(StoredSigningKey::try_from);
    keys.filter_map(|key| {
        key.map(|key| key.vehicle.map(|vehicle| (vehicle, key)))
            .transpose()
    })
    .collect()
}

/// The newest live key of the platform of this kind.
pub async fn of_platform(
    db: &impl Conn,
    kind: SigningKeyKind,
) -> Result<Option<StoredSigningKey>, StorageError> {
    newest(db, kind, None).await
}

async fn newest(
    db: &impl Conn,
    kind: SigningKeyKind,
    vehicle: Option<VehicleId>,
) -> Result<Option<StoredSigningKey>, StorageError> {
    let query = Entity::find()
        .filter(Column::Kind.eq(kind.as_str()))
        .filter(Column::RetiredAt.is_null());
    let query = match vehicle {
        Some(vehicle) => query.filter(Column::VehicleId.eq(vehicle)),
        None => query.filter(Column::VehicleId.is_null()),
    };
    let row = query.order_by_desc(Column::Id).one(db).await?;
    row.map(StoredSigningKey::try_from).transpose()
}

impl TryFrom<Model> for StoredSigningKey {
    type Error = StorageError;

    fn try_from(row: Model) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            vehicle: row.vehicle_id,
            public: row
                .public_key
                .try_into()
                .map_err(|_| StorageError::damaged("signing_keys.public_key"))?,
            sealed_seed: row.sealed_seed,
        })
    }
}
