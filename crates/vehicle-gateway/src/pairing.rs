//! The gateway's side of pairing, over the API's relay.
//!
//! The car shows a code; its first half names the gateway key, its second half never leaves the car and
//! the owner's device. The gateway posts its offer under the first half and waits; the owner's device
//! confirms; the gateway checks the confirmation, has it pinned durably by a [`PairingSink`], and
//! answers. The API only relays bytes, so a code is safe with it. Source: ck1 section 7.
//!
//! A code is good for one pairing, 5 tries and 10 minutes: [`Attempt`] holds these rules, [`Relay`] makes
//! the calls, [`pair_once`] and [`keep_offering`] join them.

mod attempt;
mod relay;

use std::time::Duration;

use futures_util::future::BoxFuture;
use keys_core::id::VehicleId;
use keys_core::pairing::{
    CODE_HALF_BYTES, PAIR_NONCE_BYTES, PairConfirm, PairOffer, PairingCode, PairingSecret,
};
use keys_core::signature::VerifyingKey;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

pub use self::attempt::{Attempt, LIFETIME, TRIES, Verdict};
pub use self::relay::{Relay, RelayError};
use crate::error_chain::error_chain;
use crate::sync::{Random, delay};

/// How often the answer is posted again when the relay does not take it.
const ANSWER_POSTS: u32 = 5;
/// The shortest pause before the relay is asked the same again.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// Checks what an owner's device confirmed, and makes the car trust it.
///
/// Thread-safe. Called only with a confirmation whose MAC was made with the code; idempotent for the same
/// confirmation. When it returns `Ok`, owner key, vehicle and bundle are durable.
pub trait PairingSink: Send + Sync {
    /// Verifies the bundle (signed by the owner key, for the vehicle, naming our gateway key) and stores
    /// all of it.
    fn pin<'a>(
        &'a self,
        offer: &'a PairOffer,
        confirm: &'a PairConfirm,
    ) -> BoxFuture<'a, Result<(), PinError>>;
}

/// Why a confirmation was not pinned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// Something about it is wrong; another one may be sent.
    #[error("{0}")]
    Refused(String),
    /// It could not be stored.
    #[error("pairing could not be stored")]
    Store(#[source] std::io::Error),
}

/// How one code ended without a pairing. Each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PairingError {
    /// The gateway stops.
    #[error("pairing was stopped; run `vehicle-gateway pair` again for a new code")]
    Stopped,
    /// Nobody confirmed in time.
    #[error(
        "nobody entered the pairing code within 10 minutes; run `vehicle-gateway pair` again for a new code"
    )]
    TimedOut,
    /// Wrong codes were entered too often.
    #[error(
        "the pairing code was entered wrongly 5 times and is void; make a new one, and enter it as the car shows it"
    )]
    TooManyTries,
    /// The relay refuses for good.
    #[error("the API does not relay the pairing; check its address and version")]
    Relay(#[source] RelayError),
    /// No randomness.
    #[error("no randomness for a pairing code")]
    Random(#[source] std::io::Error),
    /// The pairing could not be stored.
    #[error("the pairing could not be stored; check the gateway's data directory")]
    Store(#[source] std::io::Error),
}

/// A finished pairing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paired {
    /// The vehicle the gateway is beside from now on.
    pub vehicle: VehicleId,
    /// Whether the relay took the answer. If not, the owner's device does not know yet; the car does.
    pub answered: bool,
}

/// What pairing needs.
pub struct Pairing<'a> {
    /// The API.
    pub relay: &'a Relay,
    /// The gateway's public key.
    pub gateway_key: &'a VerifyingKey,
    /// Where a confirmation goes.
    pub sink: &'a dyn PairingSink,
    /// Randomness for secrets and nonces.
    pub random: &'a Random,
    /// Shows the code while it is good, and nothing otherwise.
    pub shown: &'a watch::Sender<Option<PairingCode>>,
    /// Ends it.
    pub stop: &'a CancellationToken,
}

/// Makes codes, one after the other, until one pairs.
///
/// To end it, cancel `stop` and wait: a future dropped while a confirmation is being pinned leaves the
/// owner's device without an answer, though the car may be paired.
///
/// # Errors
/// [`PairingError`] for anything but a code that ran out: those are followed by a new code.
pub async fn keep_offering(pairing: &Pairing<'_>) -> Result<Paired, PairingError> {
    loop {
        match pair_once(pairing).await {
            Err(error @ (PairingError::TimedOut | PairingError::TooManyTries)) => {
                tracing::info!(reason = %error, "pairing code replaced");
            }
            ended => return ended,
        }
    }
}

/// Makes one code, shows it, and waits until it pairs or is void.
///
/// # Errors
/// [`PairingError`] says how the code ended and what to do.
pub async fn pair_once(pairing: &Pairing<'_>) -> Result<Paired, PairingError> {
    let (code, mut attempt) = new_attempt(pairing)?;
    let mut post = Post::default();
    pairing.shown.send_replace(Some(code));
    let ended = pinned(pairing, &mut attempt, &mut post).await;
    pairing.shown.send_replace(None);
    let confirm = ended?;
    let answered = match (post.id, attempt.answer(&confirm)) {
        (Some(id), Some(answer)) => {
            let (relay, random) = (pairing.relay.clone(), pairing.random.clone());
            let posting = post_answer(relay, id, answer.encode(), random, pairing.stop.clone());
            // In a task of its own: whoever sees that the car is paired may drop this future at once.
            tokio::spawn(posting).await.unwrap_or(false)
        }
        _ => false,
    };
    Ok(Paired {
        vehicle: confirm.vehicle,
        answered,
    })
}

fn new_attempt(pairing: &Pairing<'_>) -> Result<(PairingCode, Attempt), PairingError> {
    let mut secret = [0u8; CODE_HALF_BYTES];
    let mut gateway_nonce = [0u8; PAIR_NONCE_BYTES];
    (pairing.random)(&mut secret).map_err(PairingError::Random)?;
    (pairing.random)(&mut gateway_nonce).map_err(PairingError::Random)?;
    let secret = PairingSecret::new(secret);
    let offer = PairOffer {
        gateway_key: *pairing.gateway_key,
        gateway_nonce,
    };
    let code = PairingCode::new(pairing.gateway_key, secret.clone());
    Ok((code, Attempt::new(secret, offer, Instant::now())))
}

/// Waits until a confirmation is pinned.
async fn pinned(
    pairing: &Pairing<'_>,
    attempt: &mut Attempt,
    post: &mut Post,
) -> Result<PairConfirm, PairingError> {
    loop {
        let bytes = tokio::select! {
            () = pairing.stop.cancelled() => return Err(PairingError::Stopped),
            next = timeout_at(attempt.expires_at(), post.next_confirm(pairing, attempt)) => {
                next.unwrap_or(Err(PairingError::TimedOut))?
            }
        };
        // From here on nothing interrupts: a pairing is pinned and told, or it is neither.
        let confirm = match attempt.judge(&bytes, Instant::now()) {
            Verdict::Accepted(confirm) => confirm,
            Verdict::Again => continue,
            Verdict::Wrong { tries_left: 0 } => return Err(PairingError::TooManyTries),
            Verdict::Wrong { tries_left } => {
                tracing::warn!(tries_left, "pairing code was entered wrongly");
                continue;
            }
            Verdict::Void => return Err(PairingError::TimedOut),
        };
        match pairing.sink.pin(attempt.offer(), &confirm).await {
            Ok(()) => return Ok(*confirm),
            Err(PinError::Store(error)) => return Err(PairingError::Store(error)),
            Err(PinError::Refused(reason)) => {
                tracing::warn!(%reason, "pairing confirmation refused");
                if attempt.tries_left() == 0 {
                    return Err(PairingError::TooManyTries);
                }
            }
        }
    }
}

/// The offer's place at the relay.
#[derive(Default)]
struct Post {
    /// The relay's id of it, once posted.
    id: Option<String>,
    /// Calls that failed in a row.
    failures: u32,
    /// Whether the relay gave a confirmation before; it gives the same one again until another comes.
    answered: bool,
}

impl Post {
    /// Keeps the offer posted until the relay has a confirmation.
    async fn next_confirm(
        &mut self,
        pairing: &Pairing<'_>,
        attempt: &Attempt,
    ) -> Result<Vec<u8>, PairingError> {
        if self.answered {
            sleep(ASK_AGAIN).await;
        }
        loop {
            match self.ask(pairing.relay, attempt).await {
                Ok(confirm) => {
                    self.failures = 0;
                    if let Some(bytes) = confirm {
                        self.answered = true;
                        return Ok(bytes);
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %error_chain(&error), "pairing relay");
                    if error.is_gone() && self.id.take().is_some() {
                        sleep(ASK_AGAIN).await;
                        continue;
                    }
                    if !error.is_temporary() {
                        return Err(PairingError::Relay(error));
                    }
                    sleep(delay(self.failures, jitter(pairing.random)).max(ASK_AGAIN)).await;
                    self.failures = self.failures.saturating_add(1);
                }
            }
        }
    }

    async fn ask(
        &mut self,
        relay: &Relay,
        attempt: &Attempt,
    ) -> Result<Option<Vec<u8>>, RelayError> {
        let id = match &self.id {
            Some(id) => id.clone(),
            None => self.id.insert(relay.offer(attempt.offer()).await?).clone(),
        };
        relay.confirm(&id).await
    }
}

/// Posts the answer; the pairing holds even if it never arrives.
async fn post_answer(
    relay: Relay,
    id: String,
    answer: Vec<u8>,
    random: Random,
    stop: CancellationToken,
) -> bool {
    for failures in 0..ANSWER_POSTS {
        match relay.answer(&id, &answer).await {
            Ok(()) => return true,
            Err(error) => {
                tracing::warn!(error = %error_chain(&error), "pairing answer");
                if !error.is_temporary() || stop.is_cancelled() {
                    return false;
                }
            }
        }
        sleep(delay(failures, jitter(&random))).await;
    }
    false
}

fn jitter(random: &Random) -> u64 {
    let mut bytes = [0u8; 8];
    random(&mut bytes).map_or(u64::MAX, |()| u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests;
