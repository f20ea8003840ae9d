//! Keys verified before: their next command costs one signature, the holder's proof.
//!
//! A phone sends a key it has sent before, or only the id of its last link. Either way the proof is
//! verified each time, and [`decide`](crate::decide::decide) tests window, revocation and conditions.
//! Source: ck1 section 5.

use alloc::sync::Arc;

use arrayvec::ArrayVec;

use crate::chain::DigitalKey;
use crate::id::ObjectId;
use crate::limits;

/// What a key is remembered under: SHA-256 of its bytes, every signature included.
pub type KeyHash = [u8; 32];

#[derive(Debug, Clone)]
struct Remembered {
    hash: KeyHash,
    leaf: ObjectId,
    key: Arc<DigitalKey>,
}

/// At most [`limits::CACHED_KEYS`] verified keys of one vehicle; the oldest makes room.
///
/// INVARIANT: a key is remembered only after its holder's proof held, and a new cache is begun whenever
/// bundle, anchors or statements change. So what is found here verifies under the trust it is used with.
#[derive(Debug, Clone, Default)]
pub struct KeyCache {
    keys: ArrayVec<Remembered, { limits::CACHED_KEYS }>,
    oldest: usize,
}

impl KeyCache {
    /// The key whose bytes have this SHA-256.
    #[must_use]
    pub fn by_hash(&self, hash: &KeyHash) -> Option<Arc<DigitalKey>> {
        self.find(|remembered| remembered.hash == *hash)
    }

    /// The key whose last link has this id.
    #[must_use]
    pub fn by_leaf(&self, leaf: &ObjectId) -> Option<Arc<DigitalKey>> {
        self.find(|remembered| remembered.leaf == *leaf)
    }

    fn find(&self, is_it: impl Fn(&Remembered) -> bool) -> Option<Arc<DigitalKey>> {
        let found = self.keys.iter().find(|remembered| is_it(remembered))?;
        Some(found.key.clone())
    }

    /// Remembers a key whose holder has just proven to hold it. Bytes that differ and end in the same
    /// link, as a key with and without its anchor, are one key: the latest bytes are remembered.
    pub fn remember(&mut self, hash: KeyHash, key: Arc<DigitalKey>) {
        let leaf = key.leaf();
        let new = Remembered { hash, leaf, key };
        let same = self.keys.iter_mut().find(|held| held.leaf == leaf);
        if let Some(held) = same {
            *held = new;
        } else if let Err(full) = self.keys.try_push(new) {
            self.keys[self.oldest] = full.element();
            self.oldest = (self.oldest + 1) % limits::CACHED_KEYS;
        }
    }

    /// How many keys are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

#[cfg(test)]
mod tests;
