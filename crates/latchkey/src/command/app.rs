//! `latchkey app create`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use keys_api::state::{App, Surroundings};
use serde_json::json;

use super::wait_for;
use crate::{describe, output, up};

/// Client applications of this installation.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Create(Create),
}

const EXAMPLES: &str = "\
The secret and the management token are shown once; they are stored hashed or encrypted.
It works beside a running `latchkey up` on the same data.

Examples:
  latchkey app create --redirect-uri https://example.com/auth
  latchkey app create --name 'Fleet app' --redirect-uri https://fleet.example/back --json --data /var/lib/latchkey";

/// Register an application that acts for hosts.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Create {
    /// What its users see.
    #[arg(long, default_value = "An application")]
    name: String,
    /// Where codes may be sent back to, compared exactly; may be given several times.
    #[arg(long = "redirect-uri", required = true, value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Data directory of `latchkey up`.
    #[arg(long, default_value = "./latchkey-data")]
    data: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Command::Create(arguments) = arguments.command;
    if !arguments.data.is_dir() {
        bail!(
            "--data `{}` is not there; `latchkey up` makes it",
            arguments.data.display()
        );
    }
    wait_for(create(arguments))
}

async fn create(arguments: Create) -> anyhow::Result<ExitCode> {
    // Nothing listens: the configuration only says where the data is.
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = keys_api::Config::in_directory(&arguments.data, nowhere);
    let app = App::open(config, Surroundings::default())
        .await
        .context("--data cannot be opened")?;
    let made = up::create_client_app(&app, &arguments.name, arguments.redirect_uris).await;
    app.db.clone().close().await;
    let made = json!(made.context("--redirect-uri")?);
    output::print(&if arguments.json {
        format!("{made}\n")
    } else {
        describe::render(&made)
    })?;
    Ok(ExitCode::SUCCESS)
}
