//! What can go wrong in the store, sorted by what the caller can do about it.

use sea_orm::{DbErr, RuntimeErr, SqlErr, SqlxError};

/// A failed call to the database.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// No connection came free in time, or the engine is away: try later.
    #[error("the database is busy or away")]
    Busy(#[source] DbErr),
    /// Another transaction won a race; nothing was written: try again at once.
    #[error("another transaction changed the same rows")]
    Conflict(#[source] DbErr),
    /// A stored value does not parse: written by other code, or damaged.
    #[error("column `{column}` holds a value that does not parse")]
    Damaged {
        /// Table and column.
        column: &'static str,
    },
    /// Anything else: a bug or a damaged database.
    #[error("the database refused a query")]
    Other(#[source] DbErr),
    /// A unique value is taken.
    #[error("a unique value is taken")]
    Taken(#[source] DbErr),
}

/// [`StorageError`] without its cause, for those who only branch on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageErrorKind {
    /// See [`StorageError::Busy`].
    Busy,
    /// See [`StorageError::Conflict`].
    Conflict,
    /// Any other.
    Other,
    /// See [`StorageError::Taken`].
    Taken,
}

impl StorageError {
    /// A value in `column` that does not parse.
    #[must_use]
    pub fn damaged(column: &'static str) -> Self {
        Self::Damaged { column }
    }
}

impl AsRef<StorageErrorKind> for StorageError {
    fn as_ref(&self) -> &StorageErrorKind {
        match self {
            Self::Busy(_) => &StorageErrorKind::Busy,
            Self::Conflict(_) => &StorageErrorKind::Conflict,
            Self::Taken(_) => &StorageErrorKind::Taken,
            Self::Damaged { .. } | Self::Other(_) => &StorageErrorKind::Other,
        }
    }
}

impl From<DbErr> for StorageError {
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(_)) = error.sql_err() {
            return Self::Taken(error);
        }
        if matches!(error, DbErr::ConnectionAcquire(_)) {
            return Self::Busy(error);
        }
        match engine_code(&error).as_deref() {
            // PostgreSQL: serialization failure, deadlock. SQLite: BUSY and its extended forms, LOCKED.
            Some("40001" | "40P01" | "5" | "261" | "517" | "6" | "262") => Self::Conflict(error),
            Some("io" | "53300" | "57P01" | "57P03") => Self::Busy(error),
            _ => Self::Other(error),
        }
    }
}

fn engine_code(error: &DbErr) -> Option<String> {
    let (DbErr::Conn(RuntimeErr::SqlxError(inner))
    | DbErr::Exec(RuntimeErr::SqlxError(inner))
    | DbErr::Query(RuntimeErr::SqlxError(inner))) = error
    else {
        return None;
    };
    match inner.as_ref() {
        SqlxError::Database(database) => database.code().map(std::borrow::Cow::into_owned),
        SqlxError::Io(_) | SqlxError::PoolTimedOut => Some("io".to_owned()),
        _ => None,
    }
}
