//! What handlers and services share.

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::http::idempotency::InFlight;
use crate::http::rate_limit::RateLimits;
use crate::random::{Random, RowIds, SystemRandom};
use crate::relay::bells::Bells;
use crate::relay::hub::Hub;
use crate::sealer::{MasterKeyError, Sealer};
use crate::service::passwords::Passwords;
use crate::service::platform_keys::{PlatformKeys, PlatformKeysError};
use crate::storage::{self, Db};

/// The application: cheap to clone, passed to every handler and service.
#[derive(Clone)]
pub struct App(Arc<AppState>);

/// Everything behind an [`App`].
pub struct AppState {
    /// The database.
    pub db: Db,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes secrets.
    pub random: Arc<dyn Random>,
    /// Encrypts what is stored.
    pub sealer: Sealer,
    /// Hashes passwords, a few at a time.
    pub passwords: Passwords,
    /// Limits on callers.
    pub limits: RateLimits,
    /// Idempotency keys being answered.
    pub in_flight: InFlight,
    /// The configuration as checked at start.
    pub config: Config,
    /// The origin gateways and pages see.
    pub origin: String,
    /// Cancelled when the server stops; long waits end with it.
    pub stopping: CancellationToken,
    /// Gateways connected to this node.
    pub hub: Hub,
    /// Wakes requests that wait.
    pub bells: Bells,
    platform: OnceCell<PlatformKeys>,
    row_ids: RowIds,
}

/// Time and randomness, which tests replace.
pub struct Surroundings {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes secrets.
    pub random: Arc<dyn Random>,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SystemRandom),
        }
    }
}

/// Why the application could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration does not hold.
    #[error("configuration refused")]
    Config(#[from] crate::config::ConfigError),
    /// The database does not open.
    #[error("database refused")]
    Database(#[from] storage::OpenError),
    /// There is no master key.
    #[error("master key refused")]
    MasterKey(#[from] MasterKeyError),
    /// The platform's own keys do not open.
    #[error("platform keys refused")]
    PlatformKeys(#[from] PlatformKeysError),
}

impl App {
    /// Opens the database and the master key as configured.
    ///
    /// # Errors
    /// [`AppError`], with the field or file at fault.
    pub async fn open(config: Config, surroundings: Surroundings) -> Result<Self, AppError> {
        config.validate()?;
        let Surroundings { clock, random } = surroundings;
        let limits = RateLimits::new(&config.limits, clock.clone());
        let db = storage::open(&config.database).await?;
        let sealer =
            Sealer::open_or_create(&config.keys.directory.join("master.key"), random.as_ref())?;
        let origin = config.origin();
        let app = Self(Arc::new(AppState {
            db,
            clock,
            random,
            sealer,
            passwords: Passwords::default(),
            limits,
            in_flight: InFlight::default(),
            origin,
            config,
            stopping: CancellationToken::new(),
            hub: Hub::default(),
            bells: Bells::default(),
            platform: OnceCell::new(),
            row_ids: RowIds::default(),
        }));
        app.platform
            .get_or_try_init(|| PlatformKeys::open(&app))
            .await?;
        Ok(app)
    }

    /// The platform's own signing keys; made at the first start.
    #[must_use]
    pub fn platform(&self) -> &PlatformKeys {
        self.platform
            .get()
            .expect("App::open, which alone makes an App, has opened them")
    }

    /// A fresh row id of any kind.
    pub fn new_id<T: From<Uuid>>(&self) -> T {
        self.row_ids
            .next(self.clock.as_ref(), self.random.as_ref())
            .into()
    }
}

impl Deref for App {
    type Target = AppState;

    fn deref(&self) -> &AppState {
        &self.0
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("App")
    }
}
