//! The program, killed in the middle of its work, again and again.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::Stdio;

use keys_core::command::VehicleCommand;
use keys_core::id::CommandId;
use keys_core::journal::{Entry, EntryKind};
use keys_core::key::{First, encode_key};
use keys_core::policy::ClockRule;
use keys_core::presentation::encode_presentation;
use keys_core::proof::{Proof, sign_proof};
use keys_core::receipt::OutcomeCode;
use keys_core::signature::VerifyingKey;
use keys_core::testing::{self, KeyBuilder, NOW, holder};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{
    bundle_of, client, config, confirmation, eventually, journal_of, key_for, post,
};

/// How often it is killed.
const KILLS: u32 = 12;

/// Pairs a gateway in the directory, then stops it.
async fn pair(dir: &Path) -> VerifyingKey {
    let gateway = vehicle_gateway::Gateway::start(config(dir)).await.unwrap();
    let key = gateway.gateway_key();
    let (offer, confirm) = confirmation(&key, &bundle_of(&key, 1), &testing::owner());
    gateway.pairing_sink().pin(&offer, &confirm).await.unwrap();
    gateway.stop().await;
    key
}

struct Program {
    child: Child,
    url: String,
}

impl Program {
    async fn start(dir: &Path) -> Self {
        let connectors =
            r#"[{"kind":"simulated","executions_file":"executions.jsonl","profile":{"act_ms":3}}]"#;
        let mut child = Command::new(env!("CARGO_BIN_EXE_vehicle-gateway"))
            .args(["run", "--json", "--listen", "127.0.0.1:0", "--data"])
            .arg(dir.join("data"))
            .env("LATCHKEY_GATEWAY_CONNECTORS", connectors)
            .env("LATCHKEY_GATEWAY_COMMAND_DEADLINE_MS", "2000")
            .env("LATCHKEY_LOG", "error")
            .env_remove("LATCHKEY_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = tokio::time::timeout(crate::support::LONG, lines.next_line()).await;
        let ready: serde_json::Value =
            serde_json::from_str(&ready.unwrap().unwrap().unwrap()).unwrap();
        assert_eq!(ready["ready"], true);
        Self {
            child,
            url: ready["gateway"].as_str().unwrap().to_owned(),
        }
    }

    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Kills it at another moment each time: when a command was just sent, a little later, or when the
    /// car has acted.
    async fn kill_at(self, kill: u32, executed_before: usize, dir: &Path) {
        match kill % 3 {
            0 => {}
            1 => {
                for _ in 0..kill * 40 {
                    tokio::task::yield_now().await;
                }
            }
            _ => eventually("the car acted", || executions(dir).len() > executed_before).await,
        }
        self.kill().await;
    }
}

async fn presentation(client: &reqwest::Client, url: &str, key: &KeyBuilder, id: u64) -> Vec<u8> {
    let answer = client
        .get(format!("{url}/v1/challenge"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let challenge = answer.bytes().await.unwrap();
    let mut command_id = [0; 16];
    command_id[..8].copy_from_slice(&id.to_be_bytes());
    let command = if id.is_multiple_of(2) {
        VehicleCommand::Unlock
    } else {
        VehicleCommand::Lock
    };
    let proof = Proof {
        command,
        phone_time: NOW,
        share: None,
        parameters: None,
        presence: keys_core::policy::Presence::Tap,
        command_id: CommandId(command_id),
        not_after: NOW,
        position: None,
    };
    let proof = sign_proof(&proof, &holder(1), &challenge, &key.leaf()).unwrap();
    let key = encode_key(First::Link(&key.links()[0].bytes), &[]);
    encode_presentation(&challenge, &key, &proof.bytes)
}

#[tokio::test]
async fn killed_at_any_moment_nothing_runs_twice_and_nothing_without_an_intent() {
    let dir = tempfile::tempdir().unwrap();
    let gateway_key = pair(dir.path()).await;
    let key = key_for(&holder(1), |claims| {
        claims.policy.clock_rule = Some(ClockRule::Ignore);
    });
    let client = client();
    let mut receipts: HashMap<CommandId, OutcomeCode> = HashMap::new();
    let mut sent: Vec<Vec<u8>> = Vec::new();
    let mut next = 0;
    for kill in 0..KILLS {
        let program = Program::start(dir.path()).await;
        let present = format!("{}/v1/present", program.url);
        // What was sent before the kill is sent again: it may be answered, never run.
        for presentation in sent.drain(..) {
            let _ = post(&client, &present, &presentation, &gateway_key).await;
        }
        for last in [false, false, true] {
            next += 1;
            let bytes = presentation(&client, &program.url, &key, next).await;
            sent.push(bytes.clone());
            let before = executions(dir.path()).len();
            let request = client
                .post(&present)
                .header("content-type", "application/cbor")
                .body(bytes);
            let answer = async { request.send().await.ok()?.bytes().await.ok() };
            if last {
                tokio::join!(answer, program.kill_at(kill, before, dir.path()));
                break;
            }
            let (id, outcome) = read_receipt(&answer.await.unwrap(), &gateway_key);
            receipts.insert(id, outcome);
        }
    }
    // Once more, so that what was under way is taken up; then in peace.
    Program::start(dir.path()).await.kill().await;
    let journal = journal_of(&dir.path().join("data"));
    check(&journal, &executions(dir.path()), &receipts);
}

fn read_receipt(bytes: &[u8], key: &VerifyingKey) -> (CommandId, OutcomeCode) {
    use keys_core::envelope::{NO_REST, Unverified};
    let receipt = Unverified::<keys_core::receipt::Receipt>::decode(bytes)
        .unwrap()
        .verify(key, NO_REST)
        .unwrap();
    (receipt.body().command_id, receipt.body().outcome.unwrap())
}

fn executions(dir: &Path) -> Vec<String> {
    let text =
        std::fs::read_to_string(dir.join("data").join("executions.jsonl")).unwrap_or_default();
    let whole = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    whole
        .map(|line| line["command_id"].as_str().unwrap().to_owned())
        .collect()
}

fn check(journal: &[Entry], executions: &[String], receipts: &HashMap<CommandId, OutcomeCode>) {
    assert!(!receipts.is_empty(), "something was carried out");
    let of_kind = |kind| {
        journal
            .iter()
            .filter(move |entry: &&Entry| entry.kind == kind)
    };
    let intents: HashSet<String> = of_kind(EntryKind::Intent)
        .map(|entry| entry.command_id.unwrap().to_string())
        .collect();
    assert_eq!(
        intents.len(),
        of_kind(EntryKind::Intent).count(),
        "one intent for a command id"
    );
    let once: HashSet<&String> = executions.iter().collect();
    assert_eq!(once.len(), executions.len(), "no second execution");
    assert!(
        executions.iter().all(|id| intents.contains(id)),
        "no act without an intent"
    );
    // Nothing that was acknowledged is lost, and every intent has an outcome.
    for (id, outcome) in receipts {
        let told = of_kind(EntryKind::Outcome)
            .any(|entry| entry.command_id == Some(*id) && entry.outcome == Some(*outcome));
        assert!(told, "{id} was acknowledged as {outcome:?}");
    }
    let outcomes: HashSet<String> = of_kind(EntryKind::Outcome)
        .map(|entry| entry.command_id.unwrap().to_string())
        .collect();
    assert_eq!(outcomes, intents);
}
