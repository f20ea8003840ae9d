//! What the rest of the gateway gives the sync: answers, receipts, and news.

use std::io;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use keys_core::challenge::Seqs;
use keys_core::refusal::Refusal;
use tokio::sync::{Notify, watch};

/// Answers what comes in from the API. The API is believed in nothing: every object is signed.
///
/// Thread-safe; calls overlap, except that [`SyncHandler::carry`] and [`SyncHandler::time`] come one at
/// a time and in the order the API sent them. A call that has begun is carried through even when the
/// connection is lost meanwhile.
pub trait SyncHandler: Send + Sync + 'static {
    /// What the gateway holds now.
    fn seqs(&self) -> Seqs;

    /// Takes an encoded [`Carried`](keys_core::carried::Carried); durable when it returns.
    fn carry(&self, carried: Vec<u8>) -> BoxFuture<'_, Option<Refusal>>;

    /// Makes a challenge (M1) for a phone that asks through the API.
    fn challenge(&self, phone_nonce: Option<[u8; 16]>) -> BoxFuture<'_, Result<Vec<u8>, Refusal>>;

    /// Decides a presentation (M2) that arrived over the remote channel.
    fn present(&self, presentation: Vec<u8>) -> BoxFuture<'_, Presented>;

    /// Makes a fresh challenge for the API to attest the time over.
    fn time_challenge(&self) -> BoxFuture<'_, Result<Vec<u8>, Refusal>>;

    /// Takes the attestation over a challenge of [`SyncHandler::time_challenge`].
    /// A verified one sets the clock and means "in contact".
    fn time(&self, challenge: Vec<u8>, attestation: Vec<u8>) -> BoxFuture<'_, Result<(), Refusal>>;
}

/// The answer to a presentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The receipt (M3), or the refusal when nothing signed justifies one.
    pub reply: Result<Vec<u8>, Refusal>,
    /// Whether it is the receipt of an earlier, equal presentation.
    pub repeated: bool,
}

/// A receipt in the outbox: its index and its bytes (M3).
pub type Waiting = (u64, Vec<u8>);

/// Receipts waiting to be reported, kept durably until the API has them.
///
/// Indexes ascend from 1 and are never used again.
pub trait Outbox: Send + Sync + 'static {
    /// The first waiting receipt with an index above `index`; 0 asks for the very first.
    fn next_after(&self, index: u64) -> BoxFuture<'_, io::Result<Option<Waiting>>>;

    /// Forgets every receipt up to and with `index`: the API has stored them.
    fn ack(&self, index: u64) -> BoxFuture<'_, io::Result<()>>;
}

/// What the gateway tells when there is something new.
#[derive(Debug, Clone)]
pub struct Feeds {
    /// Notified when the outbox has another receipt.
    pub receipts: Arc<Notify>,
    /// The newest sealed journal head.
    pub head: watch::Receiver<Option<Vec<u8>>>,
    /// The car's state for display, JSON.
    pub state: watch::Receiver<Option<String>>,
}

/// Fills a buffer with random bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) -> io::Result<()> + Send + Sync>;

/// The operating system's randomness.
#[must_use]
pub fn system_random() -> Random {
    Arc::new(|buffer| getrandom::fill(buffer).map_err(io::Error::other))
}
