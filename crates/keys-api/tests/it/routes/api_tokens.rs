use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn an_api_token_works_until_it_is_revoked() {
    let test = TestApp::new().await;
    let session = test.sign_up("ada@example.com").await;
    let made = test
        .post("/v1/api-tokens")
        .bearer(&session)
        .json(json!({"name": "ci"}))
        .send()
        .await;
    assert_eq!(made.status, 201);
    let token = made.text("token");
    assert!(token.starts_with("lkt_"));
    assert_eq!(
        test.get("/v1/account").bearer(&token).send().await.status,
        200
    );
    let list = test.get("/v1/api-tokens").bearer(&token).send().await;
    assert_eq!(list.body["data"][0]["name"], "ci");
    assert!(!list.body.to_string().contains(&token));
    let path = format!("/v1/api-tokens/{}", made.text("id"));
    assert_eq!(test.delete(&path).bearer(&session).send().await.status, 204);
    test.get("/v1/account")
        .bearer(&token)
        .send()
        .await
        .is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn an_api_token_ends_when_it_said_it_would() {
    let test = TestApp::new().await;
    let session = test.sign_up("ada@example.com").await;
    let body = json!({"name": "ci", "expires_at": "2026-11-23T08:01:00Z"});
    let token = test
        .post("/v1/api-tokens")
        .bearer(&session)
        .json(body)
        .send()
        .await
        .text("token");
    test.clock.advance(59);
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
    let past = json!({"name": "ci", "expires_at": "2026-11-23T08:00:59Z"});
    let answer = test
        .post("/v1/api-tokens")
        .bearer(&session)
        .json(past)
        .send()
        .await;
    assert_eq!(
        answer.is_problem(422, "invalid").pointers(),
        ["/expires_at"]
    );
}

#[tokio::test]
async fn the_same_token_of_someone_else_is_not_found() {
    let test = TestApp::new().await;
    let ada = test.sign_up("ada@example.com").await;
    let bob = test.sign_up("bob@example.com").await;
    let made = test
        .post("/v1/api-tokens")
        .bearer(&ada)
        .json(json!({"name": "ci"}))
        .send()
        .await;
    let path = format!("/v1/api-tokens/{}", made.text("id"));
    test.delete(&path)
        .bearer(&bob)
        .send()
        .await
        .is_problem(404, "not-found");
    assert_eq!(
        test.get("/v1/account")
            .bearer(&made.text("token"))
            .send()
            .await
            .status,
        200
    );
}
