//! Links of good keys put together into other keys: each is refused, with the code that says why.

use super::*;

/// A link of a tree, with the id it is named by.
struct Cut {
    bytes: Vec<u8>,
    id: ObjectId,
}

/// The links of a key, in their order.
fn cut(key: &KeyBuilder) -> Vec<Cut> {
    let cut = |link: &keys_core::envelope::Sealed| Cut {
        bytes: link.bytes.clone(),
        id: link.id,
    };
    key.links().iter().map(cut).collect()
}

fn joined(links: &[&Cut]) -> Result<DigitalKey, Refusal> {
    let rest: Vec<&[u8]> = links[1..].iter().map(|link| &link.bytes[..]).collect();
    verify(&encode_key(First::Link(&links[0].bytes), &rest))
}

fn claims(number: u8, delegations: u8) -> Claims {
    let mut claims = testing::claims(&holder(number), window(), Entitlements::UNLOCK);
    claims.policy.delegations = delegations;
    claims
}

/// Owner → 1 → 2 → 3 under a grant: with several grants, the same holders under other parents.
fn chain(grant: u8) -> Vec<Cut> {
    let mut first = claims(1, 3);
    first.grant_id = Some(GrantId([grant; 8]));
    let key = KeyBuilder::first(&testing::owner(), &first, &holder(1))
        .then(claims(2, 2), &holder(2))
        .then(claims(3, 1), &holder(3));
    cut(&key)
}

#[test]
fn the_links_as_they_were_signed_make_a_key() {
    let links = chain(1);
    for count in 1..=links.len() {
        let key = joined(&links.iter().take(count).collect::<Vec<_>>());
        assert_eq!(key.map(|key| key.leaf()), Ok(links[count - 1].id));
    }
}

#[test]
fn links_of_two_chains_of_the_same_holders_do_not_mix() {
    let (a, b) = (chain(1), chain(2));
    for mixed in [
        [&a[0], &b[1], &b[2]],
        [&a[0], &a[1], &b[2]],
        [&a[0], &b[1], &a[2]],
        [&b[0], &a[1], &b[2]],
    ] {
        assert_eq!(joined(&mixed), Err(Refusal::BadSignature));
    }
}

#[test]
fn later_links_do_not_change_places() {
    let a = chain(1);
    assert_eq!(joined(&[&a[0], &a[2], &a[1]]), Err(Refusal::BadSignature));
    // Only a first link names its signer and its vehicle, so elsewhere it does not even parse.
    assert_eq!(joined(&[&a[1], &a[0], &a[2]]), Err(Refusal::Malformed));
    assert_eq!(joined(&[&a[1], &a[2]]), Err(Refusal::Malformed));
    assert_eq!(joined(&[&a[0], &a[0], &a[1]]), Err(Refusal::Malformed));
}

#[test]
fn no_link_is_left_out_or_said_twice() {
    let a = chain(1);
    assert_eq!(joined(&[&a[0], &a[2]]), Err(Refusal::BadSignature));
    assert_eq!(joined(&[&a[0], &a[1], &a[1]]), Err(Refusal::BadSignature));
    assert_eq!(
        joined(&[&a[0], &a[1], &a[1], &a[2]]),
        Err(Refusal::BadSignature)
    );
    assert_eq!(
        joined(&[&a[0], &a[1], &a[2], &a[2]]),
        Err(Refusal::BadSignature)
    );
}

#[test]
fn a_link_has_one_parent_even_if_one_holder_could_be_both() {
    // The owner gives the same holder two keys; what he hands on under one is nothing under the other.
    let parents = [1, 2].map(|grant| {
        let mut first = claims(1, 3);
        first.grant_id = Some(GrantId([grant; 8]));
        KeyBuilder::first(&testing::owner(), &first, &holder(1))
    });
    let children = parents
        .clone()
        .map(|key| key.then(claims(2, 0), &holder(2)));
    let (parents, children) = (parents.map(|key| cut(&key)), children.map(|key| cut(&key)));
    for (index, child) in children.iter().enumerate() {
        let (own, other) = (&parents[index][0], &parents[1 - index][0]);
        assert!(joined(&[own, &child[1]]).is_ok());
        assert_eq!(joined(&[other, &child[1]]), Err(Refusal::BadSignature));
    }
}

/// Mandate, two issuer links to the same issuer key, and a leaf under the first.
fn anchored() -> (AnchorStore, [ObjectId; 3], Cut) {
    let mandate = testing::mandate_claims();
    let all = mandate.policy.entitlements;
    let above = KeyBuilder::first(&testing::owner(), &mandate, &testing::platform_root());
    let issuer = |days: u64| {
        let mut claims = testing::claims(&testing::issuer(), window(), all);
        claims.validity.until = NOW.plus(days * 86_400);
        claims.policy.delegations = 3;
        above.clone().then(claims, &testing::issuer())
    };
    let issuers = [issuer(30), issuer(40)];
    let mut leaf = claims(1, 0);
    leaf.grant_id = Some(GrantId([1; 8]));
    let key = issuers[0].clone().then(leaf, &holder(1));
    let links = issuers.iter().flat_map(|key| key.links().iter());
    let anchors = AnchorStore::from_links(links.map(|link| &link.bytes[..]), vehicle(), &roots());
    let ids = [above.leaf(), issuers[0].leaf(), issuers[1].leaf()];
    let leaf = cut(&key).pop().expect("three links");
    (anchors, ids, leaf)
}

#[test]
fn a_leaf_stands_under_its_own_anchor_only() {
    let (anchors, [mandate, issuer, renewed], leaf) = anchored();
    assert_eq!(anchors.len(), 3);
    let under = |anchor: ObjectId| {
        let bytes = encode_key(First::Anchor(anchor), &[&leaf.bytes]);
        let key = UnverifiedKey::parse(&bytes).map_err(|error| error.refusal())?;
        key.verify(vehicle(), &roots(), &anchors)
    };
    assert_eq!(under(issuer).map(|key| key.leaf()), Ok(leaf.id));
    assert_eq!(under(renewed), Err(Refusal::BadSignature));
    assert_eq!(under(mandate), Err(Refusal::BadSignature));
    assert_eq!(under(leaf.id), Err(Refusal::UnknownSigner));
}

#[test]
fn a_proof_is_for_one_leaf_and_one_challenge() {
    let keys = [flips::key(2), flips::key(3)];
    let challenges = [1, 2].map(|number| testing::challenge(number).bytes);
    let sent = |key: &KeyBuilder, signed: &[u8], carried: &[u8], leaf: ObjectId| {
        let proof = testing::proof(VehicleCommand::Unlock, 1, &holder(2), signed, &leaf).bytes;
        flips::check(&encode_presentation(carried, &key.encode(), &proof))
    };
    let (right, wrong) = (keys[0].leaf(), keys[1].leaf());
    let [one, other] = &challenges;
    assert_eq!(sent(&keys[0], one, one, right), Ok(()));
    assert_eq!(
        sent(&keys[0], other, one, right),
        Err(Refusal::BadSignature)
    );
    assert_eq!(sent(&keys[0], one, one, wrong), Err(Refusal::BadSignature));
    assert_eq!(
        sent(&keys[1], one, one, wrong),
        Err(Refusal::BadSignature),
        "another holder's"
    );
}
