//! One command at a time: decision, durable intent, the car, durable outcome, receipt.
//!
//! ```text
//! bytes → seen before? → signatures → [gate: decide → intent] → connector → outcome → receipt
//! ```
//!
//! A presentation is carried through even if whoever sent it hangs up. The car is asked only after the
//! intent is on the disk, and never twice for one command id.

use std::sync::Arc;

use keys_core::decide::{CarFacts, Channel, Decision};
use keys_core::id::{CommandId, VehicleId};
use keys_core::journal::EntryKind;
use keys_core::receipt::OutcomeCode;
use keys_core::refusal::{Refusal, Refusals};
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::time::{Instant, timeout};

use crate::check::conditions::{Counts, Moment, ask, is_on_floor, judge, told};
use crate::check::{self, Glance, Signed, car, challenge, replay};
use crate::connector::{Declined, Order, Outcome};
use crate::core::{Belief, Core, lock};
use crate::settle::Reference;
use crate::store::{Begin, CommandRecord, Finish, Intent, StoreError};

/// How long the car's state may take to be read for a decision.
const STATE_WAIT: std::time::Duration = std::time::Duration::from_secs(2);

/// The command that is under way.
#[derive(Debug, Clone)]
pub(crate) struct InFlight {
    glance: Glance,
    done: watch::Receiver<bool>,
}

impl InFlight {
    /// Whether it is this command, and somebody still works on it.
    pub(crate) fn is_running(&self, id: &CommandId) -> bool {
        self.glance.command_id == *id && self.done.has_changed().is_ok()
    }
}

/// The answer to a presentation.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A receipt.
    Signed {
        /// M3.
        receipt: Vec<u8>,
        /// Whether it is that of an earlier, equal presentation.
        repeated: bool,
    },
    /// A refusal that nothing signed justifies a receipt for.
    Unsigned(Refusal),
    /// The gateway cannot decide or record, so it does nothing.
    Unavailable,
}

impl Answer {
    fn first(receipt: Vec<u8>) -> Self {
        Self::Signed {
            receipt,
            repeated: false,
        }
    }
}

/// What the gate let through.
enum Passed {
    Begun(Box<Begun>),
    Refused(Box<Refused>),
    /// The very same bytes are under way, or were.
    Known,
    /// Bundle or anchors changed since the key was verified.
    Overtaken,
}

/// A command with a durable intent.
struct Begun {
    signed: Signed,
    vehicle: VehicleId,
    done: watch::Sender<bool>,
    _one: OwnedMutexGuard<()>,
}

/// A refused presentation: every reason, and those the holder is told.
struct Refused {
    signed: Signed,
    vehicle: VehicleId,
    reasons: Refusals,
    told: Refusals,
}

impl Core {
    /// Decides a presentation and, if it is allowed, has the car act.
    pub(crate) async fn present(self: &Arc<Self>, bytes: Vec<u8>, channel: Channel) -> Answer {
        let core = self.clone();
        // In a task of its own, so that a caller who goes away leaves nothing half done.
        tokio::spawn(async move { core.answer(&bytes, channel).await })
            .await
            .unwrap_or(Answer::Unavailable)
    }

    async fn answer(&self, bytes: &[u8], channel: Channel) -> Answer {
        match self.try_answer(bytes, channel).await {
            Ok(answer) => {
                if let Answer::Unsigned(refusal) = &answer {
                    self.unsigned.count(*refusal);
                }
                answer
            }
            Err(error) => {
                tracing::error!(error = %crate::error_chain(&error), "a presentation could not be recorded");
                Answer::Unavailable
            }
        }
    }

    async fn try_answer(&self, bytes: &[u8], channel: Channel) -> Result<Answer, StoreError> {
        let glance = match check::glance(bytes) {
            Ok(glance) => glance,
            Err(refusal) => return Ok(Answer::Unsigned(refusal)),
        };
        if let Some(answer) = self.repeated(glance).await? {
            return Ok(answer);
        }
        loop {
            let Some(belief) = self
                .belief()
                .filter(|belief| !self.is_replaced(&belief.trust))
            else {
                return Ok(Answer::Unsigned(Refusal::WrongVehicle));
            };
            let signed = match check::signed(bytes, &belief.trust, &belief.cache) {
                Ok(signed) => signed,
                Err(refusal) => return Ok(Answer::Unsigned(refusal)),
            };
            let facts = self.car_facts(&belief, &signed, channel)?.await;
            match self.pass_gate(signed, &belief, channel, facts).await? {
                Passed::Begun(begun) => return self.carry_out(*begun).await,
                Passed::Refused(refused) => return self.refuse(*refused).await,
                Passed::Known => {
                    let known = self.repeated(glance).await?;
                    return Ok(known.unwrap_or(Answer::Unavailable));
                }
                Passed::Overtaken => {}
            }
        }
    }

    /// The stored receipt, if the very same bytes led to an act before.
    async fn repeated(&self, glance: Glance) -> Result<Option<Answer>, StoreError> {
        let under_way = lock(&self.in_flight)
            .clone()
            .filter(|in_flight| in_flight.glance == glance);
        if let Some(mut in_flight) = under_way {
            // An error means it was dropped, which ends it as well.
            let _ = in_flight.done.wait_for(|done| *done).await;
        }
        let record = self.store.command(&glance.command_id)?;
        let receipt = record
            .filter(|record| record.presentation == glance.hash)
            .and_then(|record| record.receipt);
        Ok(receipt.map(|receipt| Answer::Signed {
            receipt,
            repeated: true,
        }))
    }

    /// Reads the car's state if the decision turns on it.
    fn car_facts(
        &self,
        belief: &Belief,
        signed: &Signed,
        channel: Channel,
    ) -> Result<impl Future<Output = CarFacts> + Send + use<>, StoreError> {
        let counts = Counts::of(&self.store, &signed.key)?;
        let moment = self.moment(belief, &counts, CarFacts::default());
        let first = judge(&signed.key, &ask(&signed.proof, channel), &moment);
        let connector = self
            .connectors
            .primary()
            .filter(|_| car::is_worth_reading(first.reasons()));
        Ok(async move {
            let Some(connector) = connector else {
                return CarFacts::default();
            };
            match timeout(STATE_WAIT, connector.state()).await {
                Ok(Ok(state)) => car::facts(&state, Instant::now()),
                Ok(Err(_)) | Err(_) => CarFacts::default(),
            }
        })
    }

    fn moment<'a>(&self, belief: &'a Belief, counts: &'a Counts, car: CarFacts) -> Moment<'a> {
        Moment {
            trust: &belief.trust,
            clock: self.interval(),
            in_contact: self.in_contact(),
            admissions: self.admissions(),
            counts,
            car,
        }
    }

    /// Decides, and writes the intent of what is allowed, with nothing in between.
    async fn pass_gate(
        &self,
        signed: Signed,
        verified_under: &Belief,
        channel: Channel,
        facts: CarFacts,
    ) -> Result<Passed, StoreError> {
        let one = self.one_command.clone().try_lock_owned();
        let _gate = self.gate.lock().await;
        let Some(belief) = self.belief() else {
            return Err(StoreError::Stopped);
        };
        if !belief.has_same_roots(verified_under) {
            return Ok(Passed::Overtaken);
        }
        let vehicle = belief.trust.vehicle;
        let asked = ask(&signed.proof, channel);
        let counts = Counts::of(&self.store, &signed.key)?;
        let decision = judge(&signed.key, &asked, &self.moment(&belief, &counts, facts));
        let mut reasons = decision.reasons();
        let found = self.findings(&signed)?;
        found.iter().for_each(|refusal| reasons.insert(refusal));
        if one.is_err() {
            if self.is_under_way(&signed) {
                return Ok(Passed::Known);
            }
            reasons.insert(Refusal::Busy);
        }
        let one = match one {
            Ok(one) if decision.allows() && found.is_empty() => one,
            _ => {
                let told = told(reasons, &asked, counts.begun);
                return Ok(Passed::Refused(Box::new(Refused {
                    signed,
                    vehicle,
                    reasons,
                    told,
                })));
            }
        };
        let (sender, done) = watch::channel(false);
        let glance = Glance {
            command_id: signed.proof.command_id,
            hash: signed.hash,
        };
        *lock(&self.in_flight) = Some(InFlight { glance, done });
        let intent = self.intent(&signed, decision);
        let on_floor = intent.on_floor;
        let begun = self.stored(move |store| store.begin(intent)).await;
        if !matches!(begun, Ok(Begin::New(_))) {
            *lock(&self.in_flight) = None;
        }
        if let Begin::Known(_) = begun? {
            return Ok(Passed::Known);
        }
        lock(&self.challenges).mark_used(&signed.challenge, signed.hash, self.now_ms());
        if on_floor {
            self.count_admission();
        }
        Ok(Passed::Begun(Box::new(Begun {
            signed,
            vehicle,
            done: sender,
            _one: one,
        })))
    }

    fn findings(&self, signed: &Signed) -> Result<Refusals, StoreError> {
        let challenges = lock(&self.challenges);
        let not_ours = challenge::finding(&challenges, &signed.challenge, self.now_ms());
        let used = replay::finding(&challenges, &self.store, signed)?;
        Ok(not_ours.into_iter().chain(used).collect())
    }

    fn is_under_way(&self, signed: &Signed) -> bool {
        lock(&self.in_flight)
            .as_ref()
            .is_some_and(|in_flight| in_flight.glance.hash == signed.hash)
    }

    fn intent(&self, signed: &Signed, decision: Decision) -> Intent {
        let (key, proof) = (&signed.key, &signed.proof);
        let effective = key.effective();
        let counted = if proof.command.counts_as_use() {
            effective
                .use_limits()
                .iter()
                .filter_map(|limit| limit.grant_id)
                .collect()
        } else {
            Vec::new()
        };
        let trip = effective.grant_id().filter(|_| proof.command.begins_trip());
        let mut entry = self.entry(EntryKind::Intent);
        entry.links.clone_from(key.links());
        entry.command_id = Some(proof.command_id);
        entry.command = Some(proof.command);
        entry.reasons = decision.reasons();
        entry.presentation = Some(signed.hash);
        Intent {
            id: proof.command_id,
            record: CommandRecord {
                presentation: signed.hash,
                links: key.links().clone(),
                command: proof.command,
                reasons: decision.reasons(),
                counted: distinct(counted),
                trip: trip.map(|grant| (grant, *key.holder().as_bytes())),
                intent: 0,
                reference: None,
                outcome: None,
                first_receipt: None,
                receipt: None,
            },
            entry,
            on_floor: is_on_floor(key, self.interval()),
        }
    }

    /// Has the car act, and writes what it did.
    async fn carry_out(&self, begun: Begun) -> Result<Answer, StoreError> {
        let (id, command) = (begun.signed.proof.command_id, begun.signed.proof.command);
        self.news.journal.notify_one();
        let deadline = Instant::now() + self.rules.command_deadline;
        let outcome = self
            .execute(Order {
                id,
                command,
                deadline,
            })
            .await;
        tracing::info!(command_id = %id, %command, outcome = outcome.as_str(), "command carried out");
        if let Outcome::Unknown { reference } = &outcome {
            let reference = Reference {
                id,
                reference: reference.clone(),
                deadline,
            };
            lock(&self.references).push(reference);
        }
        let receipt = self.finish(begun.vehicle, id, &outcome).await;
        *lock(&self.in_flight) = None;
        begun.done.send_replace(true);
        self.news.car.notify_one();
        if !matches!(outcome, Outcome::Done { .. } | Outcome::Declined { .. }) || receipt.is_err() {
            self.news.unsettled.notify_one();
        }
        Ok(Answer::first(receipt?))
    }

    async fn execute(&self, order: Order) -> Outcome {
        let unknown = || Outcome::Unknown {
            reference: crate::connector::CommandRef::new(&order.id.to_string()),
        };
        let Some(connector) = self.connectors.supporting(order.command) else {
            return Outcome::Declined {
                reason: Declined::Unsupported,
            };
        };
        // The connector answers by the deadline; should it panic or overstay, the car may have acted.
        let task = tokio::spawn(async move { connector.execute(order).await });
        let patience = self.rules.command_deadline + std::time::Duration::from_secs(1);
        match timeout(patience, task).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => unknown(),
        }
    }

    /// Writes an outcome durably and gives the receipt.
    pub(crate) async fn finish(
        &self,
        vehicle: VehicleId,
        id: CommandId,
        outcome: &Outcome,
    ) -> Result<Vec<u8>, StoreError> {
        let (code, reference, note) = match outcome {
            Outcome::Done { .. } => (OutcomeCode::Done, None, None),
            Outcome::Declined { reason } => (OutcomeCode::Declined, None, Some(reason.as_str())),
            Outcome::Unknown { reference } => (
                OutcomeCode::Unknown,
                Some(reference.as_str().to_owned()),
                None,
            ),
        };
        let mut entry = self.entry(EntryKind::Outcome);
        entry.command_id = Some(id);
        entry.outcome = Some(code);
        entry.note = note.map(str::to_owned);
        let report = self.rules.reports;
        let finish = Finish {
            id,
            outcome: code,
            reference,
            entry,
            report,
        };
        let sealer = self.sealer(vehicle);
        let receipt = self
            .stored(move |store| {
                store.finish(finish, |place, record| sealer.outcome(id, place, record))
            })
            .await?;
        self.tell_of_receipt();
        Ok(receipt)
    }

    /// Answers a signed presentation that is refused; journaled within bounds.
    async fn refuse(&self, refused: Refused) -> Result<Answer, StoreError> {
        let Refused {
            signed,
            vehicle,
            reasons,
            told,
        } = refused;
        let proof = &signed.proof;
        tracing::info!(command_id = %proof.command_id, command = %proof.command, ?reasons, "command refused");
        let sealer = self.sealer(vehicle);
        if !lock(&self.refusals).admits(signed.key.links(), self.now_ms()) {
            let last = self.store.journal()?.last();
            let receipt = sealer.refusal(&signed, told, last)?.bytes;
            return Ok(Answer::first(receipt));
        }
        let mut entry = self.entry(EntryKind::Refusal);
        entry.links.clone_from(signed.key.links());
        entry.command_id = Some(proof.command_id);
        entry.command = Some(proof.command);
        entry.reasons = reasons;
        entry.presentation = Some(signed.hash);
        let report = self.rules.reports;
        let receipt = self
            .stored(move |store| {
                let seal = |place| sealer.refusal(&signed, told, place);
                store.refuse(entry, report, seal)
            })
            .await?;
        self.tell_of_receipt();
        Ok(Answer::first(receipt))
    }

    fn tell_of_receipt(&self) {
        self.news.journal.notify_one();
        self.news.receipts.notify_one();
        self.news.status.notify_one();
    }
}

/// A grant stated by several links counts once for each command.
fn distinct<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort_unstable();
    items.dedup();
    items
}
