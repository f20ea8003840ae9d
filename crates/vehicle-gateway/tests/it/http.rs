//! The local link: sizes, rates, slow clients.

use keys_core::carried::{Carried, CarriedKind, MAX_BYTES};
use keys_core::challenge::Challenge;
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::testing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Bench, LONG};

async fn status_of(bench: &Bench, path: &str, body: Vec<u8>) -> (u16, String) {
    bench.clock.advance_ms(1_000);
    let post = bench
        .client
        .post(bench.url(path))
        .header("content-type", "application/cbor")
        .body(body);
    let answer = post.send().await.unwrap();
    let status = answer.status().as_u16();
    let problem: serde_json::Value =
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    (status, problem["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn health_says_whether_the_car_is_paired() {
    let bench = Bench::paired().await;
    let health: serde_json::Value = bench
        .client
        .get(bench.url("/v1/health"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        health,
        serde_json::json!({ "status": "ok", "vehicle": testing::vehicle().to_string(), "paired": true })
    );
}

#[tokio::test]
async fn a_gateway_that_is_not_paired_gives_no_challenge() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = vehicle_gateway::Gateway::start(crate::support::config(dir.path()))
        .await
        .unwrap();
    let client = crate::support::client();
    let answer = client
        .get(format!("{}/v1/challenge", gateway.local_url()))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 503);
    gateway.stop().await;
}

#[tokio::test]
async fn a_challenge_echoes_the_phone_and_is_signed() {
    let bench = Bench::ready().await;
    let nonce = "000102030405060708090a0b0c0d0e0f";
    let url = bench.url(&format!("/v1/challenge?phone_nonce={nonce}"));
    let bytes = bench
        .client
        .get(url)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let challenge = Unverified::<Challenge>::decode(&bytes)
        .unwrap()
        .verify(&bench.gateway_key, NO_REST)
        .unwrap();
    let expected: Vec<u8> = (0..16).collect();
    assert_eq!(challenge.body().phone_nonce.unwrap().to_vec(), expected);
    assert_eq!(challenge.body().ttl_ms, 30_000);
    for bad in ["", "00", "zz0102030405060708090a0b0c0d0e0f"] {
        let url = bench.url(&format!("/v1/challenge?phone_nonce={bad}"));
        assert_eq!(bench.client.get(url).send().await.unwrap().status(), 400);
    }
}

#[tokio::test]
async fn too_much_is_413_and_nonsense_400() {
    let bench = Bench::ready().await;
    assert_eq!(
        status_of(&bench, "/v1/present", vec![0; 4_097]).await,
        (413, "too-large".into())
    );
    assert_eq!(
        status_of(&bench, "/v1/present", vec![0; 4_096]).await,
        (400, "malformed".into())
    );
    assert_eq!(
        status_of(&bench, "/v1/carry", vec![0; MAX_BYTES + 1]).await,
        (413, "too-large".into())
    );
    let long = Carried {
        kind: CarriedKind::Bundle,
        object: &[0; 2_049],
        challenge: None,
    }
    .encode();
    assert_eq!(
        status_of(&bench, "/v1/carry", long).await,
        (413, "too-large".into())
    );
    assert_eq!(
        status_of(&bench, "/v1/carry", vec![0xff]).await,
        (400, "malformed".into())
    );
    let plain = bench
        .client
        .post(bench.url("/v1/present"))
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(plain.status(), 415);
    assert_eq!(
        bench
            .client
            .get(bench.url("/v1/doors"))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
    assert_eq!(
        bench
            .client
            .get(bench.url("/v1/present"))
            .send()
            .await
            .unwrap()
            .status(),
        405
    );
}

#[tokio::test]
async fn a_peer_gets_five_challenges_a_second() {
    let bench = Bench::ready().await;
    bench.clock.advance(1);
    for _ in 0..5 {
        assert_eq!(
            bench
                .client
                .get(bench.url("/v1/challenge"))
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
    }
    let sixth = bench
        .client
        .get(bench.url("/v1/challenge"))
        .send()
        .await
        .unwrap();
    assert_eq!(sixth.status(), 429);
    assert!(sixth.headers().contains_key("retry-after"));
}

/// Sends a beginning and reads until the gateway hangs up.
async fn hung_up_on(bench: &Bench, beginning: &[u8]) -> String {
    let address = bench.running().local_url();
    let mut stream = TcpStream::connect(address.trim_start_matches("http://"))
        .await
        .unwrap();
    stream.write_all(beginning).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(LONG, stream.read_to_end(&mut answer))
        .await
        .expect("it hangs up")
        .unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_client_that_sends_slowly_is_dropped_and_others_are_served() {
    let mut bench = Bench::ready().await;
    bench.stop().await;
    bench.config.patience_ms = 50;
    bench.config.connections = 2;
    bench.start().await.unwrap();
    hung_up_on(&bench, b"GET /v1/health HTTP/1.1\r\nhost: x\r\n").await;
    let slow_body = b"POST /v1/present HTTP/1.1\r\nhost: x\r\ncontent-type: application/cbor\r\ncontent-length: 100\r\n\r\nabc";
    let answer = hung_up_on(&bench, slow_body).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    // More silent clients than connections: each is dropped in its turn.
    let address = bench
        .running()
        .local_url()
        .trim_start_matches("http://")
        .to_owned();
    let mut silent = Vec::new();
    for _ in 0..6 {
        silent.push(TcpStream::connect(&address).await.unwrap());
    }
    let health = bench.client.get(bench.url("/v1/health")).send();
    assert_eq!(
        tokio::time::timeout(LONG, health)
            .await
            .unwrap()
            .unwrap()
            .status(),
        200
    );
    drop(silent);
}

#[tokio::test]
async fn a_phone_that_hangs_up_does_not_stop_its_command() {
    let bench = Bench::ready().await;
    let key = crate::support::key_for(&testing::holder(1), |_| {});
    let permits = bench.car.hold();
    let presentation = bench
        .presentation(
            &key,
            &testing::holder(1),
            keys_core::command::VehicleCommand::Unlock,
        )
        .await;
    tokio::select! {
        _ = bench.present(&presentation) => panic!("the car did not answer yet"),
        () = crate::support::eventually("the car was asked", || bench.car.executed() == 1) => {}
    }
    permits.add_permits(1);
    let reply = bench.present(&presentation).await;
    reply.is_done();
    assert_eq!(bench.car.executed(), 1);
}
