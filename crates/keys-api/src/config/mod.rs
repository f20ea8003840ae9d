//! Configuration: one TOML file, every key also as `LATCHKEY_<SECTION>_<KEY>` in the environment;
//! `DATABASE_URL` stands for `database.url`. Checked whole at start, refused with the field's name.

mod load;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

pub use load::ConfigError;
pub use tls::TlsConfig;

/// Everything the API can be told.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `[database]`
    pub database: DatabaseConfig,
    /// `[keys]`
    pub keys: KeysConfig,
    /// `[limits]`
    pub limits: LimitsConfig,
    /// `[server]`
    pub server: ServerConfig,
    /// `[tls]`
    pub tls: TlsConfig,
}

/// Where the API listens.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// `LATCHKEY_SERVER_LISTEN`: address and port; port 0 takes a free one. Default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// `LATCHKEY_SERVER_ORIGIN`: the origin that gateways and pages see, such as
    /// `https://keys.example.com`. Default: `https://` where [`TlsConfig::is_on`], else `http://`, and the address listened on.
    pub origin: Option<String>,
    /// `LATCHKEY_SERVER_WORKER`: whether this process also runs the background jobs. Default `true`.
    pub worker: bool,
}

/// Which database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `DATABASE_URL` or `LATCHKEY_DATABASE_URL`: `sqlite://FILE` or `postgres://…`.
    /// Default `sqlite://latchkey-data/latchkey.db`.
    pub url: String,
    /// `LATCHKEY_DATABASE_MAX_CONNECTIONS`: size of the pool (SQLite: of the read pool). Default 8.
    pub max_connections: u32,
    /// `LATCHKEY_DATABASE_MIGRATE_AT_START`: bring the schema up to date at start. Default `true`.
    pub migrate_at_start: bool,
}

/// Where key material lives.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeysConfig {
    /// `LATCHKEY_KEYS_DIRECTORY`: holds `master.key`, under which stored keys are encrypted, and the
    /// platform root's key file. Default `latchkey-data/keys`.
    pub directory: PathBuf,
}

/// How much one caller may ask.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// `LATCHKEY_LIMITS_PER_CALLER`: requests per minute and bearer token. Default 6,000.
    pub per_caller: u32,
    /// `LATCHKEY_LIMITS_PER_PEER`: requests per minute and peer address. Default 24,000.
    pub per_peer: u32,
    /// `LATCHKEY_LIMITS_SIGN_IN`: requests per minute and peer address to sign up or in. Default 120.
    pub sign_in: u32,
    /// `LATCHKEY_LIMITS_CONNECTIONS`: open connections in all. Default 4,096.
    pub connections: u32,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            origin: None,
            worker: true,
        }
    }
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        let url = "sqlite://latchkey-data/latchkey.db".to_owned();
        Self {
            url,
            max_connections: 8,
            migrate_at_start: true,
        }
    }
}

impl Default for KeysConfig {
    fn default() -> Self {
        Self {
            directory: PathBuf::from("latchkey-data/keys"),
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            per_caller: 6_000,
            per_peer: 24_000,
            sign_in: 120,
            connections: 4_096,
        }
    }
}

impl Config {
    /// The defaults with everything kept below `directory`: an SQLite file and the keys.
    #[must_use]
    pub fn in_directory(directory: &Path, listen: SocketAddr) -> Self {
        let mut config = Self::default();
        config.database.url = format!("sqlite://{}", directory.join("latchkey.db").display());
        config.keys.directory = directory.join("keys");
        config.server.listen = listen;
        config.tls.directory = directory.join("tls");
        config
    }

    /// The origin gateways and pages see: `server.origin`, or that of the address listened on, as
    /// browsers write it (without the scheme's own port).
    #[must_use]
    pub fn origin(&self) -> String {
        let of_address = || {
            let listen = self.server.listen;
            let (scheme, own_port) = self.scheme();
            if listen.port() != own_port {
                return format!("{scheme}://{listen}");
            }
            match listen.ip() {
                IpAddr::V4(ip) => format!("{scheme}://{ip}"),
                IpAddr::V6(ip) => format!("{scheme}://[{ip}]"),
            }
        };
        self.server.origin.clone().unwrap_or_else(of_address)
    }

    /// The scheme the API speaks on its socket, and that scheme's port.
    pub(crate) fn scheme(&self) -> (&'static str, u16) {
        if self.tls.is_on() {
            ("https", 443)
        } else {
            ("http", 80)
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`ConfigError::Field`] with the name of the first field that does not hold.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let refuse = |field: &str, why: &str| Err(ConfigError::field(field, why));
        if crate::storage::connect::engine_of(&self.database.url).is_none() {
            return refuse(
                "database.url",
                "must begin with `sqlite://` and a file path, or `postgres://`",
            );
        }
        if !(1..=1000).contains(&self.database.max_connections) {
            return refuse("database.max_connections", "must be 1 to 1000");
        }
        if self.keys.directory.as_os_str().is_empty() {
            return refuse("keys.directory", "must not be empty");
        }
        if let Some(origin) = &self.server.origin
            && !is_origin(origin)
        {
            return refuse(
                "server.origin",
                "must be `https://` or `http://` and a host, without a path",
            );
        }
        self.tls.validate()?;
        if let Some(origin) = &self.server.origin
            && self.tls.is_on()
            && !origin.starts_with("https://")
        {
            return refuse("server.origin", "must be `https://` where `tls` is set");
        }
        let limits = [
            ("limits.per_caller", self.limits.per_caller),
            ("limits.per_peer", self.limits.per_peer),
            ("limits.sign_in", self.limits.sign_in),
            ("limits.connections", self.limits.connections),
        ];
        match limits.iter().find(|(_, value)| *value == 0) {
            Some((field, _)) => refuse(field, "must be at least 1"),
            None => Ok(()),
        }
    }
}

fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']))
}
