//! The frames between a gateway and the API, over the WebSocket the gateway dials.
//!
//! One frame is one CBOR array `[type, …]`. The gateway opens with [`SyncMessage::Hello`], the API
//! answers [`SyncMessage::Welcome`], the gateway proves itself with [`SyncMessage::Auth`] (a sealed
//! [`SyncHello`](crate::handshake::SyncHello)), the API says [`SyncMessage::Ready`]. Everything
//! after that carries signed objects as they are; the frames themselves decide nothing.

use alloc::string::String;
use alloc::vec::Vec;

use arrayvec::ArrayVec;

use crate::challenge::Seqs;
use crate::codec::{DecodeError, Reader, Writer};
use crate::id::VehicleId;
use crate::limits;
use crate::refusal::Refusal;

/// Longest frame, bytes.
pub const MAX_BYTES: usize = 16 * 1024;
/// Longest car state, bytes of JSON.
pub const STATE_BYTES: usize = 8 * 1024;

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncMessage {
    /// 1, gateway → API: opens the handshake.
    Hello {
        /// The vehicle.
        vehicle: VehicleId,
        /// Random, 16 bytes.
        client_nonce: [u8; 16],
        /// Protocol versions the gateway speaks.
        versions: ArrayVec<u64, 4>,
    },
    /// 2, API → gateway: its nonce.
    Welcome {
        /// Random, 16 bytes.
        server_nonce: [u8; 16],
    },
    /// 3, gateway → API: the sealed hello.
    Auth {
        /// A sealed [`SyncHello`](crate::handshake::SyncHello).
        hello: Vec<u8>,
    },
    /// 4, API → gateway: the handshake is done.
    Ready,
    /// 10, API → gateway: an encoded [`Carried`](crate::carried::Carried).
    Carry {
        /// Number of the request, echoed in the answer.
        id: u64,
        /// The encoded form.
        carried: Vec<u8>,
    },
    /// 11, gateway → API: what became of it, and what the gateway holds now.
    Carried {
        /// Number of the request.
        id: u64,
        /// Why it was not taken.
        refusal: Option<Refusal>,
        /// What the gateway holds.
        seqs: Seqs,
    },
    /// 12, API → gateway: a phone wants a challenge.
    ChallengeRequest {
        /// Number of the request.
        id: u64,
        /// From the phone.
        phone_nonce: Option<[u8; 16]>,
    },
    /// 13, gateway → API: the challenge, or why there is none.
    ChallengeReply {
        /// Number of the request.
        id: u64,
        /// M1, or the refusal.
        reply: Result<Vec<u8>, Refusal>,
    },
    /// 14, API → gateway: a presentation to decide.
    Present {
        /// Number of the request.
        id: u64,
        /// M2.
        presentation: Vec<u8>,
    },
    /// 15, gateway → API: the receipt, or the unsigned refusal.
    PresentReply {
        /// Number of the request.
        id: u64,
        /// M3, or the refusal.
        reply: Result<Vec<u8>, Refusal>,
        /// Whether the receipt is that of an earlier, equal presentation.
        repeated: bool,
    },
    /// 20, gateway → API: are you there, and what time is it?
    Ping {
        /// Number of the request.
        id: u64,
        /// A challenge to attest the time over.
        challenge: Vec<u8>,
    },
    /// 21, API → gateway: a time attestation over the ping's challenge.
    Time {
        /// Number of the ping.
        id: u64,
        /// A sealed [`TimeAttestation`](crate::attestation::TimeAttestation).
        attestation: Vec<u8>,
    },
    /// 30, gateway → API: a receipt, resent until acknowledged.
    Report {
        /// Place in the gateway's outbox, ascending.
        index: u64,
        /// M3.
        receipt: Vec<u8>,
    },
    /// 31, API → gateway: receipts up to this one are stored.
    ReportAck {
        /// Place in the gateway's outbox.
        index: u64,
    },
    /// 32, gateway → API: a sealed [`JournalHead`](crate::journal::JournalHead).
    Head {
        /// The sealed head.
        head: Vec<u8>,
    },
    /// 33, gateway → API: the car's state, for display; JSON.
    State {
        /// JSON text, at most 8 KiB.
        json: String,
    },
}

impl SyncMessage {
    /// Encodes the frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        match self {
            Self::Hello {
                vehicle,
                client_nonce,
                versions,
            } => {
                w.array(4)
                    .uint(1)
                    .text(&vehicle.to_aud())
                    .bytes(client_nonce)
                    .array(versions.len());
                versions.iter().for_each(|version| {
                    w.uint(*version);
                });
            }
            Self::Welcome { server_nonce } => {
                w.array(2).uint(2).bytes(server_nonce);
            }
            Self::Auth { hello } => {
                w.array(2).uint(3).bytes(hello);
            }
            Self::Ready => {
                w.array(1).uint(4);
            }
            Self::Carry { id, carried } => {
                w.array(3).uint(10).uint(*id).bytes(carried);
            }
            Self::Carried { id, refusal, seqs } => {
                w.array(4)
                    .uint(11)
                    .uint(*id)
                    .text(refusal.map_or("", Refusal::code));
                seqs.write(&mut w);
            }
            Self::ChallengeRequest { id, phone_nonce } => {
                w.array(3)
                    .uint(12)
                    .uint(*id)
                    .bytes(phone_nonce.as_ref().map_or(&[], |nonce| &nonce[..]));
            }
            Self::ChallengeReply { id, reply } => {
                w.array(3).uint(13).uint(*id);
                write_reply(&mut w, reply);
            }
            Self::Present { id, presentation } => {
                w.array(3).uint(14).uint(*id).bytes(presentation);
            }
            Self::PresentReply {
                id,
                reply,
                repeated,
            } => {
                w.array(4).uint(15).uint(*id);
                write_reply(&mut w, reply);
                w.uint(u64::from(*repeated));
            }
            Self::Ping { id, challenge } => {
                w.array(3).uint(20).uint(*id).bytes(challenge);
            }
            Self::Time { id, attestation } => {
                w.array(3).uint(21).uint(*id).bytes(attestation);
            }
            Self::Report { index, receipt } => {
                w.array(3).uint(30).uint(*index).bytes(receipt);
            }
            Self::ReportAck { index } => {
                w.array(2).uint(31).uint(*index);
            }
            Self::Head { head } => {
                w.array(2).uint(32).bytes(head);
            }
            Self::State { json } => {
                w.array(2).uint(33).text(json);
            }
        }
        w.into_bytes()
    }

    /// Decodes a frame.
    ///
    /// # Errors
    /// [`DecodeError`] if it is too long or no frame of this protocol.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_BYTES {
            return Err(DecodeError::TooLarge("frame"));
        }
        let mut r = Reader::new(bytes);
        let count = r.array()?;
        let kind = r.uint()?;
        let message = Self::read(kind, count, &mut r)?;
        r.finish()?;
        Ok(message)
    }

    fn read(kind: u64, count: usize, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match (kind, count) {
            (1, 4) => {
                let vehicle = VehicleId::from_aud(r.text(limits::AUD_BYTES)?)?;
                let client_nonce = *r.bytes_exact()?;
                let mut versions = ArrayVec::new();
                for _ in 0..r.array_of(1, 4)? {
                    versions.push(r.uint()?);
                }
                Self::Hello {
                    vehicle,
                    client_nonce,
                    versions,
                }
            }
            (2, 2) => Self::Welcome {
                server_nonce: *r.bytes_exact()?,
            },
            (3, 2) => Self::Auth {
                hello: r.bytes()?.into(),
            },
            (4, 1) => Self::Ready,
            (10, 3) => Self::Carry {
                id: r.uint()?,
                carried: r.bytes()?.into(),
            },
            (11, 4) => Self::Carried {
                id: r.uint()?,
                refusal: read_refusal(r)?,
                seqs: Seqs::read(r)?,
            },
            (12, 3) => Self::ChallengeRequest {
                id: r.uint()?,
                phone_nonce: read_optional_nonce(r)?,
            },
            (13, 3) => Self::ChallengeReply {
                id: r.uint()?,
                reply: read_reply(r)?,
            },
            (14, 3) => Self::Present {
                id: r.uint()?,
                presentation: r.bytes()?.into(),
            },
            (15, 4) => Self::PresentReply {
                id: r.uint()?,
                reply: read_reply(r)?,
                repeated: r.byte_up_to(1)? == 1,
            },
            (20, 3) => Self::Ping {
                id: r.uint()?,
                challenge: r.bytes()?.into(),
            },
            (21, 3) => Self::Time {
                id: r.uint()?,
                attestation: r.bytes()?.into(),
            },
            (30, 3) => Self::Report {
                index: r.uint()?,
                receipt: r.bytes()?.into(),
            },
            (31, 2) => Self::ReportAck { index: r.uint()? },
            (32, 2) => Self::Head {
                head: r.bytes()?.into(),
            },
            (33, 2) => Self::State {
                json: r.text(STATE_BYTES)?.into(),
            },
            _ => return Err(DecodeError::Malformed("unknown frame")),
        })
    }
}

/// A signed object as a byte string, or a refusal code as text.
fn write_reply(writer: &mut Writer, reply: &Result<Vec<u8>, Refusal>) {
    match reply {
        Ok(object) => writer.bytes(object),
        Err(refusal) => writer.text(refusal.code()),
    };
}

fn read_reply(reader: &mut Reader<'_>) -> Result<Result<Vec<u8>, Refusal>, DecodeError> {
    if reader.next_is_bytes() {
        return Ok(Ok(reader.bytes()?.into()));
    }
    reader
        .text(32)?
        .parse()
        .map(Err)
        .map_err(|_| DecodeError::Malformed("unknown refusal code"))
}

fn read_refusal(reader: &mut Reader<'_>) -> Result<Option<Refusal>, DecodeError> {
    match reader.text(32)? {
        "" => Ok(None),
        code => code
            .parse()
            .map(Some)
            .map_err(|_| DecodeError::Malformed("unknown refusal code")),
    }
}

fn read_optional_nonce(reader: &mut Reader<'_>) -> Result<Option<[u8; 16]>, DecodeError> {
    match reader.bytes()? {
        [] => Ok(None),
        nonce => nonce
            .try_into()
            .map(Some)
            .map_err(|_| DecodeError::Malformed("a phone nonce has 16 bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::edits::assert_strict;
    use crate::testing::vehicle;

    /// Every frame, with the edits that leave a frame: of what is read elsewhere, and of lists.
    fn frames() -> Vec<(SyncMessage, &'static [&'static str])> {
        use SyncMessage as M;
        let (seqs, bytes) = (Seqs::default(), || alloc::vec![1, 2, 3]);
        let object: &[&str] = &["longer /2", "shorter /2"];
        let first_object: &[&str] = &["longer /1", "shorter /1"];
        let refused = || Err(Refusal::Busy);
        #[rustfmt::skip]
        let frames = alloc::vec![
            (M::Hello { vehicle: vehicle(), client_nonce: [1; 16], versions: [1, 2].into_iter().collect() },
                &["pop /3", "push /3"][..]),
            (M::Welcome { server_nonce: [2; 16] }, &[]),
            (M::Auth { hello: bytes() }, first_object),
            (M::Ready, &[]),
            (M::Carry { id: 1, carried: bytes() }, object),
            (M::Carried { id: 1, refusal: None, seqs }, &[]),
            (M::Carried { id: 1, refusal: Some(Refusal::Replayed), seqs }, &[]),
            (M::ChallengeRequest { id: 1, phone_nonce: None }, &[]),
            (M::ChallengeRequest { id: 1, phone_nonce: Some([3; 16]) }, &[]),
            (M::ChallengeReply { id: 1, reply: Ok(bytes()) }, object),
            (M::ChallengeReply { id: 1, reply: refused() }, &["type /2"]),
            (M::Present { id: 1, presentation: bytes() }, object),
            (M::PresentReply { id: 1, reply: Ok(bytes()), repeated: true }, object),
            (M::PresentReply { id: 1, reply: refused(), repeated: false }, &["type /2"]),
            (M::Ping { id: 1, challenge: bytes() }, object),
            (M::Time { id: 1, attestation: bytes() }, object),
            (M::Report { index: 1, receipt: bytes() }, object),
            (M::ReportAck { index: 1 }, &[]),
            (M::Head { head: bytes() }, first_object),
            (M::State { json: "{}".into() }, &[]),
        ];
        frames
    }

    #[test]
    fn every_frame_comes_back_as_written_and_nothing_else_is_read() {
        for (frame, harmless) in frames() {
            let encoded = frame.encode();
            assert_eq!(SyncMessage::decode(&encoded).as_ref(), Ok(&frame));
            let is_frame = |bytes: &[u8]| SyncMessage::decode(bytes).is_ok();
            assert_strict(&encoded, is_frame, harmless);
        }
    }

    #[test]
    fn no_type_without_a_meaning_is_read() {
        let known: Vec<u64> =
            alloc::vec![1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 20, 21, 30, 31, 32, 33];
        for kind in (0..=256).filter(|kind| !known.contains(kind)) {
            for count in 1..5 {
                let mut writer = Writer::new();
                writer.array(count).uint(kind);
                (1..count).for_each(|_| {
                    writer.uint(0);
                });
                assert!(SyncMessage::decode(&writer.into_bytes()).is_err(), "{kind}");
            }
        }
    }

    #[test]
    fn frames_and_states_have_at_most_their_greatest_length() {
        for (length, expected) in [(STATE_BYTES, true), (STATE_BYTES + 1, false)] {
            let json = "x".repeat(length);
            let encoded = SyncMessage::State { json }.encode();
            assert_eq!(SyncMessage::decode(&encoded).is_ok(), expected);
        }
        let head = 7;
        for (length, expected) in [(MAX_BYTES, true), (MAX_BYTES + 1, false)] {
            let receipt = alloc::vec![0; length - head];
            let encoded = SyncMessage::Report { index: 1, receipt }.encode();
            assert_eq!(encoded.len(), length);
            assert_eq!(SyncMessage::decode(&encoded).is_ok(), expected);
        }
    }
}
