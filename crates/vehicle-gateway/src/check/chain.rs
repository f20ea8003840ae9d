//! Every signature from the owner down, each link inside its parent; once for each key.

use std::sync::{Arc, Mutex};

use keys_core::cache::{KeyCache, KeyHash};
use keys_core::chain::DigitalKey;
use keys_core::presentation::{Presentation, PresentedKey};
use keys_core::refusal::Refusal;

use crate::core::lock;
use crate::trust::Trust;

/// Finds the key among those verified before, by its bytes or by the leaf that stands for it.
pub(super) fn find(
    presentation: &Presentation<'_>,
    hash: &KeyHash,
    cache: &Mutex<KeyCache>,
) -> Option<Arc<DigitalKey>> {
    match &presentation.key {
        PresentedKey::Cached(leaf) => lock(cache).by_leaf(leaf),
        PresentedKey::Whole(_) => lock(cache).by_hash(hash),
    }
}

/// Verifies a key that came whole; a leaf alone stands for a key that is not known here.
pub(super) fn verify(
    presentation: &Presentation<'_>,
    trust: &Trust,
) -> Result<Arc<DigitalKey>, Refusal> {
    match &presentation.key {
        PresentedKey::Cached(_) => Err(Refusal::UnknownSigner),
        PresentedKey::Whole(key) => key
            .verify(trust.vehicle, &trust.bundle.roots(), &trust.anchors)
            .map(Arc::new),
    }
}
