//! Which gateway is calling: it proves the key that the newest bundle of its vehicle names.
//!
//! Bound to both sides' nonces and to this API's origin, so that the proof cannot be used elsewhere.
//! Source: ck1 sections 1 (`ck1:sync`) and 3.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use keys_core::challenge::{Seqs, VERSION};
use keys_core::envelope::Unverified;
use keys_core::handshake::{SyncHello, origin_hash};
use keys_core::signature::VerifyingKey;
use keys_core::sync::SyncMessage;
use tokio::time::timeout;

use crate::model::id::VehicleId;
use crate::model::vehicle::Vehicle;
use crate::random;
use crate::state::App;
use crate::storage::{StorageError, bundles, vehicles};

/// How long the whole handshake may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// Close code: this is not the gateway of that vehicle.
pub const REFUSED: u16 = 4401;
/// Close code: another connection took this one's place.
pub const REPLACED: u16 = 4409;
/// Close code: a frame that has no place here.
pub const UNEXPECTED: u16 = 1008;
/// Close code: the server stops.
pub const STOPPING: u16 = 1001;
/// Close code: something failed here.
pub const FAILED: u16 = 1011;

/// A gateway that proved itself.
#[derive(Debug)]
pub struct Caller {
    /// Its vehicle.
    pub vehicle: Vehicle,
    /// Its key.
    pub key: VerifyingKey,
    /// What it says to hold.
    pub seqs: Seqs,
}

/// Why there is no handshake; the close code says it to the gateway.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The gateway went away, or took too long.
    #[error("the gateway went away")]
    Gone,
    /// It is not the gateway of that vehicle.
    #[error("not the gateway of this vehicle")]
    Refused,
    /// The store failed.
    #[error("could not read the vehicle")]
    Storage(#[from] StorageError),
    /// It sent something else.
    #[error("a frame without its place in the handshake")]
    Unexpected,
}

impl HandshakeError {
    /// The code to close with.
    #[must_use]
    pub fn close_code(&self) -> u16 {
        match self {
            Self::Gone | Self::Unexpected => UNEXPECTED,
            Self::Refused => REFUSED,
            Self::Storage(_) => FAILED,
        }
    }
}

/// Shakes hands with whoever dialed.
///
/// # Errors
/// [`HandshakeError`]
pub async fn shake(app: &App, socket: &mut WebSocket) -> Result<Caller, HandshakeError> {
    timeout(DEADLINE, exchange(app, socket))
        .await
        .map_err(|_| HandshakeError::Gone)?
}

async fn exchange(app: &App, socket: &mut WebSocket) -> Result<Caller, HandshakeError> {
    let SyncMessage::Hello {
        vehicle,
        client_nonce,
        versions,
    } = receive(socket).await?
    else {
        return Err(HandshakeError::Unexpected);
    };
    let server_nonce: [u8; 16] = random::bytes(app.random.as_ref());
    send(socket, &SyncMessage::Welcome { server_nonce }).await?;
    let SyncMessage::Auth { hello } = receive(socket).await? else {
        return Err(HandshakeError::Unexpected);
    };
    if !versions.contains(&VERSION) {
        return Err(HandshakeError::Refused);
    }
    let (found, key) = named_by_bundle(app, vehicle.into()).await?;
    let origin = origin_hash(&app.origin);
    let verified = Unverified::<SyncHello>::decode(&hello)
        .map_err(|_| HandshakeError::Unexpected)?
        .verify(&key, [&client_nonce, &server_nonce, &origin])
        .map_err(|_| HandshakeError::Refused)?
        .into_body();
    if verified.vehicle != vehicle || !verified.versions.contains(&VERSION) {
        return Err(HandshakeError::Refused);
    }
    send(socket, &SyncMessage::Ready).await?;
    Ok(Caller {
        vehicle: found,
        key,
        seqs: verified.seqs,
    })
}

async fn named_by_bundle(
    app: &App,
    vehicle: VehicleId,
) -> Result<(Vehicle, VerifyingKey), HandshakeError> {
    let db = app.db.read();
    let found = vehicles::find_unscoped(db, vehicle).await?;
    let found = found.ok_or(HandshakeError::Refused)?;
    let bundle = bundles::newest(db, vehicle).await?;
    let bundle = bundle.ok_or(HandshakeError::Refused)?;
    let key = VerifyingKey::decode(&bundle.gateway_key)
        .map_err(|_| StorageError::damaged("bundles.gateway_key"))?;
    Ok((found, key))
}

async fn receive(socket: &mut WebSocket) -> Result<SyncMessage, HandshakeError> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Binary(bytes))) => {
                return SyncMessage::decode(&bytes).map_err(|_| HandshakeError::Unexpected);
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Text(_))) => return Err(HandshakeError::Unexpected),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(HandshakeError::Gone),
        }
    }
}

async fn send(socket: &mut WebSocket, message: &SyncMessage) -> Result<(), HandshakeError> {
    let frame = Message::Binary(message.encode().into());
    socket.send(frame).await.map_err(|_| HandshakeError::Gone)
}

/// Closes a connection with a code.
pub async fn close(socket: &mut WebSocket, code: u16, reason: &'static str) {
    let frame = CloseFrame {
        code,
        reason: reason.into(),
    };
    // The other side may be gone already.
    let _ = socket.send(Message::Close(Some(frame))).await;
}
