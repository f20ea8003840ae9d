//! The server with TLS, on a real socket.

use std::path::Path;
use std::time::Duration;

use keys_api::serve::tls::HANDSHAKE_DEADLINE;
use keys_api::{Config, RunningServer, Server};
use reqwest::{Certificate, Client};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::support::config_in;

fn self_signed(directory: &TempDir) -> Config {
    let mut config = config_in(directory);
    config.tls.self_signed = true;
    config
}

async fn start(config: &Config) -> RunningServer {
    Server::start(config.clone()).await.unwrap()
}

/// A client that believes the certificates in `roots` and nobody else.
fn client(roots: Option<&Path>) -> Client {
    // Fails where another test was first, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let roots = roots.map(|file| Certificate::from_pem(&std::fs::read(file).unwrap()).unwrap());
    Client::builder()
        .tls_certs_only(roots)
        .no_proxy()
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}

/// What a client of another protocol gets, up to the end of the connection.
async fn exchange(server: &RunningServer, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // The end may come as a reset.
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

#[tokio::test]
async fn a_client_that_was_given_the_made_certificate_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let config = self_signed(&directory);
    let server = start(&config).await;
    assert_eq!(server.url(), format!("https://{}", server.address()));
    assert_eq!(server.app().origin, server.url());

    let client = client(Some(&config.tls.self_signed_certificate()));
    let port = server.address().port();
    for url in [server.url(), format!("https://localhost:{port}")] {
        let answer = client.get(format!("{url}/ready")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{url}");
    }
    let body = serde_json::json!({"email": "host@example.com", "password": "correct horse"});
    let sign_up = client.post(format!("{}/v1/accounts", server.url()));
    assert_eq!(sign_up.json(&body).send().await.unwrap().status(), 201);
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_was_not_given_it_refuses_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let server = start(&self_signed(&directory)).await;
    let other_directory = tempfile::tempdir().unwrap();
    let other = self_signed(&other_directory);
    start(&other).await.stop().await;

    for roots in [None, Some(other.tls.self_signed_certificate())] {
        let client = client(roots.as_deref());
        let answer = client.get(format!("{}/ready", server.url())).send().await;
        assert!(answer.unwrap_err().is_connect());
    }
    server.stop().await;
}

#[tokio::test]
async fn a_second_start_serves_the_same_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let config = self_signed(&directory);
    start(&config).await.stop().await;
    let client = client(Some(&config.tls.self_signed_certificate()));
    let server = start(&config).await;
    let answer = client.get(format!("{}/ready", server.url())).send().await;
    assert_eq!(answer.unwrap().status(), 200);
    server.stop().await;
}

#[tokio::test]
async fn a_given_certificate_is_served() {
    let directory = tempfile::tempdir().unwrap();
    let made = self_signed(&directory);
    start(&made).await.stop().await;
    let other_directory = tempfile::tempdir().unwrap();
    let mut config = config_in(&other_directory);
    config.tls.certificate = Some(made.tls.self_signed_certificate());
    config.tls.key = Some(made.tls.self_signed_key());

    let server = start(&config).await;
    let client = client(config.tls.served_certificate().as_deref());
    let answer = client.get(format!("{}/ready", server.url())).send().await;
    assert_eq!(answer.unwrap().status(), 200);
    assert!(!config.tls.directory.exists(), "none is made");
    server.stop().await;
}

#[tokio::test]
async fn a_client_without_tls_is_dropped_unanswered() {
    let directory = tempfile::tempdir().unwrap();
    let server = start(&self_signed(&directory)).await;
    let answer = exchange(&server, b"GET /ready HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(!answer.windows(4).any(|part| part == b"HTTP"), "{answer:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_stalls_in_the_handshake_is_dropped_at_the_deadline() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = self_signed(&directory);
    config.server.worker = false;
    let server = start(&config).await;
    tokio::time::pause();
    let began = Instant::now();
    // The head of a record that promises 512 bytes, of which none come.
    let answer = exchange(&server, &[22, 3, 1, 2, 0]).await;
    assert!(answer.is_empty(), "{answer:?}");
    assert!(began.elapsed() >= HANDSHAKE_DEADLINE);
    tokio::time::resume();
    server.stop().await;
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused_at_start_by_field_and_file() {
    let (directory, other_directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut config = self_signed(&directory);
    let other = self_signed(&other_directory);
    for config in [&config, &other] {
        start(config).await.stop().await;
    }
    std::fs::remove_file(directory.path().join("latchkey.db")).unwrap();
    config.tls.certificate = Some(config.tls.self_signed_certificate());
    config.tls.key = Some(other.tls.self_signed_key());
    config.tls.self_signed = false;
    let error = Server::start(config).await.unwrap_err().to_string();
    for part in ["`tls.key`", "key.pem", "certificate.pem", "does not belong"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(
        !directory.path().join("latchkey.db").exists(),
        "nothing may be made before TLS is ready"
    );
}
