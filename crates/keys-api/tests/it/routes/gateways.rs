//! Gateways on the socket.

use keys_core::attestation::TimeAttestation;
use keys_core::bundle::Bundle;
use keys_core::envelope::{NO_REST, Unverified, seal, sha256};
use keys_core::journal::JournalHead;
use keys_core::receipt::Receipt;
use keys_core::signature::{Signer, SigningKey};
use keys_core::sync::SyncMessage;
use serde_json::json;

use crate::support::{FakeGateway, Host, TestApp, at, unb64};

#[tokio::test]
async fn only_the_gateway_that_the_bundle_names_is_let_in() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    // Not paired: the vehicle has no bundle.
    assert_eq!(gateway.connect(&test, api).await.err(), Some(Some(4401)));
    host.pair(&gateway).await;
    let other = SigningKey::from_seed(&[99; 32]);
    let refused = gateway.connect_as(&test, api, &other).await;
    assert_eq!(refused.err(), Some(Some(4401)));
    assert!(gateway.connect(&test, api).await.is_ok());
}

#[tokio::test]
async fn a_gateway_gets_what_it_lacks_and_takes_all_of_it() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let _line = gateway.connect(&test, api).await.unwrap();
    let held = gateway.holds(|seqs| seqs.platform > 0).await;
    assert_eq!(held.bundle, 1);
    let car = gateway.car.lock().unwrap();
    assert!(car.refused.is_empty(), "{:?}", car.refused);
    // Mandate, issuer and status links.
    assert_eq!(car.anchors().len(), 3);
    assert_eq!(car.anchors().status_keys().count(), 1);
}

#[tokio::test]
async fn a_revocation_is_pushed_at_once_and_dead_by_is_now_once_the_car_has_it() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let phone = host.give(json!({}), 1).await;
    let _line = gateway.connect(&test, api).await.unwrap();
    let before = gateway.holds(|seqs| seqs.platform > 0).await.platform;
    test.clock.advance(60);
    let revoked = host.change(&phone.key_id(), "revoke", None).await;
    assert_ne!(
        revoked.body["dead_by"],
        at(60),
        "the car has not confirmed yet"
    );
    gateway.holds(|seqs| seqs.platform > before).await;
    {
        let car = gateway.car.lock().unwrap();
        let leaf = crate::support::leaf_of(&phone.chain).short();
        assert!(car.board().revoked().any(|id| id == leaf));
    }
    // The confirmation is a frame behind.
    let seen = async {
        loop {
            let key = host.key(&phone.key_id()).await;
            if key.body["dead_by"] == at(60) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), seen)
        .await
        .expect("the confirmation was never written down");
}

#[tokio::test]
async fn what_happened_while_a_gateway_was_away_reaches_it_when_it_is_back() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let phone = host.give(json!({}), 1).await;
    let line = gateway.connect(&test, api).await.unwrap();
    let before = gateway.holds(|seqs| seqs.platform > 0).await.platform;
    drop(line.say);
    host.change(&phone.key_id(), "suspend", None).await;
    let _line = gateway.connect(&test, api).await.unwrap();
    gateway.holds(|seqs| seqs.platform > before).await;
    let car = gateway.car.lock().unwrap();
    let held = car.board().newest(keys_core::status::Authority::Platform);
    assert_eq!(held.unwrap().suspended.len(), 1);
}

#[tokio::test]
async fn statements_of_connected_cars_are_signed_anew_every_ten_minutes() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let _line = gateway.connect(&test, api).await.unwrap();
    let first = gateway.holds(|seqs| seqs.platform > 0).await.platform;
    keys_api::jobs::run_once(&test.app).await;
    assert_eq!(
        host.get("statements").await.body["platform"]["seq"],
        first,
        "a young statement is left alone"
    );
    test.clock.advance(600);
    keys_api::jobs::run_once(&test.app).await;
    gateway.holds(|seqs| seqs.platform > first).await;
    assert_eq!(
        host.get("statements").await.body["platform"]["issued_at"],
        at(600)
    );
}

#[tokio::test]
async fn a_ping_is_answered_with_the_time_attested_over_its_challenge() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let mut line = gateway.connect(&test, api).await.unwrap();
    gateway.holds(|seqs| seqs.platform > 0).await;
    let challenge = gateway.car.lock().unwrap().challenge(None);
    let ping = SyncMessage::Ping {
        id: 7,
        challenge: challenge.clone(),
    };
    line.say.send(ping).unwrap();
    let attestation = line
        .hear(|frame| match frame {
            SyncMessage::Time { id: 7, attestation } => Some(attestation.clone()),
            _ => None,
        })
        .await;
    let car = gateway.car.lock().unwrap();
    let status = *car.anchors().status_keys().next().unwrap().0;
    let time = Unverified::<TimeAttestation>::decode(&attestation)
        .unwrap()
        .verify(&status, [&sha256(&challenge), &[], &[]])
        .unwrap();
    assert_eq!(time.body().time, crate::support::NOW);
}

#[tokio::test]
async fn a_receipt_that_the_gateway_did_not_sign_is_not_stored() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let mut line = gateway.connect(&test, api).await.unwrap();
    let good = gateway.car.lock().unwrap().receipt(|receipt| receipt);
    let body = Unverified::<Receipt>::decode(&good)
        .unwrap()
        .unverified_body()
        .clone();
    let forged = seal(&body, &SigningKey::from_seed(&[99; 32]), NO_REST).unwrap();
    let elsewhere = Receipt {
        vehicle: keys_core::testing::vehicle(),
        ..body
    };
    let elsewhere = seal(&elsewhere, &gateway.key, NO_REST).unwrap();
    for (index, receipt) in [(1, forged.bytes), (2, elsewhere.bytes), (3, good)] {
        line.say
            .send(SyncMessage::Report { index, receipt })
            .unwrap();
        line.hear(|frame| (*frame == SyncMessage::ReportAck { index }).then_some(()))
            .await;
    }
    let stored = host.get("receipts").await;
    assert_eq!(stored.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_newer_connection_takes_the_place_of_an_older_one() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let old = gateway.connect(&test, api).await.unwrap();
    let _new = gateway.connect(&test, api).await.unwrap();
    old.ended().await;
    assert_eq!(host.get("gateway").await.body["connected"], true);
}

#[tokio::test]
async fn state_and_journal_head_are_shown_as_the_gateway_told() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    let unpaired = host.get("gateway").await;
    assert_eq!(
        (&unpaired.body["paired"], &unpaired.body["connected"]),
        (&json!(false), &json!(false))
    );
    host.pair(&gateway).await;
    let mut line = gateway.connect(&test, api).await.unwrap();
    let vehicle = host.vehicle.parse::<keys_api::model::id::VehicleId>();
    let head = JournalHead {
        index: 12,
        head: [4; 32],
        vehicle: vehicle.unwrap().core(),
        time: crate::support::NOW,
    };
    let head = seal(&head, &gateway.key, NO_REST).unwrap().bytes;
    let json = json!({"locked": true}).to_string();
    line.say.send(SyncMessage::Head { head }).unwrap();
    line.say.send(SyncMessage::State { json }).unwrap();
    // Frames are handled in order: once this is answered, the two above are stored.
    let challenge = gateway.car.lock().unwrap().challenge(None);
    line.say
        .send(SyncMessage::Ping { id: 1, challenge })
        .unwrap();
    line.hear(|frame| matches!(frame, SyncMessage::Time { .. }).then_some(()))
        .await;
    let told = host.get("gateway").await;
    assert_eq!(
        (&told.body["journal_index"], &told.body["state"]),
        (&json!(12), &json!({"locked": true}))
    );
    assert_eq!(told.body["journal_head"], "04".repeat(32));
}

#[tokio::test]
async fn frames_that_have_no_place_end_the_connection() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let wrong = [
        SyncMessage::Ready,
        SyncMessage::Ping {
            id: 1,
            challenge: keys_core::testing::challenge(1).bytes,
        },
        SyncMessage::State {
            json: "[1]".to_owned(),
        },
        SyncMessage::Head { head: vec![0x80] },
    ];
    for frame in wrong {
        let line = gateway.connect(&test, api).await.unwrap();
        line.say.send(frame).unwrap();
        line.ended().await;
    }
}

#[tokio::test]
async fn phones_carry_the_same_pack_that_a_gateway_gets() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let phone = host.give(json!({}), 1).await;
    let other = host.give(json!({}), 2).await;
    host.change(&other.key_id(), "revoke", None).await;
    let pack = test.get("/v1/holder/key").bearer(&phone.token).send().await;
    let bundle = unb64(&pack.text("bundle"));
    let bundle = Unverified::<Bundle>::decode(&bundle).unwrap();
    assert_eq!(
        bundle.unverified_body().gateway_key,
        *gateway.key.verifying_key()
    );
    let mut car = gateway.car.lock().unwrap();
    for item in pack.body["carry"].as_array().unwrap() {
        car.carry(&unb64(item["carried"].as_str().unwrap()))
            .unwrap_or_else(|refusal| panic!("{item}: {refusal}"));
    }
    // With no network at all the car now opens for one phone and not for the other.
    let challenge = car.challenge(None);
    let local = keys_core::decide::Channel::Local;
    let unlock = keys_core::command::VehicleCommand::Unlock;
    for (phone, allowed) in [(&phone, true), (&other, false)] {
        let receipt = car
            .present(&phone.present(&challenge, unlock), local)
            .unwrap();
        let receipt = Unverified::<Receipt>::decode(&receipt).unwrap();
        assert_eq!(receipt.unverified_body().allowed, allowed);
    }
}
