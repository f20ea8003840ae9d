//! A WebSocket that speaks [`SyncMessage`]s, with a bound on every size and every wait.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use keys_core::sync::{MAX_BYTES, SyncMessage};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use super::endpoint::CONNECT_TIMEOUT;
use super::{ApiEndpoint, Lost, PATH};

/// How long one frame may take to leave.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the other side may take over the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The API's close code for a gateway it does not accept.
const REFUSED: u16 = 4401;

pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Dials the API.
    pub(super) async fn dial(endpoint: &ApiEndpoint) -> Result<Self, Lost> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_BYTES))
            .max_frame_size(Some(MAX_BYTES))
            .read_buffer_size(MAX_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(8 * MAX_BYTES);
        let connector = endpoint.connector().map_err(Lost::Endpoint)?;
        let dialing =
            connect_async_tls_with_config(endpoint.socket_url(PATH), Some(config), true, connector);
        let dialed = timeout(CONNECT_TIMEOUT, dialing)
            .await
            .map_err(|_| Lost::TimedOut("dialing"))?;
        let (stream, _) = dialed.map_err(|error| Lost::Dial(Box::new(error)))?;
        Ok(Self { stream })
    }

    /// Sends one frame.
    pub(super) async fn send(&mut self, message: &SyncMessage) -> Result<(), Lost> {
        let sending = self.stream.send(Message::binary(message.encode()));
        let sent = timeout(SEND_TIMEOUT, sending)
            .await
            .map_err(|_| Lost::TimedOut("sending"))?;
        sent.map_err(lost_by)
    }

    /// The next frame. Nothing is lost if the future is dropped.
    pub(super) async fn receive(&mut self) -> Result<SyncMessage, Lost> {
        loop {
            match self.stream.next().await {
                None => return Err(Lost::Closed(None)),
                Some(Err(error)) => return Err(lost_by(error)),
                Some(Ok(Message::Binary(bytes))) => {
                    return SyncMessage::decode(&bytes).map_err(Lost::Garbled);
                }
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map(|frame| u16::from(frame.code));
                    return Err(if code == Some(REFUSED) {
                        Lost::Refused
                    } else {
                        Lost::Closed(code)
                    });
                }
                // The library answers pings by itself.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Text(_))) => return Err(Lost::Unexpected("text")),
            }
        }
    }

    /// Says goodbye.
    pub(super) async fn close(mut self) {
        let _ = timeout(CLOSE_TIMEOUT, self.stream.close(None)).await;
    }
}

fn lost_by(error: Error) -> Lost {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => Lost::Closed(None),
        other => Lost::Broken(Box::new(other)),
    }
}
