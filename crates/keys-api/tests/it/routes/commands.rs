//! Commands on their way to the car.

use keys_core::command::VehicleCommand::{Lock, Unlock};
use keys_core::envelope::sha256;

use keys_core::presentation::Presentation;
use keys_core::receipt::{OutcomeCode, Receipt};

use keys_core::sync::SyncMessage;
use serde_json::{Value, json};

use crate::support::{Acts, FakeGateway, Host, Phone, TestApp, at};

async fn command(test: &TestApp, phone: &Phone, id: &str) -> Value {
    let path = format!("/v1/commands/{id}");
    test.get(&path).bearer(&phone.token).send().await.body
}

#[tokio::test]
async fn without_its_gateway_a_command_expires_and_no_challenge_is_had() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let phone = host.give(json!({}), 1).await;
    test.post("/v1/holder/challenges")
        .bearer(&phone.token)
        .send()
        .await
        .is_problem(409, "gateway-offline");
    let challenge = gateway.car.lock().unwrap().challenge(None);
    let presentation = phone.present(&challenge, Unlock);
    let taken = phone.relay(&test, &presentation, 0).await;
    assert_eq!(
        (taken.status, &taken.body["state"]),
        (202, &json!("accepted"))
    );
    test.clock.advance(30);
    let id = taken.text("id");
    assert_eq!(command(&test, &phone, &id).await["state"], "expired");
    // Time alone decided; writing it down changes nothing, and nothing reaches the car later.
    keys_api::jobs::run_once(&test.app).await;
    assert_eq!(command(&test, &phone, &id).await["state"], "expired");
    let api = test.listen().await;
    let mut line = gateway.connect(&test, api).await.unwrap();
    gateway.holds(|seqs| seqs.platform > 0).await;
    line.hear(|frame| matches!(frame, SyncMessage::Carry { .. }).then_some(()))
        .await;
    assert!(gateway.car.lock().unwrap().presented.is_empty());
}

#[tokio::test]
async fn a_command_waits_for_a_gateway_that_connects_in_time() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let phone = host.give(json!({}), 1).await;
    let challenge = gateway.car.lock().unwrap().challenge(None);
    let presentation = phone.present(&challenge, Unlock);
    let waiting = phone.relay(&test, &presentation, 20);
    let connecting = gateway.connect(&test, api);
    let (answered, line) = tokio::join!(waiting, connecting);
    let _line = line.unwrap();
    assert_eq!(answered.body["state"], "done", "{answered:?}");
}

#[tokio::test]
async fn a_silent_car_leaves_a_command_unknown_and_it_is_never_sent_again() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let phone = host.give(json!({}), 1).await;
    let line = gateway.connect(&test, api).await.unwrap();
    gateway.holds(|seqs| seqs.platform > 0).await;
    gateway.car.lock().unwrap().acts = Acts::Silent;
    let challenge = phone.challenge(&test).await;
    let presentation = phone.present(&challenge, Unlock);
    let sent = phone.relay(&test, &presentation, 1).await;
    assert_eq!((sent.status, &sent.body["state"]), (202, &json!("sent")));
    test.clock.advance(45);
    let id = sent.text("id");
    assert_eq!(command(&test, &phone, &id).await["state"], "unknown");
    keys_api::jobs::run_once(&test.app).await;
    // The same bytes again, and a new connection, change nothing.
    let again = phone.relay(&test, &presentation, 0).await;
    assert_eq!(
        (again.status, &again.body["id"], &again.body["state"]),
        (200, &json!(id), &json!("unknown"))
    );
    drop(line.say);
    let _line = gateway.connect(&test, api).await.unwrap();
    gateway.car.lock().unwrap().acts = Acts::Done;
    let other = phone.command(&test, Lock).await;
    assert_eq!(other.body["state"], "done");
    assert_eq!(gateway.car.lock().unwrap().presented.len(), 2);
}

#[tokio::test]
async fn a_late_report_settles_an_unknown_command() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let phone = host.give(json!({}), 1).await;
    let mut line = gateway.connect(&test, api).await.unwrap();
    gateway.holds(|seqs| seqs.platform > 0).await;
    gateway.car.lock().unwrap().acts = Acts::Unknown;
    let challenge = phone.challenge(&test).await;
    let presentation = phone.present(&challenge, Unlock);
    let first = phone.relay(&test, &presentation, 20).await;
    assert_eq!(
        (&first.body["state"], &first.body["outcome"]),
        (&json!("unknown"), &json!("unknown"))
    );
    let parsed = Presentation::parse(&presentation).unwrap();
    let command_id = parsed.proof.unverified_body().command_id;
    let receipt = gateway.car.lock().unwrap().receipt(|receipt| Receipt {
        command: Unlock,
        command_id,
        allowed: true,
        outcome: Some(OutcomeCode::Done),
        presentation: sha256(&presentation),
        ..receipt
    });
    // Twice, as after a lost acknowledgement.
    for index in [1, 1] {
        let receipt = receipt.clone();
        line.say
            .send(SyncMessage::Report { index, receipt })
            .unwrap();
        line.hear(|frame| (*frame == SyncMessage::ReportAck { index }).then_some(()))
            .await;
    }
    let settled = command(&test, &phone, &first.text("id")).await;
    assert_eq!(settled["state"], "done");
    let receipts = host.get("receipts").await;
    assert_eq!(receipts.body["data"].as_array().unwrap().len(), 2);
    let own = test
        .get("/v1/holder/receipts")
        .bearer(&phone.token)
        .send()
        .await;
    assert_eq!(own.body["data"], receipts.body["data"]);
}

#[tokio::test]
async fn another_presentation_under_a_used_command_id_is_refused() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let phone = host.give(json!({}), 1).await;
    let challenge = gateway.car.lock().unwrap().challenge(None);
    let chain = phone.chain.clone();
    let first = phone.present_as(&challenge, Unlock, &chain, [5; 16]);
    let other = phone.present_as(&challenge, Lock, &chain, [5; 16]);
    assert_eq!(phone.relay(&test, &first, 0).await.status, 202);
    let refused = phone.relay(&test, &other, 0).await;
    refused.is_problem(409, "command-id-used");
    assert_eq!(refused.body["reasons"], json!(["replayed"]));
}

#[tokio::test]
async fn a_session_relays_presentations_of_its_own_key_and_car_only() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let (ada, bob) = (host.give(json!({}), 1).await, host.give(json!({}), 2).await);
    let challenge = gateway.car.lock().unwrap().challenge(None);
    let bobs = bob.present(&challenge, Unlock);
    ada.relay(&test, &bobs, 0)
        .await
        .is_problem(403, "forbidden");
    let elsewhere = keys_core::testing::challenge(1).bytes;
    let answer = ada.relay(&test, &ada.present(&elsewhere, Unlock), 0).await;
    assert_eq!(
        answer.is_problem(422, "invalid").pointers(),
        ["/presentation"]
    );
    // A command is seen by who sent it and by the owner.
    let sent = bob.relay(&test, &bobs, 0).await.text("id");
    let path = format!("/v1/commands/{sent}");
    for (token, status) in [(&ada.token, 404), (&bob.token, 200), (&host.token, 200)] {
        assert_eq!(test.get(&path).bearer(token).send().await.status, status);
    }
}

#[tokio::test]
async fn a_managed_owner_unlocks_as_an_owner_device() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let _line = gateway.connect(&test, api).await.unwrap();
    for command in ["unlock", "enable_driving", "lock"] {
        let body = json!({"command": command});
        let answer = host.post("commands?wait=20", body).await;
        assert_eq!(
            (answer.status, &answer.body["state"]),
            (200, &json!("done")),
            "{answer:?}"
        );
        assert_eq!(answer.body["key_id"], json!(null));
    }
    assert_eq!(
        host.get("receipts").await.body["data"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let both = json!({"command": "lock", "presentation": "AAAA"});
    let answer = host.post("commands", both).await;
    assert_eq!(answer.is_problem(422, "invalid").pointers(), ["/command"]);
}

#[tokio::test]
async fn a_managed_owners_command_of_unknown_outcome_stays_unknown() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let _line = gateway.connect(&test, api).await.unwrap();
    gateway.car.lock().unwrap().acts = Acts::Unknown;
    let answer = host
        .post("commands?wait=20", json!({"command": "unlock"}))
        .await;
    assert_eq!(answer.body["state"], "unknown", "{answer:?}");
    keys_api::jobs::run_once(&test.app).await;
    assert_eq!(gateway.car.lock().unwrap().presented.len(), 1);
}

#[tokio::test]
async fn a_key_whose_window_has_not_begun_is_refused_by_the_car_not_the_api() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let _line = gateway.connect(&test, api).await.unwrap();
    gateway.holds(|seqs| seqs.platform > 0).await;
    let early = json!({"valid_from": at(600), "valid_until": at(4_000)});
    let phone = host.give(early, 1).await;
    assert_eq!(phone.redeemed["state"], "active");
    let refused = phone.command(&test, Unlock).await;
    assert_eq!(
        (&refused.body["state"], &refused.body["reasons"]),
        (&json!("refused"), &json!(["not-yet-valid"]))
    );
    assert!(refused.body["receipt"].is_string());
}

#[tokio::test]
async fn a_wait_is_at_most_thirty_seconds() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let path = "/v1/commands/cmd_01939f5e-7c1a-7b2c-8d3e-4f5a6b7c8d9e?wait=31";
    let answer = test.get(path).bearer(&host.token).send().await;
    assert_eq!(answer.is_problem(422, "invalid").pointers(), ["wait"]);
}
