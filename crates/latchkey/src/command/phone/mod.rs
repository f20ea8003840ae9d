//! `latchkey phone …`

mod command;
mod hand_on;
mod keys;

use std::path::PathBuf;
use std::process::ExitCode;

use super::wait_for;

const EXAMPLES: &str = "\
Examples:
  latchkey phone init
  latchkey phone redeem 'http://127.0.0.1:8080/k/inv_…#secret'
  latchkey phone unlock                                through the API
  latchkey phone unlock --via http://127.0.0.1:8081    at the car, with no server between
  latchkey phone delegate --to HOLDER_KEY --may unlock,lock --out codriver.json
  latchkey phone receive codriver.json --file other-phone.json";

/// A renter's phone on the command line: the holder key is a file only you can read.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The phone's file.
    #[arg(
        long,
        global = true,
        env = "LATCHKEY_PHONE",
        default_value = "latchkey-phone.json"
    )]
    file: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a phone with a new holder key.
    Init,
    Redeem(keys::Redeem),
    List(keys::List),
    Refresh(keys::Refresh),
    /// Unlock the car.
    Unlock(command::Arguments),
    /// Lock the car.
    Lock(command::Arguments),
    /// Let the car be driven.
    EnableDriving(command::Arguments),
    /// Open the trunk.
    OpenTrunk(command::Arguments),
    /// Open the charge port.
    ChargePort(command::Arguments),
    /// Ask the car where it is.
    Locate(command::Arguments),
    Carry(command::Carry),
    Delegate(hand_on::Delegate),
    Receive(hand_on::Receive),
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    use keys_core::command::VehicleCommand as Ask;
    let file = arguments.file;
    wait_for(async {
        match arguments.command {
            Command::Init => keys::init(&file),
            Command::Redeem(arguments) => keys::redeem(&file, &arguments).await,
            Command::List(arguments) => keys::list(&file, &arguments),
            Command::Refresh(arguments) => keys::refresh(&file, &arguments).await,
            Command::Unlock(arguments) => command::run(&file, Ask::Unlock, &arguments).await,
            Command::Lock(arguments) => command::run(&file, Ask::Lock, &arguments).await,
            Command::EnableDriving(arguments) => {
                command::run(&file, Ask::EnableDriving, &arguments).await
            }
            Command::OpenTrunk(arguments) => command::run(&file, Ask::OpenTrunk, &arguments).await,
            Command::ChargePort(arguments) => {
                command::run(&file, Ask::ChargePort, &arguments).await
            }
            Command::Locate(arguments) => command::run(&file, Ask::Locate, &arguments).await,
            Command::Carry(arguments) => command::carry(&file, &arguments).await,
            Command::Delegate(arguments) => hand_on::delegate(&file, &arguments),
            Command::Receive(arguments) => hand_on::receive(&file, &arguments),
        }
    })
}
