//! What no gateway sends, on the socket that gateways dial: the line is closed, and the API goes on.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::client::http;
use super::setting::Setting;

const LONG: Duration = Duration::from_secs(40);

/// A frame of a client, masked with zeros.
fn frame(first: u8, length: &[u8], payload: &[u8]) -> Vec<u8> {
    [&[first], length, &[0; 4], payload].concat()
}

/// Upgrades, sends, and reads until the API closes; what came after the upgrade.
async fn answer_to(address: &str, sent: &[u8]) -> Vec<u8> {
    let mut line = TcpStream::connect(address).await.expect("a connection");
    let upgrade = format!(
        "GET /v1/gateways/sync HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    line.write_all(upgrade.as_bytes()).await.expect("sent");
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        line.read_exact(&mut byte).await.expect("an answer");
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "it is a WebSocket");
    // Both may be broken off by an API that has seen enough.
    let _ = line.write_all(sent).await;
    let mut rest = Vec::new();
    let read = timeout(LONG, line.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "the line stays open");
    rest
}

#[tokio::test]
async fn garbage_on_the_gateways_socket_ends_that_line_and_nothing_else() {
    let setting = Setting::start().await;
    let address = setting.api_address();
    let endless: Vec<u8> = frame(0x02, &[0xfe, 4, 0], &[7; 1_024]).repeat(64);
    for (what, sent) in [
        (
            "bytes that are no message",
            frame(0x82, &[0x84], &[1, 2, 3, 4]),
        ),
        ("text", frame(0x81, &[0x85], b"hello")),
        (
            "a frame of a megabyte",
            frame(0x82, &[0xff, 0, 0, 0, 0, 0, 16, 0, 0], &vec![0; 1 << 20]),
        ),
        (
            "a frame that says it is huge",
            frame(0x82, &[0xff, 0, 0, 1, 0, 0, 0, 0, 0], &[0; 64]),
        ),
        ("fragments without an end", endless),
        ("a frame that is not masked", vec![0x82, 2, 1, 2]),
        ("nothing at all", Vec::new()),
    ] {
        let rest = answer_to(&address, &sent).await;
        println!("{what}: {} bytes, then closed", rest.len());
    }
    let health = http(2).get(format!("http://{address}/health")).send().await;
    assert_eq!(health.expect("the API goes on").status(), 200);
    assert!(!setting.logs().contains("panicked"));
}
