//! `latchkey api`, hidden: the API alone, as a process of its own, for whoever stops and starts it.
//! In production that is `keys-api serve`.

use std::ffi::OsString;
use std::process::ExitCode;

use super::wait_for;

/// Run the platform API alone: everything `keys-api` can do.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// As `keys-api` takes them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Runs the command until it ends or is interrupted.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let arguments = std::iter::once(OsString::from("keys-api")).chain(arguments.arguments);
    wait_for(keys_api::command::run(arguments)).map(|()| ExitCode::SUCCESS)
}
