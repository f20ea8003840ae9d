//! A gateway's double at one end of the line, a small API at the other.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, SinkExt, StreamExt};
use keys_core::challenge::Seqs;
use keys_core::envelope::Unverified;
use keys_core::handshake::{SyncHello, origin_hash};
use keys_core::refusal::Refusal;
use keys_core::testing;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::sync::*;

pub(super) const SERVER_NONCE: [u8; 16] = [5; 16];
pub(super) const SEQS: Seqs = Seqs {
    owner: 3,
    platform: 2,
    bundle: 1,
};

pub(super) fn vehicle() -> VehicleId {
    VehicleId::from_bytes([9; 16])
}

/// A gateway that answers with what it was asked, and remembers it.
pub(super) struct Double {
    pub(super) carried: Mutex<Vec<Vec<u8>>>,
    pub(super) times: Mutex<Vec<(Vec<u8>, Vec<u8>)>>,
    pub(super) challenges: AtomicU64,
    /// A presentation is decided when it gets a permit.
    pub(super) decide: Semaphore,
    pub(super) decided: AtomicU64,
    pub(super) changed: Notify,
}

impl SyncHandler for Double {
    fn seqs(&self) -> Seqs {
        SEQS
    }

    fn carry(&self, carried: Vec<u8>) -> BoxFuture<'_, Option<Refusal>> {
        let refusal = carried.is_empty().then_some(Refusal::Malformed);
        self.carried.lock().unwrap().push(carried);
        futures_util::future::ready(refusal).boxed()
    }

    fn challenge(&self, phone_nonce: Option<[u8; 16]>) -> BoxFuture<'_, Result<Vec<u8>, Refusal>> {
        futures_util::future::ready(phone_nonce.map(Vec::from).ok_or(Refusal::RateLimited)).boxed()
    }

    fn present(&self, presentation: Vec<u8>) -> BoxFuture<'_, Presented> {
        async move {
            self.decide.acquire().await.unwrap().forget();
            self.decided.fetch_add(1, Ordering::SeqCst);
            self.changed.notify_waiters();
            Presented {
                reply: Ok(presentation),
                repeated: true,
            }
        }
        .boxed()
    }

    fn time_challenge(&self) -> BoxFuture<'_, Result<Vec<u8>, Refusal>> {
        let number = self.challenges.fetch_add(1, Ordering::SeqCst);
        futures_util::future::ready(Ok(number.to_le_bytes().to_vec())).boxed()
    }

    fn time(&self, challenge: Vec<u8>, attestation: Vec<u8>) -> BoxFuture<'_, Result<(), Refusal>> {
        self.times.lock().unwrap().push((challenge, attestation));
        futures_util::future::ready(Ok(())).boxed()
    }
}

#[derive(Default)]
pub(super) struct MemoryOutbox(pub(super) Mutex<BTreeMap<u64, Vec<u8>>>);

impl Outbox for MemoryOutbox {
    fn next_after(&self, index: u64) -> BoxFuture<'_, io::Result<Option<Waiting>>> {
        let next = self
            .0
            .lock()
            .unwrap()
            .range(index + 1..)
            .next()
            .map(|(at, receipt)| (*at, receipt.clone()));
        futures_util::future::ready(Ok(next)).boxed()
    }

    fn ack(&self, index: u64) -> BoxFuture<'_, io::Result<()>> {
        self.0.lock().unwrap().retain(|at, _| *at > index);
        futures_util::future::ready(Ok(())).boxed()
    }
}

/// Both ends of the line.
pub(super) struct World {
    pub(super) listener: TcpListener,
    pub(super) origin: String,
    pub(super) handler: Arc<Double>,
    pub(super) outbox: Arc<MemoryOutbox>,
    pub(super) receipts: Arc<Notify>,
    pub(super) head: watch::Sender<Option<Vec<u8>>>,
    pub(super) car: watch::Sender<Option<String>>,
    pub(super) state: watch::Receiver<LineState>,
    pub(super) stop: CancellationToken,
    pub(super) running: JoinHandle<()>,
}

impl World {
    pub(super) async fn new(receipts: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let handler = Arc::new(Double {
            carried: Mutex::default(),
            times: Mutex::default(),
            challenges: AtomicU64::new(0),
            decide: Semaphore::new(0),
            decided: AtomicU64::new(0),
            changed: Notify::new(),
        });
        let outbox = Arc::new(MemoryOutbox::default());
        *outbox.0.lock().unwrap() = (1..=receipts)
            .map(|index| (index, index.to_le_bytes().to_vec()))
            .collect();
        let (head, head_feed) = watch::channel(None);
        let (car, state_feed) = watch::channel(None);
        let waiting = Arc::new(Notify::new());
        let line = Line {
            endpoint: ApiEndpoint::parse(&origin, None).unwrap(),
            vehicle: vehicle(),
            signer: Arc::new(testing::gateway()),
            handler: handler.clone(),
            outbox: outbox.clone(),
            feeds: Feeds {
                receipts: waiting.clone(),
                head: head_feed,
                state: state_feed,
            },
            // Zeros: every wait between two attempts is none.
            random: Arc::new(|buffer| {
                buffer.fill(0);
                Ok(())
            }),
        };
        let (state_sender, state) = watch::channel(LineState::Dialing);
        let stop = CancellationToken::new();
        let running = tokio::spawn(run(line, state_sender, stop.clone()));
        Self {
            listener,
            origin,
            handler,
            outbox,
            receipts: waiting,
            head,
            car,
            state,
            stop,
            running,
        }
    }

    /// The next connection, before its handshake.
    pub(super) async fn accept(&self) -> Peer {
        let (stream, _) = self.listener.accept().await.unwrap();
        Peer {
            socket: accept_async(stream).await.unwrap(),
        }
    }

    /// The next connection, ready.
    pub(super) async fn ready(&self) -> Peer {
        let mut peer = self.accept().await;
        peer.shake_hands(&self.origin)
            .await
            .expect("the gateway proves its key");
        peer.send(SyncMessage::Ready).await;
        peer
    }

    pub(super) async fn wait_for(&mut self, wanted: impl FnMut(&LineState) -> bool) -> LineState {
        self.state.wait_for(wanted).await.unwrap().clone()
    }
}

/// The API's end of one connection.
pub(super) struct Peer {
    pub(super) socket: WebSocketStream<TcpStream>,
}

impl Peer {
    pub(super) async fn send(&mut self, message: SyncMessage) {
        self.socket
            .send(Message::binary(message.encode()))
            .await
            .unwrap();
    }

    /// The next frame; `None` at the end of the connection.
    pub(super) async fn receive(&mut self) -> Option<SyncMessage> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Binary(bytes)) => return Some(SyncMessage::decode(&bytes).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next frame that is no ping.
    pub(super) async fn answer(&mut self) -> SyncMessage {
        loop {
            match self.receive().await.expect("the line is up") {
                SyncMessage::Ping { .. } => {}
                other => return other,
            }
        }
    }

    pub(super) async fn ends(&mut self) {
        while self.receive().await.is_some() {}
    }

    pub(super) async fn shake_hands(&mut self, origin: &str) -> Result<SyncHello, Refusal> {
        let hello = self.receive().await.unwrap();
        let SyncMessage::Hello {
            vehicle: named,
            client_nonce,
            versions,
        } = hello
        else {
            panic!("{hello:?}")
        };
        assert_eq!((named, versions.as_slice()), (vehicle(), &[1][..]));
        self.send(SyncMessage::Welcome {
            server_nonce: SERVER_NONCE,
        })
        .await;
        let Some(SyncMessage::Auth { hello }) = self.receive().await else {
            panic!("auth is next")
        };
        let key = *testing::gateway().verifying_key();
        let verified = Unverified::<SyncHello>::decode(&hello)
            .unwrap()
            .verify(&key, [&client_nonce, &SERVER_NONCE, &origin_hash(origin)])?;
        Ok(verified.into_body())
    }
}
