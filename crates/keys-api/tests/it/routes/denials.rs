//! What stands on the lists of denied links, and when there is no more room.

use keys_core::command::VehicleCommand::Unlock;
use keys_core::signature::Signer;
use keys_core::testing;
use serde_json::json;

use crate::support::{FakeGateway, Host, TestApp, at, b64, unb64};

#[tokio::test]
async fn extending_a_suspended_key_does_not_resume_it_at_the_car() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let mut phone = host.give(json!({}), 1).await;
    let _line = gateway.connect(&test, api).await.unwrap();
    let id = phone.key_id();
    host.change(&id, "suspend", None).await;
    let longer = Some(json!({"valid_until": at(100_000)}));
    let extended = host.change(&id, "extend", longer).await;
    assert_eq!(extended.body["state"], "suspended");
    let seq = host.get("statements").await.body["platform"]["seq"].as_u64();
    gateway.holds(|seqs| Some(seqs.platform) >= seq).await;
    phone.chain = unb64(&extended.text("chain"));
    let refused = phone.command(&test, Unlock).await;
    assert_eq!(refused.body["reasons"], json!(["suspended"]), "{refused:?}");
    let before = gateway.car.lock().unwrap().seqs().platform;
    host.change(&id, "resume", None).await;
    gateway.holds(|seqs| seqs.platform > before).await;
    assert_eq!(phone.command(&test, Unlock).await.body["state"], "done");
}

#[tokio::test]
async fn shortening_revokes_the_longer_link_at_the_car() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let mut phone = host.give(json!({}), 1).await;
    let _line = gateway.connect(&test, api).await.unwrap();
    let before = gateway.holds(|seqs| seqs.platform > 0).await.platform;
    let shorter = Some(json!({"valid_until": at(40_000)}));
    let short = host.change(&phone.key_id(), "shorten", shorter).await;
    assert_eq!(short.body["state"], "active");
    gateway.holds(|seqs| seqs.platform > before).await;
    let refused = phone.command(&test, Unlock).await;
    assert_eq!(refused.body["reasons"], json!(["revoked"]), "{refused:?}");
    phone.chain = unb64(&short.text("chain"));
    assert_eq!(phone.command(&test, Unlock).await.body["state"], "done");
    // Extended back to the very second: another link than the one that was revoked.
    let back = Some(json!({"valid_until": at(86_400)}));
    let back = host.change(&phone.key_id(), "extend", back).await;
    assert!(back.body["booking_reference"].is_null());
    phone.chain = unb64(&back.text("chain"));
    assert_eq!(phone.command(&test, Unlock).await.body["state"], "done");
}

#[tokio::test]
async fn when_the_list_is_full_the_issuers_link_stands_for_all_and_live_keys_are_signed_anew() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let mut phone = host.give(json!({}), 1).await;
    let _line = gateway.connect(&test, api).await.unwrap();
    let holder = b64(testing::holder(2).verifying_key().as_bytes());
    for number in 0..65 {
        let key = host.issue(json!({"holder_key": holder})).await;
        let revoked = host.change(&key.text("id"), "revoke", None).await;
        assert_eq!(revoked.status, 200, "{number}: {revoked:?}");
    }
    keys_api::jobs::run_once(&test.app).await;
    let fetched = test.get("/v1/holder/key").bearer(&phone.token).send().await;
    let chain = unb64(fetched.body["key"]["chain"].as_str().unwrap());
    assert_ne!(chain, phone.chain);
    let seq = host.get("statements").await.body["platform"]["seq"].as_u64();
    gateway.holds(|seqs| Some(seqs.platform) >= seq).await;
    // What was revoked stays so, by the old issuer link if not by name; what holds opens anew.
    let old = phone.command(&test, Unlock).await;
    assert_eq!(old.body["reasons"], json!(["revoked"]), "{old:?}");
    phone.chain = chain;
    assert_eq!(phone.command(&test, Unlock).await.body["state"], "done");
    assert!(gateway.car.lock().unwrap().refused.is_empty());
}
