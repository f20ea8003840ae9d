use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use proptest::prelude::*;

use super::*;
use crate::signature::{Signer, SigningKey};

fn public(seed: u8) -> VerifyingKey {
    *SigningKey::from_seed(&[seed; 32]).verifying_key()
}

fn secret() -> PairingSecret {
    PairingSecret::new(*b"0123456789")
}

fn code() -> PairingCode {
    PairingCode::new(&public(1), secret())
}

fn offer() -> PairOffer {
    PairOffer {
        gateway_key: public(1),
        gateway_nonce: [0x11; 16],
    }
}

fn vehicle() -> VehicleId {
    VehicleId::from_bytes([0x22; 16])
}

fn confirm() -> PairConfirm {
    owner_confirm(
        &code(),
        &offer(),
        vehicle(),
        &public(2),
        [0x33; 16],
        b"the signed bundle",
    )
    .unwrap()
}

#[test]
fn both_sides_pair_with_the_code_of_the_car() {
    let typed: PairingCode = code().reveal().to_string().to_lowercase().parse().unwrap();
    let offer = PairOffer::decode(&offer().encode()).unwrap();
    let confirm = owner_confirm(
        &typed,
        &offer,
        vehicle(),
        &public(2),
        [0x33; 16],
        b"the signed bundle",
    )
    .unwrap();
    let received = PairConfirm::decode(&confirm.encode()).unwrap();
    assert_eq!(check_confirm(&secret(), &offer, &received), Ok(()));
    assert_eq!(
        (received.vehicle, received.owner_key, &received.bundle[..]),
        (vehicle(), public(2), &b"the signed bundle"[..])
    );
    let answer =
        PairAnswer::decode(&answer(&secret(), &offer, &received).unwrap().encode()).unwrap();
    assert_eq!(
        check_answer(typed.secret(), &offer, &confirm, &answer),
        Ok(())
    );
}

/// Computed apart with another implementation of HMAC and SHA-256.
#[test]
fn the_macs_have_the_bytes_of_the_format() {
    let answer = answer(&secret(), &offer(), &confirm()).unwrap();
    assert_eq!(
        data_encoding::HEXLOWER.encode(&confirm().mac.0),
        "b708353b5dd07dcaaf6a20ef55c42e83c5dff3b2bec0e06a83fc4eb1640928e1"
    );
    assert_eq!(
        data_encoding::HEXLOWER.encode(&answer.mac.0),
        "ce8f391bab411ec4af56c19267679d1f42912b1a3fe73972502d07f9a7ae5da4"
    );
}

#[test]
fn a_code_with_the_wrong_first_half_stops_the_owner() {
    let other = PairingCode::new(&public(9), secret());
    let made = owner_confirm(
        &other,
        &offer(),
        vehicle(),
        &public(2),
        [0x33; 16],
        b"bundle",
    );
    assert_eq!(made, Err(PairError::WrongGateway));
}

#[test]
fn a_code_with_the_wrong_second_half_stops_the_gateway() {
    for position in 0..CODE_HALF_BYTES {
        let mut guess = *b"0123456789";
        guess[position] ^= 1;
        let other = PairingCode::new(&public(1), PairingSecret::new(guess));
        let confirm = owner_confirm(
            &other,
            &offer(),
            vehicle(),
            &public(2),
            [0x33; 16],
            b"bundle",
        )
        .unwrap();
        assert_eq!(
            check_confirm(&secret(), &offer(), &confirm),
            Err(PairError::WrongMac)
        );
        assert_eq!(
            answer(&secret(), &offer(), &confirm),
            Err(PairError::WrongMac)
        );
    }
}

#[test]
fn whatever_the_relay_changes_in_the_confirmation_is_refused() {
    let honest = confirm();
    let answered = answer(&secret(), &offer(), &honest).unwrap();
    let changed = [
        PairConfirm {
            vehicle: VehicleId::from_bytes([0x23; 16]),
            ..honest.clone()
        },
        PairConfirm {
            owner_key: public(3),
            ..honest.clone()
        },
        PairConfirm {
            owner_nonce: [0x34; 16],
            ..honest.clone()
        },
        PairConfirm {
            bundle: b"another bundle".to_vec(),
            ..honest.clone()
        },
        PairConfirm {
            bundle: vec![],
            ..honest
        },
    ];
    for confirm in changed {
        assert_eq!(
            check_confirm(&secret(), &offer(), &confirm),
            Err(PairError::WrongMac)
        );
        assert_eq!(
            check_answer(&secret(), &offer(), &confirm, &answered),
            Err(PairError::WrongMac)
        );
    }
}

#[test]
fn a_confirmation_for_another_offer_is_refused() {
    for other in [
        PairOffer {
            gateway_nonce: [0x12; 16],
            ..offer()
        },
        PairOffer {
            gateway_key: public(4),
            ..offer()
        },
    ] {
        assert_eq!(
            check_confirm(&secret(), &other, &confirm()),
            Err(PairError::WrongMac)
        );
    }
}

#[test]
fn a_mac_sent_back_to_its_maker_is_refused() {
    let confirm = confirm();
    let reflected = PairAnswer { mac: confirm.mac };
    assert_eq!(
        check_answer(&secret(), &offer(), &confirm, &reflected),
        Err(PairError::WrongMac)
    );
    let answered = answer(&secret(), &offer(), &confirm).unwrap();
    let turned = PairConfirm {
        mac: answered.mac,
        ..confirm
    };
    assert_eq!(
        check_confirm(&secret(), &offer(), &turned),
        Err(PairError::WrongMac)
    );
}

#[test]
fn any_changed_bit_of_a_mac_is_refused() {
    let (honest, answered) = (confirm(), answer(&secret(), &offer(), &confirm()).unwrap());
    for bit in 0..256 {
        let flip = |mac: &PairMac| {
            let mut bytes = mac.0;
            bytes[bit / 8] ^= 1 << (bit % 8);
            PairMac(bytes)
        };
        let confirm = PairConfirm {
            mac: flip(&honest.mac),
            ..honest.clone()
        };
        assert_eq!(
            check_confirm(&secret(), &offer(), &confirm),
            Err(PairError::WrongMac)
        );
        let answer = PairAnswer {
            mac: flip(&answered.mac),
        };
        assert_eq!(
            check_answer(&secret(), &offer(), &honest, &answer),
            Err(PairError::WrongMac)
        );
    }
}

#[test]
fn a_message_has_at_most_its_greatest_length() {
    let made = |length: usize| {
        owner_confirm(
            &code(),
            &offer(),
            vehicle(),
            &public(2),
            [0x33; 16],
            &vec![7; length],
        )
    };
    let room = PAIR_MESSAGE_BYTES - (made(300).unwrap().encode().len() - 300);
    for length in [room - 1, room] {
        let bytes = made(length).unwrap().encode();
        assert_eq!(bytes.len(), PAIR_MESSAGE_BYTES - room + length);
        assert!(PairConfirm::decode(&bytes).is_ok());
    }
    assert_eq!(
        made(room + 1),
        Err(PairError::TooLarge(PAIR_MESSAGE_BYTES + 1))
    );
    let oversized = PairConfirm {
        bundle: vec![7; room + 1],
        ..confirm()
    }
    .encode();
    assert!(matches!(
        PairConfirm::decode(&oversized),
        Err(DecodeError::TooLarge(_))
    ));
}

#[test]
fn messages_have_the_bytes_of_the_format() {
    let bytes = offer().encode();
    assert_eq!(
        (bytes.len(), &bytes[..4], &bytes[36..38]),
        (54, &[0xa2, 1, 0x58, 32][..], &[2, 0x50][..])
    );
    let bytes = confirm().encode();
    assert_eq!(
        (&bytes[..3], &bytes[25..28]),
        (&[0xa5, 1, 0x76][..], &[2, 0x58, 32][..])
    );
    let bytes = answer(&secret(), &offer(), &confirm()).unwrap().encode();
    assert_eq!((bytes.len(), &bytes[..4]), (36, &[0xa1, 1, 0x58, 32][..]));
}

#[test]
fn messages_with_a_missing_unknown_or_misplaced_key_are_refused() {
    let encoded = offer().encode();
    let (key, nonce) = (&encoded[1..36], &encoded[36..]);
    let refused: [&[&[u8]]; 10] = [
        &[&[0xa1], key],
        &[&[0xa1], nonce],
        &[&[0xa2], nonce, key],
        &[&[0xa2], key, key],
        &[&[0xa3], key, nonce, &[3, 0]],
        &[&[0xa3], &[0, 0], key, nonce],
        &[&[0xa2], key, nonce, &[0]],
        &[&[0xa2], key, &[2, 0x4f], &[0; 15]],
        &[&[0xa0]],
        &[],
    ];
    for parts in refused {
        let bytes = parts.concat();
        assert!(
            matches!(PairOffer::decode(&bytes), Err(DecodeError::Malformed(_))),
            "{bytes:02x?}"
        );
    }
}

#[test]
fn an_offer_with_an_unusable_key_is_refused() {
    let mut bytes = offer().encode();
    bytes[4..36].fill(0);
    assert!(matches!(
        PairOffer::decode(&bytes),
        Err(DecodeError::Malformed(_))
    ));
}

#[test]
fn a_code_is_thirty_two_symbols_in_groups_of_four() {
    let text = code().reveal().to_string();
    assert_eq!(text, "GR2Q-7GF5-LH6P-ZFDN-GAYT-EMZU-GU3D-OOBZ");
    assert_eq!(
        code().fingerprint().to_string(),
        text.replace('-', "")[..16]
    );
    assert_eq!(
        "CODE FING er-print".parse::<KeyFingerprint>(),
        Err(PairingCodeError::Length {
            found: 15,
            expected: 16
        })
    );
}

#[test]
fn a_code_is_read_in_any_case_and_spacing() {
    let text = code().reveal().to_string();
    for spelled in [
        text.clone(),
        text.to_lowercase(),
        text.replace('-', " "),
        text.replace('-', ""),
        format!(" {text}- "),
    ] {
        assert_eq!(spelled.parse(), Ok(code()));
    }
    assert_eq!(
        code().fingerprint().to_string().to_lowercase().parse(),
        Ok(*code().fingerprint())
    );
}

#[test]
fn a_code_of_other_length_or_letters_is_refused() {
    let text = code().reveal().to_string().replace('-', "");
    let wrong_length = |found| {
        Err(PairingCodeError::Length {
            found,
            expected: 32,
        })
    };
    assert_eq!(text[1..].parse::<PairingCode>(), wrong_length(31));
    assert_eq!(format!("{text}A").parse::<PairingCode>(), wrong_length(33));
    assert_eq!("".parse::<PairingCode>(), wrong_length(0));
    for wrong in ["0", "1", "8", "9", "=", "_", "\n", "é"] {
        assert_eq!(
            format!("AB{wrong}{}", &text[3..]).parse::<PairingCode>(),
            Err(PairingCodeError::Symbol(2))
        );
    }
}

#[test]
fn no_debug_output_shows_the_secret() {
    let shown = format!("{:?} {:?} {:?}", code(), secret(), confirm().mac);
    let text = code().reveal().to_string().replace('-', "");
    assert!(
        !shown.contains(&text[16..]) && !shown.contains("48, 49, 50") && shown.contains("redacted"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn codes_and_messages_come_back_as_written(
        seed in any::<[u8; 32]>(), random in any::<[u8; 10]>(), gateway_nonce in any::<[u8; 16]>(),
        owner_nonce in any::<[u8; 16]>(), bundle in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let gateway_key = *SigningKey::from_seed(&seed).verifying_key();
        let code = PairingCode::new(&gateway_key, PairingSecret::new(random));
        prop_assert_eq!(code.reveal().to_string().parse(), Ok(code.clone()));
        prop_assert_eq!(code.fingerprint().to_string().parse(), Ok(*code.fingerprint()));
        let offer = PairOffer { gateway_key, gateway_nonce };
        prop_assert_eq!(PairOffer::decode(&offer.encode()), Ok(offer.clone()));
        let confirm = owner_confirm(&code, &offer, vehicle(), &public(2), owner_nonce, &bundle).unwrap();
        prop_assert_eq!(PairConfirm::decode(&confirm.encode()), Ok(confirm.clone()));
        let answer = answer(code.secret(), &offer, &confirm).unwrap();
        prop_assert_eq!(PairAnswer::decode(&answer.encode()), Ok(answer));
    }

    #[test]
    fn any_changed_byte_of_a_confirmation_is_refused(position in any::<prop::sample::Index>(), change in 1_u8..) {
        let mut bytes = confirm().encode();
        let position = position.index(bytes.len());
        bytes[position] ^= change;
        let accepted = PairConfirm::decode(&bytes).is_ok_and(|confirm| check_confirm(&secret(), &offer(), &confirm).is_ok());
        prop_assert!(!accepted);
    }

    #[test]
    fn any_bytes_read_to_a_message_that_writes_them_again_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(offer) = PairOffer::decode(&bytes) {
            prop_assert_eq!(offer.encode(), bytes.clone());
        }
        prop_assert!(PairConfirm::decode(&bytes).is_err());
        if let Ok(answer) = PairAnswer::decode(&bytes) {
            prop_assert_eq!(answer.encode(), bytes);
        }
    }

    #[test]
    fn any_text_reads_to_a_code_or_is_refused(text in "\\PC{0,40}") {
        let _ = text.parse::<PairingCode>();
        let _ = text.parse::<KeyFingerprint>();
    }
}
