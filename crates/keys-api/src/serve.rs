//! Listening, and stopping without breaking off work in hand.
//!
//! A client has 10 s for a TLS handshake ([`tls::HANDSHAKE_DEADLINE`]), 30 s for its request line and headers ([`HEADER_DEADLINE`]), 30 s for its body
//! ([`crate::http::body`]), and 30 s to take each piece of an answer ([`slow::DropsSlowReaders`]);
//! who is slower is dropped and holds nothing but a socket meanwhile.

pub mod slow;
pub mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use self::tls::Tls;
use crate::config::Config;
use crate::http::rate_limit::Peer;
use crate::state::{App, AppError, Surroundings};
use crate::{jobs, router};

/// How long a request line and headers may take, idle time on a kept connection included.
pub const HEADER_DEADLINE: Duration = Duration::from_secs(30);
/// How long a stop waits for requests in hand.
const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The application could not be put together.
    #[error(transparent)]
    App(#[from] AppError),
    /// The address is taken or not ours.
    #[error("could not listen on `{0}` (`server.listen`)")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// TLS cannot be spoken as configured.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
}

/// Starts servers.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Opens everything and listens; returns once requests are answered.
    ///
    /// # Errors
    /// [`StartError`], naming the field or file at fault.
    pub async fn start(config: Config) -> Result<RunningServer, StartError> {
        config.validate().map_err(AppError::from)?;
        let listen = config.server.listen;
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|error| StartError::Listen(listen, error))?;
        Self::start_on(listener, config, Surroundings::default()).await
    }

    /// As [`Server::start`], on a bound listener and with given time and randomness.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn start_on(
        listener: TcpListener,
        mut config: Config,
        surroundings: Surroundings,
    ) -> Result<RunningServer, StartError> {
        let listen = config.server.listen;
        let address = listener
            .local_addr()
            .map_err(|error| StartError::Listen(listen, error))?;
        config.server.listen = address;
        let connections = config.limits.connections;
        let worker = config.server.worker;
        config.validate().map_err(AppError::from)?;
        let tls = Tls::open(
            &config,
            surroundings.clock.now(),
            surroundings.random.as_ref(),
        )?;
        let (scheme, _) = config.scheme();
        let app = App::open(config, surroundings).await?;
        let stop = CancellationToken::new();
        let door = Door {
            router: router::router(app.clone()),
            tls,
            stop: stop.clone(),
        };
        let accept = accept(listener, door, connections as usize);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept);
        if worker {
            tasks.spawn(jobs::run(app.clone(), stop.clone()));
        }
        let done = tokio::spawn(async move { while tasks.join_next().await.is_some() {} });
        Ok(RunningServer {
            app,
            address,
            scheme,
            stop,
            done,
        })
    }
}

/// A server that answers requests until it is stopped or dropped.
#[derive(Debug)]
pub struct RunningServer {
    app: App,
    address: SocketAddr,
    scheme: &'static str,
    stop: CancellationToken,
    done: JoinHandle<()>,
}

impl RunningServer {
    /// Where it answers: `https://` where TLS is on, else `http://`, and the address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The application behind, for seeding.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Takes no more connections, lets requests in hand finish (at most 10 s), and closes the
    /// database.
    pub async fn stop(self) {
        self.app.stopping.cancel();
        self.stop.cancel();
        if self.done.await.is_err() {
            tracing::error!("the server task panicked");
        }
        self.app.db.clone().close().await;
    }
}

/// What a connection needs.
#[derive(Clone)]
struct Door {
    router: Router,
    tls: Option<Tls>,
    stop: CancellationToken,
}

async fn accept(listener: TcpListener, door: Door, connections: usize) {
    let places = Arc::new(Semaphore::new(connections));
    let mut open = JoinSet::new();
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = door.stop.cancelled() => break,
            Some(_) = open.join_next() => {}
            (place, accepted) = next => match (place, accepted) {
                (Ok(place), Ok((stream, peer))) => {
                    open.spawn(let_in(stream, peer, door.clone(), place));
                }
                // Out of descriptors, or the peer is gone already: give others time to close.
                (_, Err(error)) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                (Err(_), _) => break,
            },
        }
    }
    drop(listener);
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_DEADLINE, all).await.is_err() {
        tracing::warn!("requests were still in hand after the stop deadline; dropping them");
    }
}

async fn let_in(stream: TcpStream, peer: SocketAddr, door: Door, _place: OwnedSemaphorePermit) {
    // Answers are small; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let stream = slow::DropsSlowReaders::new(stream);
    let Some(tls) = &door.tls else {
        return serve(stream, peer, door.router, door.stop).await;
    };
    tokio::select! {
        shaken = tls.handshake(stream) => match shaken {
            Ok(stream) => serve(stream, peer, door.router, door.stop).await,
            Err(error) => tracing::debug!(%error, %peer, "TLS handshake failed"),
        },
        () = door.stop.cancelled() => {}
    }
}

async fn serve<S>(stream: S, peer: SocketAddr, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            router.oneshot(request).await
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let result: Result<(), hyper::Error> = tokio::select! {
        result = connection.as_mut() => result,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, %peer, "connection ended early");
    }
}
