//! Reading the configuration from its file and the environment.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use config::{File, FileFormat};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Config;
use crate::connector::ConnectorConfig;

/// Why the configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A field holds something that cannot be.
    #[error("`{field}` {why}")]
    Field {
        /// Section and key, such as `gateway.listen`.
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
    pub(crate) fn field(field: &str, why: &str) -> Self {
        Self::Field {
            field: field.to_owned(),
            why: why.to_owned(),
        }
    }
}

/// Every key that can be set by a variable as it is.
const KEYS: [&str; 9] = [
    "api",
    "api_authority",
    "command_deadline_ms",
    "connections",
    "data",
    "journal_budget_bytes",
    "listen",
    "patience_ms",
    "return_origin",
];
const CONNECTORS: &str = "LATCHKEY_GATEWAY_CONNECTORS";

/// The gateway's section; the others are not ours to judge.
#[derive(Deserialize)]
struct Sections {
    #[serde(default)]
    gateway: Config,
    #[serde(flatten)]
    _others: HashMap<String, IgnoredAny>,
}

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
        for key in KEYS {
            if let Some(value) =
                environment.get(&format!("LATCHKEY_GATEWAY_{}", key.to_uppercase()))
            {
                builder = builder
                    .set_override(format!("gateway.{key}"), value.as_str())
                    .map_err(ConfigError::Parse)?;
            }
        }
        let built = builder.build().map_err(ConfigError::Parse)?;
        let mut config = built
            .try_deserialize::<Sections>()
            .map_err(ConfigError::Parse)?
            .gateway;
        if let Some(text) = environment.get(CONNECTORS) {
            let connectors: Result<Vec<ConnectorConfig>, _> = serde_json::from_str(text);
            // The text may hold credentials, so it is not repeated.
            config.connectors = connectors.map_err(|_| {
                ConfigError::field(
                    "gateway.connectors",
                    "must be a JSON array of objects with a `kind`",
                )
            })?;
        }
        config.check()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("latchkey.toml");
        std::fs::write(&path, text).unwrap();
        let environment = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::load(Some(&path), &environment.collect())
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
        let text = r#"
            [server]
            listen = "127.0.0.1:1"
            [gateway]
            data = "/var/lib/gateway"
            listen = "127.0.0.1:2"
            [[gateway.connectors]]
            kind = "simulated"
            profile = { brand = "Test", act_ms = 5 }
        "#;
        let config = load(
            text,
            &[
                ("LATCHKEY_GATEWAY_LISTEN", "127.0.0.1:3"),
                ("LATCHKEY_GATEWAY_PATIENCE_MS", "50"),
            ],
        )
        .unwrap();
        assert_eq!(config.listen.port(), 3);
        assert_eq!(config.patience_ms, 50);
        assert_eq!(config.data, PathBuf::from("/var/lib/gateway"));
        assert_eq!(config.connectors.len(), 1);
        assert_eq!(config.connectors[0].kind, "simulated");
        assert_eq!(config.connectors[0].settings["profile"]["brand"], "Test");
    }

    #[test]
    fn connectors_can_come_from_the_environment() {
        let config = load(
            "",
            &[(CONNECTORS, r#"[{"kind":"simulated","name":"front"}]"#)],
        )
        .unwrap();
        assert_eq!(config.connectors[0].name(), "front");
        let error = load("", &[(CONNECTORS, r#"[{"password":"hunter2"}]"#)])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("gateway.connectors") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_field_is_named() {
        for (text, field) in [
            ("[gateway]\nconnections = 0", "gateway.connections"),
            ("[gateway]\napi = \"http://keys.example\"", "gateway.api"),
            (
                "[gateway]\njournal_budget_bytes = 5",
                "gateway.journal_budget_bytes",
            ),
        ] {
            let error = load(text, &[]).unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
        let unknown = load("[gateway]\ndoors = 5", &[]).unwrap_err();
        assert!(crate::error_chain(&unknown).contains("doors"));
        let wrong = load("[gateway]\nlisten = \"here\"", &[]).unwrap_err();
        assert!(
            crate::error_chain(&wrong).contains("listen"),
            "{}",
            crate::error_chain(&wrong)
        );
    }
}
