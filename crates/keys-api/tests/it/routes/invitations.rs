//! Offering, looking, redeeming, losing.

use keys_core::signature::Signer;
use keys_core::testing;
use serde_json::{Value, json};

use crate::support::{Host, Phone, TestApp, at, b64};

fn drive() -> Value {
    json!({"entitlements": ["unlock", "lock", "enable_driving"]})
}

fn redeem_body(invited: &Value, holder: u8) -> Value {
    json!({
        "secret": invited["secret"],
        "activation_code": invited["activation_code"],
        "holder_key": b64(testing::holder(holder).verifying_key().as_bytes()),
    })
}

fn path(invited: &Value, what: &str) -> String {
    format!("/v1/invitations/{}/{what}", invited["id"].as_str().unwrap())
}

async fn invite(host: &Host<'_>, change: Value) -> Value {
    let key = host.issue(change).await.text("id");
    let answer = host.change(&key, "invitations", None).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.body
}

#[tokio::test]
async fn looking_consumes_nothing_and_shows_no_place_and_no_code() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let invited = invite(&host, drive()).await;
    assert!(
        invited["url"]
            .as_str()
            .unwrap()
            .ends_with(&format!("#{}", invited["secret"].as_str().unwrap()))
    );
    for _ in 0..3 {
        let seen = test
            .post(&path(&invited, "look"))
            .json(json!({"secret": invited["secret"]}))
            .send()
            .await;
        assert_eq!(
            (seen.status, &seen.body["state"]),
            (200, &json!("open")),
            "{seen:?}"
        );
        assert_eq!(seen.body["needs_activation_code"], true);
        assert_eq!(seen.body["vehicle"]["name"], "Blue Fiat");
    }
    let answer = test
        .post(&path(&invited, "redeem"))
        .json(redeem_body(&invited, 1))
        .send()
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[tokio::test]
async fn a_wrong_secret_is_no_invitation() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let invited = invite(&host, json!({})).await;
    for what in ["look", "redeem", "lost"] {
        let mut body = json!({"secret": "AAAAAAAAAAAAAAAAAAAAAA"});
        if what == "redeem" {
            body["holder_key"] = redeem_body(&invited, 1)["holder_key"].clone();
        }
        if what == "lost" {
            body["recovery_code"] = json!("x");
        }
        test.post(&path(&invited, what))
            .json(body)
            .send()
            .await
            .is_problem(404, "not-found");
    }
}

#[tokio::test]
async fn five_wrong_activation_codes_lock_an_invitation_for_good() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let invited = invite(&host, drive()).await;
    let code = invited["activation_code"].as_str().unwrap();
    assert_eq!(code.len(), 6);
    let mut body = redeem_body(&invited, 1);
    body.as_object_mut().unwrap().remove("activation_code");
    let redeem = async |body: Value| test.post(&path(&invited, "redeem")).json(body).send().await;
    let missing = redeem(body.clone()).await;
    assert_eq!(
        missing.is_problem(422, "invalid").pointers(),
        ["/activation_code"]
    );
    body["activation_code"] = json!("not it");
    for left in (1..5).rev() {
        let answer = redeem(body.clone()).await;
        answer.is_problem(403, "activation-code-wrong");
        assert_eq!(answer.body["tries_left"], left);
    }
    redeem(body).await.is_problem(410, "invitation-locked");
    redeem(redeem_body(&invited, 1))
        .await
        .is_problem(410, "invitation-locked");
}

#[tokio::test]
async fn a_code_is_asked_for_when_driving_is_granted_or_when_the_host_wants_it() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    assert!(invite(&host, json!({})).await["activation_code"].is_null());
    let key = host.issue(json!({})).await.text("id");
    for (asked, given) in [(true, true), (false, false)] {
        let answer = host
            .change(&key, "invitations", Some(json!({"activation_code": asked})))
            .await;
        assert_eq!(answer.body["activation_code"].is_string(), given);
    }
}

#[tokio::test]
async fn of_fifty_phones_that_redeem_at_once_exactly_one_wins() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let invited = invite(&host, json!({})).await;
    let calls = (0..50).map(|n| {
        test.post(&path(&invited, "redeem"))
            .json(redeem_body(&invited, n))
            .send()
    });
    let answers = futures_util::future::join_all(calls).await;
    let won: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .collect();
    assert_eq!(won.len(), 1);
    for lost in answers.iter().filter(|answer| answer.status != 201) {
        lost.is_problem(410, "invitation-used");
    }
    let key = host.key(won[0].body["key"]["id"].as_str().unwrap()).await;
    assert_eq!(key.body["holder_key"], won[0].body["key"]["holder_key"]);
}

#[tokio::test]
async fn a_second_invitation_of_a_redeemed_key_is_withdrawn() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let key = host.issue(json!({})).await.text("id");
    let first = host.change(&key, "invitations", None).await.body;
    let second = host.change(&key, "invitations", None).await.body;
    let redeem = async |invited: &Value, holder: u8| {
        test.post(&path(invited, "redeem"))
            .json(redeem_body(invited, holder))
            .send()
            .await
    };
    assert_eq!(redeem(&second, 1).await.status, 201);
    redeem(&first, 2).await.is_problem(410, "invitation-over");
    host.change(&key, "invitations", None)
        .await
        .is_problem(409, "key-state");
}

#[tokio::test]
async fn a_withdrawn_invitation_and_one_of_an_ended_key_are_over() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let withdrawn = invite(&host, json!({})).await;
    let id = withdrawn["id"].as_str().unwrap();
    let gone = test
        .delete(&format!("/v1/invitations/{id}"))
        .bearer(&host.token)
        .send()
        .await;
    assert_eq!(gone.status, 204);
    let late = invite(&host, json!({"valid_until": at(60)})).await;
    let revoked = invite(&host, json!({})).await;
    host.change(revoked["key_id"].as_str().unwrap(), "revoke", None)
        .await;
    test.clock.advance(60);
    for invited in [withdrawn, late, revoked] {
        test.post(&path(&invited, "redeem"))
            .json(redeem_body(&invited, 1))
            .send()
            .await
            .is_problem(410, "invitation-over");
    }
}

#[tokio::test]
async fn a_lost_phone_is_suspended_from_any_browser_and_its_session_ends() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let key = host.issue(json!({})).await.text("id");
    let invited = host.change(&key, "invitations", None).await;
    let phone = Phone::redeem(&test, &invited, 1).await;
    let lost = |code: &str| json!({"secret": invited.body["secret"], "recovery_code": code});
    let post = async |body: Value| {
        test.post(&path(&invited.body, "lost"))
            .json(body)
            .send()
            .await
    };
    post(lost("guess")).await.is_problem(404, "not-found");
    let answer = post(lost(&phone.recovery_code)).await;
    assert_eq!(
        (answer.status, &answer.body["state"]),
        (200, &json!("suspended"))
    );
    test.get("/v1/holder/key")
        .bearer(&phone.token)
        .send()
        .await
        .is_problem(401, "unauthenticated");
    assert_eq!(host.key(&key).await.body["state"], "suspended");
}

#[tokio::test]
async fn a_repeated_redeem_with_one_idempotency_key_gets_the_same_secrets() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let invited = invite(&host, json!({})).await;
    let redeem = || {
        test.post(&path(&invited, "redeem"))
            .header("idempotency-key", "phone-1")
            .json(redeem_body(&invited, 1))
            .send()
    };
    let (first, again) = (redeem().await, redeem().await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!(again.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn a_phone_cannot_bind_itself_to_an_owner_or_platform_key() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let invited = invite(&host, json!({})).await;
    let mut body = redeem_body(&invited, 1);
    body["holder_key"] = test.get("/v1/platform").send().await.body["root_key"].clone();
    let answer = test.post(&path(&invited, "redeem")).json(body).send().await;
    assert_eq!(
        answer.is_problem(422, "invalid").pointers(),
        ["/holder_key"]
    );
    let answer = test
        .post(&path(&invited, "redeem"))
        .json(redeem_body(&invited, 1))
        .send()
        .await;
    assert_eq!(answer.status, 201, "a refused try uses nothing up");
}

#[tokio::test]
async fn a_holder_sees_its_key_without_the_hosts_reference_and_may_give_it_back() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let phone = host.give(json!({"booking_reference": "B-17"}), 1).await;
    let seen = test.get("/v1/holder/key").bearer(&phone.token).send().await;
    assert_eq!(seen.body["key"]["id"], phone.redeemed["id"]);
    assert!(seen.body["key"]["booking_reference"].is_null());
    let back = test
        .post("/v1/holder/relinquish")
        .bearer(&phone.token)
        .send()
        .await;
    assert_eq!(
        (back.status, &back.body["state"]),
        (200, &json!("relinquished"))
    );
    assert_eq!(
        host.key(&phone.key_id()).await.body["state"],
        "relinquished"
    );
}
