use alloc::vec::Vec;

use super::*;
use crate::command::VehicleCommand;
use crate::key::{First, encode_key};
use crate::link::sign_link;
use crate::policy::{Areas, ClockRule, Policy};
use crate::signature::{Signer as _, SigningKey};
use crate::testing::{
    KeyBuilder, NOW, challenge, claims, holder, issuer, mandate_claims, other_vehicle, owner,
    platform_root, proof, roots, second_owner, status, status_link, vehicle, window,
};
use crate::time::Validity;

fn verify_with(key: &[u8], roots: &Roots, anchors: &AnchorStore) -> Result<DigitalKey, Refusal> {
    let parsed = UnverifiedKey::parse(key).map_err(|error| error.refusal())?;
    parsed.verify(vehicle(), roots, anchors)
}

fn verify(key: &[u8]) -> Result<DigitalKey, Refusal> {
    verify_with(key, &roots(), &AnchorStore::default())
}

/// A first link of `signer` for holder 1 with a grant id, changed.
fn first(signer: &SigningKey, change: impl FnOnce(&mut Claims)) -> KeyBuilder {
    let mut claims = claims(&holder(1), window(), rights());
    claims.grant_id = Some(crate::id::GrantId([7; 8]));
    claims.policy.delegations = 4;
    change(&mut claims);
    KeyBuilder::first(signer, &claims, &holder(1))
}

fn rights() -> Entitlements {
    Entitlements::UNLOCK | Entitlements::LOCK
}

fn delegated(number: u8, delegations: u8) -> Claims {
    let mut claims = claims(&holder(number), window(), rights());
    claims.policy.delegations = delegations;
    claims
}

fn lasting(seconds: u64) -> Validity {
    Validity {
        from: NOW,
        until: NOW.plus(seconds),
    }
}

/// Owner → 1 → 2 → 3 → 4 → 5.
fn five_links() -> KeyBuilder {
    (2..=5).fold(first(&owner(), |_| {}), |key, number| {
        key.then(delegated(number, 5 - number), &holder(number))
    })
}

#[test]
fn a_key_of_one_to_five_links_verifies() {
    let whole = five_links();
    for count in 1..=5 {
        let links: Vec<&[u8]> = whole.links().iter().map(|link| &link.bytes[..]).collect();
        let key = verify(&encode_key(First::Link(links[0]), &links[1..count])).unwrap();
        let ids: Vec<_> = whole.links()[..count].iter().map(|link| link.id).collect();
        assert_eq!(key.links()[..], ids);
        assert_eq!(key.leaf(), ids[count - 1]);
        let number = u8::try_from(count).unwrap();
        assert_eq!(key.holder(), holder(number).verifying_key());
        assert!(!key.has_mandate() && !key.is_owner_device() && !key.is_status_key());
    }
}

#[test]
fn a_key_for_another_vehicle_is_refused_before_its_signature_is_looked_at() {
    let elsewhere = first(&second_owner(), |claims| {
        claims.vehicle = Some(other_vehicle());
    });
    assert_eq!(verify(&elsewhere.encode()), Err(Refusal::WrongVehicle));
}

#[test]
fn a_first_link_comes_from_an_owner_of_the_bundle() {
    let mut two = roots();
    two.owner_keys.push(*second_owner().verifying_key());
    let key = first(&second_owner(), |_| {}).encode();
    assert!(verify_with(&key, &two, &AnchorStore::default()).is_ok());
    for stranger in [second_owner(), platform_root(), issuer(), holder(1)] {
        let key = first(&stranger, |_| {}).encode();
        assert_eq!(verify(&key), Err(Refusal::UnknownSigner));
    }
}

#[test]
fn a_first_link_with_the_owners_hint_and_anothers_signature_is_refused() {
    struct Impostor(SigningKey, SigningKey);
    impl crate::signature::Signer for Impostor {
        fn verifying_key(&self) -> &VerifyingKey {
            self.0.verifying_key()
        }
        fn sign(
            &self,
            input: &crate::envelope::SigningInput<'_>,
        ) -> Result<[u8; 64], crate::signature::SignError> {
            self.1.sign(input)
        }
    }
    let claims = delegated(1, 0);
    let link = sign_link(&claims, &Impostor(owner(), holder(1)), None).unwrap();
    let key = encode_key(First::Link(&link.bytes), &[]);
    assert_eq!(verify(&key), Err(Refusal::BadSignature));
}

#[test]
fn links_cannot_be_spliced_swapped_removed_repeated_or_moved() {
    let whole = five_links();
    let other = (2..=5).fold(
        first(&owner(), |claims| {
            claims.grant_id = Some(crate::id::GrantId([8; 8]));
        }),
        |key, number| key.then(delegated(number, 5 - number), &holder(number)),
    );
    let of = |key: &KeyBuilder, index: usize| key.links()[index].bytes.clone();
    let encode = |links: &[Vec<u8>]| {
        let links: Vec<&[u8]> = links.iter().map(|link| &link[..]).collect();
        verify(&encode_key(First::Link(links[0]), &links[1..]))
    };
    let refused = Err(Refusal::BadSignature);
    assert!(encode(&[of(&whole, 0), of(&whole, 1)]).is_ok());
    // The same holders under another first link.
    for index in 1..5 {
        let links: Vec<_> = (0..5)
            .map(|at| of(if at < index { &whole } else { &other }, at))
            .collect();
        assert_eq!(encode(&links), refused, "spliced at {index}");
        let mut removed: Vec<_> = (0..5).map(|at| of(&whole, at)).collect();
        removed.remove(index);
        if index < 4 {
            assert_eq!(encode(&removed), refused, "removed {index}");
        }
        let mut repeated: Vec<_> = (0..4).map(|at| of(&whole, at)).collect();
        repeated.insert(index, of(&whole, index.min(3)));
        assert_eq!(encode(&repeated), refused, "repeated {index}");
    }
    for index in 1..4 {
        let mut swapped: Vec<_> = (0..5).map(|at| of(&whole, at)).collect();
        swapped.swap(index, index + 1);
        assert_eq!(encode(&swapped), refused, "swapped {index}");
    }
}

#[test]
fn a_link_of_somebody_who_is_not_the_holder_is_refused() {
    let key = first(&owner(), |_| {});
    for thief in [owner(), platform_root(), holder(2), issuer()] {
        let mut claims = delegated(2, 0);
        claims.vehicle = None;
        let link = sign_link(&claims, &thief, Some(&key.leaf())).unwrap();
        let encoded = encode_key(First::Link(&key.links()[0].bytes), &[&link.bytes]);
        assert_eq!(verify(&encoded), Err(Refusal::BadSignature));
    }
}

#[test]
fn a_wider_link_is_refused_and_an_equal_one_is_not() {
    let parent = || first(&owner(), |claims| claims.policy.grace_s = Some(60));
    let child = |change: &dyn Fn(&mut Claims)| {
        let mut claims = delegated(2, 3);
        change(&mut claims);
        verify(&parent().then(claims, &holder(2)).encode()).map(|_| ())
    };
    assert_eq!(child(&|claims| claims.policy.grace_s = Some(60)), Ok(()));
    let wider: [&dyn Fn(&mut Claims); 5] = [
        &|claims| claims.policy.grace_s = Some(61),
        &|claims| claims.policy.delegations = 4,
        &|claims| claims.policy.entitlements = rights() | Entitlements::REMOTE,
        &|claims| claims.validity.until = claims.validity.until.plus(1),
        &|claims| claims.policy.clock_rule = Some(ClockRule::Ignore),
    ];
    for change in wider {
        assert_eq!(child(change), Err(Refusal::Widened));
    }
}

#[test]
fn a_link_that_may_not_be_shared_has_none_below_it() {
    let key = first(&owner(), |claims| claims.policy.delegations = 0);
    let shared = key.then(delegated(2, 0), &holder(2));
    assert_eq!(verify(&shared.encode()), Err(Refusal::Widened));
}

#[test]
fn windows_last_at_most_92_days() {
    for (seconds, expected) in [
        (limits::WINDOW_S - 1, Ok(())),
        (limits::WINDOW_S, Ok(())),
        (limits::WINDOW_S + 1, Err(Refusal::Widened)),
    ] {
        let key = first(&owner(), |claims| claims.validity = lasting(seconds));
        assert_eq!(verify(&key.encode()).map(|_| ()), expected);
    }
}

#[test]
fn mandates_and_owner_devices_last_at_most_400_days() {
    for (seconds, expected) in [
        (limits::LONG_WINDOW_S - 1, Ok(())),
        (limits::LONG_WINDOW_S, Ok(())),
        (limits::LONG_WINDOW_S + 1, Err(Refusal::Widened)),
    ] {
        let mut mandate = mandate_claims();
        mandate.validity = lasting(seconds);
        mandate.grant_id = Some(crate::id::GrantId([1; 8]));
        let key = KeyBuilder::first(&owner(), &mandate, &platform_root());
        assert_eq!(
            verify(&key.encode())
                .map(|key| key.has_mandate())
                .map(|_| ()),
            expected
        );
        let device = first(&owner(), |claims| {
            claims.holder = *owner().verifying_key().as_bytes();
            claims.validity = lasting(seconds);
        });
        let device = verify(&device.encode()).map(|key| assert!(key.is_owner_device()));
        assert_eq!(device, expected);
    }
}

#[test]
fn links_below_a_mandate_last_at_most_92_days() {
    for (seconds, expected) in [
        (limits::WINDOW_S, Ok(())),
        (limits::WINDOW_S + 1, Err(Refusal::Widened)),
    ] {
        let mut mandate = mandate_claims();
        mandate.validity = lasting(limits::LONG_WINDOW_S);
        let mut to_issuer = claims(&issuer(), lasting(seconds), rights());
        to_issuer.grant_id = Some(crate::id::GrantId([1; 8]));
        let key = KeyBuilder::first(&owner(), &mandate, &platform_root());
        let key = key.then(to_issuer, &issuer());
        assert_eq!(verify(&key.encode()).map(|_| ()), expected);
    }
}

#[test]
fn an_owner_device_is_recognised_at_the_leaf_only() {
    let to_owner = first(&owner(), |claims| {
        claims.holder = *owner().verifying_key().as_bytes();
    });
    assert!(verify(&to_owner.encode()).unwrap().is_owner_device());
    let mut lent = delegated(2, 0);
    lent.vehicle = None;
    let leaf = sign_link(&lent, &owner(), Some(&to_owner.leaf())).unwrap();
    let lent = encode_key(First::Link(&to_owner.links()[0].bytes), &[&leaf.bytes]);
    assert!(!verify(&lent).unwrap().is_owner_device());
    // A platform's issuer may make a key for an owner's phone as well.
    let mut back = claims(&owner(), window(), rights());
    back.grant_id = Some(crate::id::GrantId([1; 8]));
    let back = KeyBuilder::mandated().then(back, &owner());
    assert!(verify(&back.encode()).unwrap().is_owner_device());
}

/// A mandate of these claims, with an issuer and a key below it.
fn below(mandate: &Claims) -> Vec<u8> {
    let mut to_issuer = claims(&issuer(), window(), rights());
    to_issuer.policy.delegations = 2;
    let mut key = claims(&holder(1), window(), rights());
    key.grant_id = Some(crate::id::GrantId([1; 8]));
    KeyBuilder::first(&owner(), mandate, &platform_root())
        .then(to_issuer, &issuer())
        .then(key, &holder(1))
        .encode()
}

#[test]
fn a_mandate_states_its_limits_and_the_bundle_allows_it() {
    let key = verify(&below(&mandate_claims())).unwrap();
    assert!(key.has_mandate());
    assert_eq!(key.effective().max_window_s(), Some(7 * 86_400));
    let changes: [fn(&mut Policy); 3] = [
        |policy| policy.max_window_s = None,
        |policy| policy.outage_limit_s = None,
        |policy| policy.outage_limit_s = Some(NO_OUTAGE_LIMIT),
    ];
    for change in changes {
        let mut mandate = mandate_claims();
        change(&mut mandate.policy);
        assert_eq!(verify(&below(&mandate)), Err(Refusal::MandateExceeded));
    }
    let mut mandate = mandate_claims();
    mandate.policy.outage_limit_s = Some(NO_OUTAGE_LIMIT - 1);
    mandate.policy.max_window_s = Some(0);
    assert!(verify(&below(&mandate)).is_ok());
    let mut forbidding = roots();
    forbidding.mandate_allowed = false;
    let refused = verify_with(
        &below(&mandate_claims()),
        &forbidding,
        &AnchorStore::default(),
    );
    assert_eq!(refused, Err(Refusal::MandateExceeded));
}

#[test]
fn the_platform_opens_nothing_without_a_mandate() {
    let mut alone = claims(&issuer(), window(), rights());
    alone.grant_id = Some(crate::id::GrantId([1; 8]));
    let key = KeyBuilder::first(&platform_root(), &alone, &issuer());
    assert_eq!(verify(&key.encode()), Err(Refusal::UnknownSigner));
    // A further link to the platform root is a key for it, and no mandate.
    let to_root = claims(&platform_root(), window(), rights());
    let key = verify(
        &first(&owner(), |_| {})
            .then(to_root, &platform_root())
            .encode(),
    )
    .unwrap();
    assert!(!key.has_mandate());
}

#[test]
fn sign_status_comes_from_the_platform_root_alone_with_depth_0() {
    let with = |signer: &SigningKey, entitlements, delegations| {
        let mut claims = claims(&status(), window(), entitlements);
        claims.policy.delegations = delegations;
        claims.grant_id = Some(crate::id::GrantId([1; 8]));
        verify(&KeyBuilder::first(signer, &claims, &status()).encode())
    };
    let alone = Entitlements::SIGN_STATUS;
    let mixed = alone | Entitlements::UNLOCK;
    let link = with(&platform_root(), alone, 0).unwrap();
    assert!(link.is_status_key() && link.is_signed_by_platform_root() && !link.has_mandate());
    assert_eq!(with(&platform_root(), alone, 1), Err(Refusal::Widened));
    assert_eq!(
        with(&platform_root(), mixed, 0),
        Err(Refusal::UnknownSigner)
    );
    assert_eq!(with(&owner(), alone, 0), Err(Refusal::UnknownSigner));
    assert_eq!(with(&owner(), mixed, 0), Err(Refusal::Widened));
    let mut no_platform = roots();
    no_platform.platform_root = None;
    let key = KeyBuilder::first(
        &platform_root(),
        &claims(&status(), window(), alone),
        &status(),
    );
    let refused = verify_with(&key.encode(), &no_platform, &AnchorStore::default());
    assert_eq!(refused, Err(Refusal::UnknownSigner));
    let below_status = key.then(claims(&holder(1), window(), Entitlements::NONE), &holder(1));
    assert_eq!(verify(&below_status.encode()), Err(Refusal::Widened));
    // Below an owner's link nobody gets it either.
    let taken = first(&owner(), |_| {}).then(claims(&status(), window(), alone), &status());
    assert_eq!(verify(&taken.encode()), Err(Refusal::Widened));
}

#[test]
fn a_leaf_has_a_grant_id_or_inherits_one() {
    let without = first(&owner(), |claims| claims.grant_id = None);
    assert_eq!(verify(&without.encode()), Err(Refusal::Malformed));
    let inherited = first(&owner(), |_| {}).then(delegated(2, 0), &holder(2));
    let key = verify(&inherited.encode()).unwrap();
    assert_eq!(key.effective().grant_id(), Some(crate::id::GrantId([7; 8])));
    let mut stated = delegated(2, 0);
    stated.grant_id = Some(crate::id::GrantId([9; 8]));
    let key = verify(&without.then(stated, &holder(2)).encode()).unwrap();
    assert_eq!(key.effective().grant_id(), Some(crate::id::GrantId([9; 8])));
}

#[test]
fn a_holder_key_of_small_order_is_malformed() {
    let key = first(&owner(), |claims| claims.holder = [0; 32]);
    assert_eq!(verify(&key.encode()), Err(Refusal::Malformed));
    let mut weak = delegated(2, 0);
    weak.holder = [0; 32];
    let key = first(&owner(), |_| {}).then(weak, &holder(2));
    assert_eq!(verify(&key.encode()), Err(Refusal::Malformed));
}

#[test]
fn nine_areas_over_a_chain_are_too_many() {
    let center = crate::area::Point::new(0, 0).unwrap();
    let areas = |count| -> Areas {
        core::iter::repeat_n(crate::area::Area::circle(center, 1).unwrap(), count).collect()
    };
    let chain = |second: usize| {
        let mut claims = delegated(2, 0);
        claims.policy.areas = areas(second);
        let key = first(&owner(), |claims| claims.policy.areas = areas(4));
        verify(&key.then(claims, &holder(2)).encode()).map(|_| ())
    };
    assert_eq!(chain(4), Ok(()));
    assert_eq!(chain(5), Err(Refusal::TooLarge));
}

#[test]
fn anchors_count_among_the_five_links() {
    let mut anchors = AnchorStore::default();
    let whole = five_links();
    for link in whole.links() {
        anchors.insert(&link.bytes, vehicle(), &roots()).unwrap();
    }
    for anchored in 0..=5 {
        let key = verify_with(&whole.encode_from(anchored), &roots(), &anchors).unwrap();
        assert_eq!(key, verify(&whole.encode()).unwrap());
    }
    let mut sixth = delegated(6, 0);
    sixth.vehicle = None;
    sixth.policy.delegations = 0;
    let link = sign_link(&sixth, &holder(5), Some(&whole.leaf())).unwrap();
    let longer = encode_key(First::Anchor(whole.leaf()), &[&link.bytes]);
    assert_eq!(
        verify_with(&longer, &roots(), &anchors),
        Err(Refusal::TooLarge)
    );
}

#[test]
fn an_unknown_anchor_is_an_unknown_signer() {
    let key = KeyBuilder::mandated().encode_from(2);
    assert_eq!(verify(&key), Err(Refusal::UnknownSigner));
}

#[test]
fn an_anchor_of_another_vehicle_is_for_another_vehicle() {
    let key = first(&owner(), |claims| claims.vehicle = Some(other_vehicle()));
    let mut anchors = AnchorStore::default();
    let link = &key.links()[0].bytes;
    let refused = anchors.insert(link, vehicle(), &roots());
    assert_eq!(refused, Err(Refusal::WrongVehicle));
    anchors.insert(link, other_vehicle(), &roots()).unwrap();
    let refused = verify_with(&key.encode_from(1), &roots(), &anchors);
    assert_eq!(refused, Err(Refusal::WrongVehicle));
}

#[test]
fn a_proof_is_bound_to_challenge_leaf_and_holder() {
    let key = first(&owner(), |_| {}).then(delegated(2, 0), &holder(2));
    let digital = verify(&key.encode()).unwrap();
    let (asked, other) = (challenge(1).bytes, challenge(2).bytes);
    let hash = crate::proof::challenge_hash;
    let taken = |signer: &SigningKey, challenge: &[u8], leaf: &ObjectId| {
        let sealed = proof(VehicleCommand::Unlock, 1, signer, challenge, leaf);
        let proof = Unverified::<Proof>::decode(&sealed.bytes).unwrap();
        digital.verify_proof(&proof, &hash(&asked)).map(|proof| {
            assert_eq!(proof.signer(), holder(2).verifying_key());
            assert_eq!(proof.id(), sealed.id);
            proof.into_body().command
        })
    };
    let refused = Err(Refusal::BadSignature);
    assert_eq!(
        taken(&holder(2), &asked, &key.leaf()),
        Ok(VehicleCommand::Unlock)
    );
    assert_eq!(taken(&holder(2), &other, &key.leaf()), refused);
    assert_eq!(taken(&holder(2), &asked, &key.links()[0].id), refused);
    for thief in [holder(1), owner(), crate::testing::gateway()] {
        assert_eq!(taken(&thief, &asked, &key.leaf()), refused);
    }
}

#[test]
fn every_anchor_has_its_role() {
    let key = KeyBuilder::mandated().then(
        {
            let mut claims = claims(&holder(1), window(), rights());
            claims.grant_id = Some(crate::id::GrantId([1; 8]));
            claims
        },
        &holder(1),
    );
    let mut anchors = AnchorStore::default();
    let mut role = |bytes: &[u8]| {
        let id = anchors.insert(bytes, vehicle(), &roots()).unwrap();
        anchors.get(&id).unwrap().anchor_role()
    };
    use crate::anchors::AnchorRole;
    assert_eq!(role(&key.links()[0].bytes), AnchorRole::Mandate);
    assert_eq!(role(&key.links()[1].bytes), AnchorRole::Issuer);
    assert_eq!(role(&key.links()[2].bytes), AnchorRole::Other);
    assert_eq!(role(&status_link().bytes), AnchorRole::Status);
    assert_eq!(
        role(&first(&owner(), |_| {}).links()[0].bytes),
        AnchorRole::Other
    );
    let by_root = |link: &crate::envelope::Sealed| {
        let anchor = anchors.get(&link.id).unwrap();
        anchor.is_signed_by_platform_root()
    };
    let signed: Vec<bool> = key.links().iter().map(by_root).collect();
    assert_eq!(signed, [false, true, false]);
    assert!(by_root(&status_link()));
}
