//! A gateway beside a scripted car, with a clock that stands until it is moved.

mod car;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keys_core::bundle::Bundle;
use keys_core::carried::{Carried, CarriedKind, parse_answer};
use keys_core::command::VehicleCommand;
use keys_core::envelope::{NO_REST, Sealed, Unverified, seal};
use keys_core::journal::{ChainCheck, Entry};
use keys_core::pairing::{PairConfirm, PairOffer, PairingCode, PairingSecret, owner_confirm};
use keys_core::presentation::encode_presentation;
use keys_core::receipt::{OutcomeCode, Receipt};
use keys_core::refusal::{Refusal, Refusals};
use keys_core::signature::{Signer, SigningKey, VerifyingKey};
use keys_core::testing::{self, KeyBuilder, NOW};
use keys_core::time::Timestamp;
use vehicle_gateway::clock::Clock;
use vehicle_gateway::connector::Connectors;
use vehicle_gateway::store::Store;
use vehicle_gateway::sync::system_random;
use vehicle_gateway::{Config, Gateway, GatewayError, RunningGateway, Surroundings};

pub use self::car::{ScriptedCar, ToCar, declined, done, unknown};

/// Longer than anything takes that happens at all.
pub const LONG: Duration = Duration::from_secs(20);

/// A monotonic clock that stands until it is moved.
#[derive(Debug)]
pub struct HandClock(AtomicU64);

impl Clock for HandClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl HandClock {
    pub fn advance_ms(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn advance(&self, seconds: u64) {
        self.advance_ms(seconds * 1_000);
    }
}

/// What came back for a presentation.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Receipt {
        body: Box<Receipt>,
        bytes: Vec<u8>,
        repeated: bool,
    },
    Problem {
        status: u16,
        code: String,
    },
}

impl Reply {
    pub fn receipt(&self) -> &Receipt {
        match self {
            Self::Receipt { body, .. } => body,
            Self::Problem { .. } => panic!("no receipt: {self:?}"),
        }
    }

    pub fn outcome(&self) -> Option<OutcomeCode> {
        self.receipt().outcome
    }

    #[track_caller]
    pub fn is_done(&self) {
        assert_eq!(self.outcome(), Some(OutcomeCode::Done), "{self:?}");
    }

    #[track_caller]
    pub fn is_refused(&self, reasons: &[Refusal]) {
        let receipt = self.receipt();
        assert!(!receipt.allowed, "{receipt:?}");
        assert_eq!(
            receipt.reasons,
            reasons.iter().copied().collect::<Refusals>()
        );
        assert_eq!(receipt.outcome, None);
    }

    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) {
        let expected = Self::Problem {
            status,
            code: code.to_owned(),
        };
        assert_eq!(*self, expected);
    }
}

/// A gateway, its car, its clock, and a phone's HTTP client.
pub struct Bench {
    pub gateway: Option<RunningGateway>,
    pub car: Arc<ScriptedCar>,
    pub clock: Arc<HandClock>,
    pub client: reqwest::Client,
    pub config: Config,
    pub gateway_key: VerifyingKey,
    next_id: AtomicU64,
    _dir: tempfile::TempDir,
}

pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(LONG)
        .timeout(LONG)
        .build()
        .unwrap()
}

pub fn config(dir: &Path) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        command_deadline_ms: 5_000,
        ..Config::new(dir.join("data"))
    }
}

/// A confirmation as the owner's device makes it at the car.
pub fn confirmation(
    gateway_key: &VerifyingKey,
    bundle: &Bundle,
    signer: &SigningKey,
) -> (PairOffer, PairConfirm) {
    let offer = PairOffer {
        gateway_key: *gateway_key,
        gateway_nonce: [1; 16],
    };
    let code = PairingCode::new(gateway_key, PairingSecret::new([2; 10]));
    let sealed = seal(bundle, signer, NO_REST).unwrap();
    let confirm = owner_confirm(
        &code,
        &offer,
        bundle.vehicle,
        signer.verifying_key(),
        [3; 16],
        &sealed.bytes,
    )
    .unwrap();
    (offer, confirm)
}

pub fn bundle_of(gateway_key: &VerifyingKey, seq: u64) -> Bundle {
    Bundle {
        gateway_key: *gateway_key,
        ..testing::bundle(seq)
    }
}

impl Bench {
    /// A paired gateway whose clock nobody attested yet.
    pub async fn paired() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut bench = Self {
            gateway: None,
            car: Arc::default(),
            clock: Arc::new(HandClock(AtomicU64::new(1_000_000))),
            client: client(),
            config: config(dir.path()),
            gateway_key: *testing::gateway().verifying_key(),
            next_id: AtomicU64::new(1),
            _dir: dir,
        };
        bench.start().await.unwrap();
        let bundle = bundle_of(&bench.gateway_key, 1);
        let (offer, confirm) = confirmation(&bench.gateway_key, &bundle, &testing::owner());
        bench
            .running()
            .pairing_sink()
            .pin(&offer, &confirm)
            .await
            .unwrap();
        bench
    }

    /// A paired gateway that knows the status key and the time: [`NOW`].
    pub async fn ready() -> Self {
        let bench = Self::paired().await;
        bench
            .carry(CarriedKind::Anchor, &testing::status_link())
            .await
            .unwrap();
        bench.attest(NOW).await.unwrap();
        bench
    }

    pub fn running(&self) -> &RunningGateway {
        self.gateway.as_ref().unwrap()
    }

    pub async fn start(&mut self) -> Result<(), GatewayError> {
        let surroundings = Surroundings {
            clock: self.clock.clone(),
            random: system_random(),
            connectors: Some(Connectors::of("test", Arc::new(ToCar(self.car.clone())))),
        };
        let gateway = Gateway::start_in(self.config.clone(), surroundings).await?;
        self.gateway_key = gateway.gateway_key();
        self.gateway = Some(gateway);
        Ok(())
    }

    pub async fn stop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.stop().await;
        }
    }

    pub async fn restart(&mut self) {
        self.stop().await;
        self.start().await.unwrap();
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running().local_url())
    }

    pub fn store_file(&self) -> PathBuf {
        self.config.data.join("gateway.redb")
    }

    /// The journal of a stopped gateway, its chain checked.
    pub fn journal(&self) -> Vec<Entry> {
        journal_of(&self.config.data)
    }

    pub async fn challenge(&self) -> Vec<u8> {
        // The limit of five a second counts on the bench's clock, which stands.
        self.clock.advance_ms(200);
        let answer = self
            .client
            .get(self.url("/v1/challenge"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap().to_vec()
    }

    pub async fn carry(&self, kind: CarriedKind, object: &Sealed) -> Result<(), Refusal> {
        self.carry_bytes(
            &Carried {
                kind,
                object: &object.bytes,
                challenge: None,
            }
            .encode(),
        )
        .await
    }

    pub async fn carry_bytes(&self, carried: &[u8]) -> Result<(), Refusal> {
        self.clock.advance_ms(100);
        let post = self
            .client
            .post(self.url("/v1/carry"))
            .header("content-type", "application/cbor");
        let answer = post.body(carried.to_vec()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        parse_answer(&answer.bytes().await.unwrap())
            .unwrap()
            .map_or(Ok(()), Err)
    }

    pub async fn attest(&self, time: Timestamp) -> Result<(), Refusal> {
        let challenge = self.challenge().await;
        let attestation = testing::attestation(time, &challenge);
        let carried = Carried {
            kind: CarriedKind::Time,
            object: &attestation.bytes,
            challenge: Some(&challenge),
        };
        self.carry_bytes(&carried.encode()).await
    }

    /// A statement of the status key, good for a day.
    pub async fn platform_says(
        &self,
        seq: u64,
        at: Timestamp,
        revoked: &[&KeyBuilder],
        suspended: &[&KeyBuilder],
    ) {
        let ids = |keys: &[&KeyBuilder]| {
            keys.iter()
                .map(|key| key.leaf().short())
                .collect::<Vec<_>>()
        };
        let statement = testing::statement(
            seq,
            at,
            Some(at.plus(86_400)),
            &ids(revoked),
            &ids(suspended),
        );
        self.carry(CarriedKind::Statement, &statement)
            .await
            .unwrap();
    }

    pub fn fresh_id(&self) -> u8 {
        u8::try_from(self.next_id.fetch_add(1, Ordering::SeqCst)).unwrap()
    }

    /// A whole presentation over a fresh challenge.
    pub async fn presentation(
        &self,
        key: &KeyBuilder,
        holder: &SigningKey,
        command: VehicleCommand,
    ) -> Vec<u8> {
        let challenge = self.challenge().await;
        presentation_over(&challenge, key, holder, command, self.fresh_id())
    }

    pub async fn present(&self, presentation: &[u8]) -> Reply {
        self.clock.advance_ms(100);
        post(
            &self.client,
            &self.url("/v1/present"),
            presentation,
            &self.gateway_key,
        )
        .await
    }

    pub async fn ask(
        &self,
        key: &KeyBuilder,
        holder: &SigningKey,
        command: VehicleCommand,
    ) -> Reply {
        let presentation = self.presentation(key, holder, command).await;
        self.present(&presentation).await
    }

    pub async fn unlock(&self, key: &KeyBuilder, holder: &SigningKey) -> Reply {
        self.ask(key, holder, VehicleCommand::Unlock).await
    }
}

pub fn presentation_over(
    challenge: &[u8],
    key: &KeyBuilder,
    holder: &SigningKey,
    command: VehicleCommand,
    command_id: u8,
) -> Vec<u8> {
    let proof = testing::proof(command, command_id, holder, challenge, &key.leaf());
    encode_presentation(challenge, &key.encode(), &proof.bytes)
}

/// Posts a presentation; a receipt's signature is checked.
pub async fn post(
    client: &reqwest::Client,
    url: &str,
    presentation: &[u8],
    key: &VerifyingKey,
) -> Reply {
    let request = client
        .post(url)
        .header("content-type", "application/cbor")
        .body(presentation.to_vec());
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let repeated = answer.headers().get("latchkey-repeated").is_some();
    let bytes = answer.bytes().await.unwrap().to_vec();
    if status == 200 {
        let verified = Unverified::<Receipt>::decode(&bytes)
            .unwrap()
            .verify(key, NO_REST)
            .unwrap();
        return Reply::Receipt {
            body: Box::new(verified.into_body()),
            bytes,
            repeated,
        };
    }
    let problem: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    Reply::Problem {
        status,
        code: problem["code"].as_str().unwrap().to_owned(),
    }
}

pub fn journal_of(data: &Path) -> Vec<Entry> {
    let store = Store::open_existing(data, u64::MAX / 2).unwrap();
    let mut chain = ChainCheck::default();
    store
        .entries(0, usize::MAX)
        .unwrap()
        .iter()
        .map(|entry| chain.push(entry).unwrap())
        .collect()
}

/// Waits until something is so; it must become so by itself.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(LONG, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "still not so: {what}");
}

/// An owner-signed key that may be used without statements.
pub fn key_for(
    holder: &SigningKey,
    change: impl FnOnce(&mut keys_core::link::Claims),
) -> KeyBuilder {
    let all = keys_core::entitlement::Entitlements::from_bits(0x7f).unwrap();
    let mut claims = testing::claims(holder, testing::window(), all);
    claims.grant_id = Some(keys_core::id::GrantId([7; 8]));
    claims.policy.outage_limit_s = Some(keys_core::policy::NO_OUTAGE_LIMIT);
    change(&mut claims);
    KeyBuilder::first(&testing::owner(), &claims, holder)
}
