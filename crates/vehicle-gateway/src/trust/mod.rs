//! Whom the gateway believes: pinned owner keys, the bundle in force, anchors, and the word about revocation.
//!
//! [`Trust`] is a value. What comes in (a bundle, an anchor, a statement, an attestation) is checked
//! against it and gives the next value together with the [`TrustChange`] to be stored first; whoever
//! holds the gate stores, then puts the next value in place. Source: ck1 sections 2, 3, 4, 6 and 7.

mod anchor;
mod bundle;
mod pair;
mod statement;
mod time;

use std::collections::BTreeMap;

use keys_core::anchors::AnchorStore;
use keys_core::bundle::Bundle;
use keys_core::chain::DigitalKey;
use keys_core::challenge::Seqs;
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::id::{ObjectId, ShortId, VehicleId};
use keys_core::journal::{Entry, EntryKind, GENESIS};
use keys_core::refusal::Refusal;
use keys_core::status::{Authority, StatusBoard};
use keys_core::time::{ClockInterval, Timestamp};

pub use self::anchor::ANCHORS;
pub use self::bundle::PRESENCE_WAIT_S;
use crate::store::{HeldTrust, Pending, StoreError, TrustChange};

/// A bundle that waits for its 72 hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its body.
    pub bundle: Bundle,
    /// Its id.
    pub id: ObjectId,
    /// As stored.
    pub pending: Pending,
}

/// Everything believed about one vehicle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The vehicle.
    pub vehicle: VehicleId,
    /// The bundle in force.
    pub bundle: Bundle,
    /// Its id.
    pub bundle_id: ObjectId,
    /// The bundle that waits.
    pub waiting: Option<Waiting>,
    /// Mandates, issuer and status links.
    pub anchors: AnchorStore,
    /// What is known about revocation.
    pub board: StatusBoard,
    /// Links revoked before the car was last paired, and until when that holds.
    pub denied: BTreeMap<ShortId, Timestamp>,
}

/// What became of something that came in.
#[derive(Debug, Clone)]
pub enum Taken {
    /// It is held already.
    Known,
    /// It changes what is believed: store the change, then believe the value.
    Changed(Box<Trust>, Box<TrustChange>),
}

impl Taken {
    fn changed(next: Trust, change: TrustChange) -> Self {
        Self::Changed(Box::new(next), Box::new(change))
    }
}

/// Why something that came in is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// It does not hold.
    Refused(Refusal),
    /// Its signer signed two statements with one number: an alarm.
    Equivocation(ObjectId),
}

impl NotTaken {
    /// The code to answer with.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Equivocation(_) => Refusal::Replayed,
        }
    }
}

impl From<Refusal> for NotTaken {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Trust {
    /// What was believed when it was stored; `None` if the car was never paired.
    ///
    /// # Errors
    /// [`StoreError::Garbled`] if it cannot be read.
    pub fn load(held: HeldTrust) -> Result<Option<Self>, StoreError> {
        let (Some(vehicle), Some(bytes)) = (held.vehicle, held.bundle) else {
            return Ok(None);
        };
        // Signatures were checked before these bytes were stored, under the keys of that day.
        let (bundle, bundle_id) = decode_bundle(&bytes)?;
        let board = match &held.board {
            Some(bytes) => {
                StatusBoard::decode(bytes).map_err(|_| StoreError::Garbled("status board"))?
            }
            None => StatusBoard::default(),
        };
        let waiting = held
            .pending
            .map(|pending| {
                let (bundle, id) = decode_bundle(&pending.bundle)?;
                Ok::<_, StoreError>(Waiting {
                    bundle,
                    id,
                    pending,
                })
            })
            .transpose()?;
        let links = held.anchors.iter().map(|link| &link[..]);
        let anchors = AnchorStore::from_links(links, vehicle, &bundle.roots());
        let denied = held.denied.into_iter().collect();
        Ok(Some(Self {
            vehicle,
            bundle,
            bundle_id,
            waiting,
            anchors,
            board,
            denied,
        }))
    }

    /// The numbers of what is held.
    #[must_use]
    pub fn seqs(&self) -> Seqs {
        Seqs {
            owner: self.board.seq(Authority::Owner),
            platform: self.board.seq(Authority::Platform),
            bundle: self.bundle.seq,
        }
    }

    /// Whether a link of the key was revoked before the car was last paired.
    #[must_use]
    pub fn was_denied_before(&self, key: &DigitalKey, clock: ClockInterval) -> bool {
        key.links().iter().any(|id| {
            self.denied
                .get(&id.short())
                .is_some_and(|until| clock.lo < *until)
        })
    }
}

fn decode_bundle(bytes: &[u8]) -> Result<(Bundle, ObjectId), StoreError> {
    let object = Unverified::<Bundle>::decode(bytes).map_err(|_| StoreError::Garbled("bundle"))?;
    Ok((object.unverified_body().clone(), object.id(NO_REST)))
}

/// A journal entry about an object that changed what is believed.
fn trust_entry(note: &str, object: ObjectId, clock: ClockInterval) -> Entry {
    let mut entry = Entry::new(0, GENESIS, EntryKind::Trust, clock.lo, clock.is_trusted());
    entry.links.push(object);
    entry.note = Some(note.to_owned());
    entry
}

#[cfg(test)]
mod tests;
