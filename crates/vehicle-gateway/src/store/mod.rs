//! What the gateway remembers: one crash-safe file, every step one durable transaction.
//!
//! Actors: the dispatcher, which writes an intent before the car is asked and an outcome after; trust,
//! which writes what it believes before acting on it; and the line to the API, which empties the outbox.
//! Each method here is one transaction, on the disk when it returns. The file is locked by one process,
//! its pages are checked at every start, and so is the whole chain of the journal.

mod command;
mod journal;
mod meta;
mod outbox;
mod trust;

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use keys_core::journal::JournalError;
use keys_core::signature::SignError;
use redb::{Database, Durability, ReadTransaction, WriteTransaction};

pub use self::command::{Begin, CommandRecord, Finish, Intent, Trip};
pub use self::journal::{Journal, Place};
pub use self::meta::FloorAdmissions;
pub use self::outbox::OUTBOX_RECEIPTS;
pub use self::trust::{HeldTrust, Pending, TrustChange};

/// Name of the file in the data directory.
pub const FILE: &str = "gateway.redb";

/// What to do about a damaged store.
const RECOVERY: &str = "the gateway does not run on a damaged record: keep the file as evidence, move it away, \
     start with an empty data directory and pair the car again; receipts and heads already sent stay valid";

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory or file cannot be made or read.
    #[error("`{path}` could not be opened")]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process has it.
    #[error("`{0}` is in use by another process; one gateway runs on a data directory at a time")]
    InUse(PathBuf),
    /// There is none.
    #[error("`{0}` holds no gateway yet; `vehicle-gateway run` or `pair` makes one")]
    Missing(PathBuf),
    /// The file is damaged.
    #[error("gateway store `{path}` is damaged ({what}); {RECOVERY}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The journal in it is broken.
    #[error("journal in `{path}` is broken: {source}; {RECOVERY}")]
    Journal {
        /// Which file.
        path: PathBuf,
        /// Which entry, and how.
        source: JournalError,
    },
    /// A later version wrote it.
    #[error(
        "`{path}` has format {found}, expected {FORMAT}; run the gateway version that wrote it"
    )]
    Format {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// No randomness for the gateway key.
    #[error("no randomness for the gateway key")]
    Random(#[source] io::Error),
}

/// Why a step was not taken. Nothing of it is stored then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file could not be read or written.
    #[error("gateway store could not be read or written")]
    Io(#[source] Box<redb::Error>),
    /// A stored value makes no sense.
    #[error("stored {0} cannot be read")]
    Garbled(&'static str),
    /// The journal has no room for another act.
    #[error("journal is full; raise `journal_budget_bytes`")]
    Full,
    /// The gateway key could not sign.
    #[error("gateway key could not sign")]
    Sign(#[source] SignError),
    /// The step was given up because the program is ending.
    #[error("gateway stops")]
    Stopped,
}

impl From<SignError> for StoreError {
    fn from(error: SignError) -> Self {
        Self::Sign(error)
    }
}

macro_rules! from_redb {
    ($($name:ident),+) => {$(
        impl From<redb::$name> for StoreError {
            fn from(error: redb::$name) -> Self {
                Self::Io(Box::new(error.into()))
            }
        }
    )+};
}
from_redb!(
    TransactionError,
    TableError,
    StorageError,
    CommitError,
    SetDurabilityError
);

/// The format this version writes.
const FORMAT: u64 = 1;

/// The gateway's memory.
#[derive(Debug)]
pub struct Store {
    database: Database,
    journal_budget_bytes: u64,
}

impl Store {
    /// Opens the store in `directory`, making both if they are not there; only their owner may read them.
    ///
    /// `random` draws the gateway key the first time. `journal_budget_bytes` bounds the journal.
    ///
    /// # Errors
    /// [`OpenError`]; a damaged file or a broken journal refuses, and says what to do.
    pub fn open(
        directory: &Path,
        journal_budget_bytes: u64,
        random: impl FnOnce(&mut [u8]) -> io::Result<()>,
    ) -> Result<Self, OpenError> {
        let path = directory.join(FILE);
        make_private(directory, &path).map_err(|source| OpenError::Io {
            path: path.clone(),
            source,
        })?;
        let store = Self {
            database: open_checked(&path)?,
            journal_budget_bytes,
        };
        let damaged = |error: StoreError| OpenError::Damaged {
            path: path.clone(),
            what: describe(&error),
        };
        match store.format().map_err(damaged)? {
            Some(FORMAT) => {}
            Some(found) => return Err(OpenError::Format { path, found }),
            None => {
                let mut seed = zeroize::Zeroizing::new([0u8; 32]);
                random(&mut seed[..]).map_err(OpenError::Random)?;
                store.initialize(FORMAT, &seed).map_err(damaged)?;
            }
        }
        store
            .verify_journal()
            .map_err(damaged)?
            .map_err(|source| OpenError::Journal {
                path: path.clone(),
                source,
            })?;
        Ok(store)
    }

    /// Opens the store in `directory` only if there is one.
    ///
    /// # Errors
    /// [`OpenError`], as [`Store::open`].
    pub fn open_existing(directory: &Path, journal_budget_bytes: u64) -> Result<Self, OpenError> {
        let path = directory.join(FILE);
        if !path.exists() {
            return Err(OpenError::Missing(directory.to_owned()));
        }
        let no_key = |_: &mut [u8]| Err(io::Error::other("an existing store has its key"));
        Self::open(directory, journal_budget_bytes, no_key)
    }

    /// One durable transaction; an error leaves everything as it was.
    fn write<T>(
        &self,
        step: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        let result = step(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    fn read<T>(
        &self,
        look: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        use redb::ReadableDatabase as _;
        look(&self.database.begin_read()?)
    }
}

/// Makes the directory and an empty file, readable by their owner only.
fn make_private(directory: &Path, path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)?;
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Opens the file and checks every page of it: what was altered since it was written is not believed.
fn open_checked(path: &Path) -> Result<Database, OpenError> {
    let opened = std::panic::catch_unwind(|| {
        let mut builder = Database::builder();
        builder
            .set_cache_size(16 * 1024 * 1024)
            .set_check_integrity_on_open(true);
        builder.create(path)
    });
    let damaged = |what: String| OpenError::Damaged {
        path: path.to_owned(),
        what,
    };
    match opened {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(redb::DatabaseError::DatabaseAlreadyOpen)) => Err(OpenError::InUse(path.to_owned())),
        Ok(Err(redb::DatabaseError::Storage(redb::StorageError::Io(source))))
            if source.kind() != io::ErrorKind::InvalidData
                && source.kind() != io::ErrorKind::UnexpectedEof =>
        {
            Err(OpenError::Io {
                path: path.to_owned(),
                source,
            })
        }
        Ok(Err(error)) => Err(damaged(error.to_string())),
        Err(_) => Err(damaged("its pages do not hang together".to_owned())),
    }
}

fn describe(error: &StoreError) -> String {
    use std::error::Error as _;
    error
        .source()
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

#[cfg(test)]
mod tests;
