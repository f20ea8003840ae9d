//! What was acknowledged, and so must be there at the end.

use std::collections::BTreeMap;

use keys_core::envelope::Verified;
use keys_core::receipt::Receipt;

use super::phone::Phone;

/// A key as the API last acknowledged it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyFacts {
    pub(super) state: String,
    pub(super) valid_until: String,
    pub(super) holder_key: Option<String>,
    /// Ids of delegated links that were reported.
    pub(super) delegates: Vec<String>,
}

/// Everything acknowledged.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) writes: u64,
    pub(super) kills: u64,
    pub(super) keys: BTreeMap<String, KeyFacts>,
    /// Sessions of holders: the key and the token.
    pub(super) sessions: Vec<(String, String)>,
    /// Invitations that were redeemed: id and secret.
    pub(super) redeemed: Vec<(String, String)>,
    /// Commands the API took: id and who may look.
    pub(super) commands: Vec<(String, String)>,
    /// Receipts that phones got from the gateway.
    pub(super) receipts: Vec<Verified<Receipt>>,
    /// Phones whose key the gateway said it knows to be revoked.
    pub(super) dead: Vec<Phone>,
    /// Signed links that were denied; a statement lists so many at most.
    pub(super) denied: usize,
    /// Tries with dead keys.
    pub(super) dead_tries: u64,
    /// Answers the server should never give, and promises broken.
    pub(super) wrong: Vec<String>,
}
