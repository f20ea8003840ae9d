//! Connectors by name: which kinds exist, which run, and which could not start.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use keys_core::command::VehicleCommand;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Capabilities, Connector, simulated};
use crate::error_chain::error_chain;

/// One connector as configured: its kind and the settings of that kind.
#[derive(Clone, Deserialize)]
pub struct ConnectorConfig {
    /// Which kind, as registered: `simulated`, …
    pub kind: String,
    /// The name it is reported under. Default: its kind.
    #[serde(default)]
    pub name: Option<String>,
    /// Everything else, read by the kind itself.
    #[serde(flatten)]
    pub settings: Map<String, Value>,
}

impl ConnectorConfig {
    /// A connector of `kind` with `settings`.
    #[must_use]
    pub fn new(kind: &str, settings: Map<String, Value>) -> Self {
        Self {
            kind: kind.to_owned(),
            name: None,
            settings,
        }
    }

    /// The name it is reported under.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.kind)
    }
}

impl std::fmt::Debug for ConnectorConfig {
    /// Settings may hold credentials, so only their names are shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectorConfig")
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("settings", &self.settings.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// What a factory is given.
#[derive(Debug, Clone)]
pub struct Start {
    /// The connector's name and settings.
    pub config: ConnectorConfig,
    /// The gateway's data directory; a connector may keep files of its own in it.
    pub data_dir: PathBuf,
}

/// Why a connector could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No connector of that kind is built in.
    #[error("connector kind `{kind}` is not known, expected one of {known}")]
    UnknownKind {
        /// What the configuration says.
        kind: String,
        /// The kinds that exist.
        known: String,
    },
    /// A setting is missing, unknown or wrong. Never shows its value.
    #[error("setting `{field}` {problem}")]
    Setting {
        /// The setting's name.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file or port the connector needs could not be used.
    #[error("{what} could not be opened")]
    Io {
        /// What was needed.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

impl StartError {
    /// A setting that is wrong, and how.
    #[must_use]
    pub fn setting(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Setting {
            field: field.into(),
            problem: problem.into(),
        }
    }
}

/// Makes a connector of one kind.
pub type Factory = fn(Start) -> BoxFuture<'static, Result<Arc<dyn Connector>, StartError>>;

/// The kinds of connector that exist.
#[derive(Clone, Default)]
pub struct Registry {
    factories: BTreeMap<&'static str, Factory>,
}

impl Registry {
    /// Every connector built in. A new one adds its line here.
    #[must_use]
    pub fn standard() -> Self {
        let mut registry = Self::default();
        registry.add("simulated", simulated::start);
        registry
    }

    /// Registers a kind. A name registered twice keeps the later factory.
    pub fn add(&mut self, kind: &'static str, factory: Factory) {
        self.factories.insert(kind, factory);
    }

    /// The names of the kinds, in order.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.factories.keys().copied()
    }

    /// Starts one connector.
    ///
    /// # Errors
    /// [`StartError`], with no setting's value in it.
    pub async fn start(&self, start: Start) -> Result<Arc<dyn Connector>, StartError> {
        let Some(factory) = self.factories.get(start.config.kind.as_str()) else {
            return Err(StartError::UnknownKind {
                kind: start.config.kind.clone(),
                known: self
                    .kinds()
                    .map(|kind| format!("`{kind}`"))
                    .collect::<Vec<_>>()
                    .join(", "),
            });
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let name = start.config.name();
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            let problem = "must be 1 to 64 letters, digits, hyphens or underscores";
            return Err(StartError::setting("name", problem));
        }
        factory(start).await
    }

    /// Starts every configured connector; one that fails is reported and the others run.
    pub async fn start_all(&self, configs: Vec<ConnectorConfig>, data_dir: PathBuf) -> Connectors {
        let mut entries = Vec::with_capacity(configs.len());
        for config in configs {
            let (name, kind) = (config.name().to_owned(), config.kind.clone());
            let start = Start {
                config,
                data_dir: data_dir.clone(),
            };
            let result = self.start(start).await.inspect_err(|error| {
                tracing::error!(connector = %name, %kind, error = %error_chain(error), "connector did not start");
            });
            entries.push(Entry { name, kind, result });
        }
        Connectors { entries }
    }
}

struct Entry {
    name: String,
    kind: String,
    result: Result<Arc<dyn Connector>, StartError>,
}

/// The configured connectors, running or not, in the order of the configuration.
#[derive(Default)]
pub struct Connectors {
    entries: Vec<Entry>,
}

impl Connectors {
    /// A set with one running connector.
    #[must_use]
    pub fn of(name: &str, connector: Arc<dyn Connector>) -> Self {
        let entry = Entry {
            name: name.to_owned(),
            kind: name.to_owned(),
            result: Ok(connector),
        };
        Self {
            entries: vec![entry],
        }
    }

    /// The first running connector that can carry out `command`.
    #[must_use]
    pub fn supporting(&self, command: VehicleCommand) -> Option<Arc<dyn Connector>> {
        self.running()
            .find(|connector| connector.capabilities().supports(command))
            .cloned()
    }

    /// The first running connector: the one whose state counts.
    #[must_use]
    pub fn primary(&self) -> Option<Arc<dyn Connector>> {
        self.running().next().cloned()
    }

    /// What `connectors --json` and `status --json` show.
    #[must_use]
    pub fn report(&self) -> Vec<ConnectorReport> {
        self.entries.iter().map(Entry::report).collect()
    }

    fn running(&self) -> impl Iterator<Item = &Arc<dyn Connector>> {
        self.entries
            .iter()
            .filter_map(|entry| entry.result.as_ref().ok())
    }
}

impl Entry {
    fn report(&self) -> ConnectorReport {
        ConnectorReport {
            name: self.name.clone(),
            kind: self.kind.clone(),
            running: self.result.is_ok(),
            capabilities: self
                .result
                .as_ref()
                .ok()
                .map(|connector| connector.capabilities()),
            error: self.result.as_ref().err().map(|error| error_chain(error)),
        }
    }
}

/// One configured connector, as reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectorReport {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Whether it started.
    pub running: bool,
    /// What it can do, if it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
    /// Why it did not start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Reads the settings of a connector into their type.
///
/// # Errors
/// [`StartError::Setting`] with the name of the setting at fault and what is wrong. The value is never
/// repeated: it may be a password put into the wrong line.
pub fn settings<T: DeserializeOwned>(config: &ConnectorConfig) -> Result<T, StartError> {
    let parse = |map: &Map<String, Value>| T::deserialize(Value::Object(map.clone()));
    parse(&config.settings).map_err(|error| {
        let problem_of = |map: &Map<String, Value>| parse(map).err().map(|error| error.to_string());
        blame(&config.settings, &error.to_string(), problem_of)
    })
}

fn blame(
    settings: &Map<String, Value>,
    message: &str,
    problem_of: impl Fn(&Map<String, Value>) -> Option<String>,
) -> StartError {
    for (prefix, problem) in [
        ("missing field `", "is missing"),
        ("unknown field `", "is not known"),
    ] {
        if let Some(field) = message
            .strip_prefix(prefix)
            .and_then(|rest| rest.split('`').next())
        {
            return StartError::setting(field, problem);
        }
    }
    // The parser names the value, not the setting. Without the one at fault the complaint changes.
    for field in settings.keys() {
        let mut without = settings.clone();
        without.remove(field);
        if problem_of(&without).is_none_or(|other| other != message) {
            return StartError::setting(field, "has the wrong type or an unknown value");
        }
    }
    StartError::setting("settings", "cannot be read")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        #[expect(dead_code, reason = "only its parsing is tested")]
        port: u16,
        #[expect(dead_code, reason = "only its parsing is tested")]
        #[serde(default)]
        pin: Option<u32>,
    }

    fn complaint(settings_json: Value) -> String {
        let Value::Object(map) = settings_json else {
            panic!("settings are an object")
        };
        settings::<Example>(&ConnectorConfig::new("example", map))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_wrong_setting_is_named_and_its_value_is_not_shown() {
        assert_eq!(complaint(json!({"pin": 1})), "setting `port` is missing");
        assert_eq!(
            complaint(json!({"port": 1, "hunter": "2"})),
            "setting `hunter` is not known"
        );
        assert_eq!(
            complaint(json!({"port": 1, "pin": "hunter2"})),
            "setting `pin` has the wrong type or an unknown value"
        );
        assert_eq!(
            complaint(json!({"port": "hunter2"})),
            "setting `port` has the wrong type or an unknown value"
        );
    }

    #[test]
    fn a_configuration_shows_the_names_of_its_settings_only() {
        let Value::Object(map) = json!({"password": "hunter2"}) else {
            unreachable!()
        };
        let text = format!("{:?}", ConnectorConfig::new("example", map));
        assert!(
            text.contains("password") && !text.contains("hunter2"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_connector_that_cannot_start_is_reported_and_the_rest_runs() {
        let dir = tempfile::tempdir().unwrap();
        let configs = vec![
            ConnectorConfig::new("steam", Map::new()),
            ConnectorConfig::new(
                "simulated",
                Map::from_iter([("doors".to_owned(), json!(5))]),
            ),
            ConnectorConfig::new("simulated", Map::new()),
        ];
        let connectors = Registry::standard()
            .start_all(configs, dir.path().to_owned())
            .await;
        let report = connectors.report();
        assert_eq!(
            report.iter().map(|one| one.running).collect::<Vec<_>>(),
            [false, false, true]
        );
        assert_eq!(
            report[0].error.as_deref(),
            Some("connector kind `steam` is not known, expected one of `simulated`")
        );
        assert_eq!(
            report[1].error.as_deref(),
            Some("setting `doors` is not known")
        );
        assert!(connectors.supporting(VehicleCommand::Unlock).is_some());
    }
}
