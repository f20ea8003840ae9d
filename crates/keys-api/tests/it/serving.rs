//! The server on a real socket.

use keys_api::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::config_in;

async fn exchange(address: std::net::SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn it_answers_with_lower_case_headers_and_stops_cleanly() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(config_in(&directory)).await.unwrap();
    let address = server.address();
    assert_eq!(server.url(), format!("http://{address}"));
    let answer = exchange(
        address,
        b"GET /ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let head = answer.split("\r\n\r\n").next().unwrap();
    for line in head.lines().skip(1) {
        let name = line.split(':').next().unwrap();
        assert_eq!(name, name.to_lowercase());
    }
    assert!(head.contains("x-request-id: req_"));
    // A kept, idle connection does not hold the stop.
    let idle = TcpStream::connect(address).await.unwrap();
    server.stop().await;
    assert!(
        TcpStream::connect(address).await.is_err(),
        "the port must be closed"
    );
    drop(idle);
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(config_in(&directory)).await.unwrap();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = b"POST /v1/accounts HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let chunk = [b"1000\r\n".as_slice(), &[b' '; 4096], b"\r\n"].concat();
    // Writing fails or is ignored once the server has had enough.
    for _ in 0..64 {
        if stream.write_all(&chunk).await.is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 413"),
        "{answer}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_taken_address_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = config_in(&directory);
    config.server.listen = taken.local_addr().unwrap();
    let error = Server::start(config).await.unwrap_err();
    assert!(error.to_string().contains("server.listen"), "{error}");
    assert!(
        !directory.path().join("latchkey.db").exists(),
        "nothing may be made before the address is ours"
    );
}

#[tokio::test]
async fn a_second_start_finds_its_data() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let server = Server::start(config_in(&directory)).await.unwrap();
        server.stop().await;
    }
}
