//! Issuing and changing keys.

use keys_core::signature::Signer;
use keys_core::testing;
use serde_json::{Value, json};

use crate::support::{Host, TestApp, at, b64};

fn drive() -> Value {
    json!(["unlock", "lock", "enable_driving", "remote"])
}

#[tokio::test]
async fn a_window_that_cannot_be_is_refused_by_name() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    test.clock.advance(7_200);
    let cases = [
        (
            json!({"valid_from": at(9_000), "valid_until": at(9_000)}),
            "/valid_until",
        ),
        (
            json!({"valid_from": at(9_000), "valid_until": at(8_000)}),
            "/valid_until",
        ),
        (json!({"valid_until": at(7_200)}), "/valid_until"),
        (json!({"valid_from": at(0)}), "/valid_from"),
        (
            json!({"valid_from": at(7_200), "valid_until": at(7_201 + 92 * 86_400)}),
            "/valid_until",
        ),
        (
            json!({"valid_from": at(7_200), "valid_until": at(7_201 + 7 * 86_400)}),
            "/valid_until",
        ),
    ];
    for (change, pointer) in cases {
        let answer = host.try_issue(change.clone()).await;
        assert_eq!(
            answer.is_problem(422, "invalid").pointers(),
            [pointer],
            "{change}"
        );
    }
    let longest = json!({"valid_from": at(7_200), "valid_until": at(7_200 + 7 * 86_400)});
    assert_eq!(host.try_issue(longest).await.status, 201);
}

#[tokio::test]
async fn a_key_wider_than_its_mandate_is_refused_by_name() {
    let test = TestApp::new().await;
    let host = Host::new(&test).await;
    let terms = json!({"entitlements": ["unlock", "lock", "remote"], "delegations": 3, "grace_s": 600,
        "outage_limit_s": 3600});
    assert_eq!(host.sign_mandate(terms).await.status, 201);
    let cases = [
        (json!({"entitlements": drive()}), "/entitlements"),
        (json!({"delegations": 2}), "/delegations"),
        (
            json!({"policy": {"outage_limit_s": 3601}}),
            "/policy/outage_limit_s",
        ),
        (json!({"policy": {"grace_s": 601}}), "/policy/grace_s"),
        (
            json!({"policy": {"clock_rule": "floor"}}),
            "/policy/clock_rule",
        ),
    ];
    for (change, pointer) in cases {
        let answer = host.try_issue(change.clone()).await;
        assert_eq!(
            answer.is_problem(422, "invalid").pointers(),
            [pointer],
            "{change}"
        );
    }
    let widest = json!({"delegations": 1, "policy": {"outage_limit_s": 3600, "grace_s": 600},
        "holder_key": b64(testing::holder(1).verifying_key().as_bytes())});
    assert_eq!(host.issue(widest).await.body["state"], "active");
}

#[tokio::test]
async fn every_wrong_field_of_a_key_is_named() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let answer = host
        .try_issue(json!({
            "vehicle_id": 7, "valid_from": "yesterday", "entitlements": ["fly"], "delegations": 5, "color": 1,
            "policy": {"outage_limit_s": 899, "proximity": "near", "max_uses": 0, "speed": 1,
                "hours": {"zone": "Mars/Base", "windows": [{"days": ["mon"], "start": "8:00", "end": "24:01"}]},
                "areas": [{"latitude": 91, "longitude": 0, "radius_m": 1}]},
        }))
        .await;
    assert_eq!(
        answer.is_problem(422, "invalid").pointers(),
        [
            "/color",
            "/delegations",
            "/entitlements/0",
            "/policy/areas/0/latitude",
            "/policy/hours/windows/0/end",
            "/policy/hours/windows/0/start",
            "/policy/hours/zone",
            "/policy/max_uses",
            "/policy/outage_limit_s",
            "/policy/proximity",
            "/policy/speed",
            "/valid_from",
            "/vehicle_id",
        ]
    );
}

#[tokio::test]
async fn a_policy_comes_back_as_it_was_stated() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let policy = json!({
        "outage_limit_s": 900, "begun_limit_s": 3600, "grace_s": 60, "proximity": "round_trip", "clock_rule": "refuse",
        "hours": {"zone": "Europe/Berlin", "windows": [{"days": ["mon", "sun"], "start": "08:00", "end": "24:00"}]},
        "max_uses": 3, "areas": [{"latitude": 52.5, "longitude": -13.25, "radius_m": 500}],
        "return_areas": [{"polygon": [{"latitude": 0.0, "longitude": 0.0}, {"latitude": 1.0, "longitude": 0.0},
            {"latitude": 1.0, "longitude": 1.0}]}],
        "state_needed": ["stationary", "ignition_off"], "presence": "verified",
    });
    let holder = b64(testing::holder(1).verifying_key().as_bytes());
    let key = host
        .issue(json!({"policy": policy, "holder_key": holder, "booking_reference": "B-17"}))
        .await;
    assert_eq!(key.body["policy"], policy);
    assert_eq!(
        (&key.body["state"], &key.body["booking_reference"]),
        (&json!("active"), &json!("B-17"))
    );
    assert_eq!(host.key(&key.text("id")).await.body, key.body);
}

#[tokio::test]
async fn a_policy_too_large_for_a_link_is_refused() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let corner =
        |n: u32| json!({"latitude": f64::from(n) / 7.0, "longitude": f64::from(n * n) / 31.0});
    let polygon = json!({"polygon": (1..=16).map(corner).collect::<Vec<_>>()});
    let answer = host
        .try_issue(json!({"policy": {"areas": [polygon, polygon, polygon, polygon]}}))
        .await;
    assert_eq!(answer.is_problem(422, "invalid").pointers(), ["/policy"]);
}

#[tokio::test]
async fn keys_that_may_drive_do_not_overlap_and_the_other_key_is_named() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let first = host
        .issue(json!({"entitlements": drive()}))
        .await
        .text("id");
    let overlapping =
        json!({"entitlements": drive(), "valid_from": at(86_399), "valid_until": at(90_000)});
    let answer = host.try_issue(overlapping.clone()).await;
    answer.is_problem(409, "key-overlap");
    assert_eq!(answer.text("key_id"), first);
    // Next to each other is no overlap, nor is a key that may not drive.
    let next =
        json!({"entitlements": drive(), "valid_from": at(86_400), "valid_until": at(90_000)});
    assert_eq!(host.try_issue(next).await.status, 201);
    assert_eq!(host.try_issue(json!({})).await.status, 201);
    // An extension into the next one is refused; a revoked key frees its window.
    let extend = Some(json!({"valid_until": at(86_401)}));
    host.change(&first, "extend", extend)
        .await
        .is_problem(409, "key-overlap");
    assert_eq!(host.change(&first, "revoke", None).await.status, 200);
    let again = json!({"entitlements": drive(), "valid_from": at(100), "valid_until": at(86_400)});
    assert_eq!(host.try_issue(again).await.status, 201);
}

#[tokio::test]
async fn of_fifty_overlapping_issues_at_once_exactly_one_wins() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let calls = (0..50).map(|n| {
        let change =
            json!({"entitlements": drive(), "valid_from": at(n), "valid_until": at(7_200 + n)});
        host.try_issue(change)
    });
    let mut statuses: Vec<u16> = futures_util::future::join_all(calls)
        .await
        .into_iter()
        .map(|answer| answer.status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(
        statuses[1..].iter().all(|status| *status == 409),
        "{statuses:?}"
    );
}

#[tokio::test]
async fn a_holder_key_of_the_owner_or_the_platform_is_refused() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let path = format!("/v1/vehicles/{}", host.vehicle);
    let owner = test.get(&path).bearer(&host.token).send().await;
    let owner = owner.text("owner_key");
    let root = test.get("/v1/platform").send().await.text("root_key");
    for holder in [owner, root] {
        let answer = host.try_issue(json!({"holder_key": holder})).await;
        assert_eq!(
            answer.is_problem(422, "invalid").pointers(),
            ["/holder_key"]
        );
    }
}

#[tokio::test]
async fn a_managed_car_without_a_mandate_issues_nothing() {
    let test = TestApp::new().await;
    let host = Host::new(&test).await;
    host.try_issue(json!({}))
        .await
        .is_problem(409, "mandate-needed");
}

#[tokio::test]
async fn someone_elses_vehicle_and_key_are_not_found() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let key = host.issue(json!({})).await.text("id");
    let stranger = test.sign_up("stranger@example.com").await;
    let own = test.register_vehicle(&stranger).await;
    for vehicle in [&host.vehicle, "veh_01939f5e-7c1a-7b2c-8d3e-4f5a6b7c8d9e"] {
        let body = host.key_body(json!({"vehicle_id": vehicle}));
        test.post("/v1/keys")
            .bearer(&stranger)
            .json(body)
            .send()
            .await
            .is_problem(404, "not-found");
    }
    let path = format!("/v1/keys/{key}/revoke");
    test.post(&path)
        .bearer(&stranger)
        .send()
        .await
        .is_problem(404, "not-found");
    let list = |vehicle: &str| format!("/v1/keys?vehicle_id={vehicle}");
    for vehicle in [&own, &host.vehicle] {
        let answer = test.get(&list(vehicle)).bearer(&stranger).send().await;
        assert_eq!(answer.body["data"], json!([]));
    }
    assert_eq!(host.key(&key).await.body["state"], "awaiting_holder");
}

#[tokio::test]
async fn a_list_filters_by_vehicle_and_state_also_when_time_alone_ended_a_key() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let short = host.issue(json!({"valid_until": at(60)})).await.text("id");
    let long = host.issue(json!({})).await.text("id");
    test.clock.advance(60);
    for (state, expected) in [("expired", &short), ("awaiting_holder", &long)] {
        let path = format!("/v1/keys?state={state}&vehicle_id={}", host.vehicle);
        let answer = test.get(&path).bearer(&host.token).send().await;
        let ids: Vec<&str> = answer.body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, [expected.as_str()], "{state}");
    }
    test.get("/v1/keys?state=asleep")
        .bearer(&host.token)
        .send()
        .await
        .is_problem(422, "invalid");
}

#[tokio::test]
async fn an_extension_repeats_the_grant_and_leaves_the_old_link_alone() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let phone = host.give(json!({}), 1).await;
    let id = phone.key_id();
    let longer = host
        .change(&id, "extend", Some(json!({"valid_until": at(100_000)})))
        .await;
    assert_eq!(longer.status, 200, "{longer:?}");
    assert_eq!(longer.body["grant_id"], phone.redeemed["grant_id"]);
    assert_ne!(longer.body["leaf_id"], phone.redeemed["leaf_id"]);
    assert_eq!(longer.body["valid_until"], at(100_000));
    assert_eq!(longer.body["dead_by"], at(100_000));
    let statements = host.get("statements").await;
    assert!(
        statements.body["platform"].is_null(),
        "an unpaired car has no statement, and an extension revokes nothing"
    );
    let earlier = Some(json!({"valid_until": at(100_000)}));
    let answer = host.change(&id, "extend", earlier).await;
    assert_eq!(
        answer.is_problem(422, "invalid").pointers(),
        ["/valid_until"]
    );
    let later = Some(json!({"valid_until": at(200_000)}));
    let answer = host.change(&id, "shorten", later).await;
    assert_eq!(
        answer.is_problem(422, "invalid").pointers(),
        ["/valid_until"]
    );
}

#[tokio::test]
async fn a_key_that_is_over_is_not_changed() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let id = host.issue(json!({})).await.text("id");
    assert_eq!(
        host.change(&id, "revoke", None).await.body["state"],
        "revoked"
    );
    assert_eq!(host.change(&id, "revoke", None).await.status, 200);
    for what in ["suspend", "resume", "invitations"] {
        let answer = host.change(&id, what, None).await;
        answer.is_problem(409, "key-state");
        assert_eq!(answer.text("state"), "revoked");
    }
    let body = Some(json!({"valid_until": at(100_000)}));
    host.change(&id, "extend", body)
        .await
        .is_problem(409, "key-state");
}

#[tokio::test]
async fn a_booking_beyond_the_issuer_link_is_reserved_and_signed_when_it_fits() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let far = json!({"valid_from": at(40 * 86_400), "valid_until": at(41 * 86_400)});
    let phone = host.give(far, 1).await;
    assert_eq!(
        (&phone.redeemed["state"], &phone.redeemed["chain"]),
        (&json!("scheduled"), &json!(null))
    );
    keys_api::jobs::run_once(&test.app).await;
    assert_eq!(host.key(&phone.key_id()).await.body["state"], "scheduled");
    // Ten days before its end the issuer link is renewed, with overlap.
    test.clock.advance(21 * 86_400);
    keys_api::jobs::run_once(&test.app).await;
    let signed = host.key(&phone.key_id()).await;
    assert_eq!(signed.body["state"], "active", "{signed:?}");
    let fetched = test.get("/v1/holder/key").bearer(&phone.token).send().await;
    assert_eq!(fetched.body["key"]["chain"], signed.body["chain"]);
}

#[tokio::test]
async fn dead_by_follows_the_limit_that_holds_until_the_car_confirms() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let limits = json!({"outage_limit_s": 900, "begun_limit_s": 7_200, "grace_s": 600});
    let begun = host.give(json!({"policy": limits}), 1).await;
    let later = json!({"policy": limits, "valid_from": at(3_600), "valid_until": at(90_000)});
    let later = host.give(later, 2).await;
    assert_eq!(begun.redeemed["dead_by"], at(86_400));
    assert_eq!(begun.redeemed["locks_until"], at(87_000));
    let revoked = host.change(&begun.key_id(), "revoke", None).await;
    assert_eq!(revoked.body["dead_by"], at(7_200));
    assert_eq!(revoked.body["locks_until"], at(87_000));
    let suspended = host.change(&later.key_id(), "suspend", None).await;
    assert_eq!(suspended.body["dead_by"], at(900));
    let resumed = host.change(&later.key_id(), "resume", None).await;
    assert_eq!(
        (&resumed.body["state"], &resumed.body["dead_by"]),
        (&json!("active"), &json!(at(90_000)))
    );
}

#[tokio::test]
async fn the_trust_tier_of_a_managed_car_is_platform_trusted() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let key = host.issue(json!({})).await;
    assert_eq!(key.body["trust_tier"], "platform-trusted");
    assert_eq!(
        host.get("gateway").await.body["trust_tier"],
        "platform-trusted"
    );
}

#[tokio::test]
async fn ending_the_mandate_ends_every_key_below_it() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let phone = host.give(json!({}), 1).await;
    let path = format!("/v1/vehicles/{}/mandate", host.vehicle);
    assert_eq!(
        test.delete(&path).bearer(&host.token).send().await.status,
        204
    );
    assert_eq!(host.key(&phone.key_id()).await.body["state"], "revoked");
    host.get("mandate").await.is_problem(404, "not-found");
    host.try_issue(json!({}))
        .await
        .is_problem(409, "mandate-needed");
    assert_eq!(host.get("statements").await.body["owner"]["seq"], 1);
    test.delete(&path)
        .bearer(&host.token)
        .send()
        .await
        .is_problem(404, "not-found");
}

#[tokio::test]
async fn a_mandate_that_cannot_be_is_refused_by_name() {
    let test = TestApp::new().await;
    let host = Host::new(&test).await;
    for (change, pointer) in [
        (json!({"valid_until": at(0)}), "/valid_until"),
        (json!({"valid_until": at(400 * 86_400)}), "/valid_until"),
        (json!({"delegations": 1}), "/delegations"),
        (json!({"entitlements": ["sign_status"]}), "/entitlements/0"),
        (
            json!({"outage_limit_s": 4_294_967_295_u32}),
            "/outage_limit_s",
        ),
        (json!({"max_duration_s": null}), "/max_duration_s"),
    ] {
        let answer = host.sign_mandate(change.clone()).await;
        assert_eq!(
            answer.is_problem(422, "invalid").pointers(),
            [pointer],
            "{change}"
        );
    }
}

#[tokio::test]
async fn a_car_that_signed_keys_still_open_is_not_removed() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let phone = host.give(json!({}), 1).await;
    let path = format!("/v1/vehicles/{}", host.vehicle);
    let remove = || test.delete(&path).bearer(&host.token).send();
    remove().await.is_problem(409, "vehicle-has-keys");
    host.change(&phone.key_id(), "revoke", None).await;
    assert_eq!(remove().await.status, 204);
}
