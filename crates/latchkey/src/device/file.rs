//! A device's file: JSON that only its owner can read, replaced whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest device file that is read.
const FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Makes a new file; refuses to replace one, because a key that is gone cannot be made again.
pub(super) fn create<T: Serialize>(path: &Path, content: &T) -> anyhow::Result<()> {
    if path.exists() {
        bail!(
            "`{}` exists already and holds a private key; choose another --file",
            path.display()
        );
    }
    replace(path, content)
}

/// Writes the content beside the file and puts it in its place.
pub(super) fn replace<T: Serialize>(path: &Path, content: &T) -> anyhow::Result<()> {
    let text = serde_json::to_vec_pretty(content)?;
    write_private(path, &text).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Reads a device's file.
pub(super) fn read<T: DeserializeOwned>(path: &Path, how_to_make: &str) -> anyhow::Result<T> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!(
                "`{}` is not there; make it with `{how_to_make}`",
                path.display()
            )
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot open `{}`", path.display()));
        }
    };
    let mut text = Vec::new();
    file.take(FILE_BYTES).read_to_end(&mut text)?;
    serde_json::from_slice(&text)
        .with_context(|| format!("`{}` is not a device file of this version", path.display()))
}

fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut beside = PathBuf::from(path).into_os_string();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // Left over from a write that was broken off; made anew so that its mode is ours.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&beside)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
