//! A new trust bundle: a higher number, signed by an owner key held; other keys need presence or 72 hours.

use keys_core::bundle::Bundle;
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::id::ObjectId;
use keys_core::limits;
use keys_core::refusal::Refusal;
use keys_core::time::ClockInterval;

use super::{NotTaken, Taken, Trust, Waiting, trust_entry};
use crate::store::{Pending, TrustChange};

/// How long a change of keys waits without presence, seconds.
pub const PRESENCE_WAIT_S: u64 = 72 * 3_600;

impl Trust {
    /// Takes a carried bundle.
    ///
    /// # Errors
    /// [`NotTaken`] says why it is not believed.
    pub fn take_bundle(&self, bytes: &[u8], clock: ClockInterval) -> Result<Taken, NotTaken> {
        let object = Unverified::<Bundle>::decode(bytes).map_err(Refusal::from)?;
        let next = object.unverified_body();
        if next.vehicle != self.vehicle {
            return Err(Refusal::WrongVehicle.into());
        }
        let id = object.id(NO_REST);
        if id == self.bundle_id
            || self
                .waiting
                .as_ref()
                .is_some_and(|waiting| waiting.id == id)
        {
            return Ok(Taken::Known);
        }
        object.find_signer(&self.bundle.owner_keys, NO_REST)?;
        if clock.is_trusted() && next.issued_at > clock.hi.plus(limits::STATEMENT_AHEAD_S) {
            return Err(Refusal::NotYetValid.into());
        }
        let newest = self
            .waiting
            .as_ref()
            .map_or(self.bundle.seq, |waiting| waiting.bundle.seq);
        if next.seq < newest {
            return Err(Refusal::StatementTooOld.into());
        }
        if next.seq == newest {
            return Err(Refusal::Replayed.into());
        }
        if self.bundle.needs_presence(next) {
            Ok(self.put_waiting(next.clone(), id, bytes, clock))
        } else {
            Ok(self.adopt(next.clone(), id, bytes.to_vec(), "bundle", clock))
        }
    }

    fn put_waiting(
        &self,
        bundle: Bundle,
        id: ObjectId,
        bytes: &[u8],
        clock: ClockInterval,
    ) -> Taken {
        let first_seen = clock.is_trusted().then_some(clock.hi);
        let pending = Pending {
            bundle: bytes.to_vec(),
            first_seen,
            waited_s: 0,
        };
        let change = TrustChange {
            pending: Some(Some(pending.clone())),
            floor: Some(clock.raise_floor(bundle.issued_at).lo),
            entry: Some(trust_entry("bundle-waits-72-hours", id, clock)),
            ..TrustChange::default()
        };
        let mut next = self.clone();
        next.waiting = Some(Waiting {
            bundle,
            id,
            pending,
        });
        Taken::changed(next, change)
    }

    /// Puts a bundle in force: anchors stay where they verify under its keys.
    fn adopt(
        &self,
        bundle: Bundle,
        id: ObjectId,
        bytes: Vec<u8>,
        note: &str,
        clock: ClockInterval,
    ) -> Taken {
        let mut next = self.clone();
        next.anchors = self.anchors.under(self.vehicle, &bundle.roots());
        next.board.raise_generation(bundle.least_generation);
        next.waiting = None;
        let change = TrustChange {
            bundle: Some(bytes),
            pending: Some(None),
            anchors: Some(next.stored_anchors()),
            board: Some(next.board.encode()),
            floor: Some(clock.raise_floor(bundle.issued_at).lo),
            entry: Some(trust_entry(note, id, clock)),
            ..TrustChange::default()
        };
        next.bundle = bundle;
        next.bundle_id = id;
        Taken::changed(next, change)
    }

    /// Lets `elapsed_s` more seconds pass for the bundle that waits.
    ///
    /// It takes effect after 72 h by a trusted clock, or after 72 h during which the gateway ran: a
    /// floor that a stolen owner key pushed forward counts for nothing here.
    #[must_use]
    pub fn let_wait(&self, elapsed_s: u64, clock: ClockInterval) -> Option<Taken> {
        let waiting = self.waiting.as_ref()?;
        let mut pending = waiting.pending.clone();
        pending.waited_s = pending.waited_s.saturating_add(elapsed_s);
        if clock.is_trusted() {
            pending.first_seen.get_or_insert(clock.hi);
        }
        let by_clock = clock.is_trusted()
            && pending
                .first_seen
                .is_some_and(|seen| clock.lo >= seen.plus(PRESENCE_WAIT_S));
        if by_clock || pending.waited_s >= PRESENCE_WAIT_S {
            let (bundle, bytes) = (waiting.bundle.clone(), pending.bundle);
            return Some(self.adopt(bundle, waiting.id, bytes, "bundle-after-72-hours", clock));
        }
        let mut next = self.clone();
        next.waiting = Some(Waiting {
            pending: pending.clone(),
            ..waiting.clone()
        });
        let change = TrustChange {
            pending: Some(Some(pending)),
            ..TrustChange::default()
        };
        Some(Taken::changed(next, change))
    }
}
