//! Settling what is not known: the car's state is read back, nothing is ever sent again.
//!
//! An outcome stays unknown when the car was silent, or when the gateway stopped between intent and
//! outcome. It settles to done or declined as soon as the car can be read, with a second receipt that
//! names the first.

use std::sync::Arc;
use std::time::Duration;

use keys_core::id::CommandId;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::connector::{CommandRef, Declined, Outcome, ReadBack};
use crate::core::{Core, lock};
use crate::store::{CommandRecord, StoreError};

/// How long one reading may take; the car's return is noticed within it.
const READ_BACK: Duration = Duration::from_secs(8);
/// Pause between two readings.
const PAUSE: Duration = Duration::from_secs(1);

/// What is known about an order of this process whose outcome is not.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) id: CommandId,
    pub(crate) reference: CommandRef,
    pub(crate) deadline: Instant,
}

impl Core {
    /// Gives every intent that has no outcome the outcome "unknown"; before anything else is done.
    pub(crate) async fn take_up_intents(&self) -> Result<(), StoreError> {
        let Some(vehicle) = self.vehicle() else {
            return Ok(());
        };
        for (id, record) in self.store.unsettled()? {
            if record.outcome.is_none() {
                tracing::warn!(command_id = %id, "intent without outcome: unknown, to be read back");
                let reference = CommandRef::new(&id.to_string());
                self.finish(vehicle, id, &Outcome::Unknown { reference })
                    .await?;
            }
        }
        Ok(())
    }

    /// Settles unknown outcomes until `stop`.
    pub(crate) async fn settle_all(self: Arc<Self>, stop: CancellationToken) {
        // The latest an order of an earlier process can have expired.
        let first_deadline = Instant::now() + self.rules.command_deadline;
        loop {
            let round = self.settle_round(first_deadline);
            let left = tokio::select! {
                () = stop.cancelled() => return,
                left = round => left,
            };
            let wait = async {
                match left {
                    Ok(0) => self.news.unsettled.notified().await,
                    Ok(_) => sleep(PAUSE).await,
                    Err(error) => {
                        tracing::error!(error = %crate::error_chain(&error), "an outcome could not be settled");
                        sleep(PAUSE).await;
                    }
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = wait => {}
            }
        }
    }

    /// Reads back every unsettled command once; gives how many are left.
    async fn settle_round(&self, first_deadline: Instant) -> Result<usize, StoreError> {
        for (id, record) in self.store.unsettled()? {
            if self.is_in_flight(&id) {
                continue;
            }
            self.settle(id, &record, first_deadline).await?;
        }
        Ok(self.store.unsettled()?.len())
    }

    async fn settle(
        &self,
        id: CommandId,
        record: &CommandRecord,
        first_deadline: Instant,
    ) -> Result<(), StoreError> {
        let (Some(vehicle), Some(connector)) =
            (self.vehicle(), self.connectors.supporting(record.command))
        else {
            return Ok(());
        };
        if record.outcome.is_none() {
            let reference = CommandRef::new(&id.to_string());
            self.finish(vehicle, id, &Outcome::Unknown { reference })
                .await?;
        }
        let known = lock(&self.references)
            .iter()
            .find(|known| known.id == id)
            .cloned();
        let stored = record.reference.as_deref().map(CommandRef::new);
        let query = ReadBack {
            id,
            command: record.command,
            reference: known
                .as_ref()
                .map(|known| known.reference.clone())
                .or(stored),
            order_deadline: known.map_or(first_deadline, |known| known.deadline),
            deadline: Instant::now() + READ_BACK,
        };
        let task = tokio::spawn(async move { connector.read_back(query).await });
        let Ok(Ok(outcome)) = timeout(READ_BACK + PAUSE, task).await else {
            return Ok(());
        };
        self.conclude(vehicle, id, record, &outcome).await
    }

    async fn conclude(
        &self,
        vehicle: keys_core::id::VehicleId,
        id: CommandId,
        record: &CommandRecord,
        outcome: &Outcome,
    ) -> Result<(), StoreError> {
        // No command may come between the reading and what is written about it.
        let _gate = self.gate.lock().await;
        match outcome {
            Outcome::Unknown { .. } => return Ok(()),
            // After another command the car's state says nothing about this one any more.
            Outcome::Done { .. }
            | Outcome::Declined {
                reason: Declined::NotDone,
            } if self
                .store
                .last_intent()?
                .is_some_and(|last| last > record.intent) =>
            {
                self.stored(move |store| store.give_up(&id)).await?;
            }
            settled => {
                tracing::info!(command_id = %id, outcome = settled.as_str(), "unknown outcome settled");
                self.finish(vehicle, id, settled).await?;
                self.news.car.notify_one();
            }
        }
        lock(&self.references).retain(|known| known.id != id);
        Ok(())
    }

    fn is_in_flight(&self, id: &CommandId) -> bool {
        lock(&self.in_flight)
            .as_ref()
            .is_some_and(|in_flight| in_flight.is_running(id))
    }
}
