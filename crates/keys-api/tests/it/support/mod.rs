//! What tests share: an application in process, requests against it, a cast of callers.
//!
//! With `LATCHKEY_TEST_POSTGRES=postgres://…/postgres` each test gets a database of its own there
//! instead of an SQLite file; tests about the file itself then ask [`TestApp::sqlite_file`] and end.

mod cast;
mod database;
mod gateway;
mod host;
mod phone;
mod request;
mod sovereign;

pub use cast::Cast;
pub use gateway::{Acts, Car, FakeGateway};
pub use host::{Host, at, b64, unb64};
pub use phone::{Phone, leaf_of, receipt_of};
pub use request::{Answer, Call};
pub use sovereign::Sovereign;

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use keys_api::clock::FixedClock;
use keys_api::config::Config;
use keys_api::random::SystemRandom;
use keys_api::router;
use keys_api::state::{App, Surroundings};
use keys_core::time::Timestamp;
use tempfile::TempDir;

/// Monday, 2026-11-23 08:00 UTC.
pub const NOW: Timestamp = Timestamp(1_795_420_800);

/// The application in process, on its own SQLite file, with a clock that stands still.
pub struct TestApp {
    pub app: App,
    pub clock: Arc<FixedClock>,
    pub directory: TempDir,
    router: Router,
}

impl TestApp {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With a changed configuration.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = config_in(&directory);
        if let Some(url) = database::fresh_postgres().await {
            config.database.url = url;
        }
        change(&mut config);
        let clock = Arc::new(FixedClock::at(NOW));
        let surroundings = Surroundings {
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
        };
        let app = App::open(config, surroundings).await.unwrap();
        let router = router::router(app.clone());
        Self {
            app,
            clock,
            directory,
            router,
        }
    }

    /// The database file and its log, if this is SQLite; closes the database.
    pub async fn sqlite_file(&self) -> Option<Vec<u8>> {
        self.app.db.clone().close().await;
        let file = self.directory.path().join("latchkey.db");
        let mut bytes = std::fs::read(&file).ok()?;
        bytes.extend(std::fs::read(file.with_extension("db-wal")).unwrap_or_default());
        Some(bytes)
    }

    pub fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.router.clone(), method, path)
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    /// Serves the same application on a socket too, for gateways to dial; returns its address.
    pub async fn listen(&self) -> std::net::SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = self.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    /// Signs up and returns the session's token.
    pub async fn sign_up(&self, email: &str) -> String {
        let body = serde_json::json!({"email": email, "password": "correct horse"});
        let answer = self.post("/v1/accounts").json(body).send().await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.text("token")
    }

    /// Registers a managed vehicle and returns its id.
    pub async fn register_vehicle(&self, token: &str) -> String {
        let body = serde_json::json!({"name": "Blue Fiat", "time_zone": "Europe/Berlin"});
        let answer = self
            .post("/v1/vehicles")
            .bearer(token)
            .json(body)
            .send()
            .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.text("id")
    }
}

/// Everything below `directory`.
pub fn config_in(directory: &TempDir) -> Config {
    Config::in_directory(
        directory.path(),
        std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
    )
}
