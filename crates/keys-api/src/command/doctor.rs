//! Says whether this configuration would start, and if not, why.

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, DatabaseConfig};
use crate::serve::tls::Tls;
use crate::storage;
use crate::storage::connect::sqlite_file;

/// Opens what a start would open, without changing it.
pub(super) async fn run(config: &Config) -> anyhow::Result<()> {
    super::print("configuration: ok")?;
    match sqlite_file(&config.database.url).filter(|file| !file.exists()) {
        Some(file) => super::print(&format!(
            "database: none yet; the first start makes `{}`",
            file.display()
        ))?,
        None => {
            let database = DatabaseConfig {
                migrate_at_start: false,
                ..config.database.clone()
            };
            let db = storage::open(&database).await?;
            super::print(&format!("database: ok ({:?})", db.engine()))?;
            db.close().await;
        }
    }
    tls(config)?;
    let master = config.keys.directory.join("master.key");
    match std::fs::metadata(&master) {
        Ok(meta) if meta.len() == 32 => super::print("master key: ok"),
        Ok(meta) => anyhow::bail!(
            "master key file `{}` has {} bytes, expected 32",
            master.display(),
            meta.len()
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => super::print(&format!(
            "master key: none yet; the first start makes `{}`",
            master.display()
        )),
        Err(error) => anyhow::bail!(
            "master key file `{}` cannot be read: {error}",
            master.display()
        ),
    }
}

fn tls(config: &Config) -> anyhow::Result<()> {
    let made = config.tls.self_signed_certificate();
    if Tls::check_files(config, SystemClock::default().now())? {
        super::print("tls: ok")
    } else if !config.tls.self_signed {
        super::print("tls: off")
    } else if made.exists() {
        super::print(&format!("tls: self-signed, `{}`", made.display()))
    } else {
        super::print(&format!(
            "tls: none yet; the first start makes `{}`",
            made.display()
        ))
    }
}
