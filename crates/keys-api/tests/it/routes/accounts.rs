use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn an_owner_signs_up_and_in_and_ends_a_session() {
    let test = TestApp::new().await;
    let first = test.sign_up("ada@example.com").await;
    let body = json!({"email": "Ada@Example.com", "password": "correct horse"});
    let answer = test.post("/v1/sessions").json(body).send().await;
    assert_eq!(
        (answer.status, answer.body["account"]["email"].as_str()),
        (201, Some("ada@example.com"))
    );
    let second = answer.text("token");
    let list = test.get("/v1/sessions").bearer(&second).send().await;
    let sessions = list.body["data"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let other = sessions
        .iter()
        .find(|session| session["current"] == false)
        .unwrap();
    let path = format!("/v1/sessions/{}", other["id"].as_str().unwrap());
    assert_eq!(test.delete(&path).bearer(&second).send().await.status, 204);
    test.get("/v1/account")
        .bearer(&first)
        .send()
        .await
        .is_problem(401, "unauthenticated");
    assert_eq!(
        test.get("/v1/account").bearer(&second).send().await.status,
        200
    );
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let test = TestApp::new().await;
    test.sign_up("ada@example.com").await;
    for email in ["ada@example.com", "bob@example.com"] {
        let body = json!({"email": email, "password": "wrong horse"});
        test.post("/v1/sessions")
            .json(body)
            .send()
            .await
            .is_problem(401, "wrong-credentials");
    }
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    test.clock.advance(30 * 24 * 3600 - 1);
    assert_eq!(
        test.get("/v1/account").bearer(&token).send().await.status,
        200
    );
    test.clock.advance(1);
    test.get("/v1/account")
        .bearer(&token)
        .send()
        .await
        .is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn guessing_one_accounts_password_is_limited() {
    let test = TestApp::new().await;
    let mut statuses = Vec::new();
    for _ in 0..31 {
        let body = json!({"email": "ada@example.com", "password": "guess"});
        statuses.push(test.post("/v1/sessions").json(body).send().await.status);
    }
    assert_eq!(statuses.first(), Some(&401));
    assert_eq!(statuses.last(), Some(&429));
}

#[tokio::test]
async fn neither_password_nor_token_is_stored() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    let Some(stored) = test.sqlite_file().await else {
        return;
    };
    for secret in ["correct horse", &token] {
        assert!(
            !stored
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_parallel_sign_ups_with_one_address_exactly_one_wins() {
    let test = TestApp::new().await;
    let body = json!({"email": "ada@example.com", "password": "correct horse"});
    let calls: Vec<_> = (0..50)
        .map(|_| tokio::spawn(test.post("/v1/accounts").json(body.clone()).send()))
        .collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap().status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(
        statuses[1..].iter().all(|status| *status == 409),
        "{statuses:?}"
    );
}
