//! Reading the configuration from its file and the environment.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use config::{File, FileFormat};
use serde::Deserialize;

use super::Config;

/// Why the configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A field holds something that cannot be.
    #[error("`{field}` {why}")]
    Field {
        /// Section and key, such as `database.url`.
        field: String,
        /// What was expected.
        why: String,
    },
    /// The file could not be read.
    #[error("configuration file `{0}` could not be read")]
    File(PathBuf, #[source] std::io::Error),
    /// The file or a variable does not parse.
    #[error("configuration does not parse")]
    Parse(#[source] config::ConfigError),
}

impl ConfigError {
    pub(super) fn field(field: &str, why: &str) -> Self {
        Self::Field {
            field: field.to_owned(),
            why: why.to_owned(),
        }
    }
}

/// Every key that can be set, as section and name.
const KEYS: [(&str, &str); 16] = [
    ("database", "max_connections"),
    ("database", "migrate_at_start"),
    ("database", "url"),
    ("keys", "directory"),
    ("limits", "connections"),
    ("limits", "per_caller"),
    ("limits", "per_peer"),
    ("limits", "sign_in"),
    ("server", "listen"),
    ("server", "origin"),
    ("server", "worker"),
    ("tls", "certificate"),
    ("tls", "directory"),
    ("tls", "key"),
    ("tls", "self_signed"),
    // The same file may configure the gateway; its section is not ours to judge.
    ("gateway", ""),
];

impl Config {
    /// Reads `file` (if any) and `environment` over the defaults, and checks the whole.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field where one is at fault.
    pub fn load(
        file: Option<&Path>,
        environment: &HashMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let mut builder = config::Config::builder();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|error| ConfigError::File(path.to_owned(), error))?;
            builder = builder.add_source(File::from_str(&text, FileFormat::Toml));
        }
        if let Some(url) = environment.get("DATABASE_URL") {
            builder = builder
                .set_override("database.url", url.as_str())
                .map_err(ConfigError::Parse)?;
        }
        for (section, key) in KEYS {
            let variable = format!("LATCHKEY_{section}_{key}").to_uppercase();
            if let Some(value) = environment.get(&variable).filter(|_| !key.is_empty()) {
                builder = builder
                    .set_override(format!("{section}.{key}"), value.as_str())
                    .map_err(ConfigError::Parse)?;
            }
        }
        let built = builder.build().map_err(ConfigError::Parse)?;
        let config = deserialize(built)?;
        config.validate()?;
        Ok(config)
    }
}

fn deserialize(built: config::Config) -> Result<Config, ConfigError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        database: super::DatabaseConfig,
        #[serde(default)]
        keys: super::KeysConfig,
        #[serde(default)]
        limits: super::LimitsConfig,
        #[serde(default)]
        server: super::ServerConfig,
        #[serde(default)]
        tls: super::TlsConfig,
        #[serde(default, rename = "gateway")]
        _gateway: serde::de::IgnoredAny,
    }
    let File {
        database,
        keys,
        limits,
        server,
        tls,
        _gateway: _,
    } = built.try_deserialize().map_err(ConfigError::Parse)?;
    Ok(Config {
        database,
        keys,
        limits,
        server,
        tls,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn nothing_given_is_the_defaults() {
        assert_eq!(
            Config::load(None, &HashMap::new()).unwrap(),
            Config::default()
        );
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            file.path(),
            "[server]\nlisten = \"127.0.0.1:1\"\nworker = false\n[gateway]\nx = 1\n[limits]\nper_peer = 7",
        )
        .unwrap();
        let environment = environment(&[
            ("LATCHKEY_SERVER_LISTEN", "127.0.0.1:2"),
            ("LATCHKEY_LIMITS_SIGN_IN", "5"),
            ("DATABASE_URL", "postgres://h/d"),
        ]);
        let config = Config::load(Some(file.path()), &environment).unwrap();
        assert_eq!(config.server.listen.port(), 2);
        assert!(!config.server.worker);
        assert_eq!((config.limits.sign_in, config.limits.per_peer), (5, 7));
        assert_eq!(config.database.url, "postgres://h/d");
    }

    #[test]
    fn a_refusal_names_the_field() {
        let cases = [
            ("LATCHKEY_DATABASE_URL", "mysql://h/d", "database.url"),
            (
                "LATCHKEY_DATABASE_MAX_CONNECTIONS",
                "0",
                "database.max_connections",
            ),
            ("LATCHKEY_LIMITS_PER_PEER", "0", "limits.per_peer"),
            ("LATCHKEY_LIMITS_PER_PEER", "many", "limits.per_peer"),
            ("LATCHKEY_SERVER_ORIGIN", "ftp://x", "server.origin"),
            ("LATCHKEY_SERVER_LISTEN", "nowhere", "server.listen"),
            ("LATCHKEY_TLS_CERTIFICATE", "c.pem", "tls.key"),
            ("LATCHKEY_TLS_KEY", "k.pem", "tls.certificate"),
            ("LATCHKEY_TLS_DIRECTORY", "", "tls.directory"),
            ("LATCHKEY_TLS_SELF_SIGNED", "perhaps", "tls.self_signed"),
        ];
        for (variable, value, field) in cases {
            let error = Config::load(None, &environment(&[(variable, value)])).unwrap_err();
            let text = format!(
                "{error} {:?}",
                std::error::Error::source(&error).map(ToString::to_string)
            );
            assert!(text.contains(field), "{variable}: {text}");
        }
    }

    #[test]
    fn an_origin_without_tls_is_refused_where_the_api_speaks_it() {
        let error = Config::load(
            None,
            &environment(&[
                ("LATCHKEY_TLS_SELF_SIGNED", "true"),
                ("LATCHKEY_SERVER_ORIGIN", "http://keys.example"),
            ]),
        )
        .unwrap_err();
        assert!(error.to_string().contains("server.origin"), "{error}");
    }

    #[test]
    fn the_origin_of_an_address_is_as_browsers_write_it() {
        let origin = |listen: &str, self_signed: &str| {
            let environment = environment(&[
                ("LATCHKEY_SERVER_LISTEN", listen),
                ("LATCHKEY_TLS_SELF_SIGNED", self_signed),
            ]);
            Config::load(None, &environment).unwrap().origin()
        };
        assert_eq!(origin("127.0.0.1:8080", "false"), "http://127.0.0.1:8080");
        assert_eq!(origin("127.0.0.1:80", "false"), "http://127.0.0.1");
        assert_eq!(origin("[::1]:8443", "true"), "https://[::1]:8443");
        assert_eq!(origin("[::1]:443", "true"), "https://[::1]");
        assert_eq!(origin("127.0.0.1:80", "true"), "https://127.0.0.1:80");
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[server]\nlissen = \"127.0.0.1:1\"").unwrap();
        let error = Config::load(Some(file.path()), &HashMap::new()).unwrap_err();
        assert!(format!("{:?}", error).contains("lissen"));
    }

    #[test]
    fn every_key_has_its_variable() {
        let whole = serde_json::to_value(Config::default()).unwrap();
        let sections = whole.as_object().unwrap();
        let mut named: Vec<(String, String)> = sections
            .iter()
            .flat_map(|(section, keys)| {
                keys.as_object()
                    .unwrap()
                    .keys()
                    .map(|key| (section.clone(), key.clone()))
            })
            .collect();
        named.sort();
        let mut known: Vec<(String, String)> = KEYS
            .iter()
            .filter(|(_, key)| !key.is_empty())
            .map(|(s, k)| ((*s).to_owned(), (*k).to_owned()))
            .collect();
        known.sort();
        assert_eq!(named, known);
    }
}
