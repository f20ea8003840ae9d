//! The first trust, or a new one: whatever an owner confirmed who stood at the car.

use std::collections::BTreeMap;

use keys_core::anchors::AnchorStore;
use keys_core::bundle::Bundle;
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::limits;
use keys_core::pairing::PairConfirm;
use keys_core::refusal::Refusal;
use keys_core::signature::VerifyingKey;
use keys_core::status::StatusBoard;
use keys_core::time::ClockInterval;

use super::{Trust, trust_entry};
use crate::store::TrustChange;

impl Trust {
    /// What a confirmation made with the pairing code gives. Numbers and the floor of the clock start
    /// anew; what was revoked for the same vehicle stays revoked.
    ///
    /// # Errors
    /// What is wrong with the bundle, in words for the person at the car.
    pub fn pair(
        before: Option<&Self>,
        confirm: &PairConfirm,
        gateway_key: &VerifyingKey,
        clock: ClockInterval,
    ) -> Result<(Self, TrustChange), String> {
        let object = Unverified::<Bundle>::decode(&confirm.bundle)
            .map_err(|error| format!("bundle is {error}"))?;
        let bundle = object.unverified_body().clone();
        if bundle.vehicle != confirm.vehicle {
            return Err("bundle is for another vehicle than the confirmation".to_owned());
        }
        if !bundle.owner_keys.contains(&confirm.owner_key) {
            return Err("bundle does not name the owner key".to_owned());
        }
        if bundle.gateway_key != *gateway_key {
            return Err("bundle names another gateway key".to_owned());
        }
        object
            .find_signer([&confirm.owner_key], NO_REST)
            .map_err(|refusal: Refusal| {
                format!("bundle is not signed by the owner key ({refusal})")
            })?;
        let id = object.id(NO_REST);
        let mut board = StatusBoard::default();
        board.raise_generation(bundle.least_generation);
        let same_car = before.filter(|held| held.vehicle == bundle.vehicle);
        let anchors = same_car.map_or_else(AnchorStore::default, |held| {
            held.anchors.under(bundle.vehicle, &bundle.roots())
        });
        let denied = same_car.map_or_else(BTreeMap::new, |held| {
            let until = clock.lo.max(bundle.issued_at).plus(limits::LONG_WINDOW_S);
            let revoked = held.board.revoked().map(|id| (id, until));
            held.denied
                .iter()
                .map(|(id, until)| (*id, *until))
                .chain(revoked)
                .collect()
        });
        let next = Self {
            vehicle: bundle.vehicle,
            bundle_id: id,
            bundle,
            waiting: None,
            anchors,
            board,
            denied,
        };
        let change = TrustChange {
            vehicle: Some(next.vehicle),
            bundle: Some(confirm.bundle.clone()),
            pending: Some(None),
            anchors: Some(next.stored_anchors()),
            board: Some(next.board.encode()),
            denied: next
                .denied
                .iter()
                .map(|(id, until)| (*id, *until))
                .collect(),
            floor: Some(next.bundle.issued_at),
            resets_floor: true,
            entry: Some(trust_entry(
                "paired",
                id,
                ClockInterval::at_least(next.bundle.issued_at),
            )),
        };
        Ok((next, change))
    }
}
