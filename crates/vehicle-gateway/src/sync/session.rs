//! One connection from its handshake to its loss.
//!
//! What must keep its order (carried objects, time) goes through one worker; challenges and
//! presentations run beside each other, a few at a time. Work that has begun is carried through even if
//! the connection goes: the receipt waits in the outbox.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use keys_core::carried::{Carried, CarriedKind};
use keys_core::challenge::VERSION;
use keys_core::codec::DecodeError;
use keys_core::handshake::{SyncHello, sign_hello};
use keys_core::refusal::Refusal;
use keys_core::sync::SyncMessage;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite;
use tokio_util::sync::CancellationToken;

use super::socket::Socket;
use super::{EndpointError, Feeds, Line, SyncHandler, name_of};

/// How long the whole handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often the API is asked for the time.
const PING_EVERY: Duration = Duration::from_secs(20);
/// After an anchor has come the time is asked for this soon: its key may be the one that attests it.
const AFTER_ANCHOR: Duration = Duration::from_millis(200);
/// How long the API may leave every ping unanswered, and a report unacknowledged.
const SILENCE: Duration = Duration::from_secs(60);
/// Receipts sent and not yet acknowledged, at most.
const REPORTS: usize = 16;
/// Requests of phones worked on at a time, at most.
const REQUESTS: usize = 16;
/// Carried objects waiting for the worker, at most.
const JOBS: usize = 64;

/// Why the line was lost, or could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    /// The connection broke.
    #[error("connection broke")]
    Broken(#[source] Box<tungstenite::Error>),
    /// The API closed it, with this code.
    #[error("API closed the connection{}", .0.map(|code| format!(" with code {code}")).unwrap_or_default())]
    Closed(Option<u16>),
    /// The API cannot be reached.
    #[error("API cannot be reached")]
    Dial(#[source] Box<tungstenite::Error>),
    /// The endpoint's TLS settings do not work.
    #[error("API endpoint cannot be used")]
    Endpoint(#[source] EndpointError),
    /// A frame makes no sense.
    #[error("frame cannot be read")]
    Garbled(#[source] DecodeError),
    /// No randomness for the handshake.
    #[error("no randomness")]
    Random(#[source] io::Error),
    /// The API does not accept this gateway.
    #[error(
        "API does not accept this gateway's key for this vehicle; pair the car again if its bundle names another gateway"
    )]
    Refused,
    /// The gateway key cannot sign.
    #[error("gateway key cannot sign")]
    Sign,
    /// The API answers no pings, or acknowledges no reports.
    #[error("API is silent")]
    Silent,
    /// The gateway stops.
    #[error("gateway stops")]
    Stopped,
    /// The outbox cannot be used.
    #[error("outbox cannot be used")]
    Store(#[source] io::Error),
    /// Something took too long.
    #[error("{0} took too long")]
    TimedOut(&'static str),
    /// A frame came that has no place here.
    #[error("unexpected frame `{0}`")]
    Unexpected(&'static str),
}

/// Dials, shakes hands, calls `on_ready`, and serves the connection until it is lost or `stop` is.
pub(super) async fn hold(line: &Line, stop: &CancellationToken, on_ready: impl FnOnce()) -> Lost {
    let dialing = async {
        let mut socket = Socket::dial(&line.endpoint).await?;
        let shaken = timeout(HANDSHAKE, shake_hands(line, &mut socket)).await;
        shaken.map_err(|_| Lost::TimedOut("handshake"))??;
        Ok::<_, Lost>(socket)
    };
    let mut socket = tokio::select! {
        () = stop.cancelled() => return Lost::Stopped,
        dialed = dialing => match dialed {
            Ok(socket) => socket,
            Err(lost) => return lost,
        },
    };
    on_ready();
    let lost = match Session::new(line, &mut socket).serve(stop).await {
        Ok(never) => match never {},
        Err(lost) => lost,
    };
    socket.close().await;
    lost
}

async fn shake_hands(line: &Line, socket: &mut Socket) -> Result<(), Lost> {
    let mut client_nonce = [0u8; 16];
    (line.random)(&mut client_nonce).map_err(Lost::Random)?;
    let hello = SyncHello {
        versions: std::iter::once(VERSION).collect(),
        vehicle: line.vehicle,
        seqs: line.handler.seqs(),
    };
    let versions = hello.versions.clone();
    socket
        .send(&SyncMessage::Hello {
            vehicle: line.vehicle,
            client_nonce,
            versions,
        })
        .await?;
    let server_nonce = match socket.receive().await? {
        SyncMessage::Welcome { server_nonce } => server_nonce,
        other => return Err(Lost::Unexpected(name_of(&other))),
    };
    let origin = line.endpoint.origin();
    let sealed = sign_hello(&hello, &*line.signer, &client_nonce, &server_nonce, &origin)
        .map_err(|_| Lost::Sign)?;
    socket
        .send(&SyncMessage::Auth {
            hello: sealed.bytes,
        })
        .await?;
    match socket.receive().await? {
        SyncMessage::Ready => Ok(()),
        other => Err(Lost::Unexpected(name_of(&other))),
    }
}

/// No value: a served connection ends only by being lost.
enum Never {}

/// Work that keeps its order.
enum Job {
    Carry {
        id: u64,
        carried: Vec<u8>,
    },
    Time {
        challenge: Vec<u8>,
        attestation: Vec<u8>,
    },
}

struct Session<'a> {
    line: &'a Line,
    socket: &'a mut Socket,
    feeds: Feeds,
    jobs: mpsc::Sender<Job>,
    answers: mpsc::UnboundedSender<SyncMessage>,
    answered: mpsc::UnboundedReceiver<SyncMessage>,
    requests: Arc<Semaphore>,
    pings: Pings,
    reports: Reports,
}

impl<'a> Session<'a> {
    fn new(line: &'a Line, socket: &'a mut Socket) -> Self {
        let (jobs, queue) = mpsc::channel(JOBS);
        // Unbounded, yet short: it holds at most one answer for each request and job.
        let (answers, answered) = mpsc::unbounded_channel();
        tokio::spawn(work(line.handler.clone(), queue, answers.clone()));
        let mut feeds = line.feeds.clone();
        feeds.head.mark_changed();
        feeds.state.mark_changed();
        Self {
            line,
            socket,
            feeds,
            jobs,
            answers,
            answered,
            requests: Arc::new(Semaphore::new(REQUESTS)),
            pings: Pings {
                id: 0,
                open: None,
                answered_at: Instant::now(),
            },
            reports: Reports::default(),
        }
    }

    async fn serve(&mut self, stop: &CancellationToken) -> Result<Never, Lost> {
        let receipts = self.feeds.receipts.clone();
        let mut ticks = interval(PING_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.report().await?;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Err(Lost::Stopped),
                message = self.socket.receive() => {
                    let message = message?;
                    if brings_an_anchor(&message) {
                        ticks.reset_after(AFTER_ANCHOR);
                    }
                    self.take(message).await?;
                }
                Some(answer) = self.answered.recv() => self.socket.send(&answer).await?,
                _ = ticks.tick() => self.ping().await?,
                () = receipts.notified() => self.report().await?,
                Ok(()) = self.feeds.head.changed() => self.tell_head().await?,
                Ok(()) = self.feeds.state.changed() => self.tell_state().await?,
            }
        }
    }

    async fn take(&mut self, message: SyncMessage) -> Result<(), Lost> {
        match message {
            SyncMessage::Carry { id, carried } => self.carry(id, carried).await,
            SyncMessage::ChallengeRequest { id, phone_nonce } => {
                self.challenge(id, phone_nonce).await
            }
            SyncMessage::Present { id, presentation } => self.present(id, presentation).await,
            SyncMessage::Time { id, attestation } => {
                self.time(id, attestation);
                Ok(())
            }
            SyncMessage::ReportAck { index } => self.report_ack(index).await,
            other => Err(Lost::Unexpected(name_of(&other))),
        }
    }

    async fn carry(&mut self, id: u64, carried: Vec<u8>) -> Result<(), Lost> {
        if self.jobs.try_send(Job::Carry { id, carried }).is_ok() {
            return Ok(());
        }
        let refusal = Some(Refusal::RateLimited);
        let seqs = self.line.handler.seqs();
        self.socket
            .send(&SyncMessage::Carried { id, refusal, seqs })
            .await
    }

    async fn challenge(&mut self, id: u64, phone_nonce: Option<[u8; 16]>) -> Result<(), Lost> {
        let Ok(permit) = self.requests.clone().try_acquire_owned() else {
            let reply = Err(Refusal::RateLimited);
            return self
                .socket
                .send(&SyncMessage::ChallengeReply { id, reply })
                .await;
        };
        let (handler, answers) = (self.line.handler.clone(), self.answers.clone());
        tokio::spawn(async move {
            let reply = handler.challenge(phone_nonce).await;
            let _ = answers.send(SyncMessage::ChallengeReply { id, reply });
            drop(permit);
        });
        Ok(())
    }

    async fn present(&mut self, id: u64, presentation: Vec<u8>) -> Result<(), Lost> {
        let Ok(permit) = self.requests.clone().try_acquire_owned() else {
            let busy = SyncMessage::PresentReply {
                id,
                reply: Err(Refusal::Busy),
                repeated: false,
            };
            return self.socket.send(&busy).await;
        };
        let (handler, answers) = (self.line.handler.clone(), self.answers.clone());
        tokio::spawn(async move {
            let presented = handler.present(presentation).await;
            let (reply, repeated) = (presented.reply, presented.repeated);
            let _ = answers.send(SyncMessage::PresentReply {
                id,
                reply,
                repeated,
            });
            drop(permit);
        });
        Ok(())
    }

    /// Asks for the time, unless nobody answered for too long.
    async fn ping(&mut self) -> Result<(), Lost> {
        let now = Instant::now();
        if now.duration_since(self.pings.answered_at) >= SILENCE
            || self.reports.stuck_since(now) >= SILENCE
        {
            return Err(Lost::Silent);
        }
        match self.line.handler.time_challenge().await {
            Ok(challenge) => {
                self.pings.id += 1;
                let id = self.pings.id;
                self.pings.open = Some((id, challenge.clone()));
                self.socket.send(&SyncMessage::Ping { id, challenge }).await
            }
            Err(refusal) => {
                tracing::warn!(%refusal, "no challenge for the time");
                // It is not the API that is silent.
                self.pings.answered_at = now;
                Ok(())
            }
        }
    }

    fn time(&mut self, id: u64, attestation: Vec<u8>) {
        // Only the newest ping counts: an answer that was overtaken says nothing about now.
        let Some((_, challenge)) = self.pings.open.take_if(|(open, _)| *open == id) else {
            return;
        };
        self.pings.answered_at = Instant::now();
        if self
            .jobs
            .try_send(Job::Time {
                challenge,
                attestation,
            })
            .is_err()
        {
            tracing::warn!("too much is waiting, so a time attestation was dropped");
        }
    }

    /// Sends waiting receipts, as many as may be on their way.
    async fn report(&mut self) -> Result<(), Lost> {
        while self.reports.on_way.len() < REPORTS {
            let next = self
                .line
                .outbox
                .next_after(self.reports.sent)
                .await
                .map_err(Lost::Store)?;
            let Some((index, receipt)) = next else { break };
            self.socket
                .send(&SyncMessage::Report { index, receipt })
                .await?;
            self.reports.sent = index;
            self.reports.on_way.push_back((index, Instant::now()));
        }
        Ok(())
    }

    async fn report_ack(&mut self, index: u64) -> Result<(), Lost> {
        if index > self.reports.sent {
            return Err(Lost::Unexpected(
                "report-ack of a receipt that was not sent",
            ));
        }
        let before = self.reports.on_way.len();
        while self
            .reports
            .on_way
            .pop_front_if(|(sent, _)| *sent <= index)
            .is_some()
        {}
        if self.reports.on_way.len() == before {
            return Ok(());
        }
        self.line.outbox.ack(index).await.map_err(Lost::Store)?;
        self.report().await
    }

    async fn tell_head(&mut self) -> Result<(), Lost> {
        let head = self.feeds.head.borrow_and_update().clone();
        match head {
            Some(head) => self.socket.send(&SyncMessage::Head { head }).await,
            None => Ok(()),
        }
    }

    async fn tell_state(&mut self) -> Result<(), Lost> {
        let json = self.feeds.state.borrow_and_update().clone();
        match json {
            Some(json) if json.len() <= keys_core::sync::STATE_BYTES => {
                self.socket.send(&SyncMessage::State { json }).await
            }
            Some(_) => {
                tracing::warn!("the car's state is too long to be told");
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn brings_an_anchor(message: &SyncMessage) -> bool {
    let SyncMessage::Carry { carried, .. } = message else {
        return false;
    };
    Carried::parse(carried).is_ok_and(|carried| carried.kind == CarriedKind::Anchor)
}

/// Pings sent and answered.
struct Pings {
    id: u64,
    /// The newest one and its challenge, until answered.
    open: Option<(u64, Vec<u8>)>,
    answered_at: Instant,
}

/// Receipts sent on this connection.
#[derive(Default)]
struct Reports {
    /// Index of the newest one sent.
    sent: u64,
    /// Those not acknowledged, oldest first, and when they were sent.
    on_way: VecDeque<(u64, Instant)>,
}

impl Reports {
    fn stuck_since(&self, now: Instant) -> Duration {
        self.on_way
            .front()
            .map_or(Duration::ZERO, |(_, sent_at)| now.duration_since(*sent_at))
    }
}

/// Does the jobs of one connection in their order, to the end even if the connection goes.
async fn work(
    handler: Arc<dyn SyncHandler>,
    mut queue: mpsc::Receiver<Job>,
    answers: mpsc::UnboundedSender<SyncMessage>,
) {
    while let Some(job) = queue.recv().await {
        match job {
            Job::Carry { id, carried } => {
                let refusal = handler.carry(carried).await;
                let seqs = handler.seqs();
                let _ = answers.send(SyncMessage::Carried { id, refusal, seqs });
            }
            Job::Time {
                challenge,
                attestation,
            } => {
                if let Err(refusal) = handler.time(challenge, attestation).await {
                    tracing::warn!(%refusal, "time attestation refused");
                }
            }
        }
    }
}
