//! A simulated car behind a real connector, with every fault a real one can have.
//!
//! `car` is the car and knows nothing of the gateway; `faults` is what can be wrong with it;
//! `history` is what it carried out; [`admin`] is a loopback port through which a person or a test
//! looks at it and breaks it. This file adapts the car to [`Connector`]: it goes the same road as any
//! other back-end and may not peek.

pub mod admin;
mod car;
mod faults;
mod history;
mod profile;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use keys_core::command::VehicleCommand;
use keys_core::id::CommandId;
use serde::Deserialize;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};

use self::car::{Car, Report};
pub use self::faults::{Faults, Silence};
pub use self::history::Execution;
use self::history::History;
pub use self::profile::{Powertrain, Profile};
use super::{
    Backend, Capabilities, CarState, CommandRef, Connector, ConnectorError, Declined, Observed,
    Order, Outcome, Position, Progress, ReadBack, Secret, Start, StartError, Timing, carry_out,
    settings, settle,
};

/// How often the car is asked while a command is under way, and how long an answer may take.
const TIMING: Timing = Timing {
    poll: Duration::from_millis(25),
    answer: Duration::from_secs(2),
};

/// Settings of a connector of kind `simulated`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// Brand, model and habits.
    profile: Profile,
    /// Where the car stands. Default: Alexanderplatz, Berlin.
    position: Position,
    /// What is wrong with it at the start. Default: nothing.
    faults: Faults,
    /// File that lists what the car carried out, and restores it; relative to the data directory.
    /// Default: none, a new car at each start.
    executions_file: Option<PathBuf>,
    /// Loopback address of the admin port. Default: none. Port 0 picks a free one.
    admin_listen: Option<SocketAddr>,
    /// Bearer token of the admin port. Default: random, written to the admin file.
    admin_token: Option<Secret>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            position: Position {
                latitude_e7: 525_219_000,
                longitude_e7: 134_132_000,
            },
            faults: Faults::default(),
            executions_file: None,
            admin_listen: None,
            admin_token: None,
        }
    }
}

/// Starts a simulated car: the factory of kind `simulated`.
pub fn start(start: Start) -> BoxFuture<'static, Result<Arc<dyn Connector>, StartError>> {
    async move {
        let mut given: Settings = settings(&start.config)?;
        if given
            .profile
            .without
            .iter()
            .any(|name| name.parse::<VehicleCommand>().is_err())
        {
            let names = VehicleCommand::ALL.map(VehicleCommand::as_str).join(", ");
            return Err(StartError::setting(
                "profile.without",
                format!("names no command, expected {names}"),
            ));
        }
        let mut car = Car::new(given.profile.clone(), given.position, given.faults.clone());
        if let Some(file) = &given.executions_file {
            let mut past = Vec::new();
            let history = History::open(&start.data_dir.join(file), |one| past.push(one.clone()))
                .map_err(|source| StartError::Io {
                what: "the list of executions",
                source,
            })?;
            car.restore(&past, history);
        }
        let shared = Arc::new(Shared::new(car, given.profile.capabilities()));
        let stop = CancellationToken::new();
        if let Some(listen) = given.admin_listen {
            let port = admin::Port {
                listen,
                token: given.admin_token.take(),
                file: start
                    .data_dir
                    .join(format!("{}-admin.json", start.config.name())),
            };
            admin::serve(port, shared.clone(), stop.clone()).await?;
        }
        tokio::spawn(live(shared.clone(), stop.clone()));
        let connector = Simulated {
            shared,
            _stop: stop.drop_guard(),
        };
        Ok(Arc::new(connector) as Arc<dyn Connector>)
    }
    .boxed()
}

/// The car, shared by the connector, the admin port and the passing of time.
struct Shared {
    car: Mutex<Car>,
    capabilities: Capabilities,
    /// When the car came into being; its `now` counts from there.
    started: Instant,
    /// The newest sample this side has seen and when, so that seeing it again makes it no younger.
    seen: Mutex<Option<(u64, Instant)>>,
    changed: Notify,
}

impl Shared {
    fn new(car: Car, capabilities: Capabilities) -> Self {
        Self {
            car: Mutex::new(car),
            capabilities,
            started: Instant::now(),
            seen: Mutex::new(None),
            changed: Notify::new(),
        }
    }

    fn car(&self) -> MutexGuard<'_, Car> {
        self.car.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(self.started)
    }

    fn set_faults(&self, faults: Faults) {
        self.car().set_faults(self.now(), faults);
        self.changed.notify_one();
    }

    /// The car, if it can be reached.
    fn reach(&self) -> Result<MutexGuard<'_, Car>, ConnectorError> {
        let mut car = self.car();
        car.advance(self.now());
        if car.faults().offline {
            Err(ConnectorError::Offline)
        } else {
            Ok(car)
        }
    }

    /// When a reported sample was surely taken.
    ///
    /// A live one was taken after it was asked for. One seen before keeps its instant. Any other is
    /// from before this connector existed, and only its age is asked of the car's clock.
    fn sampled_at(&self, report: &Report, asked_at: Instant) -> Instant {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let at = match *seen {
            _ if report.live => asked_at,
            Some((sequence, at)) if sequence == report.sequence => at,
            _ => {
                let age_ms =
                    u64::try_from(report.clock_ms.saturating_sub(report.sampled_ms)).unwrap_or(0);
                let told = asked_at
                    .checked_sub(Duration::from_millis(age_ms))
                    .unwrap_or(self.started);
                told.min(self.started)
            }
        };
        *seen = Some((report.sequence, at));
        at
    }
}

/// Lets time pass for the car, so that what is due happens though nobody asks.
async fn live(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let due = {
            let mut car = shared.car();
            car.advance(shared.now());
            car.next_due()
        };
        let wait = async {
            match due {
                Some(due) => sleep_until(shared.started + due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.changed.notified() => {}
            () = wait => {}
        }
    }
}

/// The connector to one simulated car. Dropping it ends the car.
struct Simulated {
    shared: Arc<Shared>,
    _stop: DropGuard,
}

impl Connector for Simulated {
    fn capabilities(&self) -> Capabilities {
        self.shared.capabilities.clone()
    }

    fn state(&self) -> BoxFuture<'_, Result<CarState, ConnectorError>> {
        self.read()
    }

    fn execute(&self, order: Order) -> BoxFuture<'_, Outcome> {
        if let Err(reason) = self.shared.capabilities.require(order.command) {
            return futures_util::future::ready(Outcome::Declined { reason }).boxed();
        }
        carry_out(self, order, TIMING).boxed()
    }

    fn read_back(&self, query: ReadBack) -> BoxFuture<'_, Outcome> {
        settle(self, query, TIMING).boxed()
    }
}

impl Backend for Simulated {
    fn wake(&self) -> BoxFuture<'_, Result<(), ConnectorError>> {
        async move {
            let at = self
                .shared
                .reach()?
                .wake(self.shared.now())
                .ok_or(ConnectorError::Asleep)?;
            self.shared.changed.notify_one();
            sleep_until(self.shared.started + at).await;
            Ok(())
        }
        .boxed()
    }

    fn read(&self) -> BoxFuture<'_, Result<CarState, ConnectorError>> {
        async move {
            let asked_at = Instant::now();
            let report = self.shared.reach()?.report(self.shared.now());
            let at = self.shared.sampled_at(&report, asked_at);
            Ok(state_of(report, at))
        }
        .boxed()
    }

    fn send(&self, order: Order) -> BoxFuture<'_, Result<CommandRef, ConnectorError>> {
        async move {
            let ttl = order.deadline.saturating_duration_since(Instant::now());
            let mut car = self.shared.reach()?;
            if car.faults().refusing {
                return Err(ConnectorError::Refused(Declined::Refused));
            }
            if !car.take(self.shared.now(), order.id, order.command, ttl) {
                return Err(ConnectorError::Asleep);
            }
            drop(car);
            self.shared.changed.notify_one();
            Ok(CommandRef::new(&order.id.to_string()))
        }
        .boxed()
    }

    fn progress<'a>(&'a self, reference: &'a CommandRef) -> BoxFuture<'a, Progress> {
        async move {
            let Ok(id) = reference.as_str().parse::<CommandId>() else {
                return Progress::Untold;
            };
            let now = self.shared.now();
            self.shared
                .reach()
                .map_or(Progress::Untold, |car| car.progress(now, &id))
        }
        .boxed()
    }
}

fn state_of(report: Report, at: Instant) -> CarState {
    let sample = report.sample;
    CarState {
        locked: Some(Observed::new(sample.locked, at)),
        open_doors: Some(Observed::new(sample.open_doors, at)),
        open_windows: Some(Observed::new(sample.open_windows, at)),
        driving_enabled: Some(Observed::new(sample.driving_enabled, at)),
        charge_port_open: sample.charge_port_open.map(|open| Observed::new(open, at)),
        ignition_on: Some(Observed::new(sample.ignition_on, at)),
        stationary: Some(Observed::new(sample.speed_kmh == 0, at)),
        speed_kmh: Some(Observed::new(sample.speed_kmh, at)),
        position: Some(Observed::new(sample.position, at)),
        fuel_percent: sample
            .fuel_percent
            .map(|percent| Observed::new(percent, at)),
        charge_percent: sample
            .charge_percent
            .map(|percent| Observed::new(percent, at)),
        odometer_km: Some(Observed::new(sample.odometer_km, at)),
    }
}

#[cfg(test)]
mod tests;
