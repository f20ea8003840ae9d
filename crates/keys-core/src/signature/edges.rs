//! Keys at the edge of what is canonical, and how keys print.

use super::*;
use crate::testing::owner;

/// y = p − 1 − `below`, little-endian, sign bit clear.
fn just_below_p(below: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xec - below;
    bytes[31] = 0x7f;
    bytes
}

#[test]
fn every_y_below_p_is_canonical_and_none_above() {
    assert!(has_canonical_y(&just_below_p(0)));
    for low in [0xed, 0xee, 0xff] {
        let mut bytes = just_below_p(0);
        bytes[0] = low;
        assert!(!has_canonical_y(&bytes), "{low:02x}");
        // A smaller byte anywhere above makes it smaller than p.
        for at in 1..32 {
            let mut below = bytes;
            below[at] -= 1;
            assert!(has_canonical_y(&below), "{low:02x} {at}");
        }
    }
}

#[test]
fn points_just_below_p_are_keys_and_come_back_as_written() {
    let keys = (1..=64).filter_map(|below| {
        let bytes = just_below_p(below);
        let key = VerifyingKey::decode(&bytes).ok()?;
        assert_eq!(*key.as_bytes(), bytes);
        Some(key)
    });
    assert!(keys.count() > 16, "half of all y are on the curve");
}

#[test]
fn keys_print_their_public_half() {
    let key = owner();
    let public = data_encoding::HEXLOWER.encode(key.verifying_key().as_bytes());
    let verifying = alloc::format!("VerifyingKey({public})");
    assert_eq!(alloc::format!("{:?}", key.verifying_key()), verifying);
    let signing = alloc::format!("SigningKey(private half of {verifying})");
    assert_eq!(alloc::format!("{key:?}"), signing);
}

#[test]
fn the_list_of_small_order_holds_each_of_the_eight_points_once() {
    for (index, bytes) in SMALL_ORDER.iter().enumerate() {
        let point = CompressedEdwardsY(*bytes).decompress().unwrap();
        assert!(point.is_small_order(), "{index}");
        assert_eq!(point.compress().0, *bytes, "{index} is canonical");
        assert!(
            !SMALL_ORDER[..index].contains(bytes),
            "{index} is there once"
        );
    }
}
