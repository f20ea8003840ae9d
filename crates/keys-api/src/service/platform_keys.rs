//! The platform's own signing keys: root, issuer, status. Made at the first start.
//!
//! The root has a file of its own beside the master key, so that it can be taken off the machine:
//! without it everything works but the renewal of the links to issuer and status keys. The issuer
//! and status keys lie in the database, sealed. All three only work below an owner's word: the issuer
//! signs nothing a car accepts without a mandate, and the status key can only deny.

use std::path::{Path, PathBuf};

use keys_core::signature::{Signer, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use super::key_store::{self, KeyStoreError};
use crate::random;
use crate::sealer::{self, OpenError};
use crate::state::App;
use crate::storage::signing_keys::{self, SigningKeyKind, StoredSigningKey};
use crate::storage::{StorageError, Tx};

/// The root's file in the keys directory.
pub const ROOT_FILE: &str = "platform-root.key";

/// The platform's keys, opened.
#[derive(Debug)]
pub struct PlatformKeys {
    /// Public half of the root: what owners name in bundles and mandates.
    pub root: VerifyingKey,
    /// Signs keys below mandates.
    pub issuer: SigningKey,
    /// Signs statements and time attestations.
    pub status: SigningKey,
    root_key: Option<SigningKey>,
}

/// Why the platform's keys could not be had.
#[derive(Debug, thiserror::Error)]
pub enum PlatformKeysError {
    /// The file holds another root than the database names.
    #[error(
        "platform root file `{0}` holds another key than the database names; put the right file back, or remove it to \
         work without the root"
    )]
    OtherRoot(PathBuf),
    /// The file does not open.
    #[error("platform root file `{0}` does not open under this master key")]
    RootSealed(PathBuf),
    /// The file could not be read or written.
    #[error("platform root file `{0}` could not be read or written")]
    RootFile(PathBuf, #[source] std::io::Error),
    /// The key store failed.
    #[error("could not open the platform's keys")]
    Store(#[from] KeyStoreError),
}

impl From<StorageError> for PlatformKeysError {
    fn from(error: StorageError) -> Self {
        Self::Store(error.into())
    }
}

impl PlatformKeys {
    /// The root, if its file is here.
    #[must_use]
    pub fn root_key(&self) -> Option<&SigningKey> {
        self.root_key.as_ref()
    }

    /// Opens the keys, making those that do not exist.
    ///
    /// # Errors
    /// [`PlatformKeysError`]
    pub async fn open(app: &App) -> Result<Self, PlatformKeysError> {
        let path = app.config.keys.directory.join(ROOT_FILE);
        let known = signing_keys::of_platform(app.db.read(), SigningKeyKind::PlatformRoot).await?;
        let root_key = match (read_root(app, &path)?, &known) {
            (Some(root), _) => Some(root),
            (None, Some(_)) => None,
            // The file comes first: a start that is cut off here finds and adopts it.
            (None, None) => Some(make_root(app, &path)?),
        };
        let tx = app.db.begin().await?;
        let root = adopt_root(app, &tx, root_key.as_ref(), &path).await?;
        let issuer = open_or_create(app, &tx, SigningKeyKind::Issuer).await?;
        let status = open_or_create(app, &tx, SigningKeyKind::Status).await?;
        tx.commit().await.map_err(StorageError::from)?;
        Ok(Self {
            root,
            issuer,
            status,
            root_key,
        })
    }
}

async fn adopt_root(
    app: &App,
    tx: &Tx,
    root_key: Option<&SigningKey>,
    path: &Path,
) -> Result<VerifyingKey, PlatformKeysError> {
    let kind = SigningKeyKind::PlatformRoot;
    let public = match (signing_keys::of_platform(tx, kind).await?, root_key) {
        (Some(known), Some(root)) if known.public != *root.verifying_key().as_bytes() => {
            return Err(PlatformKeysError::OtherRoot(path.to_owned()));
        }
        (Some(known), _) => known.public,
        (None, Some(root)) => {
            let public = *root.verifying_key().as_bytes();
            let stored = StoredSigningKey {
                id: app.new_id(),
                vehicle: None,
                public,
                sealed_seed: None,
            };
            signing_keys::insert(tx, kind, &stored, app.clock.now()).await?;
            public
        }
        (None, None) => return Err(PlatformKeysError::OtherRoot(path.to_owned())),
    };
    VerifyingKey::decode(&public)
        .map_err(|_| StorageError::damaged("signing_keys.public_key").into())
}

async fn open_or_create(
    app: &App,
    tx: &Tx,
    kind: SigningKeyKind,
) -> Result<SigningKey, PlatformKeysError> {
    let stored = match signing_keys::of_platform(tx, kind).await? {
        Some(stored) => stored,
        None => key_store::create(app, tx, kind, None).await?,
    };
    let key = key_store::open(app, kind, &stored)?;
    Ok(key.ok_or(StorageError::damaged("signing_keys.sealed_seed"))?)
}

fn read_root(app: &App, path: &Path) -> Result<Option<SigningKey>, PlatformKeysError> {
    let sealed = match std::fs::read(path) {
        Ok(sealed) => sealed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(PlatformKeysError::RootFile(path.to_owned(), error)),
    };
    let open = || -> Result<SigningKey, OpenError> {
        let kind = SigningKeyKind::PlatformRoot.as_str();
        let plain = app.sealer.open(kind, &sealed)?;
        let seed = Zeroizing::new(<[u8; 32]>::try_from(plain.as_slice()).map_err(|_| OpenError)?);
        Ok(SigningKey::from_seed(&seed))
    };
    open()
        .map(Some)
        .map_err(|_| PlatformKeysError::RootSealed(path.to_owned()))
}

fn make_root(app: &App, path: &Path) -> Result<SigningKey, PlatformKeysError> {
    let seed = Zeroizing::new(random::bytes::<32>(app.random.as_ref()));
    let kind = SigningKeyKind::PlatformRoot.as_str();
    let sealed = app.sealer.seal(kind, seed.as_slice(), app.random.as_ref());
    sealer::create_private(path, &sealed)
        .map_err(|error| PlatformKeysError::RootFile(path.to_owned(), error))?;
    Ok(SigningKey::from_seed(&seed))
}
