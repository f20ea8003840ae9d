//! The program as its users run it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use data_encoding::HEXLOWER;
use keys_core::signature::Signer;

/// The built program.
pub(crate) fn latchkey() -> Command {
    Command::new(env!("CARGO_BIN_EXE_latchkey"))
}

/// Runs it with arguments and standard input.
pub(crate) fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = latchkey()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        // A program that ends early closes the pipe; its output is what counts.
        let _closed = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer ends");
    output
}

/// What it printed.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// What it said besides.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

pub(crate) fn public(key: &impl Signer) -> String {
    hex(key.verifying_key().as_bytes())
}
