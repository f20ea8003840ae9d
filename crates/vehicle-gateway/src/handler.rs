//! The core as the line to the API and the pairing see it.

use std::io;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use keys_core::carried::Carried;
use keys_core::challenge::Seqs;
use keys_core::decide::Channel;
use keys_core::pairing::{PairConfirm, PairOffer};
use keys_core::refusal::Refusal;

use crate::carry::Carry;
use crate::core::{Core, lock};
use crate::dispatch::Answer;
use crate::pairing::{PairingSink, PinError};
use crate::rate::Peer;
use crate::store::StoreError;
use crate::sync::{Outbox, Presented, SyncHandler};
use crate::trust::Trust;

/// The core, shared with the line.
pub(crate) struct Handler(pub(crate) Arc<Core>);

/// Why there is no challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoChallenge {
    /// The car is not paired.
    Unpaired,
    /// The gateway key cannot sign.
    Sign,
}

impl Core {
    /// Makes a challenge for a phone that is there.
    pub(crate) fn new_challenge(
        &self,
        phone_nonce: Option<[u8; 16]>,
    ) -> Result<Vec<u8>, NoChallenge> {
        let facts = self.challenge_facts().ok_or(NoChallenge::Unpaired)?;
        lock(&self.challenges)
            .issue(&facts, phone_nonce, &self.key)
            .map_err(|_| NoChallenge::Sign)
    }
}

impl SyncHandler for Handler {
    fn seqs(&self) -> Seqs {
        self.0.seqs()
    }

    fn carry(&self, carried: Vec<u8>) -> BoxFuture<'_, Option<Refusal>> {
        async move {
            let carried = match Carried::parse(&carried) {
                Ok(carried) => carried,
                Err(error) => return Some(error.refusal()),
            };
            match self.0.carry(&carried).await {
                Carry::Taken => None,
                Carry::Refused(refusal) => Some(refusal),
                Carry::Unavailable => Some(Refusal::Busy),
            }
        }
        .boxed()
    }

    fn challenge(&self, phone_nonce: Option<[u8; 16]>) -> BoxFuture<'_, Result<Vec<u8>, Refusal>> {
        let admitted = lock(&self.0.rates)
            .relayed
            .admits(Peer::Api, self.0.now_ms());
        let challenge = if admitted {
            self.0.new_challenge(phone_nonce).map_err(|_| Refusal::Busy)
        } else {
            Err(Refusal::RateLimited)
        };
        futures_util::future::ready(challenge).boxed()
    }

    fn present(&self, presentation: Vec<u8>) -> BoxFuture<'_, Presented> {
        async move {
            match self.0.present(presentation, Channel::Remote).await {
                Answer::Signed { receipt, repeated } => Presented {
                    reply: Ok(receipt),
                    repeated,
                },
                Answer::Unsigned(refusal) => Presented {
                    reply: Err(refusal),
                    repeated: false,
                },
                Answer::Unavailable => Presented {
                    reply: Err(Refusal::Busy),
                    repeated: false,
                },
            }
        }
        .boxed()
    }

    fn time_challenge(&self) -> BoxFuture<'_, Result<Vec<u8>, Refusal>> {
        let challenge = self.0.new_challenge(None).map_err(|_| Refusal::Busy);
        futures_util::future::ready(challenge).boxed()
    }

    fn time(&self, challenge: Vec<u8>, attestation: Vec<u8>) -> BoxFuture<'_, Result<(), Refusal>> {
        async move {
            match self.0.take_time(&challenge, &attestation, true).await {
                Ok(taken) => taken,
                Err(error) => {
                    tracing::error!(error = %crate::error_chain(&error), "the time could not be stored");
                    Err(Refusal::Busy)
                }
            }
        }
        .boxed()
    }
}

impl Outbox for Handler {
    fn next_after(&self, index: u64) -> BoxFuture<'_, io::Result<Option<(u64, Vec<u8>)>>> {
        async move {
            self.0
                .stored(move |store| store.receipt_after(index))
                .await
                .map_err(io_error)
        }
        .boxed()
    }

    fn ack(&self, index: u64) -> BoxFuture<'_, io::Result<()>> {
        async move {
            self.0
                .stored(move |store| store.forget_receipts(index))
                .await
                .map_err(io_error)?;
            self.0.news.status.notify_one();
            Ok(())
        }
        .boxed()
    }
}

impl PairingSink for Handler {
    fn pin<'a>(
        &'a self,
        offer: &'a PairOffer,
        confirm: &'a PairConfirm,
    ) -> BoxFuture<'a, Result<(), PinError>> {
        async move {
            if offer.gateway_key != *self.0.gateway_key() {
                return Err(PinError::Refused(
                    "offer names another gateway key".to_owned(),
                ));
            }
            let _gate = self.0.gate.lock().await;
            let before = self.0.belief().map(|belief| belief.trust);
            if before.as_ref().is_some_and(|held| {
                held.bundle.vehicle == confirm.vehicle && is_pinned(held, confirm)
            }) {
                return Ok(());
            }
            let clock = self.0.interval();
            let (next, change) =
                Trust::pair(before.as_deref(), confirm, self.0.gateway_key(), clock)
                    .map_err(PinError::Refused)?;
            self.0
                .believe(next, change)
                .await
                .map_err(|error| PinError::Store(io_error(error)))?;
            tracing::info!(vehicle = %confirm.vehicle, "paired");
            Ok(())
        }
        .boxed()
    }
}

/// Whether this very confirmation was pinned already.
fn is_pinned(held: &Trust, confirm: &PairConfirm) -> bool {
    use keys_core::bundle::Bundle;
    use keys_core::envelope::{NO_REST, Unverified};
    Unverified::<Bundle>::decode(&confirm.bundle)
        .is_ok_and(|bundle| bundle.id(NO_REST) == held.bundle_id)
}

fn io_error(error: StoreError) -> io::Error {
    io::Error::other(error)
}
