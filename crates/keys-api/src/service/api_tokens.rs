//! API tokens: made, shown once, revoked.

use keys_core::time::Timestamp;

use crate::model::account::ApiToken;
use crate::model::id::AccountId;
use crate::secret::{Secret, TokenKind};
use crate::state::App;
use crate::storage::{StorageError, Tx, api_tokens};

/// Makes a token for an account; the secret is shown once.
///
/// # Errors
/// [`StorageError`]
pub async fn create(
    app: &App,
    tx: &Tx,
    account_id: AccountId,
    name: String,
    expires_at: Option<Timestamp>,
) -> Result<(ApiToken, Secret), StorageError> {
    let secret = TokenKind::ApiToken.make(app.random.as_ref());
    let token = ApiToken {
        id: app.new_id(),
        account_id,
        name,
        created_at: app.clock.now(),
        expires_at,
    };
    api_tokens::insert(tx, &token, secret.hash()).await?;
    Ok((token, secret))
}
