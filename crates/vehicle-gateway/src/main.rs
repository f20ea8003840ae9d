//! `vehicle-gateway`: the checker beside the car, as a program.

mod command;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    command::run(std::env::args_os()).await
}
