//! Every route, run as everybody. A route that is not in the table fails the test.

use std::collections::BTreeSet;

use axum::http::Method;
use keys_core::pairing::{PairOffer, fingerprint_of};
use keys_core::signature::Signer;
use serde_json::{Value, json};

use crate::support::{Cast, TestApp, at, b64};

/// One route and what each caller gets. `{…}` in paths are filled from the cast.
struct Row {
    method: &'static str,
    path: &'static str,
    body: Option<Value>,
    nobody: u16,
    stranger: u16,
    holder: u16,
    ex_holder: u16,
    owner: u16,
    technician: u16,
}

/// Open to everybody.
fn open(method: &'static str, path: &'static str, body: Option<Value>, all: u16) -> Row {
    Row {
        method,
        path,
        body,
        nobody: all,
        stranger: all,
        holder: all,
        ex_holder: all,
        owner: all,
        technician: all,
    }
}

/// About the calling account itself.
fn own(method: &'static str, path: &'static str, body: Option<Value>, owner: u16) -> Row {
    Row {
        stranger: owner,
        ..owned(method, path, body, owner)
    }
}

/// About something that belongs to the owner.
fn owned(method: &'static str, path: &'static str, body: Option<Value>, owner: u16) -> Row {
    Row {
        method,
        path,
        body,
        nobody: 401,
        stranger: 404,
        holder: 403,
        ex_holder: 401,
        owner,
        technician: 403,
    }
}

/// About the one key of a holder session.
fn held(method: &'static str, path: &'static str, body: Option<Value>, holder: u16) -> Row {
    Row {
        method,
        path,
        body,
        nobody: 401,
        stranger: 403,
        holder,
        ex_holder: 401,
        owner: 403,
        technician: holder,
    }
}

/// For owners and holders alike, about something that none of them has.
fn either(method: &'static str, path: &'static str) -> Row {
    Row {
        nobody: 401,
        ex_holder: 401,
        ..open(method, path, None, 404)
    }
}

/// In an order that leaves what later rows need.
fn table() -> Vec<Row> {
    let mut rows = accounts_and_vehicles();
    rows.extend(trust());
    rows.extend(keys());
    rows.extend(holders());
    rows.extend(ends());
    rows
}

fn accounts_and_vehicles() -> Vec<Row> {
    vec![
        open("GET", "/health", None, 200),
        open("GET", "/ready", None, 200),
        open("GET", "/openapi.json", None, 200),
        open(
            "POST",
            "/v1/accounts",
            Some(json!({"email": "host@example.com", "password": "correct horse"})),
            409,
        ),
        open(
            "POST",
            "/v1/sessions",
            Some(json!({"email": "host@example.com", "password": "correct horse"})),
            201,
        ),
        own("GET", "/v1/account", None, 200),
        own("GET", "/v1/sessions", None, 200),
        own(
            "DELETE",
            "/v1/sessions/ses_01939f5e-7c1a-7b2c-8d3e-4f5a6b7c8d9e",
            None,
            404,
        ),
        own("POST", "/v1/api-tokens", Some(json!({"name": "ci"})), 201),
        own("GET", "/v1/api-tokens", None, 200),
        own(
            "DELETE",
            "/v1/api-tokens/tok_01939f5e-7c1a-7b2c-8d3e-4f5a6b7c8d9e",
            None,
            404,
        ),
        own(
            "POST",
            "/v1/vehicles",
            Some(json!({"name": "Van", "time_zone": "Europe/Paris"})),
            201,
        ),
        own("GET", "/v1/vehicles", None, 200),
        owned("GET", "/v1/vehicles/{vehicle}", None, 200),
        owned(
            "PATCH",
            "/v1/vehicles/{vehicle}",
            Some(json!({"name": "Red Fiat"})),
            200,
        ),
    ]
}

/// Pairing, and what a car believes.
fn trust() -> Vec<Row> {
    let offer = PairOffer {
        gateway_key: *keys_core::testing::gateway().verifying_key(),
        gateway_nonce: [7; 16],
    };
    let fingerprint = fingerprint_of(&offer.gateway_key).to_string();
    let answer = [&[0xa1, 0x01, 0x58, 0x20][..], &[0; 32]].concat();
    vec![
        open("GET", "/v1/platform", None, 200),
        open(
            "POST",
            "/v1/pairings",
            Some(json!({"fingerprint": fingerprint, "offer": b64(&offer.encode())})),
            201,
        ),
        own("GET", "/v1/pairings", None, 422),
        own(
            "POST",
            "/v1/pairings/pair_01939f5e-7c1a-7b2c-8d3e-4f5a6b7c8d9e/confirm",
            Some(json!({"confirm": "AAAA"})),
            422,
        ),
        open(
            "GET",
            "/v1/pairings/pair_01939f5e-7c1a-7b2c-8d3e-4f5a6b7c8d9e/confirm",
            None,
            404,
        ),
        open(
            "POST",
            "/v1/pairings/pair_01939f5e-7c1a-7b2c-8d3e-4f5a6b7c8d9e/answer",
            Some(json!({"answer": b64(&answer)})),
            404,
        ),
        own(
            "GET",
            "/v1/pairings/pair_01939f5e-7c1a-7b2c-8d3e-4f5a6b7c8d9e/answer",
            None,
            404,
        ),
        own(
            "POST",
            "/v1/vehicles/{vehicle}/pair",
            Some(json!({"code": "AAAA"})),
            422,
        ),
        owned("GET", "/v1/vehicles/{vehicle}/bundle", None, 404),
        owned(
            "PUT",
            "/v1/vehicles/{vehicle}/bundle",
            Some(json!({"bundle": "AAAA"})),
            409,
        ),
        owned("GET", "/v1/vehicles/{vehicle}/mandate", None, 200),
        owned(
            "POST",
            "/v1/vehicles/{vehicle}/mandate",
            Some(
                json!({"entitlements": ["unlock", "lock", "remote", "open_trunk"],
                "max_duration_s": 604_800, "valid_until": at(86_400 * 60)}),
            ),
            201,
        ),
        owned("GET", "/v1/vehicles/{vehicle}/statements", None, 200),
        owned(
            "POST",
            "/v1/vehicles/{vehicle}/statements",
            Some(json!({"statement": "AAAA"})),
            409,
        ),
        owned("GET", "/v1/vehicles/{vehicle}/gateway", None, 200),
        owned("GET", "/v1/vehicles/{vehicle}/receipts", None, 200),
        owned("POST", "/v1/vehicles/{vehicle}/challenges", None, 409),
        owned(
            "POST",
            "/v1/vehicles/{vehicle}/commands",
            Some(json!({"command": "lock"})),
            202,
        ),
        open("GET", "/v1/gateways/sync", None, 400),
    ]
}

fn keys() -> Vec<Row> {
    vec![
        owned(
            "POST",
            "/v1/keys",
            Some(
                json!({"vehicle_id": "{vehicle}", "valid_from": at(0), "valid_until": at(3_600),
                "entitlements": ["unlock"]}),
            ),
            201,
        ),
        own("GET", "/v1/keys", None, 200),
        owned("GET", "/v1/keys/{held_key}", None, 200),
        owned(
            "PUT",
            "/v1/keys/{held_key}/link",
            Some(json!({"link": "AAAA"})),
            409,
        ),
        owned(
            "POST",
            "/v1/keys/{held_key}/extend",
            Some(json!({"valid_until": at(90_000)})),
            200,
        ),
        owned(
            "POST",
            "/v1/keys/{held_key}/shorten",
            Some(json!({"valid_until": at(80_000)})),
            200,
        ),
        owned("POST", "/v1/keys/{held_key}/suspend", None, 200),
        owned("POST", "/v1/keys/{held_key}/resume", None, 200),
        owned("POST", "/v1/keys/{open_key}/invitations", None, 201),
        open(
            "POST",
            "/v1/invitations/{invitation}/look",
            Some(json!({"secret": "guess"})),
            404,
        ),
        open(
            "POST",
            "/v1/invitations/{invitation}/redeem",
            Some(json!({"secret": "guess",
                "holder_key": b64(keys_core::testing::holder(9).verifying_key().as_bytes())})),
            404,
        ),
        open(
            "POST",
            "/v1/invitations/{invitation}/lost",
            Some(json!({"secret": "guess", "recovery_code": "guess"})),
            404,
        ),
        owned("DELETE", "/v1/invitations/{invitation}", None, 204),
    ]
}

fn holders() -> Vec<Row> {
    vec![
        held("GET", "/v1/holder/key", None, 200),
        held("GET", "/v1/holder/receipts", None, 200),
        held("POST", "/v1/holder/challenges", None, 409),
        held(
            "POST",
            "/v1/holder/commands",
            Some(json!({"presentation": "AAAA"})),
            422,
        ),
        held(
            "POST",
            "/v1/holder/delegations",
            Some(json!({"link": "AAAA"})),
            422,
        ),
        held(
            "POST",
            "/v1/holder/time",
            Some(json!({"challenge": "AAAA"})),
            422,
        ),
        either(
            "GET",
            "/v1/commands/cmd_01939f5e-7c1a-7b2c-8d3e-4f5a6b7c8d9e",
        ),
    ]
}

/// What leaves nothing for others.
fn ends() -> Vec<Row> {
    vec![
        owned("POST", "/v1/keys/{open_key}/revoke", None, 200),
        held("POST", "/v1/holder/relinquish", None, 200),
        owned("DELETE", "/v1/vehicles/{vehicle}/mandate", None, 204),
        owned("DELETE", "/v1/vehicles/{vehicle}", None, 204),
    ]
}

/// Puts the cast's ids in their places.
fn fill(text: &str, cast: &Cast) -> String {
    text.replace("{vehicle}", &cast.vehicle)
        .replace("{held_key}", &cast.held_key)
        .replace("{open_key}", &cast.open_key)
        .replace("{invitation}", &cast.invitation)
}

#[tokio::test]
async fn every_route_answers_each_caller_as_the_table_says() {
    let test = TestApp::new().await;
    let cast = Cast::assemble(&test).await;
    for row in table() {
        let callers = [
            ("nobody", None, row.nobody),
            ("stranger", Some(&cast.stranger), row.stranger),
            ("holder", Some(&cast.holder), row.holder),
            ("ex-holder", Some(&cast.ex_holder), row.ex_holder),
            ("technician", Some(&cast.technician), row.technician),
            ("owner", Some(&cast.owner), row.owner),
        ];
        for (who, token, expected) in callers {
            let path = fill(row.path, &cast);
            let mut call = test.call(Method::from_bytes(row.method.as_bytes()).unwrap(), &path);
            if let Some(token) = token {
                call = call.bearer(token);
            }
            if let Some(body) = &row.body {
                call = call.raw("application/json", fill(&body.to_string(), &cast));
            }
            let answer = call.send().await;
            assert_eq!(
                answer.status, expected,
                "{} {} as {who}: {answer:?}",
                row.method, row.path
            );
        }
    }
}

#[test]
fn every_documented_route_is_in_the_table() {
    let shape = |path: &str| -> String {
        let segments = path.split('/').map(|one| {
            if one.contains('{') || one.contains('_') {
                "*"
            } else {
                one
            }
        });
        segments.collect::<Vec<_>>().join("/")
    };
    let in_table: BTreeSet<String> = table()
        .iter()
        .map(|row| format!("{} {}", row.method, shape(row.path)))
        .collect();
    let documented: BTreeSet<String> = crate::document::operations()
        .iter()
        .map(|(method, path)| format!("{method} {}", shape(path)))
        .collect();
    let missing: Vec<_> = documented.difference(&in_table).collect();
    let unknown: Vec<_> = in_table.difference(&documented).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "not in the table: {missing:?}; not documented: {unknown:?}"
    );
}
