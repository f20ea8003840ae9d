//! First start and client applications.

use keys_api::seed;
use keys_api::service::client_apps::{self, CreateError};
use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn an_empty_database_is_seeded_once() {
    let test = TestApp::new().await;
    let uris = vec!["https://example.com/auth".to_owned()];
    let email = || "host@example.com".parse().unwrap();
    let made = seed::sandbox(&test.app, email(), uris.clone())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(made.app.redirect_uris, uris);
    let body = json!({"email": "host@example.com", "password": made.password.reveal()});
    assert_eq!(
        test.post("/v1/sessions").json(body).send().await.status,
        201
    );
    assert_eq!(
        test.get("/v1/account")
            .bearer(made.session.reveal())
            .send()
            .await
            .status,
        200
    );
    assert!(
        seed::sandbox(&test.app, email(), uris)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn an_application_is_sent_back_to_https_or_the_developers_own_machine_only() {
    let test = TestApp::new().await;
    let tx = test.app.db.begin().await.unwrap();
    for good in [
        "https://example.com/auth",
        "http://localhost:8000/exchange",
        "http://127.0.0.1/x",
    ] {
        client_apps::create(&test.app, &tx, "a", vec![good.to_owned()])
            .await
            .unwrap();
    }
    for wrong in [
        "",
        "example.com",
        "http://example.com/",
        "https://example.com/#x",
        "javascript:alert(1)",
        "/auth",
    ] {
        let error = client_apps::create(&test.app, &tx, "a", vec![wrong.to_owned()])
            .await
            .unwrap_err();
        assert!(matches!(error, CreateError::RedirectUri(_)), "{wrong}");
    }
}
