use super::*;
use crate::anchors::AnchorStore;
use crate::envelope::sha256;
use crate::key::UnverifiedKey;
use crate::testing::{KeyBuilder, holder, roots, vehicle};

fn key(number: u8) -> (KeyHash, Arc<DigitalKey>) {
    let bytes = KeyBuilder::owned(&holder(number)).encode();
    let key = UnverifiedKey::parse(&bytes)
        .unwrap()
        .verify(vehicle(), &roots(), &AnchorStore::default())
        .unwrap();
    (sha256(&bytes), Arc::new(key))
}

#[test]
fn a_key_is_found_by_its_bytes_and_by_its_last_link_and_by_nothing_else() {
    let mut cache = KeyCache::default();
    let (hash, first) = key(1);
    let (other_hash, other) = key(2);
    assert!(cache.by_hash(&hash).is_none());
    cache.remember(hash, first.clone());
    assert_eq!(cache.by_hash(&hash), Some(first.clone()));
    assert_eq!(cache.by_leaf(&first.leaf()), Some(first));
    assert_eq!(cache.by_hash(&other_hash), None);
    assert_eq!(cache.by_leaf(&other.leaf()), None);
}

#[test]
fn other_bytes_of_the_same_key_take_the_place_of_the_former() {
    let mut cache = KeyCache::default();
    let (hash, first) = key(1);
    cache.remember(hash, first.clone());
    cache.remember([7; 32], first.clone());
    assert_eq!(cache.len(), 1);
    assert_eq!(cache.by_hash(&hash), None);
    assert_eq!(cache.by_hash(&[7; 32]), Some(first));
}

#[test]
fn the_oldest_makes_room() {
    let mut cache = KeyCache::default();
    assert!(cache.is_empty());
    let number_of = |index: usize| u8::try_from(index).unwrap();
    let keys: alloc::vec::Vec<_> = (0..limits::CACHED_KEYS + 2)
        .map(|index| key(number_of(index)))
        .collect();
    for (hash, key) in &keys {
        cache.remember(*hash, key.clone());
    }
    assert_eq!(cache.len(), limits::CACHED_KEYS);
    assert!(!cache.is_empty());
    let held: alloc::vec::Vec<bool> = keys
        .iter()
        .map(|(hash, _)| cache.by_hash(hash).is_some())
        .collect();
    assert_eq!(held[..2], [false, false]);
    assert!(held[2..].iter().all(|held| *held));
}
