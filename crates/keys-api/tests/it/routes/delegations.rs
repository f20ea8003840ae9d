//! Co-drivers.

use keys_core::command::VehicleCommand::Unlock;
use keys_core::entitlement::Entitlements;
use keys_core::link::{Claims, sign_link};
use keys_core::policy::Policy;
use keys_core::signature::{Signer, SigningKey};
use keys_core::testing;
use keys_core::time::Validity;
use serde_json::{Value, json};

use crate::support::{FakeGateway, Host, NOW, Phone, TestApp, at, b64, leaf_of};

/// A link of `from` for a co-driver below `chain`.
fn link(
    chain: &[u8],
    from: &SigningKey,
    to: &SigningKey,
    entitlements: Entitlements,
    depth: u8,
) -> Vec<u8> {
    let claims = Claims {
        vehicle: None,
        validity: Validity {
            from: NOW,
            until: NOW.plus(3_600),
        },
        grant_id: Some(keys_core::id::GrantId([8; 8])),
        holder: *to.verifying_key().as_bytes(),
        policy: Policy {
            delegations: depth,
            ..Policy::of(entitlements)
        },
        booking_hash: None,
    };
    sign_link(&claims, from, Some(&leaf_of(chain)))
        .unwrap()
        .bytes
}

async fn report(test: &TestApp, phone: &Phone, link: &[u8]) -> crate::support::Answer {
    test.post("/v1/holder/delegations")
        .bearer(&phone.token)
        .json(json!({"link": b64(link), "label": "Co-driver"}))
        .send()
        .await
}

fn may() -> Entitlements {
    Entitlements::UNLOCK | Entitlements::LOCK | Entitlements::REMOTE
}

#[tokio::test]
async fn the_host_sees_the_tree_and_its_end_ends_everyone() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let host = Host::with_mandate(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    host.pair(&gateway).await;
    let _line = gateway.connect(&test, api).await.unwrap();
    gateway.holds(|seqs| seqs.platform > 0).await;
    let phone = host.give(json!({"delegations": 2}), 1).await;
    let (ann, ben) = (testing::holder(11), testing::holder(12));
    let first = link(&phone.chain, &phone.key, &ann, may(), 1);
    let anns = keys_core::key::append_link(&phone.chain, &first).unwrap();
    let second = link(
        &anns,
        &ann,
        &ben,
        Entitlements::UNLOCK | Entitlements::REMOTE,
        0,
    );
    let bens = keys_core::key::append_link(&anns, &second).unwrap();
    for one in [&first, &second, &first] {
        let answer = report(&test, &phone, one).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    let key = host.key(&phone.key_id()).await;
    let delegates = key.body["delegates"].as_array().unwrap();
    let shown: Vec<&Value> = delegates.iter().map(|one| &one["entitlements"]).collect();
    assert_eq!(
        shown,
        [
            &json!(["unlock", "lock", "remote"]),
            &json!(["unlock", "remote"])
        ]
    );
    assert_eq!(delegates[1]["parent_id"], delegates[0]["id"]);
    assert_eq!(delegates[0]["valid_until"], at(3_600));
    // A co-driver's presentation goes over the renter's session.
    let mut co_driver = host.give(json!({}), 2).await;
    (co_driver.key, co_driver.chain) = (ben, bens);
    let present = async || {
        let challenge = phone.challenge(&test).await;
        let presentation = co_driver.present(&challenge, Unlock);
        phone.relay(&test, &presentation, 20).await
    };
    let answer = present().await;
    assert_eq!(answer.body["state"], "done", "{answer:?}");
    assert!(
        host.key(&phone.key_id()).await.body["begun_at"].is_null(),
        "a delegate begins for himself"
    );
    let before = gateway.car.lock().unwrap().seqs().platform;
    host.change(&phone.key_id(), "revoke", None).await;
    gateway.holds(|seqs| seqs.platform > before).await;
    assert_eq!(present().await.body["reasons"], json!(["revoked"]));
}

#[tokio::test]
async fn a_link_that_is_wider_or_not_below_the_key_is_not_taken() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let (phone, other) = (
        host.give(json!({"delegations": 1}), 1).await,
        host.give(json!({"delegations": 1}), 2).await,
    );
    let ann = testing::holder(11);
    let wider = may() | Entitlements::OPEN_TRUNK;
    let cases = [
        (link(&phone.chain, &phone.key, &ann, wider, 0), "widened"),
        (link(&phone.chain, &phone.key, &ann, may(), 1), "widened"),
        (link(&phone.chain, &ann, &ann, may(), 0), "bad-signature"),
        (
            link(&other.chain, &other.key, &ann, may(), 0),
            "bad-signature",
        ),
    ];
    for (link, reason) in cases {
        let answer = report(&test, &phone, &link).await;
        assert_eq!(answer.is_problem(422, "invalid").pointers(), ["/link"]);
        assert_eq!(answer.body["reasons"], json!([reason]));
    }
}

#[tokio::test]
async fn a_co_driver_below_the_old_link_of_an_extended_key_is_still_seen() {
    let test = TestApp::new().await;
    let host = Host::with_mandate(&test).await;
    let phone = host.give(json!({"delegations": 1}), 1).await;
    let longer = Some(json!({"valid_until": at(100_000)}));
    host.change(&phone.key_id(), "extend", longer).await;
    let old = link(&phone.chain, &phone.key, &testing::holder(11), may(), 0);
    assert_eq!(report(&test, &phone, &old).await.status, 201);
}
