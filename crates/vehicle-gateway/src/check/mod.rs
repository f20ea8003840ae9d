//! From the bytes of a presentation to a decision, in the order of ck1 section 5.
//!
//! ```text
//! format → vehicle → chain → proof │ → challenge → replay → conditions → (busy)
//!   nothing here is signed yet:    │ signed: every reason is collected,
//!   one unsigned refusal, counted  │ answered with a receipt, journaled
//! ```
//!
//! One file per check. [`signed`] walks the first half and gives a [`Signed`]; the second half
//! collects [`Refusals`](keys_core::refusal::Refusals) and never stops at the first. That the car is
//! busy is found out by the dispatcher.

pub mod car;
mod chain;
pub mod challenge;
pub mod conditions;
mod format;
mod proof;
pub mod replay;
mod vehicle;

use std::sync::{Arc, Mutex};

use keys_core::cache::KeyCache;
use keys_core::chain::DigitalKey;
use keys_core::challenge::Challenge;
use keys_core::envelope::sha256;
use keys_core::proof::Proof;
use keys_core::refusal::Refusal;

pub use self::format::{Glance, glance};
use crate::core::lock;
use crate::trust::Trust;

/// A presentation whose every signature holds. Nothing is said yet about time, place or revocation.
#[derive(Debug, Clone)]
pub struct Signed {
    /// SHA-256 of the presentation.
    pub hash: [u8; 32],
    /// The challenge as it came back, not yet recognized.
    pub challenge: Challenge,
    /// The key.
    pub key: Arc<DigitalKey>,
    /// What the holder signed.
    pub proof: Proof,
}

/// Walks the checks before anything signed is known, and remembers the key if its holder signed.
///
/// # Errors
/// The first refusal met; it says nothing that an outsider could not know.
pub fn signed(bytes: &[u8], trust: &Trust, cache: &Mutex<KeyCache>) -> Result<Signed, Refusal> {
    let presentation = format::parse(bytes)?;
    vehicle::check(&presentation, trust.vehicle)?;
    let key_hash = sha256(presentation.key_bytes);
    let found = chain::find(&presentation, &key_hash, cache);
    let is_new = found.is_none();
    let key = match found {
        Some(key) => key,
        None => chain::verify(&presentation, trust)?,
    };
    let proof = proof::verify(&presentation, &key)?;
    if is_new {
        lock(cache).remember(key_hash, key.clone());
    }
    let challenge = presentation.challenge.unverified_body().clone();
    Ok(Signed {
        hash: sha256(bytes),
        challenge,
        key,
        proof,
    })
}
