//! `keys-api`: the platform API as a program.

use std::io::Write;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match keys_api::command::run(std::env::args_os()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell if this cannot be written either.
            let _ = writeln!(std::io::stderr(), "keys-api: {error:#}");
            ExitCode::FAILURE
        }
    }
}
