//! Nonce and command id were not used with other bytes.
//!
//! Both are recorded with the durable intent and not before: a refused try uses nothing up.

use keys_core::refusal::Refusal;

use super::Signed;
use crate::challenge::Challenges;
use crate::store::{Store, StoreError};

/// Whether the challenge's nonce or the command id belongs to another act.
///
/// # Errors
/// [`StoreError`] if the command ids cannot be read; then nothing may be allowed.
pub fn finding(
    challenges: &Challenges,
    store: &Store,
    signed: &Signed,
) -> Result<Option<Refusal>, StoreError> {
    let other = |used: [u8; 32]| used != signed.hash;
    let nonce_used = challenges.used_for(&signed.challenge).is_some_and(other);
    let record = store.command(&signed.proof.command_id)?;
    let id_used = record.is_some_and(|record| other(record.presentation));
    Ok((nonce_used || id_used).then_some(Refusal::Replayed))
}
