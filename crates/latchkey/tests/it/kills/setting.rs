//! The API and a gateway with a car, as processes, paired.

use std::path::PathBuf;

use data_encoding::BASE64URL_NOPAD;
use keys_core::challenge::Challenge;
use keys_core::envelope::Unverified;
use keys_core::signature::VerifyingKey;
use serde_json::{Value, json};

use super::client::http;
use super::program::Program;
use super::stage::{Side, Stage, becomes, now};

const ANY: &str = "127.0.0.1:0";
/// What the car carried out, by its own count.
const EXECUTIONS: &str = "executions.jsonl";

/// Both programs and their directories.
pub(super) struct Setting {
    api: Program,
    gateway: Program,
    api_url: String,
    gateway_url: String,
    pairing_code: String,
    scratch: tempfile::TempDir,
    http: reqwest::Client,
}

impl Setting {
    /// Starts both, not paired yet.
    pub(super) async fn start() -> Self {
        let scratch = tempfile::tempdir().expect("a directory");
        let path = |name: &str| scratch.path().join(name);
        let url = format!("sqlite://{}", path("latchkey.db").display());
        let mut api = Program::new(
            &["api", "serve"],
            vec![
                ("DATABASE_URL", url),
                (
                    "LATCHKEY_KEYS_DIRECTORY",
                    path("keys").display().to_string(),
                ),
                ("LATCHKEY_SERVER_LISTEN", ANY.to_owned()),
            ],
            &path("api.log"),
        );
        let ready = api.start().await;
        let (_, api_url) = ready.split_once("listening on ").expect("its address");
        let api_url = api_url.trim().to_owned();
        api.set(ANY, address(&api_url));
        let data = path("car").display().to_string();
        let car = json!({ "executions_file": EXECUTIONS, "profile": { "act_ms": 15 } });
        let mut gateway = Program::new(
            &[
                "gateway",
                "--data",
                &data,
                "--listen",
                ANY,
                "--api",
                &api_url,
                "--car",
                &car.to_string(),
            ],
            Vec::new(),
            &path("gateway.log"),
        );
        let ready: Value = serde_json::from_str(&gateway.start().await).expect("JSON");
        let text = |name: &str| ready[name].as_str().unwrap_or_default().to_owned();
        let (gateway_url, pairing_code) = (text("gateway"), text("pairing_code"));
        gateway.set(ANY, address(&gateway_url));
        Self {
            api,
            gateway,
            api_url,
            gateway_url,
            pairing_code,
            scratch,
            http: http(1),
        }
    }

    async fn post(&self, token: &str, path: &str, body: &Value) -> Value {
        let request = self
            .http
            .post(format!("{}{path}", self.api_url))
            .bearer_auth(token)
            .header("idempotency-key", format!("setting {path} {}", now().0))
            .json(body);
        let response = request.send().await.expect("the API answers");
        let status = response.status();
        let answer: Value = response.json().await.expect("JSON");
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    /// Signs up, pairs, gives a mandate, and waits for the line.
    pub(super) async fn stage(&self) -> Stage {
        let account = json!({ "email": "host@kills.example", "password": "a password for a test" });
        let account = self.post("", "/v1/accounts", &account).await;
        let token = account["token"].as_str().expect("a session");
        let car = json!({ "name": "Test car", "time_zone": "Europe/Berlin" });
        let car = self.post(token, "/v1/vehicles", &car).await;
        let vehicle = car["id"].as_str().expect("an id");
        let code = json!({ "code": self.pairing_code });
        let path = format!("/v1/vehicles/{vehicle}/pair");
        let bundle = self.post(token, &path, &code).await;
        let key = bundle["gateway_key"].as_str().expect("the gateway's key");
        let key = BASE64URL_NOPAD.decode(key.as_bytes()).expect("base64url");
        let key = VerifyingKey::decode(&key.try_into().expect("32 bytes")).expect("a key");
        let mandate = json!({
            "entitlements": ["unlock", "lock", "enable_driving", "remote"],
            "max_duration_s": 86_400,
            "outage_limit_s": 86_400,
            "delegations": 4,
            "valid_until": now().plus(60 * 86_400).to_string(),
        });
        let path = format!("/v1/vehicles/{vehicle}/mandate");
        self.post(token, &path, &mandate).await;
        let sides = (Side::new(&self.api_url), Side::new(&self.gateway_url));
        let stage = Stage::new(sides, vehicle, token, key);
        let joined = becomes(|| self.is_connected(&stage)).await;
        assert!(joined, "the gateway does not come to the API");
        stage
    }

    /// What the API knows of the gateway.
    pub(super) async fn gateway_seen(&self, stage: &Stage) -> Value {
        let path = format!("{}/v1/vehicles/{}/gateway", self.api_url, stage.vehicle);
        let request = self.http.get(path).bearer_auth(&stage.host_token);
        match request.send().await {
            Ok(response) => response.json().await.unwrap_or_default(),
            Err(_) => Value::Null,
        }
    }

    /// Whether the gateway is connected to the API.
    pub(super) async fn is_connected(&self, stage: &Stage) -> bool {
        self.gateway_seen(stage).await["connected"] == true
    }

    /// Whether the gateway is connected, and knows the time again, which it learns over that line.
    pub(super) async fn is_joined(&self, stage: &Stage) -> bool {
        if !self.is_connected(stage).await {
            return false;
        }
        let request = self.http.get(format!("{}/v1/challenge", self.gateway_url));
        let Ok(response) = request.send().await else {
            return false;
        };
        let bytes = response.bytes().await.unwrap_or_default();
        Unverified::<Challenge>::decode(&bytes)
            .is_ok_and(|challenge| challenge.unverified_body().clock.is_trusted())
    }

    /// Kills either or both.
    pub(super) async fn kill(&mut self, stage: &Stage, api: bool, gateway: bool) {
        stage.api.set(!api);
        stage.gateway.set(!gateway);
        if api {
            self.api.kill().await;
        }
        if gateway {
            self.gateway.kill().await;
        }
    }

    /// Starts again what was killed, where it was and on the data it had.
    pub(super) async fn start_again(&mut self, stage: &Stage, api: bool, gateway: bool) {
        if gateway {
            self.gateway.start().await;
            stage.gateway.set(true);
        }
        if api {
            self.api.start().await;
            stage.api.set(true);
        }
    }

    /// Host and port of the API.
    pub(super) fn api_address(&self) -> String {
        address(&self.api_url).to_owned()
    }

    /// The gateway's directory.
    pub(super) fn car(&self) -> PathBuf {
        self.scratch.path().join("car")
    }

    /// Ids of the commands that the car carried out, in their order.
    pub(super) fn executions(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.car().join(EXECUTIONS)).unwrap_or_default();
        text.lines()
            .map(|line| {
                let line: Value = serde_json::from_str(line).expect("JSON");
                line["command_id"].as_str().expect("an id").to_owned()
            })
            .collect()
    }

    /// What the gateway says of itself.
    pub(super) fn status(&self) -> Value {
        let text = std::fs::read_to_string(self.car().join("status.json")).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Both logs.
    pub(super) fn logs(&self) -> String {
        format!("{}{}", self.api.log_text(), self.gateway.log_text())
    }

    /// Leaves the directory for whoever looks into what went wrong.
    pub(super) fn keep(self) -> PathBuf {
        self.scratch.keep()
    }
}

fn address(url: &str) -> &str {
    url.trim_start_matches("http://")
}
