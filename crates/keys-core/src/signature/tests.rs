use alloc::string::String;
use alloc::vec::Vec;
use std::path::PathBuf;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde_json::Value;

use super::*;
use crate::envelope::Unverified;
use crate::link::Claims;
use crate::refusal::Refusal;
use crate::testing::owner;

/// Third-party vectors, which lie beside a checkout and are not part of it.
fn vectors(file: &str) -> Option<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let path = PathBuf::from(folder).join(file);
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Some(serde_json::from_str(&text).unwrap());
    }
    std::println!("SKIPPED: {} is not there", path.display());
    None
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap()
}

/// Whether the one rule takes a signature; keys and signatures of another length it does not.
fn takes(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(public), Ok(signature)) = (public.try_into(), signature.try_into()) else {
        return false;
    };
    VerifyingKey::decode(public).is_ok_and(|key| key.accepts(signature, |sink| sink(message)))
}

#[test]
fn every_wycheproof_case_is_answered_as_marked() {
    let Some(file) = vectors("wycheproof/ed25519_test.json") else {
        return;
    };
    let mut cases = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let public = hex(&group["publicKey"]["pk"]);
        for case in group["tests"].as_array().unwrap() {
            let taken = takes(&public, &hex(&case["msg"]), &hex(&case["sig"]));
            assert_eq!(taken, case["result"] == "valid", "tcId {}", case["tcId"]);
            cases += 1;
        }
    }
    assert_eq!(cases, file["numberOfTests"].as_u64().unwrap());
}

/// The same cases as a crate brings them, so that they are tried also where `shared/vectors` is absent.
#[test]
fn every_case_of_the_wycheproof_crate_is_answered_as_marked() {
    use wycheproof::TestResult;
    use wycheproof::eddsa::{TestName, TestSet};

    let set = TestSet::load(TestName::Ed25519).unwrap();
    let mut taken = 0;
    let mut cases = 0;
    for group in &set.test_groups {
        for case in &group.tests {
            let takes = takes(&group.key.pk, &case.msg, &case.sig);
            assert_eq!(takes, case.result == TestResult::Valid, "{}", case.tc_id);
            taken += usize::from(takes);
            cases += 1;
        }
    }
    assert_eq!(cases, set.number_of_tests);
    assert!(cases >= 150 && taken >= 80, "{taken} of {cases}");
}

#[test]
fn of_the_speccheck_cases_only_the_fourth_is_taken() {
    let Some(cases) = vectors("ed25519-speccheck/cases.json") else {
        return;
    };
    let taken: Vec<usize> = cases
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .filter(|(_, case)| {
            let (public, message) = (hex(&case["pub_key"]), hex(&case["message"]));
            takes(&public, &message, &hex(&case["signature"]))
        })
        .map(|(index, _)| index)
        .collect();
    assert_eq!(taken, [3]);
}

/// Key, signed bytes, whole object without its tag, of a COSE example with one signer.
fn cose(file: &str) -> Option<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let file = vectors(&alloc::format!("cose-wg-examples/{file}"))?;
    let object = hex(&file["output"]["cbor"]);
    assert_eq!(object[0], 0xd2, "a COSE_Sign1 with its tag");
    let key = hex(&file["input"]["sign0"]["key"]["x_hex"]);
    let signed = hex(&file["intermediates"]["ToBeSign_hex"]);
    Some((key, signed, object[1..].to_vec()))
}

#[test]
fn the_cose_example_of_ed25519_verifies_over_its_sig_structure() {
    let Some((key, signed, object)) = cose("eddsa-sig-01.json") else {
        return;
    };
    let signature = &object[object.len() - 64..];
    assert!(takes(&key, &signed, signature));
    // As an object it is refused all the same: its algorithm is the ambiguous -8.
    let refused = Unverified::<Claims>::decode(&object).unwrap_err();
    assert_eq!(refused.refusal(), Refusal::Unsupported);
}

#[test]
fn the_cose_examples_of_ed448_are_refused() {
    let Some((_, _, object)) = cose("eddsa-sig-02.json") else {
        return;
    };
    let refused = Unverified::<Claims>::decode(&object).unwrap_err();
    assert_eq!(refused.refusal(), Refusal::Unsupported);
    for file in ["eddsa-01.json", "eddsa-02.json"] {
        let file = vectors(&alloc::format!("cose-wg-examples/{file}")).unwrap();
        // Several signers, behind a tag of two bytes: another shape altogether.
        let object = hex(&file["output"]["cbor"]);
        assert!(Unverified::<Claims>::decode(&object).is_err());
        assert!(Unverified::<Claims>::decode(&object[2..]).is_err());
    }
}

#[test]
fn keys_of_small_order_off_the_curve_and_above_p_are_refused() {
    for point in SMALL_ORDER {
        assert!(VerifyingKey::decode(&point).is_err());
        let mut other_sign = point;
        other_sign[31] ^= 0x80;
        assert!(VerifyingKey::decode(&other_sign).is_err());
    }
    // y = 2 is not on the curve; y = p + 3, p + 4, … would be y = 3, 4, …
    let mut off_curve = [0; 32];
    off_curve[0] = 2;
    assert!(VerifyingKey::decode(&off_curve).is_err());
    for low in 0xed..=0xff {
        for top in [0x7f, 0xff] {
            let mut above = [0xff; 32];
            above[0] = low;
            above[31] = top;
            assert!(VerifyingKey::decode(&above).is_err(), "{low:02x} {top:02x}");
        }
    }
}

#[test]
fn a_signature_is_taken_in_one_form_only() {
    let key = *owner().verifying_key();
    let signature = owner().inner.sign(b"message").to_bytes();
    let taken = |signature: &[u8; 64]| key.accepts(signature, |sink| sink(b"message"));
    assert!(taken(&signature));
    for bit in 0..512 {
        let mut changed = signature;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!taken(&changed), "bit {bit}");
    }
    // S + L is the same scalar.
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut shifted = signature;
    let mut carry = 0;
    for (byte, l) in shifted[32..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(l) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert!(!taken(&shifted));
    for r in SMALL_ORDER {
        let mut forged = [0; 64];
        forged[..32].copy_from_slice(&r);
        assert!(!taken(&forged));
    }
}

#[test]
fn the_hint_is_the_start_of_the_cose_key_thumbprint() {
    let public = owner().public.bytes;
    let mut input = HEXLOWER.decode(b"a301012006215820").unwrap();
    input.extend_from_slice(&public);
    let digest = Sha256::digest(&input);
    assert_eq!(owner().verifying_key().hint().0, digest[..8]);
}

#[test]
fn a_private_key_does_not_print() {
    let seed: String = HEXLOWER.encode(&*owner().to_seed());
    assert!(!alloc::format!("{:?}", owner()).contains(&seed));
}

#[test]
fn a_signature_whose_r_is_the_identity_is_refused_although_it_adds_up() {
    // Whoever holds the private scalar a can choose R = 0 and S = ka: the equation then holds.
    let key = *owner().verifying_key();
    let r = SMALL_ORDER[0];
    let mut hash = Sha512::new();
    hash.update(r);
    hash.update(key.bytes);
    hash.update(b"message");
    let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let s = k * owner().inner.to_scalar();
    let sum = EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &key.negated, &s);
    assert_eq!(sum.compress().0, r);
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(s.as_bytes());
    assert!(!key.accepts(&signature, |sink| sink(b"message")));
}
