//! Waiting for something to happen: `?wait=` and the pairing relay.

use std::future::Future;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::time::{Instant, sleep, sleep_until};

use crate::model::id::{CommandRowId, PairingId};
use crate::state::App;

/// Longest wait, seconds.
pub const LONGEST_WAIT_S: u64 = 30;
/// What happened on another node is seen this late.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Rings kept for a slow listener, who then just looks again.
const KEPT: usize = 256;

/// What something happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bell {
    /// A command changed.
    Command(CommandRowId),
    /// A pairing changed.
    Pairing(PairingId),
}

/// Rings on this node.
#[derive(Debug, Clone)]
pub struct Bells(broadcast::Sender<Bell>);

impl Default for Bells {
    fn default() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }
}

impl Bells {
    /// Says that something happened. Call after the commit.
    pub fn ring(&self, bell: Bell) {
        // Nobody listening is usual.
        let _ = self.0.send(bell);
    }

    /// Calls `look` now and after every ring of `bell`, until it finds something, `wait` is over or
    /// the server stops.
    ///
    /// # Errors
    /// What `look` returns.
    pub async fn wait<T, E, F>(
        &self,
        app: &App,
        bell: Bell,
        wait: Duration,
        mut look: impl FnMut() -> F,
    ) -> Result<Option<T>, E>
    where
        F: Future<Output = Result<Option<T>, E>>,
    {
        let end = Instant::now() + wait;
        let mut rings = self.0.subscribe();
        loop {
            if let Some(found) = look().await? {
                return Ok(Some(found));
            }
            let rung = async {
                loop {
                    match rings.recv().await {
                        Ok(rung) if rung == bell => return,
                        Ok(_) => {}
                        // Some were missed, perhaps ours.
                        Err(_) => return,
                    }
                }
            };
            tokio::select! {
                () = rung => {}
                () = sleep(LOOK_AGAIN) => {}
                () = sleep_until(end) => return Ok(None),
                () = app.stopping.cancelled() => return Ok(None),
            }
        }
    }
}
