//! The sandbox: a demo host and a client application, their secrets in one file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use keys_api::model::account::{Account, Email};
use keys_api::model::client_app::NewClientApp;
use keys_api::secret::Secret;
use keys_api::service::accounts::{self, SignUp};
use keys_api::{App, seed, storage};
use serde::{Deserialize, Serialize};

use super::Options;
use crate::device::random;

/// Where the secrets are, in the data directory.
pub(crate) const FILE: &str = "sandbox.json";
const HOST_EMAIL: &str = "host@example.com";
/// Where codes of the sandbox application may be sent back to.
const REDIRECT_URIS: [&str; 2] = ["https://example.com/auth", "http://localhost:3000/callback"];

/// The secrets of the sandbox, random, made once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sandbox {
    /// The demo host.
    pub(crate) host: SignIn,
    /// The sandbox client application.
    pub(crate) sandbox_app: ClientApp,
}

/// A sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignIn {
    /// Address.
    pub(crate) email: String,
    /// Password.
    pub(crate) password: String,
}

/// A client application with its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClientApp {
    client_id: String,
    client_secret: String,
    management_token: String,
    webhook_id: String,
    redirect_uris: Vec<String>,
}

impl From<NewClientApp> for ClientApp {
    fn from(app: NewClientApp) -> Self {
        Self {
            client_id: app.client_id,
            client_secret: app.client_secret.reveal().to_owned(),
            management_token: app.management_token.reveal().to_owned(),
            webhook_id: app.webhook_id,
            redirect_uris: app.redirect_uris,
        }
    }
}

impl Sandbox {
    /// The sandbox of this data directory: from its file, or made now if the database is empty (or
    /// `--sandbox` is given). `None` where a database is in use without one.
    pub(super) async fn open_or_seed(options: &Options, app: &App) -> anyhow::Result<Option<Self>> {
        let path = options.data.join(FILE);
        match fs::read(&path) {
            Ok(text) => {
                let sandbox = serde_json::from_slice(&text).with_context(|| {
                    format!(
                        "`{}` is damaged; remove it, and give --sandbox for a new one",
                        path.display()
                    )
                })?;
                return Ok(Some(sandbox));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("`{}` cannot be read", path.display()));
            }
        }
        let is_empty = storage::accounts::none(app.db.read()).await?;
        if !is_empty && !options.sandbox {
            return Ok(None);
        }
        super::may_seed(options)?;
        let sandbox = if is_empty {
            Self::seed(app).await?
        } else {
            Self::add(app).await?
        };
        write_private(&path, &serde_json::to_vec_pretty(&sandbox)?)
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
        Ok(Some(sandbox))
    }

    async fn seed(app: &App) -> anyhow::Result<Self> {
        let seeded = seed::sandbox(app, email(HOST_EMAIL)?, redirect_uris())
            .await?
            .context("the database was empty a moment ago")?;
        Ok(Self {
            host: SignIn {
                email: HOST_EMAIL.to_owned(),
                password: seeded.password.reveal().to_owned(),
            },
            sandbox_app: seeded.app.into(),
        })
    }

    /// A sandbox beside what the database holds already.
    async fn add(app: &App) -> anyhow::Result<Self> {
        let mark = data_encoding::HEXLOWER.encode(&random::bytes::<4>()?);
        let host = SignIn {
            email: format!("host-{mark}@example.com"),
            password: data_encoding::BASE64URL_NOPAD.encode(&random::bytes::<15>()?),
        };
        let password = Secret::new(host.password.clone());
        let password_hash = app.passwords.hash(password, app.random.as_ref()).await?;
        let sign_up = SignUp {
            email: email(&host.email)?,
            name: Some("Demo host".to_owned()),
            password_hash,
        };
        let tx = app.db.begin().await?;
        accounts::sign_up(app, &tx, sign_up).await?;
        tx.commit().await?;
        let sandbox_app = create_client_app(app, "Sandbox", redirect_uris()).await?;
        Ok(Self { host, sandbox_app })
    }

    /// The demo host's account; `None` if it is gone.
    pub(super) async fn account(&self, app: &App) -> anyhow::Result<Option<Account>> {
        let found =
            storage::accounts::find_by_email(app.db.read(), &email(&self.host.email)?).await?;
        Ok(found.map(|(account, ..)| account))
    }
}

fn email(text: &str) -> anyhow::Result<Email> {
    text.parse()
        .ok()
        .with_context(|| format!("`{text}` in {FILE} is no e-mail address"))
}

/// Makes a client application.
pub(crate) async fn create_client_app(
    app: &App,
    name: &str,
    redirect_uris: Vec<String>,
) -> anyhow::Result<ClientApp> {
    let tx = app.db.begin().await?;
    let made = keys_api::service::client_apps::create(app, &tx, name, redirect_uris).await?;
    tx.commit().await?;
    Ok(made.into())
}

fn redirect_uris() -> Vec<String> {
    REDIRECT_URIS.map(str::to_owned).to_vec()
}

/// Makes a directory that only its owner can enter; one that is there stays as it is.
pub(super) fn make_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("json.new");
    match fs::remove_file(&fresh) {
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
    let mut file = options.open(&fresh)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(fresh, path)
}
