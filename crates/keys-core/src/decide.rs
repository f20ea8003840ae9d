//! May this key do this, here and now? All reasons at once, in a fixed-size set, without heap.
//!
//! Everything before this (parsing, signatures, narrowing, the proof) is [`chain`](crate::chain)'s work.
//! Source: ck1 sections 2, 5 and 6.

use crate::area::Point;
use crate::chain::DigitalKey;
use crate::command::VehicleCommand;
use crate::effective::Effective;
use crate::entitlement::Entitlements;
use crate::freshness::{Contact, is_fresh_enough, locks_until, statement_limit_s};
use crate::id::GrantId;
use crate::policy::{ClockRule, Presence, Proximity};
use crate::refusal::{Refusal, Refusals};
use crate::status::StatusBoard;
use crate::time::{ClockInterval, Timestamp};

/// Which way a command came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// From a phone at the car.
    Local,
    /// Through the API.
    Remote,
}

/// What is asked, from a verified proof and from how it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// The command.
    pub command: VehicleCommand,
    /// How sure it is that a person asked.
    pub presence: Presence,
    /// The command's own deadline, in the phone's time.
    pub not_after: Timestamp,
    /// Which way it came.
    pub channel: Channel,
    /// How near the phone is proven to be.
    pub proximity: Proximity,
}

/// The car's state as far as conditions need it; `None` = unknown or older than 60 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CarFacts {
    /// It stands still.
    pub stationary: Option<bool>,
    /// Its ignition is off.
    pub ignition_off: Option<bool>,
    /// Where it is.
    pub position: Option<Point>,
}

/// How often each grant was used.
pub trait Uses {
    /// Uses counted for a grant so far.
    fn used(&self, grant: GrantId) -> u64;
}

impl<F: Fn(GrantId) -> u64> Uses for F {
    fn used(&self, grant: GrantId) -> u64 {
        self(grant)
    }
}

/// What the gateway knows when it decides.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    /// What is known of the time.
    pub clock: ClockInterval,
    /// Best estimate of the time for the command's own deadline; `None` = not tested.
    pub now: Option<Timestamp>,
    /// Whether the car is in contact, and whether this holder's trip has begun.
    pub contact: Contact,
    /// What is revoked, and how old that word is.
    pub status: &'a StatusBoard,
    /// The car's state.
    pub car: CarFacts,
    /// Uses so far.
    pub uses: &'a dyn Uses,
    /// Whether clock rule 1 may still admit: fewer than three times and two hours since the clock was lost.
    pub floor_admission_left: bool,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The command may go to the car.
    Allow,
    /// The lock command may go to the car, although the key is over for these reasons; the answer
    /// carries nothing else about the car.
    LockOnly(Refusals),
    /// It may not.
    Refuse(Refusals),
}

impl Decision {
    /// Whether the command goes to the car.
    #[must_use]
    pub fn allows(self) -> bool {
        !matches!(self, Self::Refuse(_))
    }

    /// The reasons.
    #[must_use]
    pub fn reasons(self) -> Refusals {
        match self {
            Self::Allow => Refusals::NONE,
            Self::LockOnly(reasons) | Self::Refuse(reasons) => reasons,
        }
    }

    /// The stable name: `allow`, `lock-only` or `refuse`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::LockOnly(_) => "lock-only",
            Self::Refuse(_) => "refuse",
        }
    }
}

/// Decides about a verified key and a verified proof.
#[must_use]
pub fn decide(key: &DigitalKey, ask: &Ask, situation: &Situation<'_>) -> Decision {
    let mut reasons = situation.status.denials(key);
    right_reasons(key, ask, &mut reasons);
    if !key.is_owner_device() {
        generation_reasons(key, situation, &mut reasons);
        window_reasons(key, situation, &mut reasons);
        statement_reasons(key, situation, &mut reasons);
    }
    hours_reasons(key.effective(), situation, &mut reasons);
    place_reasons(key.effective(), ask, situation, &mut reasons);
    car_reasons(key.effective(), situation, &mut reasons);
    use_reasons(key.effective(), ask, situation, &mut reasons);
    if situation.now.is_some_and(|now| now > ask.not_after) {
        reasons.insert(Refusal::CommandExpired);
    }
    if reasons.is_empty() {
        return Decision::Allow;
    }
    lock_only(key, ask, situation, reasons)
}

/// Entitlement, remote bit, presence, proximity, and the mandate's cap on the leaf's window.
fn right_reasons(key: &DigitalKey, ask: &Ask, reasons: &mut Refusals) {
    let effective = key.effective();
    let remote = if ask.channel == Channel::Remote {
        Entitlements::REMOTE
    } else {
        Entitlements::NONE
    };
    if !effective
        .entitlements()
        .contains(ask.command.entitlement() | remote)
    {
        reasons.insert(Refusal::NotEntitled);
    }
    let least = if ask.command == VehicleCommand::EnableDriving {
        Presence::Tap
    } else {
        Presence::None
    };
    if ask.presence < effective.presence().max(least) {
        reasons.insert(Refusal::PresenceNeeded);
    }
    if ask.proximity < effective.proximity() {
        reasons.insert(Refusal::TooFar);
    }
    if effective
        .max_window_s()
        .is_some_and(|most| effective.validity().seconds() > most)
    {
        reasons.insert(Refusal::MandateExceeded);
    }
}

fn generation_reasons(key: &DigitalKey, situation: &Situation<'_>, reasons: &mut Refusals) {
    if key.effective().generation() < situation.status.least_generation() {
        reasons.insert(Refusal::OldGeneration);
    }
}

/// Admit iff lo ≥ nbf and hi < exp; while nothing bounds the time from above, the clock rule decides.
fn window_reasons(key: &DigitalKey, situation: &Situation<'_>, reasons: &mut Refusals) {
    let (window, clock) = (key.effective().validity(), situation.clock);
    if clock.is_trusted() {
        if clock.lo < window.from {
            reasons.insert(Refusal::NotYetValid);
        }
        if clock.hi >= window.until {
            reasons.insert(Refusal::Expired);
        }
        return;
    }
    match key.effective().clock_rule() {
        ClockRule::Ignore => {}
        _ if clock.lo >= window.until => reasons.insert(Refusal::Expired),
        ClockRule::Floor if clock.lo < window.from => reasons.insert(Refusal::NotYetValid),
        ClockRule::Floor if situation.floor_admission_left && has_word(key, situation) => {}
        ClockRule::Floor | ClockRule::Refuse => reasons.insert(Refusal::ClockUntrusted),
    }
}

/// Whether any statement is fresh relative to the clock's reference; clock rule 1 asks for one even
/// where the table of ck1 section 6 does not.
fn has_word(key: &DigitalKey, situation: &Situation<'_>) -> bool {
    let reference = reference(situation.clock);
    let age = situation
        .status
        .statement_age_s(key.has_mandate(), reference);
    age.is_some()
}

/// The age counts to the latest the time can be, or from the floor while that is unbounded.
fn statement_reasons(key: &DigitalKey, situation: &Situation<'_>, reasons: &mut Refusals) {
    let limit = statement_limit_s(key.effective(), situation.contact);
    let age = situation
        .status
        .statement_age_s(key.has_mandate(), reference(situation.clock));
    if !is_fresh_enough(age, limit) {
        reasons.insert(Refusal::StatementTooOld);
    }
}

fn reference(clock: ClockInterval) -> Timestamp {
    if clock.is_trusted() {
        clock.hi
    } else {
        clock.lo
    }
}

fn hours_reasons(effective: &Effective, situation: &Situation<'_>, reasons: &mut Refusals) {
    for hours in effective.hours() {
        match hours.resolve() {
            None => reasons.insert(Refusal::Unsupported),
            Some(_) if !situation.clock.is_trusted() => reasons.insert(Refusal::ClockUntrusted),
            Some(zone) if !hours.contains_all(zone, situation.clock) => {
                reasons.insert(Refusal::OutsideHours);
            }
            Some(_) => {}
        }
    }
}

fn place_reasons(
    effective: &Effective,
    ask: &Ask,
    situation: &Situation<'_>,
    reasons: &mut Refusals,
) {
    if ask.command == VehicleCommand::Lock || effective.areas().is_empty() {
        return;
    }
    match situation.car.position {
        None => reasons.insert(Refusal::LocationUnknown),
        Some(position)
            if !effective
                .areas()
                .iter()
                .all(|area| area.contains(&position)) =>
        {
            reasons.insert(Refusal::OutsideArea);
        }
        Some(_) => {}
    }
}

fn car_reasons(effective: &Effective, situation: &Situation<'_>, reasons: &mut Refusals) {
    let needed = effective.car_conditions();
    if needed.stationary {
        fact_reason(situation.car.stationary, Refusal::CarMoving, reasons);
    }
    if needed.ignition_off {
        fact_reason(situation.car.ignition_off, Refusal::IgnitionOn, reasons);
    }
}

fn fact_reason(fact: Option<bool>, otherwise: Refusal, reasons: &mut Refusals) {
    match fact {
        Some(true) => {}
        Some(false) => reasons.insert(otherwise),
        None => reasons.insert(Refusal::StateStale),
    }
}

fn use_reasons(
    effective: &Effective,
    ask: &Ask,
    situation: &Situation<'_>,
    reasons: &mut Refusals,
) {
    if !ask.command.counts_as_use() {
        return;
    }
    // A limit without a grant to count for cannot be kept, so nothing is left of it.
    let spent = |limit: &crate::effective::UseLimit| {
        limit
            .grant_id
            .is_none_or(|grant| situation.uses.used(grant) >= limit.max_uses)
    };
    if effective.use_limits().iter().any(spent) {
        reasons.insert(Refusal::UsesSpent);
    }
}

/// The reasons that still let a begun trip lock a standing car.
const LOCK_ONLY: [Refusal; 6] = [
    Refusal::Expired,
    Refusal::Revoked,
    Refusal::Suspended,
    Refusal::StatementTooOld,
    Refusal::OutsideHours,
    Refusal::UsesSpent,
];

/// Ended, revoked or suspended, but begun, before end + grace, car stationary: lock only.
fn lock_only(
    key: &DigitalKey,
    ask: &Ask,
    situation: &Situation<'_>,
    mut reasons: Refusals,
) -> Decision {
    let excusable = reasons.is_subset_of(LOCK_ONLY.into_iter().collect());
    let until = locks_until(key.effective().validity().until, key.effective().grace_s());
    let in_time = situation.clock.is_trusted() && situation.clock.hi < until;
    if ask.command != VehicleCommand::Lock || !situation.contact.begun || !excusable || !in_time {
        return Decision::Refuse(reasons);
    }
    if situation.car.stationary == Some(true) {
        return Decision::LockOnly(reasons);
    }
    fact_reason(situation.car.stationary, Refusal::CarMoving, &mut reasons);
    Decision::Refuse(reasons)
}

#[cfg(test)]
mod tests;
