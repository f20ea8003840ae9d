//! Which gateways are connected to this node.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keys_core::refusal::Refusal;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::model::id::VehicleId;

/// How long a gateway may take for a challenge.
const CHALLENGE_DEADLINE: Duration = Duration::from_secs(10);
/// Asks waiting for one connection, at most.
const WAITING: usize = 64;

/// What a connection is asked to do.
#[derive(Debug)]
pub enum Ask {
    /// Get a challenge for a phone.
    Challenge {
        /// From the phone.
        phone_nonce: Option<[u8; 16]>,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Vec<u8>, Refusal>>,
    },
    /// Something new lies in the database.
    Wake,
}

/// Why there is no challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// The gateway is not connected, or does not answer.
    #[error("the gateway is not connected")]
    Offline,
    /// The gateway says no.
    #[error("the gateway gives no challenge: {0}")]
    Refused(Refusal),
}

#[derive(Debug)]
struct Line {
    number: u64,
    asks: mpsc::Sender<Ask>,
}

#[derive(Debug, Default)]
struct Lines {
    last_number: u64,
    by_vehicle: HashMap<VehicleId, Line>,
}

/// The connections of this node.
#[derive(Debug, Clone, Default)]
pub struct Hub(Arc<Mutex<Lines>>);

/// A connection's place in the hub; leaving drops it.
#[derive(Debug)]
pub struct Place {
    hub: Hub,
    vehicle: VehicleId,
    number: u64,
}

impl Hub {
    /// Puts a connection in place of an older one, whose asks then end.
    #[must_use]
    pub fn attach(&self, vehicle: VehicleId) -> (Place, mpsc::Receiver<Ask>) {
        let (asks, receiver) = mpsc::channel(WAITING);
        let mut lines = self.lines();
        lines.last_number += 1;
        let number = lines.last_number;
        lines.by_vehicle.insert(vehicle, Line { number, asks });
        let place = Place {
            hub: self.clone(),
            vehicle,
            number,
        };
        (place, receiver)
    }

    /// Tells a vehicle's connection to look for something new. Call after the commit.
    pub fn wake(&self, vehicle: VehicleId) {
        if let Some(asks) = self.asks(vehicle) {
            // A full queue holds a wake already, or soon will be looked at.
            let _ = asks.try_send(Ask::Wake);
        }
    }

    /// Whether a vehicle's gateway is connected here.
    #[must_use]
    pub fn is_connected(&self, vehicle: VehicleId) -> bool {
        self.lines().by_vehicle.contains_key(&vehicle)
    }

    /// The vehicles connected here.
    #[must_use]
    pub fn connected(&self) -> Vec<VehicleId> {
        self.lines().by_vehicle.keys().copied().collect()
    }

    /// A fresh challenge of a vehicle's gateway.
    ///
    /// # Errors
    /// [`ChallengeError`]
    pub async fn challenge(
        &self,
        vehicle: VehicleId,
        phone_nonce: Option<[u8; 16]>,
    ) -> Result<Vec<u8>, ChallengeError> {
        let asks = self.asks(vehicle).ok_or(ChallengeError::Offline)?;
        let (reply, answer) = oneshot::channel();
        let ask = Ask::Challenge { phone_nonce, reply };
        asks.try_send(ask).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ChallengeError::Refused(Refusal::RateLimited),
            mpsc::error::TrySendError::Closed(_) => ChallengeError::Offline,
        })?;
        match timeout(CHALLENGE_DEADLINE, answer).await {
            Ok(Ok(Ok(challenge))) => Ok(challenge),
            Ok(Ok(Err(refusal))) => Err(ChallengeError::Refused(refusal)),
            Ok(Err(_)) | Err(_) => Err(ChallengeError::Offline),
        }
    }

    fn asks(&self, vehicle: VehicleId) -> Option<mpsc::Sender<Ask>> {
        self.lines()
            .by_vehicle
            .get(&vehicle)
            .map(|line| line.asks.clone())
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.hub.lines();
        if lines
            .by_vehicle
            .get(&self.vehicle)
            .is_some_and(|line| line.number == self.number)
        {
            lines.by_vehicle.remove(&self.vehicle);
        }
    }
}
