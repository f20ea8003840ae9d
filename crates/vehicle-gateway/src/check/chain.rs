//! Every signature from the owner down, each link inside its parent.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use keys_core::chain::DigitalKey;
use keys_core::id::ObjectId;
use keys_core::presentation::{Presentation, PresentedKey};
use keys_core::refusal::Refusal;

use crate::trust::Trust;

/// Keys remembered at a time.
const KEYS: usize = 64;

/// Keys this gateway verified before, by their leaf; a phone may then send the leaf's id alone.
///
/// INVARIANT: whoever changes bundle or anchors makes a new cache, so that what is in it verifies
/// under the trust it is used with.
#[derive(Debug, Default)]
pub struct KeyCache {
    keys: Mutex<Remembered>,
}

#[derive(Debug, Default)]
struct Remembered {
    by_leaf: HashMap<ObjectId, Arc<DigitalKey>>,
    order: VecDeque<ObjectId>,
}

impl KeyCache {
    fn get(&self, leaf: &ObjectId) -> Option<Arc<DigitalKey>> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.by_leaf.get(leaf).cloned()
    }

    /// Remembers a key whose holder has just proven to hold it.
    pub fn remember(&self, key: &Arc<DigitalKey>) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let leaf = key.leaf();
        if keys.by_leaf.insert(leaf, key.clone()).is_some() {
            return;
        }
        keys.order.push_back(leaf);
        if keys.order.len() > KEYS
            && let Some(oldest) = keys.order.pop_front()
        {
            keys.by_leaf.remove(&oldest);
        }
    }
}

/// Verifies the presented key, or finds it among those verified before.
pub(super) fn verify(
    presentation: &Presentation<'_>,
    trust: &Trust,
    cache: &KeyCache,
) -> Result<Arc<DigitalKey>, Refusal> {
    match &presentation.key {
        PresentedKey::Cached(leaf) => cache.get(leaf).ok_or(Refusal::UnknownSigner),
        PresentedKey::Whole(key) => key
            .clone()
            .verify(trust.vehicle, &trust.bundle.roots(), &trust.anchors)
            .map(Arc::new),
    }
}

#[cfg(test)]
mod tests {
    use keys_core::anchors::AnchorStore;
    use keys_core::key::UnverifiedKey;
    use keys_core::testing::{self, KeyBuilder};

    use super::*;

    #[test]
    fn the_number_of_keys_remembered_is_bounded() {
        let cache = KeyCache::default();
        for number in 0..100 {
            let bytes = KeyBuilder::owned(&testing::holder(number)).encode();
            let key = UnverifiedKey::parse(&bytes)
                .unwrap()
                .verify(
                    testing::vehicle(),
                    &testing::roots(),
                    &AnchorStore::default(),
                )
                .unwrap();
            cache.remember(&Arc::new(key));
        }
        let keys = cache.keys.lock().unwrap();
        assert_eq!((keys.by_leaf.len(), keys.order.len()), (KEYS, KEYS));
    }
}
