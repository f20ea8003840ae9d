//! Windows, conditions and revocation: everything a signed presentation is tested for.
//!
//! The rules are [`keys_core::decide`]'s; here stands what the gateway knows, put into its form.

use keys_core::chain::DigitalKey;
use keys_core::command::VehicleCommand;
use keys_core::decide::{Ask, CarFacts, Channel, Decision, Situation, decide};
use keys_core::freshness::Contact;
use keys_core::id::GrantId;
use keys_core::policy::{ClockRule, Proximity};
use keys_core::proof::Proof;
use keys_core::refusal::{Refusal, Refusals};
use keys_core::time::ClockInterval;

use super::car::without_the_car;
use crate::store::{FloorAdmissions, Store, StoreError};
use crate::trust::Trust;

/// Admissions under clock rule 1 since the clock was lost.
const FLOOR_ADMISSIONS: u64 = 3;
/// How long after the clock was lost rule 1 admits, seconds.
const FLOOR_ADMISSION_S: u64 = 2 * 3_600;

/// What the gateway counted for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Whether this holder's trip has begun.
    pub begun: bool,
    /// Uses so far of each grant that limits them.
    pub uses: Vec<(GrantId, u64)>,
}

impl Counts {
    /// Reads what was counted.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read; then nothing may be allowed.
    pub fn of(store: &Store, key: &DigitalKey) -> Result<Self, StoreError> {
        let effective = key.effective();
        let begun = match effective.grant_id() {
            Some(grant) => store.has_begun(&(grant, *key.holder().as_bytes()))?,
            None => false,
        };
        let grants = effective
            .use_limits()
            .iter()
            .filter_map(|limit| limit.grant_id);
        let uses = grants
            .map(|grant| Ok((grant, store.uses(&grant)?)))
            .collect::<Result<_, StoreError>>()?;
        Ok(Self { begun, uses })
    }

    fn used(&self, grant: GrantId) -> u64 {
        let counted = self.uses.iter().find(|(id, _)| *id == grant);
        counted.map_or(u64::MAX, |(_, uses)| *uses)
    }
}

/// What the gateway knows at this moment.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Whom it believes.
    pub trust: &'a Trust,
    /// What it knows of the time.
    pub clock: ClockInterval,
    /// Whether the API was heard of in the last minute.
    pub in_contact: bool,
    /// Admissions since the clock was lost.
    pub admissions: FloorAdmissions,
    /// What it counted for the key.
    pub counts: &'a Counts,
    /// What it knows about the car.
    pub car: CarFacts,
}

/// What a proof asks for.
#[must_use]
pub fn ask(proof: &Proof, channel: Channel) -> Ask {
    Ask {
        command: proof.command,
        presence: proof.presence,
        not_after: proof.not_after,
        channel,
        // A phone on the car's network or behind the API proves nothing about where it is.
        proximity: Proximity::None,
    }
}

/// Decides.
#[must_use]
pub fn judge(key: &DigitalKey, ask: &Ask, moment: &Moment<'_>) -> Decision {
    let situation = Situation {
        clock: moment.clock,
        // The floor is surely past, so a deadline behind it is over by anybody's clock.
        now: moment.clock.is_trusted().then_some(moment.clock.lo),
        contact: Contact {
            in_contact: moment.in_contact,
            begun: moment.counts.begun,
        },
        status: &moment.trust.board,
        car: moment.car,
        uses: &|grant| moment.counts.used(grant),
        floor_admission_left: may_admit_on_floor(moment),
    };
    let decision = decide(key, ask, &situation);
    if !moment.trust.was_denied_before(key, moment.clock) {
        return decision;
    }
    let mut reasons = decision.reasons();
    reasons.insert(Refusal::Revoked);
    Decision::Refuse(reasons)
}

fn may_admit_on_floor(moment: &Moment<'_>) -> bool {
    moment.admissions.count < FLOOR_ADMISSIONS && moment.admissions.lost_for_s < FLOOR_ADMISSION_S
}

/// Whether an allowed command was admitted by clock rule 1, so that it counts.
#[must_use]
pub fn is_on_floor(key: &DigitalKey, clock: ClockInterval) -> bool {
    !clock.is_trusted()
        && !key.is_owner_device()
        && key.effective().clock_rule() == ClockRule::Floor
}

/// The reasons as the holder is told them.
///
/// Somebody whose key is over and who may at most lock learns nothing about the car.
#[must_use]
pub fn told(reasons: Refusals, ask: &Ask, begun: bool) -> Refusals {
    const OVER: [Refusal; 6] = [
        Refusal::Expired,
        Refusal::Revoked,
        Refusal::Suspended,
        Refusal::StatementTooOld,
        Refusal::OutsideHours,
        Refusal::UsesSpent,
    ];
    let rest = without_the_car(reasons);
    let is_over = !rest.is_empty() && rest.is_subset_of(OVER.into_iter().collect());
    if ask.command == VehicleCommand::Lock && begun && is_over {
        rest
    } else {
        reasons
    }
}
