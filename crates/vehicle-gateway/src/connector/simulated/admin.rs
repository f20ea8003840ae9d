//! The admin port of the simulated car: looks at it and breaks it.
//!
//! It exists for the simulated car only. It listens on loopback, wants a bearer token, and checks the
//! Host header so that a page in a browser on the same machine cannot reach it under another name.
//! Where it listens and the token are in `DIR/<name>-admin.json`, readable by the owner of the files only.
//!
//! `GET /state` · `GET /faults` · `PUT /faults` (replaces all of them) · `GET /executions`.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

use super::{Faults, Shared, state_of};
use crate::connector::{Secret, StartError};

/// The most bytes a body may have.
const BODY_BYTES: usize = 16 * 1024;
/// The most connections at a time.
const CONNECTIONS: usize = 16;
/// How long a client may take over its headers, and over a whole request.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the port is opened.
pub(super) struct Port {
    pub(super) listen: SocketAddr,
    pub(super) token: Option<Secret>,
    /// Where the address and the token are written.
    pub(super) file: PathBuf,
}

struct Admin {
    shared: Arc<Shared>,
    token: Secret,
    port: u16,
}

/// Opens the port and serves it until `stop`.
pub(super) async fn serve(
    port: Port,
    shared: Arc<Shared>,
    stop: CancellationToken,
) -> Result<(), StartError> {
    if !port.listen.ip().is_loopback() {
        return Err(StartError::setting(
            "admin_listen",
            "must be a loopback address",
        ));
    }
    let io = |what| move |source| StartError::Io { what, source };
    let listener = TcpListener::bind(port.listen)
        .await
        .map_err(io("the admin port"))?;
    let address = listener.local_addr().map_err(io("the admin port"))?;
    let token = match port.token {
        Some(token) => token,
        None => random_token().map_err(io("the random source"))?,
    };
    write_private(&port.file, address, &token).map_err(io("the admin file"))?;
    let admin = Admin {
        shared,
        token,
        port: address.port(),
    };
    tokio::spawn(accept(listener, router(Arc::new(admin)), stop));
    Ok(())
}

fn router(admin: Arc<Admin>) -> Router {
    Router::new()
        .route("/state", get(state))
        .route("/faults", get(faults).put(set_faults))
        .route("/executions", get(executions))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            PATIENCE,
        ))
        .layer(middleware::from_fn_with_state(admin.clone(), guard))
        .with_state(admin)
}

async fn accept(listener: TcpListener, router: Router, stop: CancellationToken) {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = free.clone().acquire_owned().await else {
            return;
        };
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of descriptors, or the peer is gone already: neither ends the port.
                Err(_) => { tokio::time::sleep(Duration::from_millis(100)).await; continue }
            },
        };
        let (router, stop) = (router.clone(), stop.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let mut server = hyper::server::conn::http1::Builder::new();
            server
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .keep_alive(false);
            let service = TowerToHyperService::new(router);
            tokio::select! {
                () = stop.cancelled() => {}
                _ = server.serve_connection(TokioIo::new(stream), service) => {}
            }
        });
    }
}

async fn guard(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    if !is_our_host(request.headers(), admin.port) {
        return problem(
            StatusCode::MISDIRECTED_REQUEST,
            "wrong-host",
            "the Host header names another server",
        );
    }
    if !is_authorized(request.headers(), &admin.token) {
        return problem(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "a bearer token is needed; it is in the admin file",
        );
    }
    next.run(request).await
}

fn is_our_host(headers: &HeaderMap, port: u16) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (
        hosts.next().and_then(|host| host.to_str().ok()),
        hosts.next(),
    ) else {
        return false;
    };
    ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|name| host == format!("{name}:{port}"))
}

fn is_authorized(headers: &HeaderMap, token: &Secret) -> bool {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    given
        .and_then(|value| value.strip_prefix("Bearer "))
        .is_some_and(|given| token.matches(given))
}

async fn state(State(admin): State<Arc<Admin>>) -> Response {
    let shared = &admin.shared;
    let asked_at = Instant::now();
    let now = shared.now();
    let (report, truth, awake, clock_ms) = {
        let mut car = shared.car();
        (
            car.report(now),
            car.look(),
            car.is_awake(now),
            car.clock_ms(now),
        )
    };
    let at = shared.sampled_at(&report, asked_at);
    Json(json!({
        "truth": truth,
        "awake": awake,
        "car_clock_ms": clock_ms,
        "told": state_of(report, at).view(asked_at),
    }))
    .into_response()
}

async fn faults(State(admin): State<Arc<Admin>>) -> Json<Faults> {
    Json(admin.shared.car().faults().clone())
}

async fn set_faults(
    State(admin): State<Arc<Admin>>,
    body: Result<Json<Faults>, JsonRejection>,
) -> Response {
    match body {
        Ok(Json(faults)) => {
            admin.shared.set_faults(faults.clone());
            Json(faults).into_response()
        }
        Err(rejection) => problem(rejection.status(), "invalid-faults", &rejection.body_text()),
    }
}

async fn executions(State(admin): State<Arc<Admin>>) -> Response {
    let car = admin.shared.car();
    let recent: Vec<_> = car.history().recent().collect();
    Json(json!({ "count": car.history().count(), "executions": recent })).into_response()
}

fn problem(status: StatusCode, code: &str, detail: &str) -> Response {
    let body =
        json!({ "type": "about:blank", "status": status.as_u16(), "code": code, "detail": detail });
    (
        status,
        [(header::CONTENT_TYPE, "application/problem+json")],
        body.to_string(),
    )
        .into_response()
}

fn random_token() -> std::io::Result<Secret> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(Secret::new(data_encoding::BASE64URL_NOPAD.encode(&bytes)))
}

/// Writes the file anew, so that its mode holds even if one lay there before.
fn write_private(path: &Path, address: SocketAddr, token: &Secret) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let content = json!({ "url": format!("http://{address}"), "token": token.reveal() });
    options
        .open(path)?
        .write_all(content.to_string().as_bytes())
}
