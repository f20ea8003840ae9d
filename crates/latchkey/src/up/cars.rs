//! The cars of the sandbox: three brands, one asleep, one with a door open.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use keys_api::App;
use keys_api::model::account::Account;
use keys_api::model::page::PageQuery;
use keys_api::model::vehicle::Vehicle;
use keys_api::{seed, storage};
use serde_json::{Map, Value, json};
use tokio::time::timeout;
use vehicle_gateway::connector::ConnectorConfig;
use vehicle_gateway::{Config, Gateway, GatewayError, RunningGateway};

use super::Options;

/// How long a gateway may take to show its code.
const CODE_PATIENCE: Duration = Duration::from_secs(15);

/// How often a gateway is asked whether it has heard from the API.
const LOOK: Duration = Duration::from_millis(50);

/// A simulated car.
pub(super) struct Model {
    /// What the sandbox calls it; see [`seed::cars`].
    pub(super) name: &'static str,
    directory: &'static str,
    brand: &'static str,
    model: &'static str,
    powertrain: &'static str,
    special: Option<&'static str>,
}

/// The cars, in the order of their gateways' ports.
pub(super) const MODELS: [Model; 3] = [
    Model {
        name: "Blue Leaf",
        directory: "blue-leaf",
        brand: "Nissan",
        model: "Leaf",
        powertrain: "electric",
        special: None,
    },
    Model {
        name: "Red Clio",
        directory: "red-clio",
        brand: "Renault",
        model: "Clio",
        powertrain: "combustion",
        special: Some("asleep"),
    },
    Model {
        name: "Grey Model 3",
        directory: "grey-model-3",
        brand: "Tesla",
        model: "Model 3",
        powertrain: "electric",
        special: Some("a door open"),
    },
];

impl Model {
    /// The settings of its simulated connector.
    fn settings(&self) -> Map<String, Value> {
        let faults = match self.special {
            Some("asleep") => json!({ "asleep": true }),
            Some(_) => json!({ "open_doors": ["rear_left"] }),
            None => json!({}),
        };
        let settings = json!({
            "profile": { "brand": self.brand, "model": self.model, "powertrain": self.powertrain },
            "faults": faults,
            "executions_file": "executions.jsonl",
        });
        match settings {
            Value::Object(settings) => settings,
            _ => Map::new(),
        }
    }
}

/// A car whose gateway runs.
pub(super) struct CarOnRoad {
    model: &'static Model,
    gateway: RunningGateway,
}

/// The sandbox's vehicles of an account, registered now if it has none.
pub(super) async fn registered(app: &App, account: &Account) -> anyhow::Result<Vec<Vehicle>> {
    let all = PageQuery::new(Some(100), None);
    let known = storage::vehicles::of(account.id)
        .list(app.db.read(), &all)
        .await?;
    if known.is_empty() {
        return Ok(seed::cars(app, account.id).await?);
    }
    Ok(known)
}

/// Starts the gateway of a car; at the first start it is paired with its vehicle, over the relay and
/// with the code it shows.
pub(super) async fn start(
    options: &Options,
    app: &App,
    vehicles: &[Vehicle],
    model: &'static Model,
    number: usize,
) -> anyhow::Result<CarOnRoad> {
    let data = options.data.join("gateways").join(model.directory);
    super::sandbox::make_private_directory(&data)?;
    let config = Config {
        listen: address(options.gateway_listen, number)?,
        api: Some(app.origin.clone()),
        api_authority: app.config.tls.served_certificate(),
        connectors: vec![ConnectorConfig::new("simulated", model.settings())],
        ..Config::new(data)
    };
    let gateway = start_gateway(config, number).await?;
    let car = CarOnRoad { model, gateway };
    match car.pair(app, vehicles).await {
        Ok(()) => Ok(car),
        Err(error) => {
            car.stop().await;
            Err(error)
        }
    }
}

/// The first car has the address asked for; the others may move aside if theirs is taken.
async fn start_gateway(mut config: Config, number: usize) -> anyhow::Result<RunningGateway> {
    match Gateway::start(config.clone()).await {
        Err(GatewayError::Listen { address, .. }) if number > 0 && address.port() != 0 => {
            config.listen.set_port(0);
            Ok(Gateway::start(config).await?)
        }
        started => started.context("another address is given with --gateway-listen"),
    }
}

fn address(first: SocketAddr, number: usize) -> anyhow::Result<SocketAddr> {
    let mut address = first;
    if first.port() != 0 {
        let port = u16::try_from(number)
            .ok()
            .and_then(|number| first.port().checked_add(number))
            .context("--gateway-listen leaves no port for the other cars")?;
        address.set_port(port);
    }
    Ok(address)
}

impl CarOnRoad {
    /// Where its gateway is.
    pub(super) fn url(&self) -> String {
        self.gateway.local_url()
    }

    /// What a person would call it.
    pub(super) fn describe(&self) -> String {
        let Model {
            name,
            brand,
            model,
            special,
            ..
        } = self.model;
        match special {
            Some(special) => format!("{name}, a {brand} {model} ({special})"),
            None => format!("{name}, a {brand} {model}"),
        }
    }

    /// Pairs with the code the gateway shows, once. A car whose vehicle the host has removed stays alone.
    async fn pair(&self, app: &App, vehicles: &[Vehicle]) -> anyhow::Result<()> {
        let mut fitting = vehicles
            .iter()
            .filter(|one| one.details.name == self.model.name);
        let Some(vehicle) = fitting.next() else {
            return Ok(());
        };
        if self.gateway.vehicle_id().is_some() {
            return Ok(());
        }
        let code = timeout(CODE_PATIENCE, self.gateway.next_pairing_code()).await;
        let code = code
            .ok()
            .flatten()
            .context("its gateway shows no pairing code")?;
        let code = code.parse().context("the code its gateway shows")?;
        seed::pair(app, vehicle.account_id, vehicle.id, &code).await?;
        if timeout(CODE_PATIENCE, self.gateway.paired())
            .await
            .ok()
            .flatten()
            .is_none()
        {
            bail!("its gateway was not paired in time");
        }
        Ok(())
    }

    /// Waits until the gateway has heard from the API, which also tells it the time, or patience ends:
    /// a car out of reach is no reason not to start.
    pub(super) async fn wait_for_contact(&self, patience: Duration) {
        if self.gateway.vehicle_id().is_none() {
            return;
        }
        let contact = async {
            while self.gateway.status()["in_contact"] != true {
                tokio::time::sleep(LOOK).await;
            }
        };
        if timeout(patience, contact).await.is_err() {
            tracing::warn!(
                car = self.model.name,
                "the gateway has not heard from the API yet"
            );
        }
    }

    /// Stops its gateway.
    pub(super) async fn stop(self) {
        self.gateway.stop().await;
    }
}
