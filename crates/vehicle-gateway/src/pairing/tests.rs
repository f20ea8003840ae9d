//! Pairing against a small relay in the same process.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use data_encoding::BASE64URL_NOPAD;
use futures_util::FutureExt;
use keys_core::pairing::{PairAnswer, check_answer, owner_confirm};
use keys_core::signature::Signer;
use keys_core::testing;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::*;
use crate::sync::ApiEndpoint;

/// What passes through the relay.
#[derive(Default)]
struct Passed {
    offers: Mutex<Vec<(String, PairOffer)>>,
    confirm: Mutex<Option<Vec<u8>>>,
    answer: Mutex<Option<Vec<u8>>>,
    /// What the next offers are answered before one is taken.
    offer_troubles: Mutex<Vec<StatusCode>>,
    /// What the next questions for a confirmation are answered before one waits.
    confirm_troubles: Mutex<Vec<StatusCode>>,
    changed: Notify,
    /// A confirmation was given out.
    given: Notify,
    /// An answer has come.
    answered: Notify,
}

fn trouble(troubles: &Mutex<Vec<StatusCode>>) -> Option<Response> {
    troubles
        .lock()
        .unwrap()
        .pop()
        .map(IntoResponse::into_response)
}

fn decoded(body: &Value, field: &str) -> Vec<u8> {
    BASE64URL_NOPAD
        .decode(body[field].as_str().unwrap().as_bytes())
        .unwrap()
}

async fn take_offer(State(passed): State<Arc<Passed>>, Json(body): Json<Value>) -> Response {
    if let Some(trouble) = trouble(&passed.offer_troubles) {
        return trouble;
    }
    let offer = PairOffer::decode(&decoded(&body, "offer")).unwrap();
    passed
        .offers
        .lock()
        .unwrap()
        .push((body["fingerprint"].as_str().unwrap().to_owned(), offer));
    passed.changed.notify_waiters();
    (StatusCode::CREATED, Json(json!({"id": "pair_1"}))).into_response()
}

async fn give_confirm(State(passed): State<Arc<Passed>>, Path(id): Path<String>) -> Response {
    assert_eq!(id, "pair_1");
    if let Some(trouble) = trouble(&passed.confirm_troubles) {
        return trouble;
    }
    loop {
        let changed = passed.changed.notified();
        if let Some(confirm) = passed.confirm.lock().unwrap().clone() {
            passed.given.notify_one();
            return Json(json!({"confirm": BASE64URL_NOPAD.encode(&confirm)})).into_response();
        }
        changed.await;
    }
}

async fn take_answer(State(passed): State<Arc<Passed>>, Json(body): Json<Value>) -> Response {
    *passed.answer.lock().unwrap() = Some(decoded(&body, "answer"));
    passed.answered.notify_one();
    StatusCode::NO_CONTENT.into_response()
}

#[derive(Default)]
struct Sink {
    pinned: Mutex<Vec<VehicleId>>,
    refuse: Mutex<bool>,
    judged: Notify,
}

impl PairingSink for Sink {
    fn pin<'a>(
        &'a self,
        _: &'a PairOffer,
        confirm: &'a PairConfirm,
    ) -> BoxFuture<'a, Result<(), PinError>> {
        async move {
            self.judged.notify_one();
            if *self.refuse.lock().unwrap() {
                return Err(PinError::Refused("the bundle names another gateway".into()));
            }
            self.pinned.lock().unwrap().push(confirm.vehicle);
            Ok(())
        }
        .boxed()
    }
}

struct World {
    passed: Arc<Passed>,
    sink: Arc<Sink>,
    code: watch::Receiver<Option<PairingCode>>,
    stop: CancellationToken,
    paired: tokio::task::JoinHandle<Result<Paired, PairingError>>,
}

fn vehicle() -> VehicleId {
    VehicleId::from_bytes([9; 16])
}

impl World {
    async fn new() -> Self {
        Self::troubled(vec![], vec![]).await
    }

    async fn troubled(offers: Vec<StatusCode>, confirms: Vec<StatusCode>) -> Self {
        let passed = Arc::new(Passed {
            offer_troubles: Mutex::new(offers),
            confirm_troubles: Mutex::new(confirms),
            ..Passed::default()
        });
        let router = Router::new()
            .route("/v1/pairings", post(take_offer))
            .route("/v1/pairings/{id}/confirm", get(give_confirm))
            .route("/v1/pairings/{id}/answer", post(take_answer))
            .with_state(passed.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let sink = Arc::new(Sink::default());
        let (shown, code) = watch::channel(None);
        let stop = CancellationToken::new();
        let (to_sink, to_stop) = (sink.clone(), stop.clone());
        let paired = tokio::spawn(async move {
            let relay = Relay::new(ApiEndpoint::parse(&origin, None).unwrap()).unwrap();
            // Zeros: the code is always the same, and pauses are the shortest.
            let random: Random = Arc::new(|buffer| {
                buffer.fill(0);
                Ok(())
            });
            let gateway = testing::gateway();
            let pairing = Pairing {
                relay: &relay,
                gateway_key: gateway.verifying_key(),
                sink: &*to_sink,
                random: &random,
                shown: &shown,
                stop: &to_stop,
            };
            pair_once(&pairing).await
        });
        Self {
            passed,
            sink,
            code,
            stop,
            paired,
        }
    }

    async fn code(&mut self) -> PairingCode {
        self.code
            .wait_for(Option::is_some)
            .await
            .unwrap()
            .clone()
            .unwrap()
    }

    /// The offer, once posted.
    async fn offer(&self) -> PairOffer {
        loop {
            let changed = self.passed.changed.notified();
            if let Some((fingerprint, offer)) = self.passed.offers.lock().unwrap().last() {
                assert_eq!(fingerprint.len(), 16);
                return offer.clone();
            }
            changed.await;
        }
    }

    /// Confirms as an owner who typed `code`.
    fn confirm(&self, code: &PairingCode, offer: &PairOffer, nonce: u8) -> PairConfirm {
        let owner = testing::owner();
        let confirm = owner_confirm(
            code,
            offer,
            vehicle(),
            owner.verifying_key(),
            [nonce; 16],
            b"bundle",
        )
        .unwrap();
        *self.passed.confirm.lock().unwrap() = Some(confirm.encode());
        self.passed.changed.notify_waiters();
        confirm
    }
}

/// What somebody types who misread the last symbols.
fn misread(code: &PairingCode) -> PairingCode {
    let text = code.reveal().to_string();
    text[..text.len() - 4]
        .chars()
        .chain("7777".chars())
        .collect::<String>()
        .parse()
        .unwrap()
}

#[tokio::test]
async fn a_car_is_paired_by_whoever_read_its_code() {
    let mut world = World::new().await;
    let (code, offer) = (world.code().await, world.offer().await);
    let confirm = world.confirm(&code, &offer, 1);
    let paired = world.paired.await.unwrap().unwrap();
    assert_eq!(
        paired,
        Paired {
            vehicle: vehicle(),
            answered: true
        }
    );
    assert_eq!(*world.sink.pinned.lock().unwrap(), [vehicle()]);
    let answer = world.passed.answer.lock().unwrap().clone().unwrap();
    check_answer(
        code.secret(),
        &offer,
        &confirm,
        &PairAnswer::decode(&answer).unwrap(),
    )
    .unwrap();
    assert!(
        world.code.borrow().is_none(),
        "the code is not shown any more"
    );
}

#[tokio::test]
async fn the_owner_is_answered_even_if_nobody_waits_for_it_any_more() {
    let mut world = World::new().await;
    let (code, offer) = (world.code().await, world.offer().await);
    world.confirm(&code, &offer, 1);
    world.sink.judged.notified().await;
    world.paired.abort();
    world.passed.answered.notified().await;
}

#[tokio::test]
async fn a_relay_in_trouble_is_asked_again() {
    let offers = vec![StatusCode::INTERNAL_SERVER_ERROR];
    let confirms = vec![StatusCode::TOO_MANY_REQUESTS, StatusCode::NOT_FOUND];
    let mut world = World::troubled(offers, confirms).await;
    let (code, offer) = (world.code().await, world.offer().await);
    world.confirm(&code, &offer, 1);
    assert!(world.paired.await.unwrap().is_ok());
    assert_eq!(
        world.passed.offers.lock().unwrap().len(),
        2,
        "a forgotten offer is posted again"
    );
}

#[tokio::test]
async fn an_api_without_a_relay_ends_it() {
    let world = World::troubled(vec![StatusCode::NOT_FOUND], vec![]).await;
    let error = world.paired.await.unwrap().unwrap_err();
    assert!(matches!(error, PairingError::Relay(_)), "{error}");
}

#[tokio::test]
async fn five_wrong_codes_end_it_and_pin_nothing() {
    let mut world = World::new().await;
    let (code, offer) = (world.code().await, world.offer().await);
    let wrong = misread(&code);
    // With the clock paused, the pauses between two questions take no time.
    tokio::time::pause();
    for nonce in 0..TRIES {
        world.confirm(&wrong, &offer, nonce);
        world.passed.given.notified().await;
    }
    assert!(matches!(
        world.paired.await.unwrap(),
        Err(PairingError::TooManyTries)
    ));
    assert!(world.sink.pinned.lock().unwrap().is_empty());
    assert!(
        world.passed.answer.lock().unwrap().is_none(),
        "nobody gets a proof for a guess"
    );
}

#[tokio::test]
async fn a_misread_code_can_be_entered_again() {
    let mut world = World::new().await;
    let (code, offer) = (world.code().await, world.offer().await);
    world.confirm(&misread(&code), &offer, 1);
    world.confirm(&code, &offer, 2);
    assert!(world.paired.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_refused_bundle_leaves_the_code_for_a_better_one() {
    let mut world = World::new().await;
    *world.sink.refuse.lock().unwrap() = true;
    let (code, offer) = (world.code().await, world.offer().await);
    world.confirm(&code, &offer, 1);
    world.sink.judged.notified().await;
    *world.sink.refuse.lock().unwrap() = false;
    world.confirm(&code, &offer, 2);
    assert!(world.paired.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_code_that_nobody_enters_ends_after_its_time() {
    let mut world = World::new().await;
    world.code().await;
    world.offer().await;
    tokio::time::pause();
    let error = world.paired.await.unwrap().unwrap_err();
    assert!(matches!(error, PairingError::TimedOut), "{error}");
}

#[tokio::test]
async fn a_stop_ends_it_at_once() {
    let world = World::new().await;
    world.offer().await;
    world.stop.cancel();
    assert!(matches!(
        world.paired.await.unwrap(),
        Err(PairingError::Stopped)
    ));
}
