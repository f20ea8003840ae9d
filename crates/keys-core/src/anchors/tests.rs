use super::*;
use crate::entitlement::Entitlements;
use crate::key::UnverifiedKey;
use crate::signature::Signer as _;
use crate::testing::{
    KeyBuilder, claims, holder, other_vehicle, owner, platform_root, roots, second_owner,
    status_link, vehicle, window,
};

fn store(links: &[&[u8]]) -> AnchorStore {
    AnchorStore::from_links(links.iter().copied(), vehicle(), &roots())
}

fn two_links() -> KeyBuilder {
    KeyBuilder::mandated()
}

#[test]
fn an_anchor_whose_parent_is_not_stored_is_refused() {
    let key = two_links();
    let (mandate, issuer) = (&key.links()[0], &key.links()[1]);
    let mut anchors = AnchorStore::default();
    let refused = anchors.insert(&issuer.bytes, vehicle(), &roots());
    assert_eq!(refused, Err(Refusal::UnknownSigner));
    assert!(anchors.is_empty());
    assert_eq!(
        anchors.insert(&mandate.bytes, vehicle(), &roots()),
        Ok(mandate.id)
    );
    assert_eq!(
        anchors.insert(&issuer.bytes, vehicle(), &roots()),
        Ok(issuer.id)
    );
    assert_eq!(
        anchors.insert(&issuer.bytes, vehicle(), &roots()),
        Ok(issuer.id)
    );
    assert_eq!(anchors.len(), 2);
    assert_eq!(
        anchors.get(&issuer.id).unwrap().links()[..],
        [mandate.id, issuer.id]
    );
}

#[test]
fn links_are_taken_in_whatever_order_they_come() {
    let key = two_links();
    let links: Vec<&[u8]> = key.links().iter().map(|link| &link.bytes[..]).collect();
    let forward = store(&links);
    let backward = store(&[links[1], &[0xff], links[0]]);
    assert_eq!(forward, backward);
    assert_eq!(forward.links().count(), 2);
    assert!(!forward.is_empty());
    let ids: Vec<_> = forward.ids().collect();
    assert!(key.links().iter().all(|link| ids.contains(&link.id)));
}

#[test]
fn an_anchor_that_is_no_link_or_wider_than_its_parent_is_refused() {
    let key = two_links();
    let anchors = store(&[&key.links()[0].bytes]);
    let refuse = |bytes: &[u8]| anchors.verify(bytes, vehicle(), &roots()).unwrap_err();
    assert_eq!(refuse(&[0]), Refusal::Malformed);
    assert_eq!(refuse(&[0; 641]), Refusal::TooLarge);
    let mut wide = claims(&holder(1), window(), Entitlements::UNLOCK);
    wide.policy.delegations = 4;
    let wide = KeyBuilder::first(
        &owner(),
        &crate::testing::mandate_claims(),
        &platform_root(),
    )
    .then(wide, &holder(1));
    assert_eq!(refuse(&wide.links()[1].bytes), Refusal::Widened);
    let mut elsewhere = claims(&holder(1), window(), Entitlements::UNLOCK);
    elsewhere.vehicle = Some(other_vehicle());
    let elsewhere = KeyBuilder::first(&owner(), &elsewhere, &holder(1));
    assert_eq!(refuse(&elsewhere.links()[0].bytes), Refusal::WrongVehicle);
}

#[test]
fn under_other_roots_nothing_stored_counts_until_it_is_verified_again() {
    let key = two_links();
    let links: Vec<&[u8]> = key.links().iter().map(|link| &link.bytes[..]).collect();
    let status = status_link().bytes;
    let anchors = store(&[links[0], links[1], &status]);
    let encoded = key.encode_from(2);
    let refuse = |anchors: &AnchorStore, roots: &Roots| {
        let parsed = UnverifiedKey::parse(&encoded).unwrap();
        parsed.verify(vehicle(), roots, anchors).unwrap_err()
    };
    // No grant id, so an issuer's link opens nothing; it verified all the same.
    assert_eq!(refuse(&anchors, &roots()), Refusal::Malformed);
    let mut forbidding = roots();
    forbidding.mandate_allowed = false;
    let mut replaced = roots();
    replaced.owner_keys = [*second_owner().verifying_key()].into_iter().collect();
    let mut added = roots();
    added.owner_keys.push(*second_owner().verifying_key());
    for other in [&forbidding, &replaced, &added] {
        assert_eq!(refuse(&anchors, other), Refusal::UnknownSigner);
        assert_eq!(anchors.status_links(vehicle(), other).count(), 0);
        let refused = anchors.verify(links[1], vehicle(), other);
        assert_eq!(refused.unwrap_err(), Refusal::UnknownSigner);
    }
    assert_eq!(
        anchors.under(vehicle(), &forbidding).len(),
        1,
        "the status link stays"
    );
    assert_eq!(anchors.under(vehicle(), &replaced).len(), 1);
    let moved = anchors.under(vehicle(), &added);
    assert_eq!(moved.len(), 3);
    assert_eq!(refuse(&moved, &added), Refusal::Malformed);
}

#[test]
fn status_keys_are_those_of_status_links() {
    let key = two_links();
    let anchors = store(&[&key.links()[0].bytes, &status_link().bytes]);
    let keys: Vec<_> = anchors.status_keys().map(|(key, _)| *key).collect();
    assert_eq!(keys, [*crate::testing::status().verifying_key()]);
    assert_eq!(anchors.status_links(vehicle(), &roots()).count(), 1);
    assert_eq!(anchors.status_links(other_vehicle(), &roots()).count(), 0);
}

#[test]
fn a_removed_anchor_leaves_those_below_it_with_their_path() {
    let key = two_links();
    let links: Vec<&[u8]> = key.links().iter().map(|link| &link.bytes[..]).collect();
    let mut anchors = store(&links);
    assert!(anchors.remove(&key.links()[0].id));
    assert!(!anchors.remove(&key.links()[0].id));
    assert_eq!(anchors.get(&key.leaf()).unwrap().links().len(), 2);
}

#[test]
fn a_car_keeps_a_bounded_number_of_anchors() {
    let mut anchors = AnchorStore::default();
    let link = |number: usize| {
        let mut claims = claims(&holder(1), window(), Entitlements::UNLOCK);
        claims.validity.until = claims.validity.until.plus(number as u64);
        KeyBuilder::first(&owner(), &claims, &holder(1)).links()[0]
            .bytes
            .clone()
    };
    for number in 0..limits::ANCHORS {
        anchors.insert(&link(number), vehicle(), &roots()).unwrap();
    }
    let refused = anchors.insert(&link(limits::ANCHORS), vehicle(), &roots());
    assert_eq!(refused, Err(Refusal::TooLarge));
    assert!(
        anchors.insert(&link(0), vehicle(), &roots()).is_ok(),
        "held already"
    );
}
