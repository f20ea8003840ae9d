//! What everybody who takes part shares: where things are, whether they are up, what was seen.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keys_core::challenge::Seqs;
use keys_core::signature::VerifyingKey;
use keys_core::time::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::ledger::Ledger;

/// The longest anything may take before the test gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);
/// How often something that is about to change is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A program's address and whether it is up, as far as who kills it knows.
#[derive(Debug)]
pub(super) struct Side {
    /// `http://…`
    pub(super) url: String,
    up: watch::Sender<bool>,
}

impl Side {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            up: watch::Sender::new(true),
        }
    }

    /// Says whether it is up.
    pub(super) fn set(&self, up: bool) {
        self.up.send_replace(up);
    }

    /// Waits until it is up, and a moment longer, so that nobody spins on a dying one.
    pub(super) async fn wait(&self) {
        let mut up = self.up.subscribe();
        let waited = timeout(PATIENCE, up.wait_for(|up| *up)).await.is_ok();
        assert!(waited, "{} stays down", self.url);
        sleep(LOOK).await;
    }
}

/// The stage.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) api: Side,
    pub(super) gateway: Side,
    pub(super) vehicle: String,
    pub(super) host_token: String,
    pub(super) gateway_key: VerifyingKey,
    /// Whether the work goes on.
    pub(super) open: watch::Sender<bool>,
    /// How much was acknowledged.
    pub(super) progress: watch::Sender<u64>,
    /// How often the car did as it was told.
    pub(super) acts: watch::Sender<u64>,
    seqs: Mutex<Seqs>,
    ledger: Mutex<Ledger>,
}

impl Stage {
    pub(super) fn new(
        (api, gateway): (Side, Side),
        vehicle: &str,
        host_token: &str,
        gateway_key: VerifyingKey,
    ) -> Self {
        Self {
            api,
            gateway,
            vehicle: vehicle.to_owned(),
            host_token: host_token.to_owned(),
            gateway_key,
            open: watch::Sender::new(true),
            progress: watch::Sender::new(0),
            acts: watch::Sender::new(0),
            seqs: Mutex::default(),
            ledger: Mutex::default(),
        }
    }

    /// What was acknowledged.
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that something was acknowledged.
    pub(super) fn step(&self) {
        self.ledger().writes += 1;
        self.progress.send_modify(|done| *done += 1);
    }

    /// Notes that the car did as it was told.
    pub(super) fn act(&self) {
        self.acts.send_modify(|done| *done += 1);
    }

    /// Notes what must not be.
    pub(super) fn wrong(&self, what: String) {
        println!("WRONG: {what}");
        self.ledger().wrong.push(what);
    }

    /// Whether the work goes on.
    pub(super) fn is_open(&self) -> bool {
        *self.open.borrow()
    }

    /// The numbers a gateway had told when this is called.
    pub(super) fn seqs(&self) -> Seqs {
        *self.seqs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A gateway tells its numbers; `before` were told before it was asked.
    pub(super) fn told(&self, before: Seqs, told: Seqs) {
        let fell = told.owner < before.owner
            || told.platform < before.platform
            || told.bundle < before.bundle;
        if fell {
            self.wrong(format!(
                "the gateway forgot what it had: {before:?}, then {told:?}"
            ));
        }
        let mut held = self.seqs.lock().unwrap_or_else(PoisonError::into_inner);
        held.owner = held.owner.max(told.owner);
        held.platform = held.platform.max(told.platform);
        held.bundle = held.bundle.max(told.bundle);
    }
}

/// Waits until a counter is `more` than it is.
pub(super) async fn grows(counter: &watch::Sender<u64>, more: u64) {
    let mut counter = counter.subscribe();
    let enough = *counter.borrow_and_update() + more;
    // What is waited for is let go at once: held, it would stop whoever works.
    let grown = timeout(PATIENCE, counter.wait_for(|done| *done >= enough))
        .await
        .is_ok();
    assert!(grown, "the work stands still");
}

/// Asks until it is so; says whether it came to be.
pub(super) async fn becomes<F>(mut ask: impl FnMut() -> F) -> bool
where
    F: Future<Output = bool>,
{
    let end = Instant::now() + PATIENCE;
    loop {
        if ask().await {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        sleep(LOOK).await;
    }
}

/// The time as a phone shows it.
#[expect(
    clippy::disallowed_methods,
    reason = "the phones of this test have no other clock"
)]
pub(super) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp(since.expect("after 1970").as_secs())
}
