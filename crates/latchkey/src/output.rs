//! What every command prints the same way.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// The answer is no: a key that does not hold, a journal that is broken.
pub(crate) const NO: u8 = 1;
/// The question could not be answered: wrong arguments, unreadable input, nobody there.
pub(crate) const UNANSWERED: u8 = 2;

/// Prints an error with its causes and gives the exit code for it. A reader that has closed the
/// pipe is no error.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    let closed = error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    if closed {
        return ExitCode::SUCCESS;
    }
    say(&format!("latchkey: {error:#}"));
    ExitCode::from(UNANSWERED)
}

/// Writes a line for a person to the error stream, where it does not mix with answers.
pub(crate) fn say(line: &str) {
    // Nobody is left to be told if the error stream is closed.
    let _closed = writeln!(io::stderr(), "{line}");
}

/// Writes an answer to standard output.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Logs to the error stream: lines for a person, JSON for a service manager. `LATCHKEY_LOG` filters, as
/// `RUST_LOG` elsewhere.
pub(crate) fn log_to_stderr(level: &str) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("LATCHKEY_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let logger = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // Fails only if somebody logs already.
    let _ = if io::stderr().is_terminal() {
        logger.try_init()
    } else {
        logger.json().flatten_event(true).try_init()
    };
}
