//! A car that does what the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use keys_core::command::VehicleCommand;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep_until};
use vehicle_gateway::connector::{
    Capabilities, CarState, CommandRef, Connector, ConnectorError, Declined, Observed, Order,
    Outcome, ReadBack,
};

/// A car that does as it is told, or as the script says.
#[derive(Default)]
pub struct ScriptedCar {
    pub executed: Mutex<Vec<Order>>,
    pub read_back: Mutex<Vec<ReadBack>>,
    /// Outcomes of the next orders; done if there is none.
    pub outcomes: Mutex<VecDeque<Outcome>>,
    /// Outcomes of the next read-backs; unknown if there is none.
    pub settled: Mutex<VecDeque<Outcome>>,
    pub settle_now: Notify,
    pub state: Mutex<CarState>,
    /// If set, orders wait for a permit.
    pub held: Mutex<Option<Arc<Semaphore>>>,
}

impl ScriptedCar {
    pub fn stands(&self, stationary: bool) {
        self.state.lock().unwrap().stationary = Some(Observed::new(stationary, Instant::now()));
    }

    pub fn next(&self, outcome: Outcome) {
        self.outcomes.lock().unwrap().push_back(outcome);
    }

    pub fn settles(&self, outcome: Outcome) {
        self.settled.lock().unwrap().push_back(outcome);
        self.settle_now.notify_one();
    }

    pub fn executed(&self) -> usize {
        self.executed.lock().unwrap().len()
    }

    pub fn hold(&self) -> Arc<Semaphore> {
        let permits = Arc::new(Semaphore::new(0));
        *self.held.lock().unwrap() = Some(permits.clone());
        permits
    }
}

/// The car, shared between connector and test.
pub struct ToCar(pub Arc<ScriptedCar>);

impl Connector for ToCar {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(
            "Test",
            "Car",
            VehicleCommand::ALL,
            vec!["locked", "stationary"],
            true,
        )
    }

    fn state(&self) -> BoxFuture<'_, Result<CarState, ConnectorError>> {
        async move { Ok(self.0.state.lock().unwrap().clone()) }.boxed()
    }

    fn execute(&self, order: Order) -> BoxFuture<'_, Outcome> {
        async move {
            self.0.executed.lock().unwrap().push(order);
            let held = self.0.held.lock().unwrap().clone();
            if let Some(permits) = held {
                permits.acquire().await.unwrap().forget();
            }
            let scripted = self.0.outcomes.lock().unwrap().pop_front();
            scripted.unwrap_or_else(|| Outcome::Done {
                state: Box::default(),
            })
        }
        .boxed()
    }

    fn read_back(&self, query: ReadBack) -> BoxFuture<'_, Outcome> {
        async move {
            self.0.read_back.lock().unwrap().push(query.clone());
            loop {
                if let Some(outcome) = self.0.settled.lock().unwrap().pop_front() {
                    return outcome;
                }
                tokio::select! {
                    () = self.0.settle_now.notified() => {}
                    () = sleep_until(query.deadline) => {
                        return Outcome::Unknown { reference: CommandRef::new("later") };
                    }
                }
            }
        }
        .boxed()
    }
}

pub fn done() -> Outcome {
    Outcome::Done {
        state: Box::default(),
    }
}

pub fn declined() -> Outcome {
    Outcome::Declined {
        reason: Declined::DoorsOpen,
    }
}

pub fn unknown() -> Outcome {
    Outcome::Unknown {
        reference: CommandRef::new("ref-1"),
    }
}
