//! Encryption at rest: owner and platform seeds, management tokens, stored replies.
//!
//! One master key per installation, kept outside the database in a file only its owner may read, so
//! that a copy of the database alone opens nothing.

use std::io::Write;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use zeroize::Zeroizing;

use crate::random::{self, Random};

const NONCE: usize = 12;

/// Seals and opens bytes under one key. `purpose` is bound in: what was sealed for one purpose does
/// not open for another.
#[derive(Clone)]
pub struct Sealer {
    key: Zeroizing<[u8; 32]>,
}

/// Why sealed bytes did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed bytes do not open with this key and purpose")]
pub struct OpenError;

/// Why the master key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file holds something else.
    #[error(
        "master key file `{0}` does not hold 32 bytes; restore it from a backup (without it stored owner keys stay sealed)"
    )]
    Length(PathBuf),
    /// The file could not be read or written.
    #[error("master key file `{0}` could not be read or written")]
    Io(PathBuf, #[source] std::io::Error),
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Sealer {
    /// A sealer with the given key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            key: Zeroizing::new(key),
        }
    }

    /// Reads the master key from `path`, or makes it there (mode 0600) if the file does not exist.
    ///
    /// # Errors
    /// [`MasterKeyError`] if the file cannot be read, written, or is not 32 bytes long.
    pub fn open_or_create(path: &Path, source: &dyn Random) -> Result<Self, MasterKeyError> {
        let io = |error| MasterKeyError::Io(path.to_owned(), error);
        match std::fs::read(path) {
            Ok(bytes) => {
                let bytes = Zeroizing::new(bytes);
                let key = bytes
                    .as_slice()
                    .try_into()
                    .map_err(|_| MasterKeyError::Length(path.to_owned()))?;
                Ok(Self::new(key))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = random::bytes(source);
                create_private(path, &key).map_err(io)?;
                Ok(Self::new(key))
            }
            Err(error) => Err(io(error)),
        }
    }

    /// Encrypts `plain` for `purpose`: nonce ‖ ciphertext.
    #[must_use]
    pub fn seal(&self, purpose: &str, plain: &[u8], source: &dyn Random) -> Vec<u8> {
        let nonce: [u8; NONCE] = random::bytes(source);
        let payload = Payload {
            msg: plain,
            aad: purpose.as_bytes(),
        };
        let sealed = self.cipher().encrypt(&Nonce::from(nonce), payload).expect(
            "only inputs of 256 GiB are refused, and everything sealed is bounded far below",
        );
        [nonce.as_slice(), &sealed].concat()
    }

    /// Decrypts what [`Sealer::seal`] made for the same `purpose`.
    ///
    /// # Errors
    /// [`OpenError`] if the key, the purpose or a byte differs.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or(OpenError)?;
        let payload = Payload {
            msg: body,
            aad: purpose.as_bytes(),
        };
        self.cipher()
            .decrypt(&Nonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| OpenError)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&Key::from(*self.key))
    }
}

/// Writes `bytes` to a new file that only its owner may read, and syncs file and directory, so that
/// a power cut right after leaves either no file or the whole one.
pub(crate) fn create_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    create(path, bytes, 0o600)
}

/// As [`create_private`], readable by everybody.
pub(crate) fn create_public(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    create(path, bytes, 0o644)
}

#[cfg_attr(not(unix), expect(unused_variables, reason = "modes are of Unix"))]
fn create(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let scratch = path.with_extension("new");
    let mut file = options.open(&scratch)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&scratch, path)?;
    std::fs::File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn sealed_bytes_open_for_their_own_purpose_only() {
        let sealer = Sealer::new([7; 32]);
        let sealed = sealer.seal("owner seed", b"seed", &SystemRandom);
        assert_eq!(
            sealer.open("owner seed", &sealed).unwrap().as_slice(),
            b"seed"
        );
        assert!(sealer.open("issuer seed", &sealed).is_err());
        assert!(Sealer::new([8; 32]).open("owner seed", &sealed).is_err());
        assert!(sealer.open("owner seed", &sealed[..11]).is_err());
    }

    #[test]
    fn the_master_key_survives_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys/master.key");
        let sealed =
            Sealer::open_or_create(&path, &SystemRandom)
                .unwrap()
                .seal("p", b"x", &SystemRandom);
        assert!(
            Sealer::open_or_create(&path, &SystemRandom)
                .unwrap()
                .open("p", &sealed)
                .is_ok()
        );
        std::fs::write(&path, b"short").unwrap();
        assert!(matches!(
            Sealer::open_or_create(&path, &SystemRandom),
            Err(MasterKeyError::Length(_))
        ));
    }
}
