//! Opening the database, and refusing to open one that is damaged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, Statement};

use super::{Db, Engine};
use crate::config::DatabaseConfig;

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither SQLite nor PostgreSQL, or SQLite without a file.
    #[error("`database.url` must begin with `sqlite://` and a file path, or `postgres://`")]
    Url,
    /// The file cannot be made.
    #[error("database file `{0}` could not be made")]
    Create(PathBuf, #[source] std::io::Error),
    /// No connection.
    #[error("could not open the database")]
    Connect(#[source] DbErr),
    /// The file fails SQLite's own check.
    #[error(
        "database file `{file}` is damaged ({detail}). Nothing was changed. To recover: stop Latchkey, keep a copy of \
         the file, then restore the newest backup, or run `sqlite3 {file} .recover | sqlite3 {file}.recovered` and \
         put the recovered file in its place"
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The first thing that is wrong.
        detail: String,
    },
    /// The schema could not be brought up to date.
    #[error("could not bring the database schema up to date")]
    Migrate(#[source] DbErr),
}

/// Opens the database at `config.url`, checks it, and brings its schema up to date if configured.
///
/// # Errors
/// [`OpenError`], which names the file and says how to recover where a file is damaged.
pub async fn open(config: &DatabaseConfig) -> Result<Db, OpenError> {
    let db = match engine_of(&config.url).ok_or(OpenError::Url)? {
        Engine::Postgres => open_postgres(config).await?,
        Engine::Sqlite => open_sqlite(config).await?,
    };
    if config.migrate_at_start {
        migrate(&db.writer).await?;
    }
    Ok(db)
}

/// Brings the schema up to date. Nodes that start together race for the same change; who loses finds
/// it made on the next try.
async fn migrate(writer: &DatabaseConnection) -> Result<(), OpenError> {
    for _ in 1..MIGRATE_TRIES {
        match Migrator::up(writer, None).await {
            Ok(()) => return Ok(()),
            Err(error) => tracing::warn!(%error, "could not migrate; trying again"),
        }
        tokio::time::sleep(MIGRATE_PAUSE).await;
    }
    Migrator::up(writer, None).await.map_err(OpenError::Migrate)
}

const MIGRATE_TRIES: u32 = 5;
const MIGRATE_PAUSE: Duration = Duration::from_millis(200);

/// The engine a URL names; `None` for those not supported.
#[must_use]
pub fn engine_of(url: &str) -> Option<Engine> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Some(Engine::Postgres)
    } else {
        sqlite_file(url).map(|_| Engine::Sqlite)
    }
}

/// The file of an SQLite URL. In-memory databases are refused: readers and writer would each see
/// their own.
pub(crate) fn sqlite_file(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split('?').next()?;
    (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(path))
}

async fn open_postgres(config: &DatabaseConfig) -> Result<Db, OpenError> {
    let mut options = ConnectOptions::new(config.url.clone());
    options
        .max_connections(config.max_connections)
        .acquire_timeout(ACQUIRE)
        .sqlx_logging(false);
    let pool = Database::connect(options)
        .await
        .map_err(OpenError::Connect)?;
    Ok(Db {
        reader: pool.clone(),
        writer: pool,
        engine: Engine::Postgres,
    })
}

async fn open_sqlite(config: &DatabaseConfig) -> Result<Db, OpenError> {
    let file = sqlite_file(&config.url).ok_or(OpenError::Url)?;
    if !file.exists() {
        create_private(&file).map_err(|error| OpenError::Create(file.clone(), error))?;
    }
    let damaged = |error: &DbErr| {
        damage(error).map(|detail| OpenError::Damaged {
            file: file.clone(),
            detail,
        })
    };
    let writer = sqlite_pool(config, 1, false)
        .await
        .map_err(|error| damaged(&error).unwrap_or(OpenError::Connect(error)))?;
    match quick_check(&writer).await {
        Ok(verdict) if verdict == "ok" => {}
        Ok(detail) => return Err(OpenError::Damaged { file, detail }),
        Err(error) => return Err(damaged(&error).unwrap_or(OpenError::Connect(error))),
    }
    let reader = sqlite_pool(config, config.max_connections, true)
        .await
        .map_err(OpenError::Connect)?;
    Ok(Db {
        reader,
        writer,
        engine: Engine::Sqlite,
    })
}

/// How long a request waits for a connection before it is told to come back later.
const ACQUIRE: Duration = Duration::from_secs(10);

/// Makes an empty file that only its owner may read, which SQLite takes for an empty database; its
/// log files get the same mode.
fn create_private(file: &Path) -> std::io::Result<()> {
    if let Some(directory) = file.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop)
}

async fn sqlite_pool(
    config: &DatabaseConfig,
    size: u32,
    read_only: bool,
) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(config.url.clone());
    options
        .max_connections(size)
        .acquire_timeout(ACQUIRE)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .foreign_keys(true)
                .busy_timeout(ACQUIRE)
                .pragma("journal_mode", "WAL")
                .pragma("synchronous", "FULL")
                .pragma("query_only", if read_only { "ON" } else { "OFF" })
        });
    Database::connect(options).await
}

async fn quick_check(writer: &DatabaseConnection) -> Result<String, DbErr> {
    let statement = Statement::from_string(writer.get_database_backend(), "PRAGMA quick_check(1)");
    match writer.query_one_raw(statement).await? {
        Some(row) => row.try_get_by_index(0),
        None => Ok("the check returned nothing".to_owned()),
    }
}

/// Whether an error means that the file itself is bad: SQLite's CORRUPT (11) and NOTADB (26).
fn damage(error: &DbErr) -> Option<String> {
    let text = error.to_string();
    ["malformed", "not a database"]
        .iter()
        .any(|sign| text.contains(sign))
        .then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_picks_the_engine() {
        assert_eq!(engine_of("postgres://h/d"), Some(Engine::Postgres));
        assert_eq!(engine_of("sqlite:///tmp/a.db"), Some(Engine::Sqlite));
        assert_eq!(engine_of("sqlite://a.db?mode=rwc"), Some(Engine::Sqlite));
        for wrong in ["", "sqlite::memory:", "sqlite://", "mysql://h/d", "a.db"] {
            assert_eq!(engine_of(wrong), None, "{wrong}");
        }
    }
}
