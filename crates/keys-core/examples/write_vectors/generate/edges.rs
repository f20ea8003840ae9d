//! Ed25519 signatures and keys about which libraries disagree.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use sha2::{Digest, Sha512};

use super::cbor::{V, b, m};
use super::group::Group;
use super::scene::{ALL, Chain, Scene, cnf, granted};
use super::signed::{
    LINK, NO_PARENT, Signed, Who, assemble, holder, kid_of, named, owner, sha256, structure,
};

pub(crate) fn groups() -> Vec<Group> {
    vec![edges()]
}

/// `S` of a signature over `message` for the scalar of `who`, with nonce 0, so that R is `r`.
fn s_without_nonce(who: &Who, public: &[u8; 32], r: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let k = challenge_scalar(r, public, message);
    (k * secret_scalar(who)).to_bytes()
}

fn challenge_scalar(r: &[u8; 32], public: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(public)
        .chain_update(message);
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

fn secret_scalar(who: &Who) -> Scalar {
    let hash: [u8; 64] = Sha512::digest(who.seed()).into();
    let half: [u8; 32] = hash[..32].try_into().expect("half of 64 bytes");
    Scalar::from_bytes_mod_order(clamp_integer(half))
}

/// An owner key with a part of order 8, and whether the signatures of `wanted` many tries hold.
fn mixed_owner() -> [u8; 32] {
    let point = CompressedEdwardsY(owner().public())
        .decompress()
        .expect("the owner's key is a point");
    (point + EIGHT_TORSION[1]).compress().to_bytes()
}

/// A first link under the mixed key. With [k]T = 0 it verifies without a cofactor, else only with one.
fn mixed_link(holds: bool) -> (Vec<u8>, [u8; 32]) {
    let public = mixed_owner();
    let protected = m([(1, V::Int(-19)), (4, b(&kid_of(&public)))]).encode();
    for grant in 0u8..=255 {
        let payload = granted(&holder(1), ALL, 0).with(7, b(&[grant; 8])).encode();
        let message = structure(&protected, LINK, &NO_PARENT, &payload);
        let nonce = Scalar::from(7u8);
        let r = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
        let k = challenge_scalar(&r, &public, &message);
        if (k.as_bytes()[0] & 7 == 0) == holds {
            let s = nonce + k * secret_scalar(&owner());
            let signature = [r, s.to_bytes()].concat();
            return (assemble(&protected, &payload, &signature), sha256(&message));
        }
    }
    unreachable!("one number in eight is a multiple of eight")
}

fn edges() -> Group {
    let mut group = Group::decisions(
        330,
        "ed25519-edges",
        "Signatures and keys about which libraries disagree",
    );
    let payload = granted(&holder(1), ALL, 0).encode();
    let protected = named(&owner());
    let message = structure(&protected, LINK, &NO_PARENT, &payload);
    let with = |signature: &[u8]| {
        let bytes = assemble(&protected, &payload, signature);
        Scene::of(&Chain {
            links: vec![Signed {
                bytes,
                id: sha256(&message),
            }],
            holder: holder(1),
        })
    };
    let good = owner().sign(&message);
    group.allow("usual", "The signature as it should be", &with(&good));
    let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let sum = add(&good[32..], &unhex(order));
    group.refuse(
        "s-plus-l",
        "S + L instead of S",
        &with(&[&good[..32], &sum].concat()),
        "bad-signature",
    );
    for (index, point) in EIGHT_TORSION.iter().enumerate() {
        let r = point.compress().to_bytes();
        let s = s_without_nonce(&owner(), &owner().public(), &r, &message);
        let note = format!("R is small-order point {index}, S fits it");
        group.refuse(
            format!("small-r-{index}"),
            note,
            &with(&[r, s].concat()),
            "bad-signature",
        );
    }
    group.refuse("zeros", "64 zero bytes", &with(&[0; 64]), "bad-signature");
    for (name, note, holds) in [
        (
            "mixed-key-holds",
            "A key with a part of order 8 whose signature holds without a cofactor",
            true,
        ),
        (
            "mixed-key-cofactor",
            "The same where it holds only with one, as in batches",
            false,
        ),
    ] {
        let (bytes, id) = mixed_link(holds);
        let scene = Scene::of(&Chain {
            links: vec![Signed { bytes, id }],
            holder: holder(1),
        })
        .but(|scene| scene.roots.push(mixed_owner()));
        group.answer(name, note, &scene, if holds { "" } else { "bad-signature" });
    }
    for (name, note, key) in holder_keys() {
        let claims = granted(&holder(1), ALL, 0).with(8, cnf(&key));
        group.refuse(
            name,
            note,
            &Scene::of(&Chain::first(&owner(), &claims, &holder(1))),
            "malformed",
        );
    }
    let mut sign_of_first = good;
    sign_of_first[31] ^= 0x80;
    group.refuse(
        "r-negated",
        "The sign of R is flipped",
        &with(&sign_of_first),
        "bad-signature",
    );
    group
}

/// 32 bytes that are no usable public key.
fn holder_keys() -> Vec<(String, &'static str, [u8; 32])> {
    let mut keys: Vec<(String, &'static str, [u8; 32])> = EIGHT_TORSION
        .iter()
        .enumerate()
        .map(|(index, point)| {
            (
                format!("small-key-{index}"),
                "A holder key of small order",
                point.compress().to_bytes(),
            )
        })
        .collect();
    let p_plus = |low: u8| {
        let mut bytes = [0xff; 32];
        bytes[0] = 0xed + low;
        bytes[31] = 0x7f;
        bytes
    };
    for low in [0, 3, 18] {
        keys.push((
            format!("key-p-plus-{low}"),
            "A holder key whose y is not below p",
            p_plus(low),
        ));
    }
    let mut negative_identity = [0; 32];
    (negative_identity[0], negative_identity[31]) = (1, 0x80);
    keys.push((
        "key-negative-zero".to_owned(),
        "A holder key whose x is minus zero",
        negative_identity,
    ));
    let mut off = [0; 32];
    off[0] = 2;
    keys.push((
        "key-off-curve".to_owned(),
        "A holder key that is no point",
        off,
    ));
    keys
}

fn unhex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER
        .decode(text.as_bytes())
        .expect("the constant is hex")
}

/// The sum of two little-endian numbers of 32 bytes.
fn add(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    left.iter()
        .zip(right)
        .map(|(left, right)| {
            let sum = u16::from(*left) + u16::from(*right) + carry;
            carry = sum >> 8;
            sum.to_le_bytes()[0]
        })
        .collect()
}
