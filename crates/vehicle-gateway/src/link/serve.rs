//! Connections of the local link: so many at a time, none of them for ever.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::rate::Peer;

/// How long a connection may take to end once the gateway stops.
const FAREWELL: Duration = Duration::from_secs(5);
/// Pause after a connection that could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Bounds of the local link.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long headers may take, and how long a body may take.
    pub patience: Duration,
    /// Connections at a time.
    pub connections: usize,
}

/// The open local link.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    listener: TcpListener,
    limits: Limits,
}

impl Link {
    /// Opens the port.
    ///
    /// # Errors
    /// What the system says.
    pub async fn open(listen: SocketAddr, limits: Limits) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            limits,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`, then lets those under way end.
    pub(crate) async fn serve(self, router: Router, stop: CancellationToken) {
        let free = Arc::new(Semaphore::new(self.limits.connections));
        let connections = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&self.listener, &free) => accepted,
            };
            let Some((stream, peer, permit)) = accepted else {
                continue;
            };
            let service = router.clone().layer(Extension(Peer::at(peer.ip())));
            let (stop, patience) = (stop.clone(), self.limits.patience);
            connections.spawn(async move {
                converse(stream, service, patience, stop).await;
                drop(permit);
            });
        }
        connections.close();
        let _ = timeout(FAREWELL, connections.wait()).await;
    }
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, free: &Arc<Semaphore>) -> Option<Accepted> {
    let permit = free.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        // Out of descriptors, or the peer is gone already: neither ends the link.
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            sleep(ACCEPT_AGAIN).await;
            None
        }
    }
}

async fn converse(stream: TcpStream, service: Router, patience: Duration, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let mut server = hyper::server::conn::http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_headers(64)
        .max_buf_size(16 * 1024);
    let connection =
        server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = timeout(FAREWELL, connection).await;
}
