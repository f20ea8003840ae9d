//! The stream of work: guests who drive now, bookings of the days to come, the owner, a thief.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use keys_core::command::VehicleCommand;
use keys_core::receipt::Receipt;
use serde_json::{Value, json};

use super::client::{Answer, Caller};
use super::ledger::KeyFacts;
use super::phone::Phone;
use super::random::Random;
use super::stage::{Stage, becomes, now};

/// How often a guest's key may unlock.
pub(super) const USES: u64 = 4;
/// Denied links until nobody revokes any more: a statement lists 64, and the work ends before.
const DENIED: usize = 44;
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// One of those who work, with their choices.
pub(super) struct Lane<'a> {
    caller: Caller<'a>,
    pub(super) stage: &'a Stage,
    random: Random,
}

impl<'a> Lane<'a> {
    pub(super) fn new(stage: &'a Stage, seed: u64, number: u8) -> Self {
        Self {
            caller: Caller::new(stage, number),
            stage,
            random: Random::new(seed, u64::from(number)),
        }
    }

    /// `POST` as the host.
    pub(super) async fn host(&mut self, path: &str, body: &Value) -> (u16, Value) {
        let token = self.stage.host_token.clone();
        self.caller.post(&mut self.random, path, &token, body).await
    }

    /// `GET` as the host.
    pub(super) async fn look(&self, path: &str) -> (u16, Value) {
        self.caller.get(path, &self.stage.host_token).await
    }

    /// `GET` as whoever the token says.
    pub(super) async fn see_as(&self, path: &str, token: &str) -> (u16, Value) {
        self.caller.get(path, token).await
    }

    /// A `POST` that must be taken; counts as acknowledged.
    async fn must(&mut self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.host(path, body).await;
        if !(200..300).contains(&status) {
            self.stage
                .wrong(format!("POST {path} was answered {status}: {answer}"));
        }
        self.stage.step();
        answer
    }

    /// A change of a key, and what the API said it is from then on.
    async fn change(&mut self, key: &str, verb: &str, body: &Value, wanted: Option<&str>) {
        let answer = self.must(&format!("/v1/keys/{key}/{verb}"), body).await;
        if wanted.is_some_and(|wanted| answer["state"] != wanted) {
            self.stage
                .wrong(format!("{verb} made {key} {}", answer["state"]));
        }
        self.note(&answer);
        if self.random.one_in(3) {
            self.compare(key).await;
        }
    }

    fn note(&self, key: &Value) {
        let text = |name: &str| key[name].as_str().map(str::to_owned);
        let id = text("id").unwrap_or_default();
        let mut ledger = self.stage.ledger();
        let delegates = ledger.keys.get(&id).map(|known| known.delegates.clone());
        let facts = KeyFacts {
            state: text("state").unwrap_or_default(),
            valid_until: text("valid_until").unwrap_or_default(),
            holder_key: text("holder_key"),
            delegates: delegates.unwrap_or_default(),
        };
        ledger.keys.insert(id, facts);
    }

    /// Whether the API shows a key as it was acknowledged.
    pub(super) async fn compare(&self, key: &str) {
        let (status, shown) = self.look(&format!("/v1/keys/{key}")).await;
        let known = self.stage.ledger().keys.get(key).cloned();
        let delegates = shown["delegates"].as_array().into_iter().flatten();
        let facts = KeyFacts {
            state: shown["state"].as_str().unwrap_or_default().to_owned(),
            valid_until: shown["valid_until"].as_str().unwrap_or_default().to_owned(),
            holder_key: shown["holder_key"].as_str().map(str::to_owned),
            delegates: delegates
                .filter_map(|one| one["id"].as_str().map(str::to_owned))
                .collect(),
        };
        if status != 200 || known.as_ref() != Some(&facts) {
            self.stage.wrong(format!(
                "{key}: acknowledged as {known:?}, shown ({status}) as {facts:?}"
            ));
        }
    }

    async fn issue(&mut self, from: u64, until: u64, drives: bool) -> Option<String> {
        let may = if drives {
            json!(["unlock", "lock", "enable_driving", "remote"])
        } else {
            json!(["unlock", "lock", "remote"])
        };
        let policy = if drives {
            json!({})
        } else {
            json!({ "max_uses": USES })
        };
        let body = json!({
            "vehicle_id": self.stage.vehicle,
            "valid_from": keys_core::time::Timestamp(from).to_string(),
            "valid_until": keys_core::time::Timestamp(until).to_string(),
            "entitlements": may,
            "delegations": u8::from(!drives),
            "policy": policy,
        });
        let key = self.must("/v1/keys", &body).await;
        self.note(&key);
        if drives {
            self.overlap(&body, &key["id"]).await;
        }
        key["id"].as_str().map(str::to_owned)
    }

    /// The acknowledged booking keeps its place: the same again is refused, naming it.
    async fn overlap(&mut self, body: &Value, key: &Value) {
        let (status, problem) = self.host("/v1/keys", body).await;
        if status != 409 || !problem.to_string().contains(key.as_str().unwrap_or("?")) {
            self.stage
                .wrong(format!("a second booking over {key}: {status} {problem}"));
        }
    }

    /// Invites and redeems.
    async fn hand_over(&mut self, key: &str) -> Phone {
        let mut phone = Phone::new(&mut self.random);
        let invitation = self
            .must(&format!("/v1/keys/{key}/invitations"), &json!({}))
            .await;
        let text = |name: &str| invitation[name].as_str().unwrap_or_default().to_owned();
        let (id, secret) = (text("id"), text("secret"));
        let mut body = json!({ "secret": secret, "holder_key": phone.holder_key() });
        if let Some(code) = invitation["activation_code"].as_str() {
            body["activation_code"] = json!(code);
        }
        let path = format!("/v1/invitations/{id}/redeem");
        let (status, answer) = self.caller.post(&mut self.random, &path, "", &body).await;
        if status != 201 {
            self.stage
                .wrong(format!("redeem of {key}: {status} {answer}"));
        }
        self.stage.step();
        self.note(&answer["key"]);
        phone.key = key.to_owned();
        phone.token = answer["holder_token"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        self.stage.ledger().redeemed.push((id, secret));
        let session = (key.to_owned(), phone.token.clone());
        self.stage.ledger().sessions.push(session);
        self.fetch(&mut phone).await;
        phone
    }

    async fn fetch(&self, phone: &mut Phone) {
        let (status, answer) = self.caller.get("/v1/holder/key", &phone.token).await;
        if status == 200 {
            phone.refresh(&answer);
        } else {
            self.stage.wrong(format!(
                "the holder of {} sees {status} {answer}",
                phone.key
            ));
        }
    }

    /// A command beside the car.
    async fn at_car(&mut self, phone: &Phone, command: VehicleCommand) -> Option<Receipt> {
        let challenge = self.caller.challenge().await;
        let presentation = phone.present(&mut self.random, &challenge, command);
        match self.caller.present(&presentation).await {
            Answer::Receipt(receipt) => {
                // A refusal is an answer, and no work done.
                if receipt.body().allowed {
                    self.stage.step();
                    self.stage.act();
                }
                Some(receipt.body().clone())
            }
            Answer::Unsigned => None,
        }
    }

    /// A command through the API, if the gateway is there.
    async fn online(&mut self, phone: &Phone, command: VehicleCommand) {
        let (status, answer) = self
            .caller
            .post(
                &mut self.random,
                "/v1/holder/challenges",
                &phone.token,
                &json!({}),
            )
            .await;
        let Some(challenge) = answer["challenge"].as_str().filter(|_| status == 201) else {
            return;
        };
        let challenge = BASE64URL_NOPAD
            .decode(challenge.as_bytes())
            .expect("base64url");
        let presentation = phone.present(&mut self.random, &challenge, command);
        let body = json!({ "presentation": BASE64URL_NOPAD.encode(&presentation) });
        let path = "/v1/holder/commands?wait=2";
        let (status, answer) = self
            .caller
            .post(&mut self.random, path, &phone.token, &body)
            .await;
        self.taken(status, &answer, &phone.token);
    }

    fn taken(&self, status: u16, answer: &Value, token: &str) {
        match answer["id"].as_str() {
            Some(id) if (200..300).contains(&status) => {
                let one = (id.to_owned(), token.to_owned());
                self.stage.ledger().commands.push(one);
                self.stage.step();
                if answer["state"] == "done" {
                    self.stage.act();
                }
            }
            _ => self
                .stage
                .wrong(format!("a command was answered {status}: {answer}")),
        }
    }

    /// Whether the host may still put a link on a list.
    fn may_deny(&self) -> bool {
        let mut ledger = self.stage.ledger();
        let may = ledger.denied < DENIED;
        ledger.denied += usize::from(may);
        may
    }

    async fn revoke(&mut self, key: &str) -> bool {
        let may = self.may_deny();
        if may {
            self.change(key, "revoke", &json!({}), Some("revoked"))
                .await;
        }
        may
    }
}

/// Guests one after the other, each with a key from now on.
pub(super) async fn guests(mut lane: Lane<'_>) {
    while lane.stage.is_open() {
        let from = now().0;
        let Some(key) = lane.issue(from, from + HOUR, false).await else {
            return;
        };
        let phone = lane.hand_over(&key).await;
        for object in &phone.carry {
            lane.caller.carry(object).await;
        }
        for command in [VehicleCommand::Unlock, VehicleCommand::Lock] {
            lane.at_car(&phone, command).await;
            lane.online(&phone, command).await;
        }
        let codriver = hand_on(&mut lane, &phone).await;
        if lane.random.one_in(2) {
            pause(&mut lane, &phone).await;
        }
        for _ in 0..USES {
            lane.at_car(&codriver, VehicleCommand::Unlock).await;
        }
        if lane.revoke(&key).await {
            bury(&mut lane, phone, codriver).await;
        }
    }
}

/// The guest hands a narrower key to a co-driver and reports it.
async fn hand_on(lane: &mut Lane<'_>, phone: &Phone) -> Phone {
    let other = Phone::new(&mut lane.random);
    let (codriver, link) = phone.delegate(&other);
    let body = json!({ "link": BASE64URL_NOPAD.encode(&link) });
    let path = "/v1/holder/delegations";
    let (status, answer) = lane
        .caller
        .post(&mut lane.random, path, &phone.token, &body)
        .await;
    match answer["id"].as_str() {
        Some(id) if status < 300 => {
            let mut ledger = lane.stage.ledger();
            if let Some(facts) = ledger.keys.get_mut(&phone.key) {
                facts.delegates.push(id.to_owned());
            }
            drop(ledger);
            lane.stage.step();
        }
        _ => lane
            .stage
            .wrong(format!("a delegation was answered {status}: {answer}")),
    }
    codriver
}

/// A key is suspended; once the gateway said so, it opens nothing until it is resumed.
async fn pause(lane: &mut Lane<'_>, phone: &Phone) {
    if !lane.may_deny() {
        return;
    }
    let key = phone.key.clone();
    lane.change(&key, "suspend", &json!({}), Some("suspended"))
        .await;
    let mut known = false;
    for _ in 0..3 {
        let Some(receipt) = lane.at_car(phone, VehicleCommand::Unlock).await else {
            continue;
        };
        let says = |code: &str| receipt.reasons.iter().any(|reason| reason.code() == code);
        if known && receipt.allowed {
            lane.stage
                .wrong(format!("{key} opened though the gateway knew it suspended"));
        }
        known |= says("suspended");
    }
    lane.change(&key, "resume", &json!({}), Some("active"))
        .await;
    lane.stage.ledger().denied -= 1;
}

/// Waits until the gateway itself refuses a revoked key as revoked; a thief gets it then.
async fn bury(lane: &mut Lane<'_>, phone: Phone, codriver: Phone) {
    let cell = tokio::sync::Mutex::new(&mut *lane);
    let came = becomes(|| async {
        let mut lane = cell.lock().await;
        let receipt = lane.at_car(&phone, VehicleCommand::Unlock).await;
        receipt.is_some_and(|one| one.reasons.iter().any(|reason| reason.code() == "revoked"))
    })
    .await;
    if came {
        lane.stage.ledger().dead.extend([phone, codriver]);
    } else {
        lane.stage.wrong(format!(
            "{} is revoked and the gateway never heard",
            phone.key
        ));
    }
}

/// Bookings of the days to come: they drive, so that no two may overlap.
pub(super) async fn bookings(mut lane: Lane<'_>, first_day: u64) {
    let start = now().0 / DAY * DAY + first_day * DAY;
    for slot in 0..24 * 10 {
        if !lane.stage.is_open() {
            return;
        }
        let from = start + slot * HOUR;
        let Some(key) = lane.issue(from, from + HOUR / 2, true).await else {
            return;
        };
        let until = |minutes: u64| {
            let until = keys_core::time::Timestamp(from + minutes * 60);
            json!({ "valid_until": until.to_string() })
        };
        if lane.random.one_in(4) {
            // Nobody holds it: nothing is signed, and nothing has to be denied.
            lane.change(&key, "revoke", &json!({}), Some("revoked"))
                .await;
            continue;
        }
        lane.hand_over(&key).await;
        match lane.random.below(5) {
            0 => {
                lane.change(&key, "extend", &until(50), Some("active"))
                    .await;
            }
            1 if lane.may_deny() => {
                lane.change(&key, "shorten", &until(20), Some("active"))
                    .await;
            }
            2 if lane.may_deny() => {
                lane.change(&key, "suspend", &json!({}), Some("suspended"))
                    .await;
                if lane.random.one_in(2) {
                    lane.change(&key, "resume", &json!({}), Some("active"))
                        .await;
                    lane.stage.ledger().denied -= 1;
                }
            }
            3 => {
                lane.revoke(&key).await;
            }
            _ => {}
        }
    }
}

/// The owner, whose key the API holds, locks and unlocks from afar.
pub(super) async fn owner(mut lane: Lane<'_>) {
    let path = format!("/v1/vehicles/{}/commands?wait=2", lane.stage.vehicle);
    while lane.stage.is_open() {
        let command = *lane.random.pick(&["unlock", "lock"]);
        let (status, answer) = lane.host(&path, &json!({ "command": command })).await;
        let token = lane.stage.host_token.clone();
        if answer["code"] != "gateway-offline" {
            lane.taken(status, &answer, &token);
        }
    }
}

/// Somebody with revoked keys, of which the gateway knows.
pub(super) async fn thief(mut lane: Lane<'_>) {
    while lane.stage.is_open() {
        let dead = lane.stage.ledger().dead.clone();
        if dead.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        }
        let phone = lane.random.pick(&dead).clone();
        try_dead(&mut lane, &phone).await;
    }
}

/// One try with a dead key.
pub(super) async fn try_dead(lane: &mut Lane<'_>, phone: &Phone) {
    let receipt = lane.at_car(phone, VehicleCommand::Unlock).await;
    lane.stage.ledger().dead_tries += 1;
    if receipt.is_some_and(|receipt| receipt.allowed) {
        lane.stage.wrong(format!(
            "{} opened after the gateway knew it revoked",
            phone.key
        ));
    }
}

/// Text of a command id, as the car logs it.
pub(super) fn hex(id: &[u8]) -> String {
    HEXLOWER.encode(id)
}
