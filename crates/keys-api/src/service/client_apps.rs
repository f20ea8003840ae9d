//! Client applications: made by `latchkey app create` and at the first start.

use axum::http::Uri;

use crate::model::client_app::NewClientApp;
use crate::model::id::ClientAppId;
use crate::random;
use crate::secret::Secret;
use crate::state::App;
use crate::storage::{StorageError, Tx, client_apps};

/// What the sealed management token is sealed for.
pub const MANAGEMENT_TOKEN: &str = "client app management token";

/// Why an application could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// An address that cannot be one to send codes back to.
    #[error("`{0}` is not an absolute https (or loopback http) address without a fragment")]
    RedirectUri(String),
    /// The store failed.
    #[error("could not store the application")]
    Storage(#[from] StorageError),
}

/// Makes an application; what is returned is shown once.
///
/// # Errors
/// [`CreateError`]
pub async fn create(
    app: &App,
    tx: &Tx,
    name: &str,
    redirect_uris: Vec<String>,
) -> Result<NewClientApp, CreateError> {
    if let Some(wrong) = redirect_uris.iter().find(|uri| !may_redirect_to(uri)) {
        return Err(CreateError::RedirectUri(wrong.clone()));
    }
    let random = app.random.as_ref();
    let made = NewClientApp {
        client_id: random_uuid(app),
        client_secret: Secret::random::<32>("", random),
        management_token: Secret::random::<32>("", random),
        webhook_id: random_uuid(app),
        redirect_uris,
    };
    let sealed = app.sealer.seal(
        MANAGEMENT_TOKEN,
        made.management_token.reveal().as_bytes(),
        random,
    );
    let id: ClientAppId = app.new_id();
    client_apps::insert(tx, id, name, &made, sealed, app.clock.now()).await?;
    Ok(made)
}

fn random_uuid(app: &App) -> String {
    uuid::Builder::from_random_bytes(random::bytes(app.random.as_ref()))
        .into_uuid()
        .to_string()
}

/// The name under which an address would be compared exactly must be complete: https, or http on the
/// developer's own machine.
fn may_redirect_to(uri: &str) -> bool {
    let Ok(parsed) = uri.parse::<Uri>() else {
        return false;
    };
    let loopback = matches!(parsed.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let scheme = parsed.scheme_str();
    let absolute = scheme == Some("https") || (scheme == Some("http") && loopback);
    absolute && uri.len() <= 2048 && !uri.contains('#')
}
