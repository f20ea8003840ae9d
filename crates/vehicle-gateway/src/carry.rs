//! What phones and the API bring beside keys: bundles, anchors, statements, the time.
//!
//! One object at a time, under the gate: checked, stored, then believed. No proof is needed, because
//! every object is signed by somebody the car believes.

use keys_core::carried::{Carried, CarriedKind};
use keys_core::challenge::Challenge;
use keys_core::envelope::Unverified;
use keys_core::journal::EntryKind;
use keys_core::refusal::Refusal;

use crate::challenge::Recognized;
use crate::core::{Core, lock};
use crate::store::StoreError;
use crate::trust::{NotTaken, Taken};

/// What became of a carried object.
#[derive(Debug)]
pub(crate) enum Carry {
    /// It is held.
    Taken,
    /// It does not hold.
    Refused(Refusal),
    /// It could not be stored.
    Unavailable,
}

impl Core {
    /// Takes one carried object; durable when it returns.
    pub(crate) async fn carry(&self, carried: &Carried<'_>) -> Carry {
        let gate = self.gate.lock().await;
        let result = self.take(carried).await;
        drop(gate);
        match result {
            Ok(Ok(())) => Carry::Taken,
            Ok(Err(refusal)) => Carry::Refused(refusal),
            Err(error) => {
                tracing::error!(error = %crate::error_chain(&error), "a carried object could not be stored");
                Carry::Unavailable
            }
        }
    }

    async fn take(&self, carried: &Carried<'_>) -> Result<Result<(), Refusal>, StoreError> {
        let Some(belief) = self.belief() else {
            return Ok(Err(Refusal::UnknownSigner));
        };
        let clock = self.interval();
        let trust = &belief.trust;
        let taken = match carried.kind {
            CarriedKind::Bundle => trust.take_bundle(carried.object, clock),
            CarriedKind::Anchor => trust.take_anchor(carried.object, clock),
            CarriedKind::Statement => trust.take_statement(carried.object, clock),
            CarriedKind::Time => {
                let challenge = carried.challenge.unwrap_or_default();
                return self.take_time(challenge, carried.object, false).await;
            }
            // ck1 names the object and gives it no format yet.
            CarriedKind::JournalAck => Err(NotTaken::Refused(Refusal::Unsupported)),
        };
        match taken {
            Ok(Taken::Known) => Ok(Ok(())),
            Ok(Taken::Changed(next, change)) => {
                self.believe(*next, *change).await?;
                Ok(Ok(()))
            }
            Err(not_taken) => {
                if let NotTaken::Equivocation(id) = not_taken {
                    self.alarm(id).await?;
                }
                Ok(Err(not_taken.refusal()))
            }
        }
    }

    /// A signer signed two statements with one number: somebody else may have its key.
    async fn alarm(&self, id: keys_core::id::ObjectId) -> Result<(), StoreError> {
        tracing::error!(statement = %id, "alarm: a signer signed two statements with one number");
        let mut entry = self.entry(EntryKind::Trust);
        entry.links.push(id);
        entry.note = Some("equivocation".to_owned());
        // Anybody may carry the same bytes again and again; they share the refusals' limit.
        if lock(&self.refusals).admits(&entry.links, self.now_ms()) {
            self.stored(move |store| store.note(entry)).await?;
            self.news.journal.notify_one();
        }
        Ok(())
    }

    /// Takes the time that a status key attested over one of our challenges.
    pub(crate) async fn take_time(
        &self,
        challenge: &[u8],
        attestation: &[u8],
        from_api: bool,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let Some(belief) = self.belief() else {
            return Ok(Err(Refusal::UnknownSigner));
        };
        let body = match Unverified::<Challenge>::decode(challenge) {
            Ok(object) => object.unverified_body().clone(),
            Err(error) => return Ok(Err(error.refusal())),
        };
        let now_ms = self.now_ms();
        let (recognized, made_ms) = {
            let challenges = lock(&self.challenges);
            (
                challenges.recognize(&body, now_ms),
                challenges.made_ms(&body),
            )
        };
        if recognized == Recognized::Foreign {
            return Ok(Err(Refusal::WrongChallenge));
        }
        let time = match belief
            .trust
            .verify_time(attestation, challenge, self.interval())
        {
            Ok(time) => time,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let was_trusted = self.interval().is_trusted();
        let floor = {
            let mut keeper = self.time();
            keeper.attest(time, made_ms, now_ms);
            if from_api {
                keeper.heard(made_ms);
            }
            keeper.interval(now_ms).lo
        };
        if !was_trusted {
            self.stored(move |store| store.clock_found(floor)).await?;
            self.news.status.notify_one();
        }
        Ok(Ok(()))
    }
}
