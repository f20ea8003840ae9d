//! Configuration: one TOML file, every key also in the environment, checked whole at start.
//!
//! The gateway reads section `[gateway]`; other sections of the same file are others' business.

mod load;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use keys_core::challenge::Origin;
use serde::Deserialize;

pub use self::load::ConfigError;
use crate::connector::ConnectorConfig;
use crate::sync::ApiEndpoint;

/// How a gateway runs. Variables are `LATCHKEY_GATEWAY_<KEY>`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `DATA`: directory of everything the gateway remembers. Default `./latchkey-gateway`.
    pub data: PathBuf,
    /// `LISTEN`: address of the local link. Default `127.0.0.1:8081`; port 0 picks a free one.
    pub listen: SocketAddr,
    /// `API`: origin of the API, such as `https://keys.example`. Default none: phones carry everything.
    pub api: Option<String>,
    /// `API_AUTHORITY`: PEM file; only its certificates are believed for the API. Default the public ones.
    pub api_authority: Option<PathBuf>,
    /// `RETURN_ORIGIN`: origin a browser returns to with its answer. Default none.
    pub return_origin: Option<String>,
    /// `JOURNAL_BUDGET_BYTES`: most bytes of the journal; a tenth is kept for acts. Default 256 MiB.
    pub journal_budget_bytes: u64,
    /// `COMMAND_DEADLINE_MS`: how long the car has for a command, ms. Default 15000.
    pub command_deadline_ms: u64,
    /// `PATIENCE_MS`: how long a client may take over its headers, and over its body, ms. Default 30000.
    pub patience_ms: u64,
    /// `CONNECTIONS`: connections of the local link at a time. Default 128.
    pub connections: usize,
    /// `CONNECTORS`: the car; in the environment a JSON array of `{"kind": …, …}`.
    pub connectors: Vec<ConnectorConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("latchkey-gateway"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)),
            api: None,
            api_authority: None,
            return_origin: None,
            journal_budget_bytes: 256 * 1024 * 1024,
            command_deadline_ms: 15_000,
            patience_ms: 30_000,
            connections: 128,
            connectors: Vec::new(),
        }
    }
}

impl Config {
    /// Everything at its default, in this data directory.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            ..Self::default()
        }
    }

    /// How long the car has for a command.
    #[must_use]
    pub fn command_deadline(&self) -> Duration {
        Duration::from_millis(self.command_deadline_ms)
    }

    /// Where a browser returns to, as challenges say it; `None` also if it is too long for one.
    #[must_use]
    pub fn return_origin(&self) -> Option<Origin> {
        Origin::from(self.return_origin.as_deref()?).ok()
    }

    /// How long a client may take.
    #[must_use]
    pub fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms)
    }

    /// Checks what its type does not.
    ///
    /// # Errors
    /// [`ConfigError::Field`] with the field's name.
    pub fn check(&self) -> Result<(), ConfigError> {
        let bounds = [
            (
                "gateway.journal_budget_bytes",
                self.journal_budget_bytes,
                64 * 1024,
                1 << 40,
            ),
            (
                "gateway.command_deadline_ms",
                self.command_deadline_ms,
                100,
                120_000,
            ),
            ("gateway.patience_ms", self.patience_ms, 10, 600_000),
            ("gateway.connections", self.connections as u64, 1, 10_000),
        ];
        for (field, value, least, most) in bounds {
            if !(least..=most).contains(&value) {
                return Err(ConfigError::field(
                    field,
                    &format!("must be {least} to {most}"),
                ));
            }
        }
        if let Some(origin) = &self.api {
            ApiEndpoint::parse(origin, None)
                .map_err(|error| ConfigError::field("gateway.api", &error.to_string()))?;
        }
        if self.return_origin.is_some() && self.return_origin().is_none() {
            return Err(ConfigError::field(
                "gateway.return_origin",
                "must be at most 256 bytes",
            ));
        }
        Ok(())
    }
}
