//! `latchkey host …`

mod car;
mod key;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use super::wait_for;
use crate::device::host::Host;
use crate::{describe, output};

const EXAMPLES: &str = "\
Examples:
  latchkey host init
  latchkey host sign-in --api http://127.0.0.1:8080 --email me@example.com --new
  latchkey host add-car 'Blue Corsa' --time-zone Europe/Berlin
  latchkey host pair ABCD-EFGH-…                       the code the car shows
  latchkey host issue --from 2026-12-24T10:00:00Z --until 2026-12-24T18:00:00Z --may unlock,lock
  latchkey host sign key_…                             once somebody redeemed the link
  latchkey host revoke key_…";

/// A host's device on the command line: the owner key is a file only you can read, so the cars are
/// sovereign: no platform can open them.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The device's file.
    #[arg(
        long,
        global = true,
        env = "LATCHKEY_HOST",
        default_value = "latchkey-host.json"
    )]
    file: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a device with a new owner key.
    Init,
    SignIn(SignIn),
    /// Show the owner key and the cars.
    Show,
    AddCar(car::Add),
    Pair(car::Pair),
    Mandate(car::Mandate),
    Statement(car::Statement),
    Issue(key::Issue),
    Sign(key::Named),
    Suspend(key::Named),
    Resume(key::Named),
    Revoke(key::Named),
}

/// Sign in to a Latchkey API, or open an account there.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  LATCHKEY_PASSWORD=… latchkey host sign-in --api http://127.0.0.1:8080 --email me@example.com --new")]
struct SignIn {
    /// Origin of the API.
    #[arg(long, env = "LATCHKEY_API", default_value = "http://127.0.0.1:8080")]
    api: String,
    /// Your e-mail address.
    #[arg(long)]
    email: String,
    /// Your password; better given in the environment, where others on the machine do not see it.
    #[arg(long, env = "LATCHKEY_PASSWORD", hide_env_values = true)]
    password: String,
    /// Open a new account.
    #[arg(long)]
    new: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let file = arguments.file;
    wait_for(async {
        match arguments.command {
            Command::Init => init(&file),
            Command::SignIn(arguments) => sign_in(&file, &arguments).await,
            Command::Show => show(&file),
            Command::AddCar(arguments) => car::add(&file, &arguments).await,
            Command::Pair(arguments) => car::pair(&file, &arguments).await,
            Command::Mandate(arguments) => car::mandate(&file, &arguments).await,
            Command::Statement(arguments) => car::statement(&file, &arguments).await,
            Command::Issue(arguments) => key::issue(&file, &arguments).await,
            Command::Sign(arguments) => key::sign(&file, &arguments).await,
            Command::Suspend(arguments) => key::end(&file, &arguments, "suspend").await,
            Command::Resume(arguments) => key::end(&file, &arguments, "resume").await,
            Command::Revoke(arguments) => key::end(&file, &arguments, "revoke").await,
        }
    })
}

fn init(file: &Path) -> anyhow::Result<ExitCode> {
    let host = Host::create(file)?;
    output::print(&format!(
        "made {} (keep a copy in a safe place: whoever has it owns your cars, and without it you do not)\nowner key {}\n",
        file.display(),
        describe::hex(host.owner_key().as_bytes())
    ))?;
    Ok(ExitCode::SUCCESS)
}

async fn sign_in(file: &Path, arguments: &SignIn) -> anyhow::Result<ExitCode> {
    let mut host = Host::open(file)?;
    host.sign_in(
        &arguments.api,
        &arguments.email,
        &arguments.password,
        arguments.new,
    )
    .await?;
    output::print(&format!("signed in at {}\n", arguments.api))?;
    Ok(ExitCode::SUCCESS)
}

fn show(file: &Path) -> anyhow::Result<ExitCode> {
    let host = Host::open(file)?;
    let mut cars = Vec::new();
    for (at, car) in host.cars().iter().enumerate() {
        let bundle = host.bundle(at)?;
        cars.push(json!({
            "id": car.id,
            "name": car.name,
            "paired": bundle.is_some(),
            "mandate_allowed": bundle.as_ref().is_some_and(|bundle| bundle.mandate_allowed),
            "gateway_key": bundle.map(|bundle| describe::hex(bundle.gateway_key.as_bytes())),
        }));
    }
    let shown = json!({
        "owner_key": describe::hex(host.owner_key().as_bytes()),
        "cars": cars,
    });
    output::print(&describe::render(&shown))?;
    Ok(ExitCode::SUCCESS)
}
