use serde_json::json;

use crate::support::TestApp;

const KEY: &str = "idempotency-key";

#[tokio::test]
async fn the_same_post_twice_has_one_effect_and_one_answer() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    let call = || {
        test.post("/v1/vehicles")
            .bearer(&token)
            .header(KEY, "k1")
            .json(json!({"name": "F", "time_zone": "UTC"}))
    };
    let (first, second) = (call().send().await, call().send().await);
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.body, second.body);
    assert_eq!(
        (
            first.header("idempotency-replayed"),
            second.header("idempotency-replayed")
        ),
        ("", "true")
    );
    let list = test.get("/v1/vehicles").bearer(&token).send().await;
    assert_eq!(list.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_repeat_shows_a_one_time_secret_again_but_the_database_does_not_hold_it() {
    let test = TestApp::new().await;
    let session = test.sign_up("ada@example.com").await;
    let call = || {
        test.post("/v1/api-tokens")
            .bearer(&session)
            .header(KEY, "secret-key-1")
            .json(json!({"name": "ci"}))
    };
    let token = call().send().await.text("token");
    assert_eq!(call().send().await.text("token"), token);
    let Some(stored) = test.sqlite_file().await else {
        return;
    };
    for secret in [token.as_str(), "secret-key-1"] {
        assert!(
            !stored
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        );
    }
}

#[tokio::test]
async fn another_body_under_the_same_key_is_422() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    let call = |name: &str| {
        test.post("/v1/vehicles")
            .bearer(&token)
            .header(KEY, "k1")
            .json(json!({"name": name, "time_zone": "UTC"}))
    };
    assert_eq!(call("F").send().await.status, 201);
    call("G")
        .send()
        .await
        .is_problem(422, "idempotency-key-reused");
    let elsewhere = test
        .post("/v1/api-tokens")
        .bearer(&token)
        .header(KEY, "k1")
        .json(json!({"name": "F"}));
    elsewhere
        .send()
        .await
        .is_problem(422, "idempotency-key-reused");
}

#[tokio::test]
async fn two_callers_may_use_the_same_key() {
    let test = TestApp::new().await;
    for email in ["ada@example.com", "bob@example.com"] {
        let token = test.sign_up(email).await;
        let call = test
            .post("/v1/vehicles")
            .bearer(&token)
            .header(KEY, "1")
            .json(json!({"name": "F", "time_zone": "UTC"}));
        assert_eq!(call.send().await.header("idempotency-replayed"), "");
    }
}

#[tokio::test]
async fn an_error_is_not_kept() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    let call = |name: &str| {
        test.post("/v1/vehicles")
            .bearer(&token)
            .header(KEY, "k1")
            .json(json!({"name": name, "time_zone": "UTC"}))
    };
    call("").send().await.is_problem(422, "invalid");
    assert_eq!(call("F").send().await.status, 201);
}

#[tokio::test]
async fn a_reply_is_kept_for_24_hours_and_not_for_one_whose_session_ended() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    let call = || {
        test.post("/v1/vehicles")
            .bearer(&token)
            .header(KEY, "k1")
            .json(json!({"name": "F", "time_zone": "UTC"}))
    };
    let first = call().send().await;
    test.clock.advance(24 * 3600 - 1);
    assert_eq!(call().send().await.body, first.body);
    test.clock.advance(1);
    assert_ne!(call().send().await.body, first.body);
    let sessions = test.get("/v1/sessions").bearer(&token).send().await;
    let path = format!(
        "/v1/sessions/{}",
        sessions.body["data"][0]["id"].as_str().unwrap()
    );
    assert_eq!(test.delete(&path).bearer(&token).send().await.status, 204);
    call().send().await.is_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_parallel_repeats_one_acts_and_the_rest_wait_or_get_its_answer() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    let body = json!({"email": "bob@example.com", "password": "correct horse"});
    let calls: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn(
                test.post("/v1/accounts")
                    .header(KEY, "k1")
                    .json(body.clone())
                    .send(),
            )
        })
        .collect();
    let mut tokens = std::collections::BTreeSet::new();
    for call in calls {
        let answer = call.await.unwrap();
        match answer.status {
            201 => tokens.extend(Some(answer.text("token"))),
            409 => assert_eq!(
                answer
                    .is_problem(409, "idempotency-in-flight")
                    .header("retry-after"),
                "1"
            ),
            _ => panic!("{answer:?}"),
        }
    }
    assert_eq!(tokens.len(), 1);
    assert_eq!(
        test.get("/v1/account").bearer(&token).send().await.status,
        200
    );
}

#[tokio::test]
async fn a_key_has_1_to_255_visible_characters() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    for (key, status) in [
        ("", 422),
        (&"x".repeat(256)[..], 422),
        (&"x".repeat(255)[..], 201),
    ] {
        let call = test
            .post("/v1/vehicles")
            .bearer(&token)
            .header(KEY, key)
            .json(json!({"name": "F", "time_zone": "UTC"}));
        assert_eq!(call.send().await.status, status, "{} characters", key.len());
    }
}
