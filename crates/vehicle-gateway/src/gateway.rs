//! Starting and stopping a gateway.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use keys_core::id::VehicleId;
use keys_core::journal::EntryKind;
use keys_core::pairing::PairingCode;
use keys_core::signature::{Signer, VerifyingKey};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::challenge::Challenges;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigError};
use crate::connector::{Connectors, Registry};
use crate::core::{Core, Rules, Start};
use crate::feeds;
use crate::handler::Handler;
use crate::link::{Limits, Link, http};
use crate::pairing::{Pairing, PairingError, PairingSink, Relay, keep_offering};
use crate::status::STATUS_FILE;
use crate::store::{OpenError, Store, StoreError};
use crate::sync::{
    self, ApiEndpoint, EndpointError, Feeds, Line, LineState, Random, SyncHandler, system_random,
};

/// How long tasks may take to end.
const FAREWELL: Duration = Duration::from_secs(10);
/// How long whoever shares the store may take to let go of it.
const FREED: Duration = Duration::from_secs(2);
/// Pause before pairing is offered again after the API refused it.
const OFFER_AGAIN: Duration = Duration::from_secs(30);

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The configuration is wrong.
    #[error("configuration refused")]
    Config(#[from] ConfigError),
    /// The store cannot be opened.
    #[error("gateway store cannot be opened")]
    Open(#[from] OpenError),
    /// The store cannot be read or written.
    #[error("gateway store cannot be used")]
    Store(#[from] StoreError),
    /// The local link cannot listen.
    #[error("local link cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The API's address or certificates are wrong.
    #[error("API endpoint cannot be used")]
    Endpoint(#[from] EndpointError),
    /// A file of the configuration cannot be read.
    #[error("certificates of the API's authority cannot be read")]
    Authority(#[source] io::Error),
    /// No randomness.
    #[error("no randomness")]
    Random(#[source] io::Error),
}

/// What a gateway takes from its surroundings; tests put their own in place.
pub struct Surroundings {
    /// The monotonic clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Random,
    /// Connectors that run already; `None` starts those of the configuration.
    pub connectors: Option<Connectors>,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            random: system_random(),
            connectors: None,
        }
    }
}

/// Starts gateways.
#[derive(Debug, Clone, Copy)]
pub struct Gateway;

/// A gateway that runs until it is stopped or dropped.
pub struct RunningGateway {
    core: Arc<Core>,
    address: SocketAddr,
    code: watch::Receiver<Option<PairingCode>>,
    line: watch::Receiver<LineState>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _dropped: tokio_util::sync::DropGuard,
}

impl Gateway {
    /// Starts a gateway: opens and checks its store, takes up what was left undone, starts the
    /// connectors, opens the local link and, if there is an API, dials it.
    ///
    /// # Errors
    /// [`GatewayError`]; a damaged store or journal refuses to start and says what to do.
    pub async fn start(config: Config) -> Result<RunningGateway, GatewayError> {
        Self::start_in(config, Surroundings::default()).await
    }

    /// As [`Gateway::start`], with another clock, randomness or car.
    ///
    /// # Errors
    /// As there.
    pub async fn start_in(
        config: Config,
        surroundings: Surroundings,
    ) -> Result<RunningGateway, GatewayError> {
        config.check()?;
        let endpoint = endpoint(&config)?;
        let core = Arc::new(
            open_core(
                &config,
                surroundings.clock,
                &surroundings.random,
                surroundings.connectors,
            )
            .await?,
        );
        core.take_up_intents().await?;
        let mut boot = core.entry(EntryKind::Boot);
        boot.note = Some(concat!("vehicle-gateway ", env!("CARGO_PKG_VERSION")).to_owned());
        core.stored(move |store| store.note(boot)).await?;

        let limits = Limits {
            patience: config.patience(),
            connections: config.connections,
        };
        let link =
            Link::open(config.listen, limits)
                .await
                .map_err(|source| GatewayError::Listen {
                    address: config.listen,
                    source,
                })?;
        let address = link.address();
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(link.serve(http::router(core.clone(), config.patience()), stop.clone()));
        tasks.spawn(core.clone().settle_all(stop.clone()));
        tasks.spawn(feeds::ticks(core.clone(), stop.clone()));

        let (head_sender, head) = watch::channel(None);
        let (state_sender, state) = watch::channel(None);
        tasks.spawn(feeds::heads(core.clone(), head_sender, stop.clone()));
        tasks.spawn(feeds::states(core.clone(), state_sender, stop.clone()));
        let feeds = Feeds {
            receipts: core.news.receipts.clone(),
            head,
            state,
        };

        let (code_sender, code) = watch::channel(None);
        let (line_sender, line) = watch::channel(LineState::Stopped);
        if let Some(endpoint) = endpoint {
            let api = Api {
                core: core.clone(),
                endpoint,
                feeds,
                random: surroundings.random,
                stop: stop.clone(),
            };
            tasks.spawn(api.run(code_sender, line_sender));
        }
        let file = config.data.join(STATUS_FILE);
        let view = status_view(core.clone(), address, code.clone(), line.clone());
        tasks.spawn(feeds::status_file(file, view, core.clone(), stop.clone()));
        tasks.close();
        tracing::info!(%address, vehicle = ?core.vehicle(), "gateway started");
        let dropped = stop.clone().drop_guard();
        Ok(RunningGateway {
            core,
            address,
            code,
            line,
            tasks,
            stop,
            _dropped: dropped,
        })
    }
}

pub(crate) fn endpoint(config: &Config) -> Result<Option<ApiEndpoint>, GatewayError> {
    let Some(origin) = &config.api else {
        return Ok(None);
    };
    let authority = config.api_authority.as_ref().map(std::fs::read).transpose();
    let authority = authority.map_err(GatewayError::Authority)?;
    Ok(Some(ApiEndpoint::parse(origin, authority.as_deref())?))
}

/// Opens the store and puts the core together; nothing runs yet but the connectors.
pub(crate) async fn open_core(
    config: &Config,
    clock: Arc<dyn Clock>,
    random: &Random,
    connectors: Option<Connectors>,
) -> Result<Core, GatewayError> {
    let (directory, budget, drawn) = (
        config.data.clone(),
        config.journal_budget_bytes,
        random.clone(),
    );
    // Checking a long journal takes a while.
    let opened = tokio::task::spawn_blocking(move || {
        Store::open(&directory, budget, |buffer| drawn(buffer))
    });
    let store = opened
        .await
        .map_err(|error| GatewayError::Random(io::Error::other(error)))??;
    let key = store.gateway_key()?;
    let challenges = Challenges::start(random, clock.now_ms()).map_err(GatewayError::Random)?;
    let connectors = match connectors {
        Some(connectors) => connectors,
        None => {
            Registry::standard()
                .start_all(config.connectors.clone(), config.data.clone())
                .await
        }
    };
    let rules = Rules {
        command_deadline: config.command_deadline(),
        return_origin: config.return_origin(),
        reports: config.api.is_some(),
    };
    Ok(Core::new(Start {
        store,
        key,
        clock,
        connectors,
        challenges,
        rules,
    })?)
}

fn status_view(
    core: Arc<Core>,
    address: SocketAddr,
    code: watch::Receiver<Option<PairingCode>>,
    line: watch::Receiver<LineState>,
) -> impl Fn() -> Value {
    move || {
        let mut view = core.status();
        view["local_url"] = json!(format!("http://{address}"));
        view["line"] = json!(line.borrow().as_str());
        if let Some(code) = &*code.borrow() {
            view["pairing_code"] = json!(code.reveal().to_string());
        }
        view
    }
}

impl RunningGateway {
    /// Where the local link is.
    #[must_use]
    pub fn local_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Which vehicle this gateway is beside; `None` while it is not paired.
    #[must_use]
    pub fn vehicle_id(&self) -> Option<VehicleId> {
        self.core.vehicle()
    }

    /// The gateway's public key.
    #[must_use]
    pub fn gateway_key(&self) -> VerifyingKey {
        *self.core.gateway_key()
    }

    /// The pairing code that is good now, as shown at the car; `None` once paired or without an API.
    #[must_use]
    pub fn pairing_code(&self) -> Option<String> {
        self.code
            .borrow()
            .as_ref()
            .map(|code| code.reveal().to_string())
    }

    /// The pairing codes, one after the other, as they are shown at the car.
    #[must_use]
    pub fn pairing_codes(&self) -> watch::Receiver<Option<PairingCode>> {
        self.code.clone()
    }

    /// Waits for a pairing code; `None` if the gateway is paired, stops, or has no API.
    pub async fn next_pairing_code(&self) -> Option<String> {
        let mut code = self.code.clone();
        let mut vehicle = self.core.news.vehicle.subscribe();
        tokio::select! {
            shown = code.wait_for(Option::is_some) => {
                shown.ok().and_then(|code| code.as_ref().map(|code| code.reveal().to_string()))
            }
            _ = vehicle.wait_for(Option::is_some) => None,
            () = self.stop.cancelled() => None,
        }
    }

    /// Waits until the gateway is paired; `None` if it stops before.
    pub async fn paired(&self) -> Option<VehicleId> {
        let mut vehicle = self.core.news.vehicle.subscribe();
        tokio::select! {
            paired = vehicle.wait_for(Option::is_some) => paired.ok().and_then(|vehicle| *vehicle),
            () = self.stop.cancelled() => None,
        }
    }

    /// How the line to the API is.
    #[must_use]
    pub fn line(&self) -> watch::Receiver<LineState> {
        self.line.clone()
    }

    /// Where a pairing confirmed beside the car goes.
    ///
    /// Whoever calls it has checked the code; the API's relay is only one way for a confirmation to come.
    #[must_use]
    pub fn pairing_sink(&self) -> Arc<dyn PairingSink> {
        Arc::new(Handler(self.core.clone()))
    }

    /// Answers what comes in over a line to the API, whichever kind of line it is.
    #[must_use]
    pub fn sync_handler(&self) -> Arc<dyn SyncHandler> {
        Arc::new(Handler(self.core.clone()))
    }

    /// What `status` shows.
    #[must_use]
    pub fn status(&self) -> Value {
        status_view(
            self.core.clone(),
            self.address,
            self.code.clone(),
            self.line.clone(),
        )()
    }

    /// Waits until the gateway is stopped.
    pub async fn wait(&self) {
        self.stop.cancelled().await;
    }

    /// Stops it: no new command, the one under way to its end, everything written.
    pub async fn stop(self) {
        let patience = self.core.rules.command_deadline + FAREWELL;
        self.stop.cancel();
        if timeout(patience, self.core.one_command.clone().lock_owned())
            .await
            .is_err()
        {
            tracing::warn!("a command is still under way; it will be read back at the next start");
        }
        let _ = timeout(FAREWELL, self.tasks.wait()).await;
        if let Err(error) = self.core.tick(0, true).await {
            tracing::error!(error = %crate::error_chain(&error), "the last entries could not be stored");
        }
        // What the line had begun ends by itself; then the store is free for the next process.
        let freed = async {
            while Arc::strong_count(&self.core) > 1 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = timeout(FREED, freed).await;
    }
}

impl std::fmt::Debug for RunningGateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningGateway")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Everything between this gateway and its API.
struct Api {
    core: Arc<Core>,
    endpoint: ApiEndpoint,
    feeds: Feeds,
    random: Random,
    stop: CancellationToken,
}

impl Api {
    /// Offers pairing until the car is paired, then keeps the line up.
    async fn run(self, shown: watch::Sender<Option<PairingCode>>, line: watch::Sender<LineState>) {
        let mut vehicle = self.core.news.vehicle.subscribe();
        if vehicle.borrow_and_update().is_none() {
            tokio::select! {
                () = self.stop.cancelled() => return,
                _ = vehicle.wait_for(Option::is_some) => {}
                () = self.offer(&shown) => {}
            }
            shown.send_replace(None);
            self.core.news.status.notify_one();
        }
        let Some(vehicle) = self.core.vehicle() else {
            return;
        };
        let handler = Arc::new(Handler(self.core.clone()));
        let line_of = Line {
            endpoint: self.endpoint,
            vehicle,
            signer: Arc::new(self.core.key.clone()),
            handler: handler.clone(),
            outbox: handler,
            feeds: self.feeds,
            random: self.random,
        };
        sync::run(line_of, line, self.stop).await;
    }

    async fn offer(&self, shown: &watch::Sender<Option<PairingCode>>) {
        let sink = Handler(self.core.clone());
        loop {
            let ended = match Relay::new(self.endpoint.clone()) {
                Ok(relay) => {
                    let pairing = Pairing {
                        relay: &relay,
                        gateway_key: self.core.key.verifying_key(),
                        sink: &sink,
                        random: &self.random,
                        shown,
                        stop: &self.stop,
                    };
                    keep_offering(&pairing).await.map(drop)
                }
                Err(error) => {
                    tracing::error!(error = %crate::error_chain(&error), "pairing cannot be offered");
                    return std::future::pending().await;
                }
            };
            match ended {
                Ok(()) | Err(PairingError::Stopped) => return,
                Err(error) => {
                    tracing::error!(error = %crate::error_chain(&error), "pairing is offered again soon");
                    sleep(OFFER_AGAIN).await;
                }
            }
        }
    }
}
