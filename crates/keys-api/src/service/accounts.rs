//! Signing up, signing in, and the sessions that come of it.

use crate::model::account::{Account, Email, Session};
use crate::model::id::AccountId;
use crate::secret::{Secret, TokenKind};
use crate::service::passwords::PasswordError;
use crate::state::App;
use crate::storage::{Conn, StorageError, Tx, accounts, sessions};

/// How long a session lives.
pub const SESSION_S: u64 = 30 * 24 * 3600;

/// What a new owner says.
#[derive(Debug)]
pub struct SignUp {
    /// The address.
    pub email: Email,
    /// What the owner calls themself.
    pub name: Option<String>,
    /// From [`crate::service::passwords::Passwords::hash`], made before the transaction began.
    pub password_hash: String,
}

/// Why a sign-up failed.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// The address has an account.
    #[error("the address has an account")]
    EmailTaken,
    /// The store failed.
    #[error("could not store the account")]
    Storage(#[from] StorageError),
}

/// Makes an account.
///
/// # Errors
/// [`SignUpError`]
pub async fn sign_up(app: &App, tx: &Tx, new: SignUp) -> Result<Account, SignUpError> {
    let SignUp {
        email,
        name,
        password_hash,
    } = new;
    let account = Account {
        id: app.new_id(),
        email,
        name,
        created_at: app.clock.now(),
    };
    match accounts::insert(tx, &account, password_hash).await {
        Ok(()) => Ok(account),
        Err(StorageError::Taken(_)) => Err(SignUpError::EmailTaken),
        Err(error) => Err(error.into()),
    }
}

/// Why credentials were not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The hash could not be checked.
    #[error("could not check the password")]
    Password(#[from] PasswordError),
    /// The store failed.
    #[error("could not read the account")]
    Storage(#[from] StorageError),
    /// No account, or not its password; which of the two is not said.
    #[error("address and password do not match")]
    Wrong,
}

/// The account of these credentials. An unknown address takes as long as a wrong password.
///
/// # Errors
/// [`SignInError`]
pub async fn authenticate(
    app: &App,
    email: &Email,
    password: Secret,
) -> Result<Account, SignInError> {
    let found = accounts::find_by_email(app.db.read(), email).await?;
    let (account, hash) = match found {
        Some((account, hash)) => (Some(account), hash),
        None => (None, None),
    };
    let right = app.passwords.verify(password, hash).await?;
    account.filter(|_| right).ok_or(SignInError::Wrong)
}

/// Begins a session; its token is shown once.
///
/// # Errors
/// [`StorageError`]
pub async fn begin_session(
    app: &App,
    db: &impl Conn,
    account: AccountId,
    user_agent: Option<String>,
) -> Result<(Session, Secret), StorageError> {
    let token = TokenKind::Session.make(app.random.as_ref());
    let created_at = app.clock.now();
    let expires_at = created_at.plus(SESSION_S);
    let session = Session {
        id: app.new_id(),
        account_id: account,
        user_agent,
        created_at,
        expires_at,
    };
    sessions::insert(db, &session, token.hash()).await?;
    Ok((session, token))
}
