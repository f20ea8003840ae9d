use keys_core::signature::Signer;
use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn a_vehicle_is_registered_changed_and_removed() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    let body = json!({"name": "Blue Fiat", "brand": "Fiat", "model": "500", "year": 2021,
        "vin": "zfa31200000745586", "time_zone": "Europe/Rome"});
    let made = test
        .post("/v1/vehicles")
        .bearer(&token)
        .json(body)
        .send()
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.body["vin"], "ZFA31200000745586");
    assert_eq!(made.body["key_custody"], "managed");
    assert_eq!(made.text("owner_key").len(), 43);
    let path = format!("/v1/vehicles/{}", made.text("id"));
    assert_eq!(test.get(&path).bearer(&token).send().await.body, made.body);
    test.clock.advance(60);
    let change = json!({"name": "Bluer Fiat", "vin": null});
    let changed = test.patch(&path).bearer(&token).json(change).send().await;
    assert_eq!(
        (changed.status, &changed.body["vin"], &changed.body["brand"]),
        (200, &json!(null), &json!("Fiat"))
    );
    assert_eq!(changed.body["updated_at"], "2026-11-23T08:01:00Z");
    assert_eq!(test.delete(&path).bearer(&token).send().await.status, 204);
    test.get(&path)
        .bearer(&token)
        .send()
        .await
        .is_problem(404, "not-found");
    test.delete(&path)
        .bearer(&token)
        .send()
        .await
        .is_problem(404, "not-found");
}

#[tokio::test]
async fn a_vehicle_with_the_owners_own_key_is_sovereign() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    let key = data_encoding::BASE64URL_NOPAD
        .encode(keys_core::testing::owner().verifying_key().as_bytes());
    let body = json!({"name": "Fiat", "time_zone": "Europe/Rome", "owner_key": key});
    let made = test
        .post("/v1/vehicles")
        .bearer(&token)
        .json(body)
        .send()
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(
        (&made.body["key_custody"], &made.body["owner_key"]),
        (&json!("sovereign"), &json!(key))
    );
}

#[tokio::test]
async fn someone_elses_vehicle_is_not_found_and_not_listed() {
    let test = TestApp::new().await;
    let ada = test.sign_up("ada@example.com").await;
    let bob = test.sign_up("bob@example.com").await;
    let path = format!("/v1/vehicles/{}", test.register_vehicle(&ada).await);
    test.get(&path)
        .bearer(&bob)
        .send()
        .await
        .is_problem(404, "not-found");
    test.patch(&path)
        .bearer(&bob)
        .json(json!({"name": "Mine"}))
        .send()
        .await
        .is_problem(404, "not-found");
    test.delete(&path)
        .bearer(&bob)
        .send()
        .await
        .is_problem(404, "not-found");
    assert_eq!(
        test.get("/v1/vehicles").bearer(&bob).send().await.body["data"],
        json!([])
    );
}

#[tokio::test]
async fn every_field_that_does_not_hold_is_named() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    let body = json!({"name": "", "year": 1700, "vin": "IOQ", "time_zone": "Europe/Nowhere", "owner_key": "AAAA",
        "color": "red", "a/b": 1});
    let answer = test
        .post("/v1/vehicles")
        .bearer(&token)
        .json(body)
        .send()
        .await;
    let named = [
        "/a~1b",
        "/color",
        "/name",
        "/owner_key",
        "/time_zone",
        "/vin",
        "/year",
    ];
    assert_eq!(answer.is_problem(422, "invalid").pointers(), named);
    let answer = test
        .post("/v1/vehicles")
        .bearer(&token)
        .json(json!({}))
        .send()
        .await;
    assert_eq!(
        answer.is_problem(422, "invalid").pointers(),
        ["/name", "/time_zone"]
    );
}

#[tokio::test]
async fn a_key_of_small_order_is_no_owner_key() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    let body = json!({"name": "F", "time_zone": "UTC", "owner_key": "A".repeat(43)});
    let answer = test
        .post("/v1/vehicles")
        .bearer(&token)
        .json(body)
        .send()
        .await;
    assert_eq!(answer.is_problem(422, "invalid").pointers(), ["/owner_key"]);
}

#[tokio::test]
async fn pages_walk_every_vehicle_once_newest_first() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(test.register_vehicle(&token).await);
    }
    made.reverse();
    let mut seen = Vec::new();
    let mut path = "/v1/vehicles?limit=2".to_owned();
    loop {
        let page = test.get(&path).bearer(&token).send().await;
        seen.extend(
            page.body["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned()),
        );
        if page.body["has_more"] == false {
            assert!(page.body["next_cursor"].is_null());
            break;
        }
        path = format!("/v1/vehicles?limit=2&cursor={}", page.text("next_cursor"));
    }
    assert_eq!(seen, made);
}
