//! Latchkey in one binary: the whole system in one process, the story of a key from start to end,
//! and the tools an owner, a holder or an auditor has at hand.
//!
//! Wiring, no rules: what a key may do is decided in keys-core, what a car does in vehicle-gateway,
//! what the platform does in keys-api.

mod bench;
mod clock;
mod command;
mod conformance;
mod curve;
mod demo;
mod describe;
mod device;
mod input;
mod journal;
mod output;
mod up;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // The only failure is a provider that is there already, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    command::run(command::Arguments::parse())
}
