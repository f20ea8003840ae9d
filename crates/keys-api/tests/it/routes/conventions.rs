//! What holds for every route: problems, request ids, bodies, queries, limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use keys_api::http::{Problem, request_id};
use keys_api::storage::StorageError;
use serde_json::json;

use crate::support::{Call, TestApp};

#[tokio::test]
async fn every_answer_carries_a_request_id_of_its_own() {
    let test = TestApp::new().await;
    let (first, second) = (
        test.get("/health").send().await,
        test.get("/nowhere").send().await,
    );
    assert!(first.header("x-request-id").starts_with("req_"));
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    second.is_problem(404, "not-found");
}

#[tokio::test]
async fn an_unreadable_body_is_400_and_a_wrong_media_type_415() {
    let test = TestApp::new().await;
    for body in ["", "{", "nonsense", "{\"a\":1,}", "\u{feff}{}"] {
        test.post("/v1/accounts")
            .raw("application/json", body)
            .send()
            .await
            .is_problem(400, "unreadable");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        test.post("/v1/accounts")
            .raw(kind, "{}")
            .send()
            .await
            .is_problem(415, "unsupported-media-type");
    }
    test.post("/v1/accounts")
        .raw("application/json; charset=utf-8", "{}")
        .send()
        .await
        .is_problem(422, "invalid");
    for body in [json!([]), json!("x"), json!(null), json!(1)] {
        test.post("/v1/accounts")
            .json(body)
            .send()
            .await
            .is_problem(422, "invalid");
    }
}

#[tokio::test]
async fn a_deeply_nested_body_is_refused() {
    let test = TestApp::new().await;
    let body = format!("{{\"name\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    test.post("/v1/accounts")
        .raw("application/json", body)
        .send()
        .await
        .is_problem(400, "unreadable");
}

#[tokio::test]
async fn a_body_over_64_kib_is_413_and_one_of_64_kib_is_read() {
    let test = TestApp::new().await;
    let sized = |size: usize| format!("{{\"pad\":\"{}\"}}", "x".repeat(size - 10));
    test.post("/v1/accounts")
        .raw("application/json", sized(65_536))
        .send()
        .await
        .is_problem(422, "invalid");
    let answer = test
        .post("/v1/accounts")
        .raw("application/json", sized(65_537))
        .send()
        .await;
    answer.is_problem(413, "too-large");
    assert_eq!(answer.header("connection"), "close");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_dropped_after_30_s() {
    use http_body_util::BodyExt;
    use tower::ServiceExt;
    // The database works on real threads, which a paused clock does not wait for; this needs none.
    let router = axum::Router::new()
        .fallback(|| async { "read" })
        .layer(axum::middleware::from_fn(keys_api::http::body::layer));
    let body = Body::new(http_body_util::StreamBody::new(
        futures_util::stream::pending::<
            Result<hyper::body::Frame<axum::body::Bytes>, std::io::Error>,
        >(),
    ));
    let request = axum::http::Request::builder()
        .method("POST")
        .uri("/")
        .body(body)
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 408);
    assert_eq!(response.headers()["connection"], "close");
    assert!(response.into_body().collect().await.is_ok());
}

#[tokio::test]
async fn a_query_is_checked_like_a_body() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    let named = [
        ("limit=0", vec!["limit"]),
        ("limit=101", vec!["limit"]),
        ("limit=many&color=red", vec!["color", "limit"]),
        ("cursor=nonsense", vec!["cursor"]),
        ("limit=1&limit=2", vec!["limit"]),
    ];
    for (query, pointers) in named {
        let answer = test
            .get(&format!("/v1/vehicles?{query}"))
            .bearer(&token)
            .send()
            .await;
        assert_eq!(
            answer.is_problem(422, "invalid").pointers(),
            pointers,
            "{query}"
        );
    }
    assert_eq!(
        test.get("/v1/vehicles?limit=100")
            .bearer(&token)
            .send()
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn an_id_that_does_not_parse_is_not_found() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    for id in [
        "1",
        "veh_1",
        "key_01939f5e-7c1a-7b2c-8d3e-4f5a6b7c8d9e",
        "%00",
        "%ff",
        "veh_01939f5e-7c1a-7b2c-8d3e-4f5a6b7c8d9e",
    ] {
        test.get(&format!("/v1/vehicles/{id}"))
            .bearer(&token)
            .send()
            .await
            .is_problem(404, "not-found");
    }
}

#[tokio::test]
async fn a_token_that_is_none_is_401() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    let call = || test.get("/v1/account");
    let long = format!("Bearer lks_{}", "x".repeat(5000));
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer nonsense",
        "Bearer lks_nonsense",
        "Bearer lkh_x",
        &token,
        &long,
    ] {
        let answer = call().header("authorization", value).send().await;
        answer.is_problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    assert_eq!(
        call()
            .header("authorization", &format!("bearer {token}"))
            .send()
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn limits_are_told_and_kept() {
    let test = TestApp::with(|config| config.limits.per_caller = 3).await;
    let token = test.sign_up("ada@example.com").await;
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(test.get("/v1/account").bearer(&token).send().await);
    }
    assert_eq!(answers[0].header("ratelimit-policy"), "\"caller\";q=3;w=60");
    assert!(
        answers[0]
            .header("ratelimit")
            .starts_with("\"caller\";r=2;t=")
    );
    answers[3].is_problem(429, "rate-limited");
    assert!(answers[3].header("retry-after").parse::<u64>().unwrap() >= 1);
    // Another caller has a limit of their own.
    let other = test.sign_up("bob@example.com").await;
    assert_eq!(
        test.get("/v1/account").bearer(&other).send().await.status,
        200
    );
}

#[tokio::test]
async fn a_panic_is_a_problem_that_tells_nothing() {
    let test = TestApp::new().await;
    let router = axum::Router::new()
        .fallback(|| async { panic!("the secret is swordfish") as () })
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(
            request_id::caught_panic,
        ))
        .layer(axum::middleware::from_fn_with_state(
            test.app.clone(),
            request_id::layer,
        ));
    let answer = Call::new(router, axum::http::Method::GET, "/").send().await;
    answer.is_problem(500, "internal");
    assert!(!answer.body.to_string().contains("swordfish"));
}

#[tokio::test]
async fn a_request_that_lost_a_race_runs_again_at_most_eight_times() {
    let test = TestApp::new().await;
    for (losses, status, runs) in [(0, 200, 1), (3, 200, 4), (100, 503, 8)] {
        let counted = Arc::new(AtomicU32::new(0));
        let handler = {
            let counted = counted.clone();
            move |body: String| async move {
                assert_eq!(body, "again");
                if counted.fetch_add(1, Ordering::SeqCst) < losses {
                    let lost = sea_orm::DbErr::Custom("serialization failure".to_owned());
                    return Err(Problem::from(StorageError::Conflict(lost)));
                }
                Ok("won")
            }
        };
        let router = axum::Router::new()
            .fallback(handler)
            .layer(axum::middleware::from_fn(keys_api::http::body::layer))
            .layer(axum::middleware::from_fn_with_state(
                test.app.clone(),
                request_id::layer,
            ));
        let answer = Call::new(router, axum::http::Method::POST, "/")
            .raw("text/plain", "again")
            .send()
            .await;
        assert_eq!(
            (answer.status, counted.load(Ordering::SeqCst)),
            (status, runs)
        );
    }
}
