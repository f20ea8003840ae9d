//! The line to the API: one WebSocket that the gateway dials and keeps up.
//!
//! Actors: the API, which relays phones' requests, carries statements and attests the time; this module,
//! which keeps the line up; and the rest of the gateway behind [`SyncHandler`], [`Outbox`] and [`Feeds`].
//! The gateway dials out, so it works behind NAT. Frames are [`SyncMessage`]s; nothing in them is
//! believed but the signed objects they carry, so a broken-into API can withhold and no more.
//!
//! ```text
//! dial → Hello → Welcome → Auth (ck1:sync) → Ready
//!      → Ping every 20 s ⇄ Time · Carry → Carried · ChallengeRequest → ChallengeReply
//!      · Present → PresentReply · Report ⇄ ReportAck · Head · State
//! lost → wait (exponential, full jitter) → dial again; the API sends what the gateway lacks
//! ```

mod backoff;
mod endpoint;
mod handler;
mod session;
mod socket;
mod trust;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use keys_core::id::VehicleId;
use keys_core::signature::Signer;
use keys_core::sync::SyncMessage;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::error_chain::error_chain;

pub use self::backoff::delay;
pub use self::endpoint::{ApiEndpoint, EndpointError};
pub use self::handler::{Feeds, Outbox, Presented, Random, SyncHandler, Waiting, system_random};
pub use self::session::Lost;

/// The path of the WebSocket under the API's origin.
const PATH: &str = "/v1/gateways/sync";
/// A line that was up this long was a good one: the next wait starts short again.
const GOOD: Duration = Duration::from_secs(60);

/// Everything the line needs.
#[derive(Clone)]
pub struct Line {
    /// Which API to dial.
    pub endpoint: ApiEndpoint,
    /// Which vehicle this gateway is beside.
    pub vehicle: VehicleId,
    /// The gateway key.
    pub signer: Arc<dyn Signer + Send + Sync>,
    /// Answers what comes in.
    pub handler: Arc<dyn SyncHandler>,
    /// Receipts waiting to be reported.
    pub outbox: Arc<dyn Outbox>,
    /// News to pass on.
    pub feeds: Feeds,
    /// Randomness for nonces and waits.
    pub random: Random,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("endpoint", &self.endpoint)
            .field("vehicle", &self.vehicle)
            .finish_non_exhaustive()
    }
}

/// How the line is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineState {
    /// Dialing, or shaking hands.
    Dialing,
    /// Up: the API knows who we are.
    Ready,
    /// Waiting before the next attempt.
    Waiting {
        /// Why the line was lost.
        lost: String,
    },
    /// Ended because the gateway stops.
    Stopped,
}

impl LineState {
    /// The stable name: `dialing`, `ready`, `waiting` or `stopped`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Dialing => "dialing",
            Self::Ready => "ready",
            Self::Waiting { .. } => "waiting",
            Self::Stopped => "stopped",
        }
    }
}

/// Keeps the line up until `stop`; tells in `state` how it is.
pub async fn run(line: Line, state: watch::Sender<LineState>, stop: CancellationToken) {
    let mut attempt = 0;
    while !stop.is_cancelled() {
        state.send_replace(LineState::Dialing);
        let mut ready_at = None;
        let lost = session::hold(&line, &stop, || {
            ready_at = Some(Instant::now());
            state.send_replace(LineState::Ready);
        })
        .await;
        if stop.is_cancelled() {
            break;
        }
        if ready_at.is_some_and(|at| at.elapsed() >= GOOD) {
            attempt = 0;
        }
        let wait = delay(attempt, random_number(&line.random));
        // A gateway that was just paired may dial before its bundle has reached the API.
        if attempt == 0 && ready_at.is_none() {
            tracing::info!(error = %error_chain(&lost), wait_ms = wait.as_millis(), "no line to the API yet");
        } else {
            tracing::warn!(error = %error_chain(&lost), wait_ms = wait.as_millis(), "line to the API lost");
        }
        attempt = attempt.saturating_add(1);
        state.send_replace(LineState::Waiting {
            lost: error_chain(&lost),
        });
        tokio::select! {
            () = stop.cancelled() => break,
            () = sleep(wait) => {}
        }
    }
    state.send_replace(LineState::Stopped);
}

/// A number for the jitter. Without randomness the wait is the longest one.
fn random_number(random: &Random) -> u64 {
    let mut bytes = [0u8; 8];
    match random(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_) => u64::MAX,
    }
}

/// The name of a frame, for logs: frames carry phones' requests, so they are never shown whole.
fn name_of(message: &SyncMessage) -> &'static str {
    match message {
        SyncMessage::Hello { .. } => "hello",
        SyncMessage::Welcome { .. } => "welcome",
        SyncMessage::Auth { .. } => "auth",
        SyncMessage::Ready => "ready",
        SyncMessage::Carry { .. } => "carry",
        SyncMessage::Carried { .. } => "carried",
        SyncMessage::ChallengeRequest { .. } => "challenge-request",
        SyncMessage::ChallengeReply { .. } => "challenge-reply",
        SyncMessage::Present { .. } => "present",
        SyncMessage::PresentReply { .. } => "present-reply",
        SyncMessage::Ping { .. } => "ping",
        SyncMessage::Time { .. } => "time",
        SyncMessage::Report { .. } => "report",
        SyncMessage::ReportAck { .. } => "report-ack",
        SyncMessage::Head { .. } => "head",
        SyncMessage::State { .. } => "state",
    }
}

#[cfg(test)]
mod tests;
