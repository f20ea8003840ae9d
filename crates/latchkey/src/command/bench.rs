//! `latchkey bench`

use std::io::{IsTerminal, stderr};
use std::process::ExitCode;

use crate::{bench, output};

const EXAMPLES: &str = "\
Works are timed in turn, and ratios pair works of the same round, so that a busy machine disturbs little.

Tokens of others and the count of heap allocations need a build with the feature `bench`:
  cargo run --release --features bench -- bench check
  cargo run --release --features bench -- bench check --json";

/// Measure what a check of a key costs.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Check(Check),
}

/// The check of a key, over its bare signatures and over tokens of others.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Check {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// How many times every work is timed; more is steadier.
    #[arg(long, default_value_t = 401, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let What::Check(check) = &arguments.what;
    if cfg!(debug_assertions) {
        output::say(
            "latchkey: built without optimisation; these figures mean nothing. Use cargo run --release.",
        );
    }
    if !cfg!(feature = "bench") {
        output::say(
            "latchkey: built without the feature `bench`: nothing of others to compare with.",
        );
    }
    let rounds = usize::from(check.rounds);
    let interactive = stderr().is_terminal();
    let mut progress = |round: usize| {
        if interactive && round.is_multiple_of(100) {
            output::say(&format!("round {round} of {rounds}"));
        }
    };
    let report = bench::check(rounds, &mut progress)?;
    if check.json {
        output::print(&format!("{}\n", serde_json::to_string(&report)?))?;
    } else {
        output::print(&report.table())?;
    }
    Ok(ExitCode::SUCCESS)
}
