//! Client applications: programs of others that act for owners.

use crate::secret::Secret;

/// A client application as it is shown once, when it is made.
#[derive(Debug, Clone)]
pub struct NewClientApp {
    /// Public name of the application in requests: a UUID.
    pub client_id: String,
    /// Shown once; stored hashed.
    pub client_secret: Secret,
    /// Keys webhook signatures and management calls; stored sealed.
    pub management_token: Secret,
    /// Names the application's webhook: a UUID.
    pub webhook_id: String,
    /// Where codes may be sent back to; compared exactly.
    pub redirect_uris: Vec<String>,
}
