//! The pairing relay, and pairing a managed car.

use keys_core::pairing::{PairingCode, PairingSecret};
use keys_core::signature::Signer;
use serde_json::json;

use crate::support::{FakeGateway, Host, TestApp, b64};

#[tokio::test]
async fn an_offer_under_another_keys_fingerprint_is_refused() {
    let test = TestApp::new().await;
    let gateway = FakeGateway::new(&test, 21);
    let (_, offer) = gateway.offer(&test).await;
    for (body, pointers) in [
        (
            json!({"fingerprint": "A".repeat(16), "offer": b64(&offer.encode())}),
            vec![],
        ),
        (
            json!({"fingerprint": "short", "offer": b64(&offer.encode())}),
            vec!["/fingerprint"],
        ),
    ] {
        let answer = test.post("/v1/pairings").json(body).send().await;
        assert_eq!(answer.is_problem(422, "invalid").pointers(), pointers);
    }
}

#[tokio::test]
async fn a_gateway_that_nobody_confirms_is_told_to_ask_again_until_its_offer_is_over() {
    let test = TestApp::new().await;
    let gateway = FakeGateway::new(&test, 21);
    let (id, _) = gateway.offer(&test).await;
    let path = format!("/v1/pairings/{id}/confirm");
    assert_eq!(test.get(&path).send().await.status, 204);
    test.clock.advance(600);
    test.get(&path).send().await.is_problem(404, "not-found");
}

#[tokio::test]
async fn a_confirmation_for_someone_elses_car_is_not_relayed() {
    let test = TestApp::new().await;
    let host = Host::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    let (id, offer) = gateway.offer(&test).await;
    let stranger = test.sign_up("stranger@example.com").await;
    let vehicle: keys_api::model::id::VehicleId = host.vehicle.parse().unwrap();
    let owner = keys_core::testing::owner();
    let confirm = keys_core::pairing::owner_confirm(
        &gateway.code,
        &offer,
        vehicle.core(),
        owner.verifying_key(),
        [1; 16],
        b"bundle",
    );
    let body = json!({"confirm": b64(&confirm.unwrap().encode())});
    let path = format!("/v1/pairings/{id}/confirm");
    test.post(&path)
        .bearer(&stranger)
        .json(body.clone())
        .send()
        .await
        .is_problem(404, "not-found");
    let relayed = test.post(&path).bearer(&host.token).json(body).send().await;
    assert_eq!(relayed.status, 204);
    // Who did not confirm does not hear the answer.
    let path = format!("/v1/pairings/{id}/answer");
    test.get(&path)
        .bearer(&stranger)
        .send()
        .await
        .is_problem(404, "not-found");
    assert_eq!(test.get(&path).bearer(&host.token).send().await.status, 204);
}

#[tokio::test]
async fn an_answer_before_a_confirmation_and_a_second_one_are_refused() {
    let test = TestApp::new().await;
    let host = Host::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    let (id, offer) = gateway.offer(&test).await;
    let path = format!("/v1/pairings/{id}/answer");
    let answer = |byte: u8| {
        let bytes = [&[0xa1, 0x01, 0x58, 0x20][..], &[byte; 32]].concat();
        json!({"answer": b64(&bytes)})
    };
    test.post(&path)
        .json(answer(1))
        .send()
        .await
        .is_problem(409, "pairing-not-confirmed");
    let body = json!({"code": gateway.code.reveal().to_string()});
    let (paired, ()) = tokio::join!(
        host.post("pair", body),
        gateway.accept_pairing(&test, &id, &offer)
    );
    assert_eq!(paired.status, 200);
    test.post(&path)
        .json(answer(1))
        .send()
        .await
        .is_problem(409, "pairing-over");
}

#[tokio::test]
async fn an_answer_not_made_with_the_code_pairs_nothing() {
    let test = TestApp::new().await;
    let host = Host::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    let (id, _) = gateway.offer(&test).await;
    let wrong = PairingCode::new(gateway.key.verifying_key(), PairingSecret::new([9; 10]));
    let impostor = async {
        let path = format!("/v1/pairings/{id}/confirm?wait=20");
        assert_eq!(test.get(&path).send().await.status, 200);
        let bytes = [&[0xa1, 0x01, 0x58, 0x20][..], &[7; 32]].concat();
        let path = format!("/v1/pairings/{id}/answer");
        let body = json!({"answer": b64(&bytes)});
        assert_eq!(test.post(&path).json(body).send().await.status, 204);
    };
    let body = json!({"code": wrong.reveal().to_string()});
    let (answer, ()) = tokio::join!(host.post("pair", body), impostor);
    answer.is_problem(409, "pairing-answer-wrong");
    host.get("bundle").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn pairing_anew_names_the_new_gateway_under_the_next_number() {
    let test = TestApp::new().await;
    let host = Host::new(&test).await;
    let (old, new) = (FakeGateway::new(&test, 21), FakeGateway::new(&test, 22));
    host.pair(&old).await;
    let paired = host.pair(&new).await;
    assert_eq!(
        (&paired.body["seq"], &paired.body["gateway_key"]),
        (&json!(2), &json!(b64(new.key.verifying_key().as_bytes())))
    );
    let api = test.listen().await;
    assert_eq!(old.connect(&test, api).await.err(), Some(Some(4401)));
    assert!(new.connect(&test, api).await.is_ok());
}

#[tokio::test]
async fn a_wrongly_typed_code_is_refused_without_repeating_it() {
    let test = TestApp::new().await;
    let host = Host::new(&test).await;
    let answer = host.post("pair", json!({"code": "SECRET-1"})).await;
    assert_eq!(answer.is_problem(422, "invalid").pointers(), ["/code"]);
    assert!(!answer.body.to_string().contains("SECRET"));
}
