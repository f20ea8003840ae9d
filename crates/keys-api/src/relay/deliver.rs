//! What a gateway lacks: bundles, anchors and statements, as carried objects in the order in which
//! they can be verified. Phones carry the same pack.

use std::collections::HashSet;

use keys_core::carried::{Carried, CarriedKind};
use keys_core::challenge::Seqs;
use keys_core::id::ObjectId;
use keys_core::time::Timestamp;

use crate::model::id::VehicleId;
use crate::model::statement::{Authority, LinkKind, StoredLink};
use crate::storage::{Conn, StorageError, bundles, links, statements};

/// One object to carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub name: Name,
    /// The encoded [`Carried`].
    pub carried: Vec<u8>,
}

/// What an object is, so that it is not carried twice over one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Name {
    /// A mandate, issuer or status link.
    Anchor(ObjectId),
    /// A bundle by its number.
    Bundle(u64),
    /// A statement by signer and number.
    Statement(Authority, u64),
}

impl Name {
    /// The kind of carried object.
    #[must_use]
    pub fn kind(&self) -> CarriedKind {
        match self {
            Self::Anchor(_) => CarriedKind::Anchor,
            Self::Bundle(_) => CarriedKind::Bundle,
            Self::Statement(..) => CarriedKind::Statement,
        }
    }
}

fn item(name: Name, object: &[u8]) -> Item {
    let carried = Carried {
        kind: name.kind(),
        object,
        challenge: None,
    };
    Item {
        name,
        carried: carried.encode(),
    }
}

/// What somebody who holds `seqs` lacks; anchors cannot be told by number, so all are listed.
///
/// # Errors
/// [`StorageError`]
pub async fn lacking(
    db: &impl Conn,
    vehicle: VehicleId,
    held: Seqs,
    now: Timestamp,
) -> Result<Vec<Item>, StorageError> {
    let mut items: Vec<Item> = bundles::above(db, vehicle, held.bundle)
        .await?
        .iter()
        .map(|bundle| item(Name::Bundle(bundle.seq), &bundle.bytes))
        .collect();
    items.extend(
        anchors(db, vehicle, now)
            .await?
            .iter()
            .map(|link| item(Name::Anchor(link.id), &link.bytes)),
    );
    for (authority, held) in [
        (Authority::Owner, held.owner),
        (Authority::Platform, held.platform),
    ] {
        if let Some(newest) = statements::newest(db, vehicle, authority).await?
            && newest.seq > held
        {
            let name = Name::Statement(authority, newest.seq);
            items.push(item(name, &newest.bytes));
        }
    }
    Ok(items)
}

/// The anchors of a vehicle, parents first.
async fn anchors(
    db: &impl Conn,
    vehicle: VehicleId,
    now: Timestamp,
) -> Result<Vec<StoredLink>, StorageError> {
    let mut all = links::live(db, vehicle, &[LinkKind::Mandate], now).await?;
    let below = [LinkKind::Issuer, LinkKind::Status];
    all.extend(links::live(db, vehicle, &below, now).await?);
    Ok(all)
}

/// Leaves out what went over this connection already, and notes the rest as gone.
pub fn fresh(items: Vec<Item>, gone: &mut HashSet<Name>) -> Vec<Item> {
    items
        .into_iter()
        .filter(|item| gone.insert(item.name))
        .collect()
}
