//! One connected gateway, from its handshake to its end.
//!
//! Everything that passes is signed by somebody else and verified by the other side; what is stored
//! here is verified first. A command is marked as sent before its bytes leave, so that after a crash
//! it counts as perhaps executed, and is never sent again.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use keys_core::attestation::attest;
use keys_core::challenge::{Challenge, Seqs};
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::journal::JournalHead;
use keys_core::refusal::Refusal;
use keys_core::signature::VerifyingKey;
use keys_core::sync::SyncMessage;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::bells::Bell;
use super::deliver::{self, Name};
use super::handshake::{self, Caller, FAILED, REPLACED, STOPPING, UNEXPECTED};
use super::hub::{Ask, Place};
use crate::model::command::RelayedCommand;
use crate::model::id::CommandRowId;
use crate::model::statement::Authority;
use crate::model::vehicle::Vehicle;
use crate::service::commands::{self, CommandError};
use crate::service::receipts::{self, ReceiptError};
use crate::service::statements::{self, StatementError};
use crate::state::App;
use crate::storage::gateways::{self, News};
use crate::storage::{self, StorageError, keys};

/// What another node wrote is seen this late.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A gateway pings every 20 s; after this long without a frame it is gone.
const SILENCE: Duration = Duration::from_secs(70);
/// Contact is written down at most this often.
const NOTE_CONTACT: Duration = Duration::from_secs(60);
/// Requests without an answer, at most.
const PENDING: usize = 256;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the gateway went away")]
    Gone,
    #[error("a newer connection took its place")]
    Replaced,
    #[error("the server stops")]
    Stopping,
    #[error("the store failed")]
    Storage(#[from] StorageError),
    #[error("a frame without its place")]
    Unexpected,
}

/// A request under way to the gateway.
enum Pending {
    Carry(Name),
    Challenge(oneshot::Sender<Result<Vec<u8>, Refusal>>),
    OwnerChallenge(CommandRowId),
    Present(CommandRowId),
}

struct Connection {
    app: App,
    socket: WebSocket,
    vehicle: Vehicle,
    gateway: VerifyingKey,
    asks: mpsc::Receiver<Ask>,
    _place: Place,
    last_id: u64,
    pending: HashMap<u64, Pending>,
    held: Seqs,
    gone: HashSet<Name>,
    in_hand: HashSet<CommandRowId>,
    heard_at: Instant,
    contact_noted_at: Option<Instant>,
    clock_trusted: Option<bool>,
}

/// Serves a gateway that dialed in, until it leaves.
pub async fn serve(app: App, mut socket: WebSocket) {
    let caller = match handshake::shake(&app, &mut socket).await {
        Ok(caller) => caller,
        Err(error) => {
            tracing::info!(%error, "gateway handshake");
            handshake::close(&mut socket, error.close_code(), "handshake").await;
            return;
        }
    };
    let vehicle = caller.vehicle.id;
    tracing::info!(%vehicle, "gateway connected");
    let mut connection = Connection::new(app, socket, caller);
    let ended = connection.run().await;
    tracing::info!(%vehicle, reason = %ended, "gateway disconnected");
    let (code, reason) = match ended {
        Ended::Gone => return,
        Ended::Replaced => (REPLACED, "replaced"),
        Ended::Stopping => (STOPPING, "stopping"),
        Ended::Storage(error) => {
            tracing::error!(%vehicle, error = %error, "gateway connection failed");
            (FAILED, "failed")
        }
        Ended::Unexpected => (UNEXPECTED, "unexpected frame"),
    };
    handshake::close(&mut connection.socket, code, reason).await;
}

impl Connection {
    fn new(app: App, socket: WebSocket, caller: Caller) -> Self {
        let (place, asks) = app.hub.attach(caller.vehicle.id);
        Self {
            app,
            socket,
            vehicle: caller.vehicle,
            gateway: caller.key,
            asks,
            _place: place,
            last_id: 0,
            pending: HashMap::new(),
            held: caller.seqs,
            gone: HashSet::new(),
            in_hand: HashSet::new(),
            heard_at: Instant::now(),
            contact_noted_at: None,
            clock_trusted: None,
        }
    }

    async fn run(&mut self) -> Ended {
        match self.serve().await {
            Ok(never) => match never {},
            Err(ended) => ended,
        }
    }

    async fn serve(&mut self) -> Result<std::convert::Infallible, Ended> {
        self.note_seqs().await?;
        // Before the first ping is answered, so that the gateway knows the status key that attests the time.
        self.look().await?;
        let stopping = self.app.stopping.clone();
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopping.cancelled() => return Err(Ended::Stopping),
                frame = self.socket.recv() => self.frame(frame).await?,
                ask = self.asks.recv() => match ask {
                    None => return Err(Ended::Replaced),
                    Some(Ask::Wake) => self.look().await?,
                    Some(Ask::Challenge { phone_nonce, reply }) => {
                        self.ask_challenge(phone_nonce, Pending::Challenge(reply)).await?;
                    }
                },
                _ = look.tick() => {
                    if self.heard_at.elapsed() >= SILENCE {
                        return Err(Ended::Gone);
                    }
                    self.look().await?;
                }
            }
        }
    }

    /// Brings the gateway what it lacks, and the commands that wait for it.
    async fn look(&mut self) -> Result<(), Ended> {
        let app = self.app.clone();
        let vehicle = self.vehicle.id;
        let refreshed = app.db.retry(|| statements::refresh(&app, vehicle)).await;
        match refreshed {
            Ok(_) => {}
            Err(StatementError::Storage(error)) => return Err(error.into()),
            Err(error) => tracing::error!(%vehicle, %error, "statement not refreshed"),
        }
        let items = deliver::lacking(app.db.read(), vehicle, self.held, app.clock.now()).await?;
        for item in deliver::fresh(items, &mut self.gone) {
            let id = self.remember(Pending::Carry(item.name))?;
            let carried = item.carried;
            self.send(&SyncMessage::Carry { id, carried }).await?;
        }
        let waiting = storage::commands::waiting(app.db.read(), vehicle, app.clock.now()).await?;
        for command in waiting {
            if self.in_hand.insert(command.id) {
                self.dispatch(command).await?;
            }
        }
        Ok(())
    }

    async fn dispatch(&mut self, command: RelayedCommand) -> Result<(), Ended> {
        if command.presentation.is_empty() {
            return self
                .ask_challenge(None, Pending::OwnerChallenge(command.id))
                .await;
        }
        self.present(command.id, None).await
    }

    async fn ask_challenge(
        &mut self,
        phone_nonce: Option<[u8; 16]>,
        pending: Pending,
    ) -> Result<(), Ended> {
        let id = self.remember(pending)?;
        self.send(&SyncMessage::ChallengeRequest { id, phone_nonce })
            .await
    }

    /// Marks a command as sent, then sends it. With a challenge, a managed owner's key signs it first.
    async fn present(
        &mut self,
        command: CommandRowId,
        challenge: Option<&[u8]>,
    ) -> Result<(), Ended> {
        let (app, vehicle) = (self.app.clone(), self.vehicle.clone());
        let marked = app
            .db
            .retry(|| mark(&app, &vehicle, command, challenge))
            .await;
        let presentation = match marked {
            Ok(Some(presentation)) => presentation,
            Ok(None) => return Ok(()),
            Err(CommandError::Storage(error)) => return Err(error.into()),
            Err(error) => {
                tracing::error!(vehicle = %vehicle.id, %error, "command could not be signed");
                return Ok(());
            }
        };
        self.app.bells.ring(Bell::Command(command));
        let id = self.remember(Pending::Present(command))?;
        self.send(&SyncMessage::Present { id, presentation }).await
    }

    async fn frame(&mut self, frame: Option<Result<Message, axum::Error>>) -> Result<(), Ended> {
        let bytes = match frame {
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Text(_))) => return Err(Ended::Unexpected),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Ended::Gone),
        };
        self.heard_at = Instant::now();
        match SyncMessage::decode(&bytes).map_err(|_| Ended::Unexpected)? {
            SyncMessage::Carried { id, refusal, seqs } => self.carried(id, refusal, seqs).await,
            SyncMessage::ChallengeReply { id, reply } => self.challenge_reply(id, reply).await,
            SyncMessage::PresentReply { id, reply, .. } => self.present_reply(id, reply).await,
            SyncMessage::Ping { id, challenge } => self.ping(id, challenge).await,
            SyncMessage::Report { index, receipt } => {
                self.receipt(&receipt).await?;
                self.send(&SyncMessage::ReportAck { index }).await
            }
            SyncMessage::Head { head } => self.head(&head).await,
            SyncMessage::State { json } => self.state(json).await,
            _ => Err(Ended::Unexpected),
        }
    }

    async fn carried(
        &mut self,
        id: u64,
        refusal: Option<Refusal>,
        seqs: Seqs,
    ) -> Result<(), Ended> {
        let Some(Pending::Carry(name)) = self.pending.remove(&id) else {
            return Err(Ended::Unexpected);
        };
        if let Some(refusal) = refusal {
            tracing::warn!(vehicle = %self.vehicle.id, ?name, %refusal, "gateway did not take an object");
            if matches!(refusal, Refusal::RateLimited | Refusal::Busy) {
                self.gone.remove(&name);
            }
        }
        if seqs != self.held {
            self.held = seqs;
            self.note_seqs().await?;
        }
        Ok(())
    }

    async fn challenge_reply(
        &mut self,
        id: u64,
        reply: Result<Vec<u8>, Refusal>,
    ) -> Result<(), Ended> {
        match self.pending.remove(&id) {
            Some(Pending::Challenge(waiting)) => {
                // Who asked may have given up.
                let _ = waiting.send(reply);
                Ok(())
            }
            Some(Pending::OwnerChallenge(command)) => match reply {
                Ok(challenge) => self.present(command, Some(&challenge)).await,
                Err(refusal) => self.refused(command, refusal).await,
            },
            _ => Err(Ended::Unexpected),
        }
    }

    async fn present_reply(
        &mut self,
        id: u64,
        reply: Result<Vec<u8>, Refusal>,
    ) -> Result<(), Ended> {
        let Some(Pending::Present(command)) = self.pending.remove(&id) else {
            return Err(Ended::Unexpected);
        };
        match reply {
            Ok(receipt) => self.receipt(&receipt).await,
            Err(refusal) => self.refused(command, refusal).await,
        }
    }

    async fn refused(&mut self, command: CommandRowId, refusal: Refusal) -> Result<(), Ended> {
        let (app, vehicle) = (&self.app, &self.vehicle);
        app.db
            .retry(|| async {
                let tx = app.db.begin().await?;
                commands::refuse(app, &tx, vehicle, command, refusal).await?;
                tx.commit().await.map_err(StorageError::from)
            })
            .await?;
        app.bells.ring(Bell::Command(command));
        Ok(())
    }

    /// Stores a receipt. One that does not hold is logged and dropped: keeping it would only make the
    /// gateway send it for ever.
    async fn receipt(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        let (app, vehicle, gateway) = (&self.app, &self.vehicle, &self.gateway);
        let stored = app
            .db
            .retry(|| async {
                let tx = app.db.begin().await?;
                let settled = receipts::store(app, &tx, vehicle, gateway, bytes).await?;
                tx.commit().await.map_err(StorageError::from)?;
                Ok::<_, ReceiptError>(settled)
            })
            .await;
        match stored {
            Ok(Some(command)) => app.bells.ring(Bell::Command(command)),
            Ok(None) => {}
            Err(ReceiptError::Storage(error)) => return Err(error.into()),
            Err(ReceiptError::Refused(refusal)) => {
                tracing::error!(vehicle = %vehicle.id, %refusal, "a receipt does not hold");
            }
        }
        Ok(())
    }

    /// Answers with the time, attested over the gateway's own challenge.
    async fn ping(&mut self, id: u64, challenge: Vec<u8>) -> Result<(), Ended> {
        let clock = {
            let decoded =
                Unverified::<Challenge>::decode(&challenge).map_err(|_| Ended::Unexpected)?;
            let body = decoded
                .verify(&self.gateway, NO_REST)
                .map_err(|_| Ended::Unexpected)?
                .into_body();
            if body.vehicle != self.vehicle.id.core() {
                return Err(Ended::Unexpected);
            }
            body.clock
        };
        let status = &self.app.platform().status;
        let now = self.app.clock.now();
        let attestation = attest(now, status, &challenge).map_err(|_| Ended::Unexpected)?;
        let attestation = attestation.bytes;
        self.send(&SyncMessage::Time { id, attestation }).await?;
        self.note_contact(clock.is_trusted()).await
    }

    async fn note_contact(&mut self, clock_trusted: bool) -> Result<(), Ended> {
        let recent = self
            .contact_noted_at
            .is_some_and(|at| at.elapsed() < NOTE_CONTACT);
        if recent && self.clock_trusted == Some(clock_trusted) {
            return Ok(());
        }
        self.contact_noted_at = Some(Instant::now());
        self.clock_trusted = Some(clock_trusted);
        let news = News {
            contact: true,
            clock_trusted: Some(clock_trusted),
            ..News::default()
        };
        self.note(news).await
    }

    /// Writes down what the gateway holds: denials up to there are in force.
    async fn note_seqs(&mut self) -> Result<(), Ended> {
        let (app, vehicle, held) = (&self.app, self.vehicle.id, self.held);
        let now = app.clock.now();
        app.db
            .retry(|| async {
                let tx = app.db.begin().await?;
                let news = News {
                    contact: true,
                    seqs: Some(held),
                    ..News::default()
                };
                gateways::note(&tx, vehicle, news, now).await?;
                for (authority, seq) in [
                    (Authority::Owner, held.owner),
                    (Authority::Platform, held.platform),
                ] {
                    keys::acknowledge(&tx, vehicle, authority, seq, now).await?;
                }
                tx.commit().await.map_err(StorageError::from)
            })
            .await?;
        Ok(())
    }

    async fn head(&mut self, head: &[u8]) -> Result<(), Ended> {
        let body = Unverified::<JournalHead>::decode(head)
            .map_err(|_| Ended::Unexpected)?
            .verify(&self.gateway, NO_REST)
            .map_err(|_| Ended::Unexpected)?
            .into_body();
        if body.vehicle != self.vehicle.id.core() {
            return Err(Ended::Unexpected);
        }
        self.note(News {
            journal: Some((body.index, body.head)),
            ..News::default()
        })
        .await
    }

    async fn state(&mut self, json: String) -> Result<(), Ended> {
        if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&json).is_err() {
            return Err(Ended::Unexpected);
        }
        self.note(News {
            state: Some(json),
            ..News::default()
        })
        .await
    }

    async fn note(&mut self, news: News) -> Result<(), Ended> {
        let (app, vehicle) = (&self.app, self.vehicle.id);
        app.db
            .retry(|| async {
                let tx = app.db.begin().await?;
                gateways::note(&tx, vehicle, news.clone(), app.clock.now()).await?;
                tx.commit().await.map_err(StorageError::from)
            })
            .await?;
        Ok(())
    }

    fn remember(&mut self, pending: Pending) -> Result<u64, Ended> {
        if self.pending.len() >= PENDING {
            // It answers nothing any more.
            return Err(Ended::Gone);
        }
        self.last_id += 1;
        self.pending.insert(self.last_id, pending);
        Ok(self.last_id)
    }

    async fn send(&mut self, message: &SyncMessage) -> Result<(), Ended> {
        let frame = Message::Binary(message.encode().into());
        self.socket.send(frame).await.map_err(|_| Ended::Gone)
    }
}

/// Marks a command as sent, and returns what to send; `None` if it was sent already or is over.
async fn mark(
    app: &App,
    vehicle: &Vehicle,
    id: CommandRowId,
    challenge: Option<&[u8]>,
) -> Result<Option<Vec<u8>>, CommandError> {
    let tx = app.db.begin().await?;
    let Some(mut command) = storage::commands::find_unscoped(&tx, id).await? else {
        return Ok(None);
    };
    if let Some(challenge) = challenge {
        commands::present_managed(app, &tx, vehicle, &mut command, challenge).await?;
    }
    if !commands::mark_sent(app, &tx, &mut command).await? {
        return Ok(None);
    }
    tx.commit().await.map_err(StorageError::from)?;
    Ok(Some(command.presentation))
}
