//! What a first start puts into an empty database, so that there is something to try.

mod cars;

pub use cars::{CarsError, cars, pair};

use crate::model::account::{Account, Email};
use crate::model::client_app::NewClientApp;
use crate::secret::Secret;
use crate::service::accounts::{self, SignUp, SignUpError};
use crate::service::client_apps::{self, CreateError};
use crate::service::passwords::PasswordError;
use crate::state::App;
use crate::storage::{self, StorageError};

/// The sandbox as it is shown once; the caller keeps it.
#[derive(Debug)]
pub struct Sandbox {
    /// The demo host.
    pub account: Account,
    /// Its password: random.
    pub password: Secret,
    /// A session of the host, to go on seeding over the API.
    pub session: Secret,
    /// The sandbox client application.
    pub app: NewClientApp,
}

/// Why seeding failed. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The application was refused.
    #[error("could not make the sandbox application")]
    App(#[from] CreateError),
    /// The password could not be hashed.
    #[error("could not hash the host's password")]
    Password(#[from] PasswordError),
    /// The host was refused.
    #[error("could not make the demo host")]
    SignUp(#[from] SignUpError),
    /// The store failed.
    #[error("could not store the sandbox")]
    Storage(#[from] StorageError),
}

/// Makes the demo host `email` and the sandbox application in one transaction; `None` if there is an
/// account already.
///
/// # Errors
/// [`SeedError`]
pub async fn sandbox(
    app: &App,
    email: Email,
    redirect_uris: Vec<String>,
) -> Result<Option<Sandbox>, SeedError> {
    let password = Secret::random::<15>("", app.random.as_ref());
    let password_hash = app
        .passwords
        .hash(password.clone(), app.random.as_ref())
        .await?;
    let tx = app.db.begin().await?;
    if !storage::accounts::none(&tx).await? {
        return Ok(None);
    }
    let host = SignUp {
        email,
        name: Some("Demo host".to_owned()),
        password_hash,
    };
    let account = accounts::sign_up(app, &tx, host).await?;
    let (_, session) =
        accounts::begin_session(app, &tx, account.id, Some("first start".to_owned())).await?;
    let client = client_apps::create(app, &tx, "Sandbox", redirect_uris).await?;
    tx.commit().await.map_err(StorageError::from)?;
    Ok(Some(Sandbox {
        account,
        password,
        session,
        app: client,
    }))
}
