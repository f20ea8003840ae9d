//! Prints everything public in this crate, one item a line, as `cargo public-api -ss` does.
//!
//! ```sh
//! cargo run -q -p keys-core --example public_api > crates/keys-core/public-api.txt
//! ```
//!
//! `./test` compares the file, so that a change of the surface is seen in review. Features are off.
//! The text is made from the JSON of rustdoc, whose format changes with the compiler: Rust 1.95.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

fn main() -> Result<(), Box<dyn Error>> {
    let surface = public_api::Builder::from_rustdoc_json(rustdoc_json()?)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()?;
    print!("{surface}");
    Ok(())
}

/// Runs rustdoc and returns the path of its JSON.
fn rustdoc_json() -> Result<PathBuf, Box<dyn Error>> {
    let wrapper = Path::new(CRATE).join("tests/public_api/rustdoc.sh");
    let done = cargo("rustdoc")
        .args(["--lib", "--locked", "--quiet", "--"])
        .args(["-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTDOC", wrapper)
        .stdout(Stdio::null())
        .status()?;
    if !done.success() {
        return Err(format!("cargo rustdoc: {done}").into());
    }
    Ok(target_directory()?.join("doc/keys_core.json"))
}

fn target_directory() -> Result<PathBuf, Box<dyn Error>> {
    let output = cargo("metadata")
        .args(["--no-deps", "--format-version", "1"])
        .stderr(Stdio::inherit())
        .output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let path = metadata["target_directory"]
        .as_str()
        .ok_or("cargo metadata names no target directory")?;
    Ok(PathBuf::from(path))
}

fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg(subcommand).current_dir(CRATE);
    command
}
