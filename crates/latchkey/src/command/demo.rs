//! `latchkey demo`

use std::process::ExitCode;

use super::wait_for;
use crate::{demo, output};

const EXAMPLES: &str = "\
Everything happens on a scratch database, with ports of its own and gateways as their own processes;
nothing is left behind. LATCHKEY_LOG=info shows the API's log.

Exit code: 0 only if every check held.

Examples:
  latchkey demo
  latchkey demo --keep";

/// Walk through the whole story of a key, checking every step.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Keep the scratch directory, with its databases, journals and logs, and say where it is.
    #[arg(long)]
    keep: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    output::log_to_stderr("error");
    let held = wait_for(demo::run(arguments.keep))?;
    Ok(if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(output::NO)
    })
}
