//! The database: SQLite or PostgreSQL behind one set of calls.
//!
//! Reads go through [`Db::read`]; every change goes through [`Db::begin`], which on SQLite is
//! `BEGIN IMMEDIATE` on the one writer connection, and on PostgreSQL a serializable transaction.
//! A transaction that lost a race ends in [`StorageError::Conflict`]; the HTTP layer runs the request
//! again, jobs use [`Db::retry`]. While a transaction is open, await nothing but the database: on
//! SQLite everybody else's writes wait for it.
//!
//! Entity structs stay in their file; functions return model types and take any [`Conn`], so that
//! they work inside and outside a transaction.

pub mod accounts;
pub mod api_tokens;
pub mod bundles;
pub mod client_apps;
mod columns;
pub mod commands;
pub mod connect;
pub mod denied_links;
pub mod error;
pub mod events;
pub mod gateways;
pub mod holder_sessions;
pub mod invitations;
pub mod keys;
pub mod links;
pub mod mandates;
pub mod pairings;
pub mod receipts;
pub mod replies;
pub mod sessions;
pub mod signing_keys;
pub mod slots;
pub mod statements;
pub mod vehicles;

use std::future::Future;

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

pub use connect::{OpenError, open};
pub use error::StorageError;
pub use sea_orm::ConnectionTrait as Conn;

/// An open write transaction; rolled back unless committed.
pub type Tx = DatabaseTransaction;

/// How often a transaction that lost a race is tried in all.
pub const ATTEMPTS: u32 = 8;

/// Which engine a [`Db`] speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL, or what speaks its protocol.
    Postgres,
    /// One SQLite file.
    Sqlite,
}

/// The two pools: one for reads, one for writes.
#[derive(Debug, Clone)]
pub struct Db {
    reader: DatabaseConnection,
    writer: DatabaseConnection,
    engine: Engine,
}

impl Db {
    /// A connection for single reads; each sees the newest commit.
    #[must_use]
    pub fn read(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// The engine behind.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Begins a write transaction.
    ///
    /// # Errors
    /// [`StorageError::Busy`] if no writer came free in time.
    pub async fn begin(&self) -> Result<Tx, StorageError> {
        let options = match self.engine {
            Engine::Postgres => TransactionOptions {
                isolation_level: Some(IsolationLevel::Serializable),
                ..Default::default()
            },
            Engine::Sqlite => TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..Default::default()
            },
        };
        Ok(self.writer.begin_with_options(options).await?)
    }

    /// Runs `work` again while it loses races, at most [`ATTEMPTS`] times. For work outside HTTP
    /// requests; `work` begins and commits its own transaction.
    ///
    /// # Errors
    /// Whatever `work` returns last.
    pub async fn retry<T, E, F>(&self, mut work: impl FnMut() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: AsRef<StorageErrorKind>,
    {
        for _ in 1..ATTEMPTS {
            match work().await {
                Err(error) if *error.as_ref() == StorageErrorKind::Conflict => {
                    tokio::task::yield_now().await;
                }
                other => return other,
            }
        }
        work().await
    }

    /// Closes both pools after their work in hand.
    pub async fn close(self) {
        let _ = self.reader.close().await;
        let _ = self.writer.close().await;
    }
}

pub use error::StorageErrorKind;
