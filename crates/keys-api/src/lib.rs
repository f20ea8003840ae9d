//! The platform API: accounts, vehicles, keys, invitations, and the relay between phones, owners and
//! gateways.
//!
//! The API never decides for a car and no bearer token opens one: every lock or unlock is a signed
//! key which the gateway checks. Layers point inward: `routes` parse and render, `service` holds the
//! use cases, `storage` the queries, `model` the values; `http` is what all routes share.
//!
//! ```no_run
//! # async fn run() -> anyhow::Result<()> {
//! let server = keys_api::Server::start(keys_api::Config::default()).await?;
//! println!("{}", server.url());
//! server.stop().await;
//! # Ok(())
//! # }
//! ```

pub mod clock;
pub mod command;
pub mod config;
pub mod http;
pub mod jobs;
pub mod model;
pub mod openapi;
pub mod outbox;
pub mod random;
pub mod relay;
pub mod router;
pub mod routes;
pub mod sealer;
pub mod secret;
pub mod seed;
pub mod serve;
pub mod service;
pub mod state;
pub mod storage;

pub use config::Config;
pub use serve::{RunningServer, Server};
pub use state::App;
