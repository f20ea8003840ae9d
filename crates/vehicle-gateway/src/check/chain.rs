//! Every signature from the owner down, each link inside its parent; once for each key.

use std::sync::{Arc, Mutex};

use keys_core::cache::KeyCache;
use keys_core::chain::DigitalKey;
use keys_core::envelope::sha256;
use keys_core::presentation::{Presentation, PresentedKey};
use keys_core::refusal::Refusal;

use crate::core::lock;
use crate::trust::Trust;

/// Finds the key among those verified before, by its bytes or by the leaf that stands for it.
pub(super) fn find(
    presentation: &Presentation<'_>,
    cache: &Mutex<KeyCache>,
) -> Option<Arc<DigitalKey>> {
    match &presentation.key {
        PresentedKey::Cached(leaf) => lock(cache).by_leaf(leaf),
        PresentedKey::Whole(_) => {
            let hash = sha256(presentation.key_bytes);
            lock(cache).by_hash(&hash)
        }
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

/// Remembers a key whose holder has just proven to hold it.
pub(super) fn remember(
    presentation: &Presentation<'_>,
    key: &Arc<DigitalKey>,
    cache: &Mutex<KeyCache>,
) {
    let hash = sha256(presentation.key_bytes);
    lock(cache).remember(hash, key.clone());
}
