//! The command line: one file per command, each with its own help and examples.

mod api;
mod app;
mod bench;
mod conformance;
mod demo;
mod doctor;
mod gateway;
mod host;
mod key;
mod log;
mod phone;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::output;

const EXAMPLES: &str = "\
Examples:
  latchkey                            start everything: API, gateways, simulated cars
  latchkey demo                       walk through the whole story and check every step
  latchkey key inspect key.txt        look into a key
  latchkey conformance < corpus.jsonl decide about recorded presentations

Every command explains itself: latchkey COMMAND --help";

/// Digital car keys: owner-signed, time-bounded, narrowing when shared, checked at the car.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// What to do; `up` if nothing is said.
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Arguments),
    Demo(demo::Arguments),
    #[command(hide = true)]
    Gateway(gateway::Arguments),
    #[command(hide = true)]
    Api(api::Arguments),
    Conformance(conformance::Arguments),
    Doctor(doctor::Arguments),
    Key(key::Arguments),
    Log(log::Arguments),
    Phone(phone::Arguments),
    Host(host::Arguments),
    App(app::Arguments),
    Bench(bench::Arguments),
}

/// Runs what the arguments ask for. Exit codes: 0 done, 1 the answer is no, 2 the question could
/// not be answered.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let result = match arguments.command {
        Some(Command::Conformance(arguments)) => conformance::run(&arguments),
        Some(Command::Doctor(arguments)) => doctor::run(&arguments),
        Some(Command::Key(arguments)) => key::run(arguments),
        Some(Command::Log(arguments)) => log::run(arguments),
        Some(Command::Phone(arguments)) => phone::run(arguments),
        Some(Command::Host(arguments)) => host::run(arguments),
        Some(Command::App(arguments)) => app::run(arguments),
        Some(Command::Bench(arguments)) => bench::run(&arguments),
        Some(Command::Up(arguments)) => up::run(arguments),
        Some(Command::Demo(arguments)) => demo::run(&arguments),
        Some(Command::Gateway(arguments)) => gateway::run(arguments),
        Some(Command::Api(arguments)) => api::run(arguments),
        None => up::run(up::Arguments::default()),
    };
    result.unwrap_or_else(|error| output::failure(&error))
}

/// Runs what has to wait for others.
fn wait_for<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
