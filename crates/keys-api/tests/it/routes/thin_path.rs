//! The whole road once: pair, mandate, issue, invite, redeem, challenge, command, receipt, revoke.

use keys_core::command::VehicleCommand;
use serde_json::json;

use crate::support::{FakeGateway, Host, TestApp, receipt_of};

#[tokio::test]
async fn a_renter_opens_a_managed_car_online_and_a_revoked_key_does_not() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    let paired = host.pair(&gateway).await;
    assert_eq!(paired.body["seq"], 1);
    let _line = gateway.connect(&test, api).await.unwrap();
    gateway.holds(|seqs| seqs.platform > 0).await;
    let phone = host.give(json!({}), 1).await;
    assert_eq!(phone.redeemed["state"], "active");
    let unlocked = phone.command(&test, VehicleCommand::Unlock).await;
    assert_eq!(unlocked.status, 200, "{unlocked:?}");
    assert_eq!(unlocked.body["state"], "done");
    let receipt = receipt_of(&unlocked, &gateway.key);
    assert!(receipt.allowed);
    let key = host.key(&phone.key_id()).await;
    assert_eq!(key.body["begun_at"], "2026-11-23T08:00:00Z");
    let before = gateway.car.lock().unwrap().seqs().platform;
    let revoked = host.change(&phone.key_id(), "revoke", None).await;
    assert_eq!(
        (revoked.status, &revoked.body["state"]),
        (200, &json!("revoked"))
    );
    gateway.holds(|seqs| seqs.platform > before).await;
    let refused = phone.command(&test, VehicleCommand::Unlock).await;
    assert_eq!(
        (&refused.body["state"], &refused.body["reasons"]),
        (&json!("refused"), &json!(["revoked"]))
    );
    assert!(gateway.car.lock().unwrap().refused.is_empty());
}
