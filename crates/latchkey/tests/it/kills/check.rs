//! The end: what was acknowledged is held against what the API, the journal and the car have.

use std::collections::{BTreeMap, HashMap, HashSet};

use keys_core::command::VehicleCommand;
use keys_core::envelope::Verified;
use keys_core::id::CommandId;
use keys_core::journal::{ChainCheck, Entry, EntryKind, entry_hash};
use keys_core::receipt::{OutcomeCode, Receipt};
use serde_json::{Value, json};
use vehicle_gateway::store::Store;

use super::setting::Setting;
use super::stage::{Stage, becomes};
use super::work::{Lane, USES, hex, try_dead};

/// The journal's budget does not matter for reading it.
const BUDGET: u64 = 1 << 30;
/// The lane that looks.
const INSPECTOR: u8 = 20;

/// Everything; panics with all that is wrong.
pub(super) async fn all(mut setting: Setting, stage: &Stage, seed: u64) {
    let mut lane = Lane::new(stage, seed, INSPECTOR);
    if !becomes(|| at_rest(&setting, stage)).await {
        stage.wrong(format!("it does not come to rest: {}", setting.status()));
    }
    let dead = stage.ledger().dead.clone();
    for phone in &dead {
        try_dead(&mut lane, phone).await;
    }
    keys(&lane).await;
    holders(&mut lane).await;
    becomes(|| at_rest(&setting, stage)).await;
    let states = commands(&lane).await;
    let receipts = everything(&lane, &format!("/v1/vehicles/{}/receipts", stage.vehicle)).await;
    let seen = setting.gateway_seen(stage).await;
    setting.kill(stage, true, true).await;
    let journal = Journal::read(&setting, stage);
    journal.check(stage, &setting.executions());
    journal.check_states(stage, &states, &setting.executions());
    journal.check_reported(stage, &receipts, &seen);
    for line in setting
        .logs()
        .lines()
        .filter(|line| line.contains("panicked"))
    {
        stage.wrong(format!("a program panicked: {line}"));
    }
    report(setting, stage, &journal, seed);
}

fn report(setting: Setting, stage: &Stage, journal: &Journal, seed: u64) {
    let ledger = stage.ledger();
    println!(
        "seed {seed}: {} kills, {} acknowledged writes ({} keys, {} receipts at phones, {} commands through the API), \
         {} entries in the journal, {} executions, {} tries with {} dead keys, {} wrong",
        ledger.kills,
        ledger.writes,
        ledger.keys.len(),
        ledger.receipts.len(),
        ledger.commands.len(),
        journal.entries.len(),
        setting.executions().len(),
        ledger.dead_tries,
        ledger.dead.len(),
        ledger.wrong.len()
    );
    println!("told reasons: {:?}", reasons(&ledger.receipts));
    assert!(!setting.executions().is_empty(), "the car did something");
    assert!(!ledger.dead.is_empty(), "a key was revoked");
    if !ledger.wrong.is_empty() {
        let kept = setting.keep();
        panic!(
            "LATCHKEY_KILLS_SEED={seed}, kept in {}:\n{}",
            kept.display(),
            ledger.wrong.join("\n")
        );
    }
}

/// How often each reason was told.
fn reasons(receipts: &[Verified<Receipt>]) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for receipt in receipts {
        let body = receipt.body();
        let told = body.reasons.iter().map(|reason| reason.code());
        for code in told.chain(body.outcome.map(OutcomeCode::as_str)) {
            *counts.entry(code).or_default() += 1;
        }
    }
    counts
}

/// Nothing is under way any more.
async fn at_rest(setting: &Setting, stage: &Stage) -> bool {
    let status = setting.status();
    let seen = setting.gateway_seen(stage).await;
    let told = status["journal"]["entries"].as_u64();
    status["unsettled"] == 0
        && status["receipts_waiting"] == 0
        && seen["connected"] == true
        && seen["journal_index"].as_u64().map(|index| index + 1) == told
}

/// All pages of a list.
async fn everything(lane: &Lane<'_>, path: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = lane.look(&format!("{path}?limit=100{cursor}")).await;
        let Some(data) = page["data"].as_array().filter(|_| status == 200) else {
            lane.stage.wrong(format!("GET {path}: {status} {page}"));
            return all;
        };
        all.extend(data.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) if page["has_more"] == true => cursor = format!("&cursor={next}"),
            _ => return all,
        }
    }
}

/// Every acknowledged key is there as acknowledged, and no other.
async fn keys(lane: &Lane<'_>) {
    let known: Vec<String> = lane.stage.ledger().keys.keys().cloned().collect();
    for key in &known {
        lane.compare(key).await;
    }
    let shown = everything(lane, "/v1/keys").await;
    for key in shown {
        let id = key["id"].as_str().unwrap_or_default().to_owned();
        if !known.contains(&id) {
            lane.stage.wrong(format!("{id} was never acknowledged"));
        }
    }
}

/// Sessions live as long as their keys, and an invitation is good once.
async fn holders(lane: &mut Lane<'_>) {
    let sessions = lane.stage.ledger().sessions.clone();
    let redeemed = lane.stage.ledger().redeemed.clone();
    for (key, token) in sessions {
        let (status, answer) = lane.see_as("/v1/holder/key", &token).await;
        let live = lane
            .stage
            .ledger()
            .keys
            .get(&key)
            .is_some_and(|facts| facts.state != "revoked");
        if live && (status != 200 || answer["key"]["id"] != key.as_str()) {
            lane.stage
                .wrong(format!("the holder of {key} sees {status} {answer}"));
        }
    }
    for (id, secret) in redeemed {
        let body = json!({ "secret": secret, "holder_key": "A".repeat(43) });
        let (status, answer) = lane
            .host(&format!("/v1/invitations/{id}/redeem"), &body)
            .await;
        if status != 410 && status != 422 {
            lane.stage.wrong(format!("{id} again: {status} {answer}"));
        }
    }
}

/// The state of every command that the API took.
async fn commands(lane: &Lane<'_>) -> Vec<(String, String)> {
    let taken = lane.stage.ledger().commands.clone();
    let mut states = Vec::new();
    for (id, token) in taken {
        let path = format!("/v1/commands/{id}");
        let (status, command) = lane.see_as(&path, &token).await;
        // A holder whose key is over is nobody any more; the host still sees it.
        let (status, command) = if status == 401 {
            lane.look(&path).await
        } else {
            (status, command)
        };
        match (command["command_id"].as_str(), command["state"].as_str()) {
            (Some(id), Some(state)) => states.push((id.to_owned(), state.to_owned())),
            _ if status == 404 => {}
            _ => lane.stage.wrong(format!("{id}: {status} {command}")),
        }
    }
    states
}

/// The gateway's journal, from its disk.
struct Journal {
    entries: Vec<Entry>,
    hashes: Vec<[u8; 32]>,
    intents: HashMap<CommandId, u64>,
}

impl Journal {
    fn read(setting: &Setting, stage: &Stage) -> Self {
        let store = Store::open_existing(&setting.car(), BUDGET).expect("a whole store");
        let (mut encoded, mut from) = (Vec::new(), 0);
        loop {
            let piece = store.entries(from, 1_000).expect("entries");
            if piece.is_empty() {
                break;
            }
            from += piece.len() as u64;
            encoded.extend(piece);
        }
        let mut chain = ChainCheck::default();
        let mut entries = Vec::new();
        for bytes in &encoded {
            match chain.push(bytes) {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    stage.wrong(format!("the journal: {error}"));
                    break;
                }
            }
        }
        let mut intents = HashMap::new();
        for entry in entries
            .iter()
            .filter(|entry| entry.kind == EntryKind::Intent)
        {
            let id = entry.command_id.expect("an intent is about a command");
            if intents.insert(id, entry.index).is_some() {
                stage.wrong(format!("{id} has two intents"));
            }
        }
        Self {
            hashes: encoded.iter().map(|bytes| entry_hash(bytes)).collect(),
            entries,
            intents,
        }
    }

    fn outcomes(&self, id: &CommandId) -> impl Iterator<Item = OutcomeCode> {
        let of_it = move |entry: &&Entry| {
            entry.kind == EntryKind::Outcome && entry.command_id.as_ref() == Some(id)
        };
        self.entries
            .iter()
            .filter(of_it)
            .filter_map(|entry| entry.outcome)
    }

    /// Whether the gateway started between the intent and its outcome. Then all it can do is look at
    /// the car, and a door that is as it was asked to be may have been moved by another command.
    fn was_read_back(&self, id: &CommandId) -> bool {
        let Some(intent) = self.intents.get(id) else {
            return false;
        };
        let after = usize::try_from(*intent).map_or(usize::MAX, |at| at + 1);
        let mut later = self.entries.iter().skip(after);
        later.any(|entry| entry.kind == EntryKind::Boot)
            && later.any(|entry| {
                entry.kind == EntryKind::Outcome && entry.command_id.as_ref() == Some(id)
            })
    }

    fn was_read_back_hex(&self, id: &str) -> bool {
        let mut intents = self.intents.keys();
        intents.any(|known| hex(&known.0) == id && self.was_read_back(known))
    }

    fn check(&self, stage: &Stage, executions: &[String]) {
        let once: HashSet<&String> = executions.iter().collect();
        if once.len() != executions.len() {
            stage.wrong(format!("a second execution: {executions:?}"));
        }
        // One command at a time, so that the car acts in the order of the intents.
        let mut last = 0;
        for executed in executions {
            let intent = self.intents.iter().find(|(id, _)| hex(&id.0) == *executed);
            match intent {
                None => stage.wrong(format!("{executed} was executed without an intent")),
                Some((_, at)) if *at < last => {
                    stage.wrong(format!("{executed} was executed before its intent"));
                }
                Some((_, at)) => last = *at,
            }
        }
        for id in self.intents.keys() {
            let outcome = self.outcomes(id).last();
            let executed = executions.contains(&hex(&id.0));
            match outcome {
                None => stage.wrong(format!("{id} has no outcome")),
                Some(OutcomeCode::Done) if !executed && !self.was_read_back(id) => {
                    stage.wrong(format!("{id} is journaled as done and was not executed"));
                }
                Some(OutcomeCode::Declined) if executed => {
                    stage.wrong(format!("{id} is journaled as declined and was executed"));
                }
                Some(_) => {}
            }
        }
        let receipts = stage.ledger().receipts.clone();
        for receipt in &receipts {
            self.check_receipt(stage, receipt);
        }
        self.check_uses(stage);
    }

    fn check_receipt(&self, stage: &Stage, receipt: &Verified<Receipt>) {
        let body = receipt.body();
        let at = usize::try_from(body.journal.0).unwrap_or(usize::MAX);
        if self.hashes.get(at) != Some(&body.journal.1) {
            stage.wrong(format!(
                "{} names an entry that is not there",
                body.command_id
            ));
        }
        if !body.allowed {
            return;
        }
        let intent = self.intents.get(&body.command_id);
        let intent = intent.and_then(|at| self.entries.get(usize::try_from(*at).ok()?));
        if intent.and_then(|intent| intent.presentation) != Some(body.presentation) {
            stage.wrong(format!("{} was allowed without an intent", body.command_id));
        }
        let told = body.outcome.is_some_and(|told| {
            self.outcomes(&body.command_id)
                .any(|outcome| outcome == told)
        });
        if !told {
            stage.wrong(format!("{} has another outcome than told", body.command_id));
        }
    }

    /// Nobody unlocked more often than their key says, over all its co-drivers.
    fn check_uses(&self, stage: &Stage) {
        let mut uses: HashMap<_, u64> = HashMap::new();
        for (id, at) in &self.intents {
            let entry = &self.entries[usize::try_from(*at).expect("an index")];
            let declined = self.outcomes(id).last() == Some(OutcomeCode::Declined);
            if entry.command == Some(VehicleCommand::Unlock)
                && !declined
                && let Some(link) = entry.links.get(2)
            {
                *uses.entry(*link).or_default() += 1;
            }
        }
        for (link, times) in uses.iter().filter(|(_, times)| **times > USES) {
            stage.wrong(format!(
                "{link} was used {times} times, and {USES} are allowed"
            ));
        }
    }

    /// What the API says became of a command is what the car did.
    fn check_states(&self, stage: &Stage, states: &[(String, String)], executions: &[String]) {
        for (id, state) in states {
            let executed = executions.contains(id);
            let right = match state.as_str() {
                "done" => executed || self.was_read_back_hex(id),
                "refused" | "declined" | "expired" => !executed,
                "accepted" | "sent" | "unknown" => true,
                _ => false,
            };
            if !right {
                stage.wrong(format!(
                    "the API says {state} of {id}; executed: {executed}"
                ));
            }
        }
    }

    /// Every outcome reached the API as a receipt, and it knows the head.
    fn check_reported(&self, stage: &Stage, receipts: &[Value], seen: &Value) {
        let reported: HashSet<&str> = receipts
            .iter()
            .filter(|receipt| receipt["decision"] == "allowed")
            .filter_map(|receipt| receipt["command_id"].as_str())
            .collect();
        for id in self.intents.keys() {
            if !reported.contains(hex(&id.0).as_str()) {
                stage.wrong(format!("the API never got the receipt of {id}"));
            }
        }
        let head = self.hashes.last().map(|hash| hex(hash));
        let index = (self.entries.len() as u64).checked_sub(1);
        if seen["journal_index"].as_u64() != index
            || seen["journal_head"].as_str() != head.as_deref()
        {
            stage.wrong(format!(
                "the API knows another head: {seen}, not {index:?} {head:?}"
            ));
        }
    }
}
