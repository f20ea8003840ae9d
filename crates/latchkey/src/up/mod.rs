//! Everything in one process, over the production sockets: the API, its worker, and a gateway with a
//! simulated car for each car of the sandbox. Nothing takes a short way: the gateways dial the API's
//! WebSocket and are paired with the code they show, as gateways in cars are.

mod cars;
mod sandbox;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use keys_api::{RunningServer, Server};
use serde_json::{Value, json};

use self::cars::CarOnRoad;
use self::sandbox::Sandbox;
pub(crate) use self::sandbox::create_client_app;

/// How long a gateway may take to hear from the API before the start goes on without it.
const CONTACT_PATIENCE: Duration = Duration::from_secs(25);

/// How to start.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Address of the API.
    pub(crate) listen: SocketAddr,
    /// Address of the first car's gateway; the others take the ports after it.
    pub(crate) gateway_listen: SocketAddr,
    /// Data directory.
    pub(crate) data: PathBuf,
    /// Seed a sandbox even if the database is not empty or the address not loopback.
    pub(crate) sandbox: bool,
    /// Whether the API speaks TLS.
    pub(crate) tls: Tls,
}

/// Where the API's certificate comes from.
#[derive(Debug, Clone)]
pub(crate) enum Tls {
    /// Plain HTTP.
    Off,
    /// Made here, kept in the data directory.
    SelfSigned,
    /// From files, PEM.
    Files {
        /// The chain, the server's own first.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// The system, running.
pub(crate) struct Running {
    server: RunningServer,
    cars: Vec<CarOnRoad>,
    sandbox: Option<Sandbox>,
}

/// Starts everything; returns once all of it answers.
///
/// # Errors
/// Whatever is in the way, with the option or file to change.
pub(crate) async fn start(options: &Options) -> anyhow::Result<Running> {
    sandbox::make_private_directory(&options.data)
        .with_context(|| format!("--data `{}` cannot be made", options.data.display()))?;
    let mut config = keys_api::Config::in_directory(&options.data, options.listen);
    match &options.tls {
        Tls::Off => {}
        Tls::SelfSigned => config.tls.self_signed = true,
        Tls::Files { certificate, key } => {
            config.tls.certificate = Some(certificate.clone());
            config.tls.key = Some(key.clone());
        }
    }
    let server = Server::start(config)
        .await
        .context("the API does not start; another address is given with --listen, another directory with --data")?;
    match start_cars(options, &server).await {
        Ok((cars, sandbox)) => Ok(Running {
            server,
            cars,
            sandbox,
        }),
        Err(error) => {
            server.stop().await;
            Err(error)
        }
    }
}

async fn start_cars(
    options: &Options,
    server: &RunningServer,
) -> anyhow::Result<(Vec<CarOnRoad>, Option<Sandbox>)> {
    let app = server.app();
    let Some(sandbox) = Sandbox::open_or_seed(options, app).await? else {
        return Ok((Vec::new(), None));
    };
    let vehicles = match sandbox.account(app).await? {
        Some(account) => cars::registered(app, &account).await?,
        None => Vec::new(),
    };
    let mut cars = Vec::new();
    for (number, model) in cars::MODELS.iter().enumerate() {
        match cars::start(options, app, &vehicles, model, number).await {
            Ok(car) => cars.push(car),
            Err(error) => {
                stop_cars(cars).await;
                return Err(error.context(format!("the simulated {} does not start", model.name)));
            }
        }
    }
    for car in &cars {
        car.wait_for_contact(CONTACT_PATIENCE).await;
    }
    Ok((cars, Some(sandbox)))
}

async fn stop_cars(cars: Vec<CarOnRoad>) {
    for car in cars {
        car.stop().await;
    }
}

impl Running {
    /// The line a program waits for: addresses and sign-in.
    pub(crate) fn ready_line(&self) -> Value {
        json!({
            "ready": true,
            "api": self.server.url(),
            "gateway": self.cars.first().map(CarOnRoad::url),
            "host": self.sandbox.as_ref().map(|sandbox| &sandbox.host),
            "sandbox_app": self.sandbox.as_ref().map(|sandbox| &sandbox.sandbox_app),
        })
    }

    /// The same for a person.
    pub(crate) fn greeting(&self, options: &Options) -> String {
        let url = self.server.url();
        let mut text = format!(
            "Latchkey is running.\n\n  API        {url}\n  API pages  {url}/docs\n  data       {}\n",
            options.data.display()
        );
        for car in &self.cars {
            text.push_str(&format!(
                "  {:<10} {}  {}\n",
                "car",
                car.url(),
                car.describe()
            ));
        }
        if let Some(certificate) = self.server.app().config.tls.served_certificate() {
            text.push_str(&format!("  TLS root   {}\n", certificate.display()));
        }
        match &self.sandbox {
            Some(sandbox) => text.push_str(&format!(
                "\nSign in as the demo host:\n  e-mail     {}\n  password   {}\n  (kept in {})\n",
                sandbox.host.email,
                sandbox.host.password,
                options.data.join(sandbox::FILE).display()
            )),
            None => text.push_str(
                "\nThis database is in use, so nothing was seeded; --sandbox adds a demo host and cars.\n",
            ),
        }
        text.push_str("\nCtrl-C stops it; the next start finds its data.\n");
        text
    }

    /// Stops everything: the gateways first, so that their last receipts still reach the API.
    pub(crate) async fn stop(self) {
        stop_cars(self.cars).await;
        self.server.stop().await;
    }
}

/// Ctrl-C, or the signal service managers send.
pub(crate) async fn interrupted() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// Seeding makes credentials and simulated cars; that is for a machine of one's own.
fn may_seed(options: &Options) -> anyhow::Result<()> {
    if options.listen.ip().is_loopback() && options.gateway_listen.ip().is_loopback()
        || options.sandbox
    {
        Ok(())
    } else {
        bail!(
            "a first start makes a demo host and simulated cars, and `{}` can be reached from other machines; give \
             --sandbox if that is meant",
            options.listen
        )
    }
}
