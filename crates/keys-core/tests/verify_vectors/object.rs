//! Objects by themselves: read, written again, signature checked.

use keys_core::attestation::TimeAttestation;
use keys_core::bundle::Bundle;
use keys_core::carried::{Carried, encode_answer, parse_answer};
use keys_core::challenge::Challenge;
use keys_core::codec::{DecodeError, Writer};
use keys_core::envelope::{Body, Unverified};
use keys_core::handshake::SyncHello;
use keys_core::journal::{Entry, JournalHead};
use keys_core::key::UnverifiedKey;
use keys_core::link::Claims;
use keys_core::pairing::{PairAnswer, PairConfirm, PairOffer};
use keys_core::presentation::Presentation;
use keys_core::proof::Proof;
use keys_core::receipt::Receipt;
use keys_core::refusal::Refusal;
use keys_core::statement::Statement;
use keys_core::sync::SyncMessage;
use serde_json::{Value, json};

use super::fields::{bytes, field, key, text};
use super::tree::{payload, tree};

pub(super) fn answer(case: &Value) -> Value {
    let object = bytes(case, "bytes");
    match text(case, "type") {
        "link" => signed::<Claims>(case, &object),
        "proof" => signed::<Proof>(case, &object),
        "challenge" => signed::<Challenge>(case, &object),
        "bundle" => signed::<Bundle>(case, &object),
        "statement" => signed::<Statement>(case, &object),
        "time" => signed::<TimeAttestation>(case, &object),
        "receipt" => signed::<Receipt>(case, &object),
        "journal-head" => signed::<JournalHead>(case, &object),
        "sync-hello" => signed::<SyncHello>(case, &object),
        name => match read(name, &object) {
            Ok(again) => {
                assert_eq!(again, object, "written again it is the same");
                json!({ "result": "valid", "body": tree(&object) })
            }
            Err(refusal) => json!({ "result": refusal.code() }),
        },
    }
}

fn signed<T: Body>(case: &Value, object: &[u8]) -> Value {
    let rest = bytes(case, "rest");
    let verified = Unverified::<T>::decode(object)
        .map_err(DecodeError::refusal)
        .and_then(|object| object.verify(&key(field(case, "signer")), [&rest, &[], &[]]));
    match verified {
        Ok(verified) => {
            let mut writer = Writer::new();
            verified.body().write(&mut writer);
            let payload = payload(object);
            // An empty list of suspended links may be stated and is never written.
            if text(case, "case") != "1040-suspended-empty" {
                assert_eq!(writer.into_bytes(), payload, "written again it is the same");
            }
            json!({ "result": "valid", "id": verified.id().to_string(), "body": tree(&payload) })
        }
        Err(refusal) => json!({ "result": refusal.code() }),
    }
}

/// Reads an object without a signature and writes it again, where it can be written.
fn read(name: &str, object: &[u8]) -> Result<Vec<u8>, Refusal> {
    Ok(match name {
        "key" => UnverifiedKey::parse(object).map(|_| object.to_vec())?,
        "presentation" => Presentation::parse(object).map(|_| object.to_vec())?,
        "carried" => Carried::parse(object)?.encode(),
        "carried-answer" => encode_answer(parse_answer(object)?),
        "journal-entry" => Entry::decode(object)?.encode(),
        "pair-offer" => PairOffer::decode(object)?.encode(),
        "pair-confirm" => PairConfirm::decode(object)?.encode(),
        "pair-answer" => PairAnswer::decode(object)?.encode(),
        "frame" => SyncMessage::decode(object)?.encode(),
        other => panic!("unknown type of object: {other}"),
    })
}
