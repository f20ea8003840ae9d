//! A car whose owner key the platform never has.

use keys_api::service::platform_keys::ROOT_FILE;
use keys_core::command::VehicleCommand::{self, Unlock};
use keys_core::decide::Channel;
use keys_core::entitlement::Entitlements;
use keys_core::envelope::Unverified;
use keys_core::key::UnverifiedKey;
use keys_core::link::Claims;
use keys_core::policy::Policy;
use keys_core::receipt::Receipt;
use keys_core::signature::SigningKey;
use keys_core::statement::Statement;
use keys_core::testing::{self, KeyBuilder};
use keys_core::time::{Timestamp, Validity};
use serde_json::{Value, json};

use crate::support::{FakeGateway, NOW, Phone, Sovereign, TestApp, at, b64};

async fn invite_and_redeem(own: &Sovereign<'_>, change: Value, number: u8) -> Phone {
    let key = own.host.issue(change).await.text("id");
    let invited = own.host.change(&key, "invitations", None).await;
    Phone::redeem(own.host.test, &invited, number).await
}

#[tokio::test]
async fn a_key_waits_for_the_owners_device_and_then_opens() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let own = Sovereign::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    own.pair(&gateway).await;
    let _line = gateway.connect(&test, api).await.unwrap();
    gateway.holds(|seqs| seqs.platform > 0).await;
    let mut phone = invite_and_redeem(&own, json!({"booking_reference": "B-1"}), 1).await;
    assert_eq!(
        (&phone.redeemed["state"], &phone.redeemed["chain"]),
        (&json!("pending_signature"), &json!(null))
    );
    assert_eq!(phone.redeemed["trust_tier"], "sovereign");
    // A link that gives anything else, or that somebody else signed, is not taken.
    let wider = own
        .sign_key(&phone.redeemed, |claims| {
            claims.policy.entitlements = claims.policy.entitlements | Entitlements::ENABLE_DRIVING;
        })
        .await;
    assert_eq!(wider.is_problem(422, "invalid").pointers(), ["/link"]);
    let impostor = KeyBuilder::first(
        &testing::holder(9),
        &Claims {
            vehicle: Some(own.vehicle()),
            ..testing::claims(&phone.key, testing::window(), Entitlements::UNLOCK)
        },
        &phone.key,
    );
    own.put_link(&phone.redeemed, &impostor.links()[0].bytes)
        .await
        .is_problem(409, "key-refused");
    let signed = own.sign_key(&phone.redeemed, |_| {}).await;
    assert_eq!(
        (signed.status, &signed.body["state"]),
        (200, &json!("active")),
        "{signed:?}"
    );
    own.sign_key(&phone.redeemed, |_| {})
        .await
        .is_problem(409, "key-state");
    phone.chain = crate::support::unb64(&signed.text("chain"));
    let unlocked = phone.command(&test, Unlock).await;
    assert_eq!(unlocked.body["state"], "done", "{unlocked:?}");
}

#[tokio::test]
async fn a_revocation_holds_once_the_owners_device_signed_and_every_view_says_so() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let own = Sovereign::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    own.pair(&gateway).await;
    let _line = gateway.connect(&test, api).await.unwrap();
    gateway.holds(|seqs| seqs.platform > 0).await;
    let mut phone = invite_and_redeem(&own, json!({}), 1).await;
    let signed = own.sign_key(&phone.redeemed, |_| {}).await;
    phone.chain = crate::support::unb64(&signed.text("chain"));
    assert!(own.host.get("statements").await.body["to_sign"].is_null());
    let revoked = own.host.change(&phone.key_id(), "revoke", None).await;
    assert_eq!(
        (&revoked.body["state"], &revoked.body["dead_by_reason"]),
        (&json!("revoked"), &json!("owner-signature-needed"))
    );
    assert!(revoked.body["dead_by"].is_null());
    assert_eq!(
        phone.command(&test, Unlock).await.body["state"],
        "done",
        "the platform cannot revoke what the owner signed"
    );
    let stated = own.sign_statement().await;
    assert_eq!(stated.status, 200, "{stated:?}");
    assert!(stated.body["to_sign"].is_null());
    assert_eq!(stated.body["owner"]["seq"], 1);
    gateway.holds(|seqs| seqs.owner == 1).await;
    let refused = phone.command(&test, Unlock).await;
    assert_eq!(refused.body["reasons"], json!(["revoked"]), "{refused:?}");
    let key = own.host.key(&phone.key_id()).await;
    assert_eq!(key.body["dead_by"], at(0));
    // The same statement again is a rollback, and so is one with a lower generation.
    let statement = Statement {
        seq: 1,
        ..blank(&own)
    };
    let answer = own.post_statement(&statement).await;
    assert_eq!(answer.is_problem(422, "invalid").pointers(), ["/statement"]);
}

fn blank(own: &Sovereign<'_>) -> Statement {
    Statement {
        vehicle: own.vehicle(),
        expires_at: None,
        issued_at: NOW,
        seq: 1,
        least_generation: 0,
        revoked: keys_core::statement::IdList::new(),
        owner_statement: None,
        suspended: keys_core::statement::IdList::new(),
    }
}

#[tokio::test]
async fn an_owner_suspends_and_resumes_by_statements() {
    let test = TestApp::new().await;
    let own = Sovereign::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    own.pair(&gateway).await;
    let phone = invite_and_redeem(&own, json!({}), 1).await;
    let id = phone.key_id();
    own.sign_key(&phone.redeemed, |_| {}).await;
    own.host.change(&id, "suspend", None).await;
    assert_eq!(own.sign_statement().await.body["owner"]["seq"], 1);
    let resumed = own.host.change(&id, "resume", None).await;
    assert_eq!(resumed.body["state"], "active");
    assert_eq!(own.sign_statement().await.body["owner"]["seq"], 2);
    // A statement the device made by itself tells the API the same way.
    let leaf = own.host.key(&id).await.text("leaf_id");
    let leaf: keys_core::id::ObjectId = leaf.parse().unwrap();
    let statement = Statement {
        seq: 3,
        suspended: [leaf.short()].into_iter().collect(),
        ..blank(&own)
    };
    assert_eq!(own.post_statement(&statement).await.status, 200);
    assert_eq!(own.host.key(&id).await.body["state"], "suspended");
    let statement = Statement {
        seq: 4,
        revoked: [leaf.short()].into_iter().collect(),
        ..blank(&own)
    };
    assert_eq!(own.post_statement(&statement).await.status, 200);
    assert_eq!(own.host.key(&id).await.body["state"], "revoked");
}

#[tokio::test]
async fn a_statement_of_the_future_or_of_somebody_else_is_refused() {
    let test = TestApp::new().await;
    let mut own = Sovereign::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    own.pair(&gateway).await;
    let ahead = Statement {
        issued_at: NOW.plus(601),
        ..blank(&own)
    };
    own.post_statement(&ahead).await.is_problem(422, "invalid");
    let elsewhere = Statement {
        vehicle: testing::vehicle(),
        ..blank(&own)
    };
    own.post_statement(&elsewhere)
        .await
        .is_problem(422, "invalid");
    own.owner = testing::holder(9);
    let answer = own.post_statement(&blank(&own)).await;
    answer.is_problem(422, "invalid");
    assert_eq!(answer.body["reasons"], json!(["unknown-signer"]));
}

#[tokio::test]
async fn an_extension_and_a_shortening_are_signed_by_the_owners_device() {
    let test = TestApp::new().await;
    let own = Sovereign::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    own.pair(&gateway).await;
    let phone = invite_and_redeem(&own, json!({}), 1).await;
    let id = phone.key_id();
    own.sign_key(&phone.redeemed, |_| {}).await;
    let longer = Some(json!({"valid_until": at(100_000)}));
    let extended = own.host.change(&id, "extend", longer).await;
    assert_eq!(extended.body["state"], "active");
    let signed = own.sign_key(&extended.body, |_| {}).await;
    assert_eq!(signed.body["dead_by"], at(100_000));
    assert!(
        own.host.get("statements").await.body["to_sign"].is_null(),
        "an extension revokes nothing"
    );
    let shorter = Some(json!({"valid_until": at(50_000)}));
    let shortened = own.host.change(&id, "shorten", shorter).await;
    let signed = own.sign_key(&shortened.body, |_| {}).await;
    assert_eq!(signed.status, 200, "{signed:?}");
    let stated = own.sign_statement().await;
    assert_eq!(stated.body["owner"]["seq"], 1);
    assert_eq!(own.host.key(&id).await.body["state"], "active");
}

#[tokio::test]
async fn a_mandate_lowers_the_tier_lets_the_platform_issue_and_ends_by_the_owners_word() {
    let test = TestApp::new().await;
    let api = test.listen().await;
    let own = Sovereign::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    own.pair(&gateway).await;
    let _line = gateway.connect(&test, api).await.unwrap();
    let link = own.mandate().await;
    let signed = own.host.post("mandate", json!({"link": b64(&link)})).await;
    assert_eq!(signed.status, 201, "{signed:?}");
    assert_eq!(own.host.get("gateway").await.body["trust_tier"], "mandated");
    let phone = invite_and_redeem(&own, json!({}), 1).await;
    assert_eq!(
        (&phone.redeemed["state"], &phone.redeemed["trust_tier"]),
        (&json!("active"), &json!("mandated"))
    );
    gateway.holds(|seqs| seqs.platform > 0).await;
    let unlocked = phone.command(&test, Unlock).await;
    assert_eq!(unlocked.body["state"], "done", "{unlocked:?}");
    // Below a mandate the platform revokes at once; the owner's word follows.
    let path = format!("/v1/vehicles/{}/mandate", own.host.vehicle);
    let ended = test.delete(&path).bearer(&own.host.token).send().await;
    assert_eq!(ended.status, 204);
    let before = own.host.get("statements").await;
    let seq = before.body["platform"]["seq"].as_u64().unwrap();
    gateway.holds(|seqs| seqs.platform >= seq).await;
    let refused = phone.command(&test, Unlock).await;
    assert_eq!(refused.body["reasons"], json!(["revoked"]), "{refused:?}");
    assert_eq!(own.sign_statement().await.body["owner"]["seq"], 1);
    assert_eq!(
        own.host.get("gateway").await.body["trust_tier"],
        "sovereign"
    );
}

#[tokio::test]
async fn a_mandate_that_does_not_hold_is_refused() {
    let test = TestApp::new().await;
    let mut own = Sovereign::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    own.pair(&gateway).await;
    let terms =
        json!({"entitlements": ["unlock"], "max_duration_s": 3600, "valid_until": at(86_400)});
    own.host
        .post("mandate", terms)
        .await
        .is_problem(409, "owner-must-sign");
    own.owner = testing::holder(9);
    let link = own.mandate().await;
    let answer = own.host.post("mandate", json!({"link": b64(&link)})).await;
    assert_eq!(answer.is_problem(422, "invalid").pointers(), ["/link"]);
    assert_eq!(answer.body["reasons"], json!(["unknown-signer"]));
}

#[tokio::test]
async fn a_bundle_needs_the_owner_and_a_higher_number() {
    let test = TestApp::new().await;
    let mut own = Sovereign::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    own.pair(&gateway).await;
    let second = own.bundle(2, &gateway).await;
    assert_eq!(own.put_bundle(&second).await.body["seq"], 2);
    assert_eq!(
        own.put_bundle(&second).await.status,
        200,
        "the same again changes nothing"
    );
    let first = own.bundle(1, &gateway).await;
    own.put_bundle(&first).await.is_problem(409, "rollback");
    own.owner = testing::holder(9);
    let forged = own.bundle(3, &gateway).await;
    let answer = own.put_bundle(&forged).await;
    assert_eq!(answer.is_problem(422, "invalid").pointers(), ["/bundle"]);
}

#[tokio::test]
async fn a_sovereign_owner_is_asked_for_a_presentation() {
    let test = TestApp::new().await;
    let own = Sovereign::new(&test).await;
    own.host
        .post("commands", json!({"command": "unlock"}))
        .await
        .is_problem(409, "owner-must-sign");
    own.host
        .post("pair", json!({"code": "A".repeat(32)}))
        .await
        .is_problem(409, "owner-must-sign");
}

/// Every private key that the platform holds: from its database, its key files, its memory.
async fn everything_the_platform_holds(test: &TestApp) -> Vec<SigningKey> {
    let platform = test.app.platform();
    let mut keys = vec![
        platform.issuer.clone(),
        platform.status.clone(),
        platform.root_key().unwrap().clone(),
    ];
    let file = test.directory.path().join("keys").join(ROOT_FILE);
    let sealed = std::fs::read(file).unwrap();
    let seed = test.app.sealer.open("platform_root", &sealed).unwrap();
    keys.push(SigningKey::from_seed(&seed[..].try_into().unwrap()));
    keys
}

#[tokio::test]
async fn with_every_key_of_the_platform_in_hand_nothing_opens() {
    let test = TestApp::new().await;
    let own = Sovereign::new(&test).await;
    let gateway = FakeGateway::new(&test, 21);
    own.pair(&gateway).await;
    let api = test.listen().await;
    let _line = gateway.connect(&test, api).await.unwrap();
    gateway.holds(|seqs| seqs.platform > 0).await;
    let thief = testing::holder(66);
    let stolen = everything_the_platform_holds(&test).await;
    let all = Entitlements::from_bits(0x7f).unwrap();
    let window = Validity {
        from: Timestamp(NOW.0 - 3_600),
        until: NOW.plus(86_400),
    };
    let mut chains = Vec::new();
    for signer in &stolen {
        for holder in stolen.iter().chain([&thief]) {
            let claims = |entitlements: Entitlements, delegations: u8| {
                let mut claims = testing::claims(holder, window, entitlements);
                claims.vehicle = Some(own.vehicle());
                claims.grant_id = Some(keys_core::id::GrantId([6; 8]));
                claims.policy = Policy {
                    delegations,
                    outage_limit_s: Some(86_400),
                    max_window_s: Some(86_400),
                    ..Policy::of(entitlements)
                };
                claims
            };
            for first in [claims(all, 4), claims(Entitlements::SIGN_STATUS, 0)] {
                let key = KeyBuilder::first(signer, &first, holder);
                chains.push(key.clone());
                for next in &stolen {
                    let longer = key.clone().then(claims(all, 3), next);
                    chains.push(longer.clone());
                    chains.push(longer.then(claims(all, 0), &thief));
                }
            }
        }
    }
    let mut car = gateway.car.lock().unwrap();
    let (roots, anchors) = (car.roots(), car.anchors().clone());
    for chain in &chains {
        for anchored in 0..chain.links().len() {
            let bytes = chain.encode_from(anchored);
            let verified =
                UnverifiedKey::parse(&bytes).map(|key| key.verify(own.vehicle(), &roots, &anchors));
            // What the platform root can make alone is a status key, which grants no command.
            if let Ok(Ok(key)) = verified {
                assert_eq!(key.effective().entitlements(), Entitlements::SIGN_STATUS);
            }
            for command in VehicleCommand::ALL {
                for holder in stolen.iter().chain([&thief]) {
                    assert!(!opens(&mut car, &bytes, holder, command));
                }
            }
        }
    }
    assert!(chains.len() > 100, "{}", chains.len());
}

fn opens(
    car: &mut crate::support::Car,
    chain: &[u8],
    holder: &SigningKey,
    command: VehicleCommand,
) -> bool {
    let Ok(key) = UnverifiedKey::parse(chain) else {
        return false;
    };
    let Some(leaf) = key.unverified_ids().last().copied() else {
        return false;
    };
    let challenge = car.challenge(None);
    let proof = testing_proof(command, holder, &challenge, &leaf);
    let presentation = keys_core::presentation::encode_presentation(&challenge, chain, &proof);
    match car.present(&presentation, Channel::Local) {
        Ok(receipt) => {
            let receipt = Unverified::<Receipt>::decode(&receipt).unwrap();
            receipt.unverified_body().allowed
        }
        Err(_) => false,
    }
}

fn testing_proof(
    command: VehicleCommand,
    holder: &SigningKey,
    challenge: &[u8],
    leaf: &keys_core::id::ObjectId,
) -> Vec<u8> {
    let proof = keys_core::proof::Proof {
        command,
        phone_time: NOW,
        share: None,
        parameters: None,
        presence: keys_core::policy::Presence::Verified,
        command_id: keys_core::id::CommandId([1; 16]),
        not_after: NOW.plus(30),
        position: None,
    };
    let sealed = keys_core::proof::sign_proof(&proof, holder, challenge, leaf).unwrap();
    sealed.bytes
}
