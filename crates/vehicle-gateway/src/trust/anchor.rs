//! Links kept after one verification: mandates, issuer links and status links, nothing else.

use keys_core::anchors::AnchorRole;
use keys_core::id::ObjectId;
use keys_core::refusal::Refusal;
use keys_core::time::ClockInterval;

use super::{NotTaken, Taken, Trust, trust_entry};
use crate::store::TrustChange;

/// Anchors kept at a time.
pub const ANCHORS: usize = 32;

impl Trust {
    /// Takes a carried link as an anchor.
    ///
    /// # Errors
    /// [`NotTaken`] says why it is not kept.
    pub fn take_anchor(&self, bytes: &[u8], clock: ClockInterval) -> Result<Taken, NotTaken> {
        let key = self
            .anchors
            .verify(bytes, self.vehicle, &self.bundle.roots())?;
        let id = key.leaf();
        if self.anchors.get(&id).is_some() {
            return Ok(Taken::Known);
        }
        if key.anchor_role() == AnchorRole::Other {
            return Err(Refusal::Unsupported.into());
        }
        if clock.lo >= key.effective().validity().until {
            return Err(Refusal::Expired.into());
        }
        if self.board.denials(&key).contains(Refusal::Revoked)
            || self.was_denied_before(&key, clock)
        {
            return Err(Refusal::Revoked.into());
        }
        if key.effective().generation() < self.board.least_generation() {
            return Err(Refusal::OldGeneration.into());
        }
        let mut next = self.clone();
        if next.anchors.len() >= ANCHORS {
            next.drop_spent_anchors(clock);
        }
        if next.anchors.len() >= ANCHORS {
            return Err(Refusal::TooLarge.into());
        }
        next.anchors
            .insert(bytes, self.vehicle, &self.bundle.roots())?;
        let change = TrustChange {
            anchors: Some(next.stored_anchors()),
            entry: Some(trust_entry("anchor", id, clock)),
            ..TrustChange::default()
        };
        Ok(Taken::changed(next, change))
    }

    /// Drops anchors that nothing below can use: surely over, or revoked for good.
    fn drop_spent_anchors(&mut self, clock: ClockInterval) {
        let spent: Vec<ObjectId> = self
            .anchors
            .ids()
            .filter(|id| {
                self.anchors.get(id).is_some_and(|key| {
                    clock.lo >= key.effective().validity().until
                        || self.board.denials(key).contains(Refusal::Revoked)
                })
            })
            .collect();
        for id in spent {
            self.anchors.remove(&id);
        }
    }

    pub(super) fn stored_anchors(&self) -> Vec<(ObjectId, Vec<u8>)> {
        self.anchors
            .ids()
            .zip(self.anchors.links().map(<[u8]>::to_vec))
            .collect()
    }
}
