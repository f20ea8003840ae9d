//! Table `keys`. Queries start from the owner; [`find_unscoped`] is for holders, gateways and jobs,
//! who proved their right otherwise.

use data_encoding::BASE64URL_NOPAD;
use keys_core::codec::{Reader, Writer};
use keys_core::id::{GrantId, ObjectId};
use keys_core::policy::Policy;
use keys_core::time::{Timestamp, Validity};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ActiveValue::Set, Condition, QueryOrder, QuerySelect, QueryTrait, Select};

use super::columns::{array, number, to_number};
use super::{Conn, StorageError};
use crate::clock::{from_db, to_db};
use crate::model::id::{AccountId, KeyId, MandateId, VehicleId};
use crate::model::key::{Booking, Denial, Key, KeyState};
use crate::model::page::PageQuery;
use crate::model::statement::Authority;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: KeyId,
    vehicle_id: VehicleId,
    account_id: AccountId,
    grant_id: Vec<u8>,
    state: String,
    valid_from: i64,
    valid_until: i64,
    entitlements: i64,
    delegations: i64,
    policy: String,
    booking_reference: Option<String>,
    booking_salt: Option<Vec<u8>>,
    booking_hash: Option<Vec<u8>>,
    holder_key: Option<Vec<u8>>,
    server_held: bool,
    mandate_id: Option<MandateId>,
    leaf_id: Option<Vec<u8>>,
    chain: Option<Vec<u8>>,
    signed_until: Option<i64>,
    to_sign: Option<Vec<u8>>,
    begun_at: Option<i64>,
    suspended_at: Option<i64>,
    ended_at: Option<i64>,
    denied_by: Option<String>,
    denied_at: Option<i64>,
    denied_seq: Option<i64>,
    acknowledged_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// States a key leaves by itself or by a decision; it still has its window.
const LIVE: [&str; 5] = [
    "active",
    "awaiting_holder",
    "pending_signature",
    "scheduled",
    "suspended",
];

/// Finders over one owner's keys.
#[derive(Debug, Clone, Copy)]
pub struct OfOwner(AccountId);

/// The keys `owner` issued.
#[must_use]
pub fn of(owner: AccountId) -> OfOwner {
    OfOwner(owner)
}

/// Which keys a list shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyFilter {
    /// Only of this vehicle.
    pub vehicle: Option<VehicleId>,
    /// Only in this state.
    pub state: Option<KeyState>,
}

impl OfOwner {
    /// One of them.
    pub async fn find(self, db: &impl Conn, id: KeyId) -> Result<Option<Key>, StorageError> {
        let row = self.select().filter(Column::Id.eq(id)).one(db).await?;
        row.map(Key::try_from).transpose()
    }

    /// One page of them, newest first.
    pub async fn list(
        self,
        db: &impl Conn,
        filter: KeyFilter,
        now: Timestamp,
        page: &PageQuery,
    ) -> Result<Vec<Key>, StorageError> {
        let mut query = self.select();
        if let Some(vehicle) = filter.vehicle {
            query = query.filter(Column::VehicleId.eq(vehicle));
        }
        if let Some(state) = filter.state {
            query = query.filter(in_state(state, now));
        }
        if let Some(after) = page.after() {
            query = query.filter(Column::Id.lt(after));
        }
        let rows = query
            .order_by_desc(Column::Id)
            .limit(page.fetch())
            .all(db)
            .await?;
        rows.into_iter().map(Key::try_from).collect()
    }

    fn select(self) -> Select<Entity> {
        Entity::find().filter(Column::AccountId.eq(self.0))
    }
}

/// As [`Key::state_at`], for a query: a window that is over ends a key, whoever noticed.
fn in_state(state: KeyState, now: Timestamp) -> Condition {
    let is = Column::State.eq(state.as_str());
    match state {
        KeyState::Expired => Condition::any().add(is).add(
            Condition::all()
                .add(Column::State.is_in(LIVE))
                .add(Column::ValidUntil.lte(to_db(now))),
        ),
        KeyState::Revoked | KeyState::Relinquished => Condition::all().add(is),
        _ => Condition::all()
            .add(is)
            .add(Column::ValidUntil.gt(to_db(now))),
    }
}

/// A key by id alone, for those who proved their right otherwise.
pub async fn find_unscoped(db: &impl Conn, id: KeyId) -> Result<Option<Key>, StorageError> {
    let row = Entity::find_by_id(id).one(db).await?;
    row.map(Key::try_from).transpose()
}

/// The keys of a vehicle that are not over at `now`.
pub async fn live_of_vehicle(
    db: &impl Conn,
    vehicle: VehicleId,
    now: Timestamp,
) -> Result<Vec<Key>, StorageError> {
    let rows = Entity::find()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::State.is_in(LIVE))
        .filter(Column::ValidUntil.gt(to_db(now)))
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(Key::try_from).collect()
}

/// Keys that wait for a signature below a mandate, and whose window is not over: up to `most`, with ids
/// above `after`.
pub async fn waiting_below_mandates(
    db: &impl Conn,
    now: Timestamp,
    after: Option<KeyId>,
    most: u64,
) -> Result<Vec<Key>, StorageError> {
    let behind = Condition::any()
        .add(Column::SignedUntil.is_null())
        .add(ExprTrait::ne(
            Expr::col(Column::SignedUntil),
            Expr::col(Column::ValidUntil),
        ));
    let rows = Entity::find()
        .filter(Column::State.is_in(["active", "scheduled", "suspended"]))
        .filter(Column::MandateId.is_not_null())
        .filter(Column::ValidUntil.gt(to_db(now)))
        .filter(behind)
        .apply_if(after, |query, after| query.filter(Column::Id.gt(after)))
        .order_by_asc(Column::Id)
        .limit(most)
        .all(db)
        .await?;
    rows.into_iter().map(Key::try_from).collect()
}

/// Whether some live key of a vehicle has its holder key on a server.
pub async fn any_server_held(
    db: &impl Conn,
    vehicle: VehicleId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let row = Entity::find()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::ServerHeld.eq(true))
        .filter(Column::State.is_in(LIVE))
        .filter(Column::ValidUntil.gt(to_db(now)))
        .limit(1)
        .one(db)
        .await?;
    Ok(row.is_some())
}

/// Marks keys whose window is over as expired; returns how many.
pub async fn expire(db: &impl Conn, now: Timestamp) -> Result<u64, StorageError> {
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(KeyState::Expired.as_str()))
        .col_expr(Column::UpdatedAt, Expr::value(to_db(now)))
        .filter(Column::State.is_in(LIVE))
        .filter(Column::ValidUntil.lte(to_db(now)))
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

/// Notes that a car holds statement `seq` of `authority`: denials up to it are in force.
pub async fn acknowledge(
    db: &impl Conn,
    vehicle: VehicleId,
    authority: Authority,
    seq: u64,
    now: Timestamp,
) -> Result<u64, StorageError> {
    let done = Entity::update_many()
        .col_expr(Column::AcknowledgedAt, Expr::value(to_db(now)))
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::DeniedBy.eq(authority.as_str()))
        .filter(Column::DeniedSeq.lte(to_number(seq)))
        .filter(Column::AcknowledgedAt.is_null())
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

/// Gives denials that had no number yet the number of the statement that lists them.
pub async fn number_denials(
    db: &impl Conn,
    vehicle: VehicleId,
    authority: Authority,
    seq: u64,
) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::DeniedSeq, Expr::value(to_number(seq)))
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::DeniedBy.eq(authority.as_str()))
        .filter(Column::DeniedSeq.is_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Inserts a key.
pub async fn insert(db: &impl Conn, key: &Key) -> Result<(), StorageError> {
    Entity::insert(ActiveModel::from(key))
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes a changed key over its row.
pub async fn update(db: &impl Conn, key: &Key) -> Result<(), StorageError> {
    Entity::update(ActiveModel::from(key)).exec(db).await?;
    Ok(())
}

impl From<&Key> for ActiveModel {
    fn from(key: &Key) -> Self {
        let booking = key.booking.as_ref();
        let denial = key.denial.as_ref();
        Self {
            id: Set(key.id),
            vehicle_id: Set(key.vehicle),
            account_id: Set(key.account),
            grant_id: Set(key.grant.0.to_vec()),
            state: Set(key.state.as_str().to_owned()),
            valid_from: Set(to_db(key.window.from)),
            valid_until: Set(to_db(key.window.until)),
            entitlements: Set(i64::from(key.policy.entitlements.bits())),
            delegations: Set(i64::from(key.policy.delegations)),
            policy: Set(write_policy(&key.policy)),
            booking_reference: Set(booking.map(|booking| booking.reference.clone())),
            booking_salt: Set(booking.map(|booking| booking.salt.to_vec())),
            booking_hash: Set(booking.map(|booking| booking.hash.to_vec())),
            holder_key: Set(key.holder.map(|holder| holder.to_vec())),
            server_held: Set(key.server_held),
            mandate_id: Set(key.mandate),
            leaf_id: Set(key.leaf.map(|leaf| leaf.0.to_vec())),
            chain: Set(key.chain.clone()),
            signed_until: Set(key.signed_until.map(to_db)),
            to_sign: Set(key.to_sign.clone()),
            begun_at: Set(key.begun_at.map(to_db)),
            suspended_at: Set(key.suspended_at.map(to_db)),
            ended_at: Set(key.ended_at.map(to_db)),
            denied_by: Set(denial.map(|denial| denial.by.as_str().to_owned())),
            denied_at: Set(denial.map(|denial| to_db(denial.at))),
            denied_seq: Set(denial.and_then(|denial| denial.seq).map(to_number)),
            acknowledged_at: Set(denial.and_then(|denial| denial.acknowledged_at).map(to_db)),
            created_at: Set(to_db(key.created_at)),
            updated_at: Set(to_db(key.updated_at)),
        }
    }
}

/// The policy as the link states it: deterministic CBOR, base64url.
fn write_policy(policy: &Policy) -> String {
    let mut writer = Writer::new();
    policy.write(&mut writer);
    BASE64URL_NOPAD.encode(&writer.into_bytes())
}

fn read_policy(text: &str) -> Result<Policy, StorageError> {
    let damaged = || StorageError::damaged("keys.policy");
    let bytes = BASE64URL_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| damaged())?;
    let mut reader = Reader::new(&bytes);
    let policy = Policy::read(&mut reader).map_err(|_| damaged())?;
    reader.finish().map_err(|_| damaged())?;
    Ok(policy)
}

impl TryFrom<Model> for Key {
    type Error = StorageError;

    fn try_from(row: Model) -> Result<Self, StorageError> {
        let denial = denial_of(&row)?;
        let booking = match (row.booking_reference, row.booking_salt, row.booking_hash) {
            (Some(reference), Some(salt), Some(hash)) => Some(Booking {
                reference,
                salt: array(salt, "keys.booking_salt")?,
                hash: array(hash, "keys.booking_hash")?,
            }),
            _ => None,
        };
        let holder = row
            .holder_key
            .map(|holder| array(holder, "keys.holder_key"));
        let leaf = row.leaf_id.map(|leaf| array(leaf, "keys.leaf_id"));
        Ok(Self {
            id: row.id,
            vehicle: row.vehicle_id,
            account: row.account_id,
            grant: GrantId(array(row.grant_id, "keys.grant_id")?),
            state: row
                .state
                .parse()
                .map_err(|_| StorageError::damaged("keys.state"))?,
            window: Validity {
                from: from_db(row.valid_from),
                until: from_db(row.valid_until),
            },
            policy: read_policy(&row.policy)?,
            booking,
            holder: holder.transpose()?,
            server_held: row.server_held,
            mandate: row.mandate_id,
            leaf: leaf.transpose()?.map(ObjectId),
            chain: row.chain,
            signed_until: row.signed_until.map(from_db),
            to_sign: row.to_sign,
            begun_at: row.begun_at.map(from_db),
            suspended_at: row.suspended_at.map(from_db),
            ended_at: row.ended_at.map(from_db),
            denial,
            created_at: from_db(row.created_at),
            updated_at: from_db(row.updated_at),
        })
    }
}

fn denial_of(row: &Model) -> Result<Option<Denial>, StorageError> {
    let (Some(word), Some(at)) = (&row.denied_by, row.denied_at) else {
        return Ok(None);
    };
    let by = Authority::from_word(word).ok_or(StorageError::damaged("keys.denied_by"))?;
    let seq = row.denied_seq.map(|seq| number(seq, "keys.denied_seq"));
    Ok(Some(Denial {
        by,
        at: from_db(at),
        seq: seq.transpose()?,
        acknowledged_at: row.acknowledged_at.map(from_db),
    }))
}
