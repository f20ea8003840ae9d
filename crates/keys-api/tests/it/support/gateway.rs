//! A gateway in memory: keys-core's rules over the real WebSocket, and a car that does as told.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use keys_api::clock::{Clock, FixedClock};
use keys_core::anchors::AnchorStore;
use keys_core::bundle::Bundle;
use keys_core::carried::{Carried, CarriedKind};
use keys_core::chain::DigitalKey;
use keys_core::challenge::{Challenge, Seqs, VERSION};
use keys_core::decide::{Ask, CarFacts, Channel, Situation, decide};
use keys_core::envelope::{NO_REST, Unverified, seal};
use keys_core::freshness::Contact;
use keys_core::handshake::{SyncHello, sign_hello};
use keys_core::id::{BootEpoch, GrantId, Nonce, VehicleId};
use keys_core::pairing::{
    PairConfirm, PairOffer, PairingCode, PairingSecret, answer, fingerprint_of,
};
use keys_core::policy::Proximity;
use keys_core::presentation::{Presentation, PresentedKey};
use keys_core::proof::challenge_hash;
use keys_core::receipt::{OutcomeCode, Receipt};
use keys_core::refusal::Refusal;
use keys_core::signature::{Signer, SigningKey};
use keys_core::statement::Statement;
use keys_core::status::{Authority, StatusBoard};
use keys_core::sync::SyncMessage;
use keys_core::time::ClockInterval;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Message;

use super::{TestApp, b64, unb64};

/// What the car does with an allowed command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acts {
    /// Obeys.
    Done,
    /// Never answers.
    Silent,
    /// Nobody knows.
    Unknown,
}

/// A gateway with its car.
pub struct FakeGateway {
    pub key: SigningKey,
    pub code: PairingCode,
    secret: PairingSecret,
    pub car: Arc<Mutex<Car>>,
    seqs: watch::Sender<Seqs>,
}

/// What the gateway holds.
pub struct Car {
    gateway: SigningKey,
    vehicle: VehicleId,
    bundle: Option<Bundle>,
    anchors: AnchorStore,
    board: StatusBoard,
    clock: Arc<FixedClock>,
    begun: HashSet<GrantId>,
    counter: u8,
    journal: u64,
    pub acts: Acts,
    pub presented: Vec<Vec<u8>>,
    pub refused: Vec<(CarriedKind, Refusal)>,
}

impl FakeGateway {
    pub fn new(test: &TestApp, number: u8) -> Self {
        let key = SigningKey::from_seed(&[number; 32]);
        let secret = PairingSecret::new([number; 10]);
        let code = PairingCode::new(key.verifying_key(), secret.clone());
        let car = Car {
            gateway: key.clone(),
            vehicle: VehicleId::from_bytes([0; 16]),
            bundle: None,
            anchors: AnchorStore::default(),
            board: StatusBoard::default(),
            clock: test.clock.clone(),
            begun: HashSet::new(),
            counter: 0,
            journal: 0,
            acts: Acts::Done,
            presented: Vec::new(),
            refused: Vec::new(),
        };
        Self {
            key,
            code,
            secret,
            car: Arc::new(Mutex::new(car)),
            seqs: watch::Sender::new(Seqs::default()),
        }
    }

    /// Offers itself; returns the pairing's id.
    pub async fn offer(&self, test: &TestApp) -> (String, PairOffer) {
        let offer = PairOffer {
            gateway_key: *self.key.verifying_key(),
            gateway_nonce: [3; 16],
        };
        let body = json!({
            "fingerprint": fingerprint_of(&offer.gateway_key).to_string(),
            "offer": b64(&offer.encode()),
        });
        let answer = test.post("/v1/pairings").json(body).send().await;
        assert_eq!(answer.status, 201, "{answer:?}");
        (answer.text("id"), offer)
    }

    /// Waits for a confirmation, pins it and answers.
    pub async fn accept_pairing(&self, test: &TestApp, id: &str, offer: &PairOffer) {
        let path = format!("/v1/pairings/{id}/confirm?wait=25");
        let confirmed = test.get(&path).send().await;
        assert_eq!(confirmed.status, 200, "{confirmed:?}");
        let confirm = PairConfirm::decode(&unb64(&confirmed.text("confirm"))).unwrap();
        let answered = answer(&self.secret, offer, &confirm).unwrap();
        let bundle = Unverified::<Bundle>::decode(&confirm.bundle)
            .unwrap()
            .verify(&confirm.owner_key, NO_REST)
            .unwrap()
            .into_body();
        assert_eq!(bundle.gateway_key, *self.key.verifying_key());
        {
            let mut car = self.car.lock().unwrap();
            car.vehicle = confirm.vehicle;
            car.bundle = Some(bundle);
        }
        let body = json!({"answer": b64(&answered.encode())});
        let path = format!("/v1/pairings/{id}/answer");
        assert_eq!(test.post(&path).json(body).send().await.status, 204);
    }

    /// Dials in and serves until the returned line is dropped or the API hangs up. A close code that
    /// came instead of the handshake's end is the error.
    pub async fn connect(&self, test: &TestApp, api: SocketAddr) -> Result<Line, Option<u16>> {
        self.connect_as(test, api, &self.key).await
    }

    pub async fn connect_as(
        &self,
        test: &TestApp,
        api: SocketAddr,
        key: &SigningKey,
    ) -> Result<Line, Option<u16>> {
        let url = format!("ws://{api}/v1/gateways/sync");
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let (vehicle, seqs) = {
            let car = self.car.lock().unwrap();
            (car.vehicle, car.seqs())
        };
        let hello = SyncMessage::Hello {
            vehicle,
            client_nonce: [1; 16],
            versions: [VERSION].into_iter().collect(),
        };
        socket
            .send(Message::Binary(hello.encode().into()))
            .await
            .unwrap();
        let Some(SyncMessage::Welcome { server_nonce }) = next(&mut socket).await? else {
            panic!("no welcome");
        };
        let hello = SyncHello {
            versions: [VERSION].into_iter().collect(),
            vehicle,
            seqs,
        };
        let sealed = sign_hello(&hello, key, &[1; 16], &server_nonce, &test.app.origin).unwrap();
        let auth = SyncMessage::Auth {
            hello: sealed.bytes,
        };
        socket
            .send(Message::Binary(auth.encode().into()))
            .await
            .unwrap();
        assert_eq!(next(&mut socket).await?, Some(SyncMessage::Ready));
        let (say, mut said) = mpsc::unbounded_channel::<SyncMessage>();
        let (car, seqs) = (self.car.clone(), self.seqs.clone());
        let (heard_sender, heard) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            loop {
                let reply = tokio::select! {
                    frame = next(&mut socket) => match frame {
                        Ok(Some(frame)) => {
                            let reply = car.lock().unwrap().answer(&frame);
                            let _ = heard_sender.send(frame);
                            reply
                        }
                        _ => return,
                    },
                    own = said.recv() => match own {
                        Some(own) => Some(own),
                        None => return,
                    },
                };
                if let Some(reply) = reply
                    && socket
                        .send(Message::Binary(reply.encode().into()))
                        .await
                        .is_err()
                {
                    return;
                }
                seqs.send_replace(car.lock().unwrap().seqs());
            }
        });
        Ok(Line { say, heard, task })
    }

    /// Waits until the gateway holds at least these numbers.
    pub async fn holds(&self, wanted: impl Fn(Seqs) -> bool) -> Seqs {
        let mut seqs = self.seqs.subscribe();
        let wait = seqs.wait_for(|seqs| wanted(*seqs));
        let wait = tokio::time::timeout(std::time::Duration::from_secs(20), wait);
        *wait.await.expect("the gateway never got it").unwrap()
    }
}

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn next(socket: &mut Socket) -> Result<Option<SyncMessage>, Option<u16>> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Binary(bytes))) => {
                return Ok(Some(SyncMessage::decode(&bytes).unwrap()));
            }
            Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(None),
        }
    }
}

/// A connection of a gateway.
pub struct Line {
    pub say: mpsc::UnboundedSender<SyncMessage>,
    pub heard: mpsc::UnboundedReceiver<SyncMessage>,
    task: tokio::task::JoinHandle<()>,
}

impl Line {
    /// Waits for a frame that `pick` takes.
    pub async fn hear<T>(&mut self, pick: impl Fn(&SyncMessage) -> Option<T>) -> T {
        let wait = async {
            loop {
                let frame = self.heard.recv().await.expect("the API hung up");
                if let Some(found) = pick(&frame) {
                    return found;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), wait)
            .await
            .expect("the API never said it")
    }

    /// Waits until the API has hung up.
    pub async fn ended(self) {
        self.task.await.unwrap();
    }
}

impl Car {
    pub fn seqs(&self) -> Seqs {
        Seqs {
            owner: self.board.seq(Authority::Owner),
            platform: self.board.seq(Authority::Platform),
            bundle: self.bundle.as_ref().map_or(0, |bundle| bundle.seq),
        }
    }

    pub fn board(&self) -> &StatusBoard {
        &self.board
    }

    pub fn anchors(&self) -> &AnchorStore {
        &self.anchors
    }

    pub fn roots(&self) -> keys_core::trust::Roots {
        self.bundle.as_ref().unwrap().roots()
    }

    fn clock(&self) -> ClockInterval {
        ClockInterval::exactly(self.clock.now())
    }

    fn answer(&mut self, frame: &SyncMessage) -> Option<SyncMessage> {
        match frame {
            SyncMessage::Carry { id, carried } => {
                let refusal = self.carry(carried).err();
                Some(SyncMessage::Carried {
                    id: *id,
                    refusal,
                    seqs: self.seqs(),
                })
            }
            SyncMessage::ChallengeRequest { id, phone_nonce } => {
                Some(SyncMessage::ChallengeReply {
                    id: *id,
                    reply: Ok(self.challenge(*phone_nonce)),
                })
            }
            SyncMessage::Present { id, presentation } => {
                self.presented.push(presentation.clone());
                if self.acts == Acts::Silent {
                    return None;
                }
                Some(SyncMessage::PresentReply {
                    id: *id,
                    reply: self.present(presentation, Channel::Remote),
                    repeated: false,
                })
            }
            _ => None,
        }
    }

    /// Takes a carried object as a real gateway does.
    pub fn carry(&mut self, carried: &[u8]) -> Result<(), Refusal> {
        let carried = Carried::parse(carried)?;
        let taken = self.take(&carried);
        if let Err(refusal) = taken {
            self.refused.push((carried.kind, refusal));
        }
        taken
    }

    fn take(&mut self, carried: &Carried<'_>) -> Result<(), Refusal> {
        let roots = self.roots();
        match carried.kind {
            CarriedKind::Bundle => {
                let bundle = Unverified::<Bundle>::decode(carried.object)?
                    .verify_any(&roots.owner_keys, NO_REST)?
                    .into_body();
                if bundle.seq > self.seqs().bundle {
                    self.bundle = Some(bundle);
                }
                Ok(())
            }
            CarriedKind::Anchor => self
                .anchors
                .insert(carried.object, self.vehicle, &roots)
                .map(drop),
            CarriedKind::Statement => {
                let statement = Unverified::<Statement>::decode(carried.object)?;
                let clock = self.clock();
                self.board
                    .accept(&statement, self.vehicle, &roots, &self.anchors, clock)
                    .map(drop)
                    .map_err(keys_core::status::StatementRefusal::refusal)
            }
            CarriedKind::Time | CarriedKind::JournalAck => Ok(()),
        }
    }

    /// A fresh challenge.
    pub fn challenge(&mut self, phone_nonce: Option<[u8; 16]>) -> Vec<u8> {
        self.counter = self.counter.wrapping_add(1);
        let challenge = Challenge {
            nonce: Nonce([self.counter; 16]),
            vehicle: self.vehicle,
            phone_nonce,
            share: [9; 32],
            clock: self.clock(),
            boot_epoch: BootEpoch([3; 8]),
            seqs: self.seqs(),
            ttl_ms: 30_000,
            versions: [VERSION].into_iter().collect(),
            return_origin: None,
            boot_ms: 1_000,
        };
        seal(&challenge, &self.gateway, NO_REST).unwrap().bytes
    }

    /// Decides a presentation and acts; the receipt, or an unsigned refusal.
    pub fn present(&mut self, bytes: &[u8], channel: Channel) -> Result<Vec<u8>, Refusal> {
        let presentation = Presentation::parse(bytes)?;
        let PresentedKey::Whole(key) = presentation.key.clone() else {
            return Err(Refusal::UnknownSigner);
        };
        let key: DigitalKey = key.verify(self.vehicle, &self.roots(), &self.anchors)?;
        let hash = challenge_hash(presentation.challenge.envelope().bytes());
        let proof = key.verify_proof(&presentation.proof, &hash)?.into_body();
        let grant = key.effective().grant_id().unwrap();
        let ask = Ask {
            command: proof.command,
            presence: proof.presence,
            not_after: proof.not_after,
            channel,
            proximity: Proximity::None,
        };
        let situation = Situation {
            clock: self.clock(),
            now: Some(self.clock.now()),
            contact: Contact {
                in_contact: channel == Channel::Remote,
                begun: self.begun.contains(&grant),
            },
            status: &self.board,
            car: CarFacts {
                stationary: Some(true),
                ignition_off: Some(true),
                position: None,
            },
            uses: &|_: GrantId| 0,
            floor_admission_left: true,
        };
        let decision = decide(&key, &ask, &situation);
        let outcome = match (decision.allows(), self.acts) {
            (false, _) => None,
            (true, Acts::Unknown) => Some(OutcomeCode::Unknown),
            (true, _) => Some(OutcomeCode::Done),
        };
        if decision.allows() && proof.command.begins_trip() {
            self.begun.insert(grant);
        }
        Ok(self.receipt(|receipt| Receipt {
            links: key.links().clone(),
            command: proof.command,
            command_id: proof.command_id,
            allowed: decision.allows(),
            reasons: decision.reasons(),
            outcome,
            presentation: keys_core::envelope::sha256(bytes),
            ..receipt
        }))
    }

    /// A signed receipt; `fill` says what it is about.
    pub fn receipt(&mut self, fill: impl FnOnce(Receipt) -> Receipt) -> Vec<u8> {
        self.journal += 1;
        let blank = Receipt {
            links: [keys_core::id::ObjectId([0; 32])].into_iter().collect(),
            command: keys_core::command::VehicleCommand::Unlock,
            vehicle: self.vehicle,
            command_id: keys_core::id::CommandId([0; 16]),
            allowed: false,
            reasons: keys_core::refusal::Refusals::NONE,
            outcome: None,
            presentation: [0; 32],
            journal: (self.journal, [0; 32]),
            time: self.clock.now(),
            clock_trusted: true,
            follows: None,
        };
        seal(&fill(blank), &self.gateway, NO_REST).unwrap().bytes
    }
}
