//! Pairing: an owner's device and a gateway come to trust each other's keys, with a code that only the car shows.
//!
//! The gateway makes a [`PairingCode`] from its own key and ten random bytes and shows it at the car, as text and QR.
//! Three messages then pass through the API, which never sees the code and can only relay:
//!
//! 1. gateway → owner: [`PairOffer`], its key and a nonce. The first half of the code is the fingerprint of that key, so the
//!    owner's device knows that the key is the car's ([`owner_confirm`]).
//! 2. owner → gateway: [`PairConfirm`], the owner's key, the trust bundle, and a MAC under the second half of the code
//!    ([`check_confirm`]): somebody who stood at the car wants this owner.
//! 3. gateway → owner: [`PairAnswer`], a MAC in return ([`check_answer`]): the gateway accepted, not the API in its place.
//!
//! Randomness is an argument. What needs memory is the gateway's: a code is good for one use, 5 tries and 10 minutes.
//! In managed mode the API *is* the owner's device and the trust tier says so.
//!
//! Source: ck1 section 7.

mod code;

use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::codec::{DecodeError, MapReader, Reader, Writer};
use crate::id::VehicleId;
use crate::limits;
use crate::signature::VerifyingKey;

pub use code::{
    CODE_HALF_BYTES, KeyFingerprint, PairingCode, PairingCodeError, PairingSecret, RevealedCode,
    fingerprint_of,
};

/// Length of a pairing nonce in bytes; each side draws its own.
pub const PAIR_NONCE_BYTES: usize = 16;

/// Greatest length of an encoded pairing message in bytes, as of any carried object (ck1 section 1).
pub const PAIR_MESSAGE_BYTES: usize = limits::CARRIED_BYTES;

const CONTEXT: &[u8; 8] = b"ck1:pair";

/// Why one side does not go on with pairing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PairError {
    /// The offered gateway key is not the one whose fingerprint the code has: a wrong code, or another gateway answering.
    #[error("gateway key does not match the first half of the pairing code")]
    WrongGateway,
    /// The MAC is not made with this code over these keys, nonces, vehicle and bundle.
    #[error("pairing MAC does not match")]
    WrongMac,
    /// The confirmation would be longer than [`PAIR_MESSAGE_BYTES`]; the length in bytes is given.
    #[error("pairing message has {0} bytes, expected at most 2048")]
    TooLarge(usize),
}

/// HMAC-SHA-256 of one side over everything that both sides must agree on. Compared in constant time.
#[derive(Clone, Copy)]
pub struct PairMac([u8; 32]);

impl PartialEq for PairMac {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for PairMac {}

impl fmt::Debug for PairMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairMac(..)")
    }
}

/// The first message, gateway to owner's device: who I am.
///
/// CDDL: `{1: bstr .size 32, 2: bstr .size 16}` (gateway key, gateway nonce).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairOffer {
    /// The gateway's key; trusted once [`owner_confirm`] compared it with the code.
    pub gateway_key: VerifyingKey,
    /// Random bytes of the gateway, new for every offer.
    pub gateway_nonce: [u8; PAIR_NONCE_BYTES],
}

/// The second message, owner's device to gateway: who I am, and the bundle you shall trust.
///
/// CDDL: `{1: tstr .size 22, 2: bstr .size 32, 3: bstr .size 16, 4: bstr, 5: bstr .size 32}`
/// (aud, owner key, owner nonce, bundle, MAC of the owner).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairConfirm {
    /// The vehicle that the gateway is from now on.
    pub vehicle: VehicleId,
    /// The owner key to pin.
    pub owner_key: VerifyingKey,
    /// Random bytes of the owner's device, new for every confirmation.
    pub owner_nonce: [u8; PAIR_NONCE_BYTES],
    /// The signed trust bundle, bytes as signed; not looked into here.
    pub bundle: Vec<u8>,
    /// Proof that the sender knows the code.
    pub mac: PairMac,
}

/// The third message, gateway to owner's device: done, and I know the code too.
///
/// CDDL: `{1: bstr .size 32}` (MAC of the gateway).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairAnswer {
    /// Proof that the sender knows the code.
    pub mac: PairMac,
}

/// Whose MAC it is. It goes into the MAC so that one side's proof cannot be sent back to it as the other's.
#[derive(Clone, Copy)]
enum Role {
    Owner = 1,
    Gateway = 2,
}

/// HMAC-SHA-256(secret, `ck1:pair` ‖ role ‖ vehicle id 16 ‖ owner key 32 ‖ gateway key 32 ‖ owner nonce 16
/// ‖ gateway nonce 16 ‖ SHA-256(bundle)); every part has a fixed length, so no two transcripts are the same bytes.
fn mac_of(secret: &PairingSecret, role: Role, offer: &PairOffer, confirm: &PairConfirm) -> PairMac {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&secret.0).expect("HMAC takes a key of any length");
    mac.update(CONTEXT);
    mac.update(&[role as u8]);
    mac.update(confirm.vehicle.as_bytes());
    mac.update(confirm.owner_key.as_bytes());
    mac.update(offer.gateway_key.as_bytes());
    mac.update(&confirm.owner_nonce);
    mac.update(&offer.gateway_nonce);
    mac.update(&Sha256::digest(&confirm.bundle));
    PairMac(mac.finalize().into_bytes().into())
}

fn check(expected: &PairMac, found: &PairMac) -> Result<(), PairError> {
    if expected == found {
        Ok(())
    } else {
        Err(PairError::WrongMac)
    }
}

/// The owner's side: checks the offered gateway key against the code and makes the confirmation.
///
/// `owner_nonce` is random and new; `bundle` is a signed trust bundle for `vehicle` that names the offered gateway key.
///
/// # Errors
/// [`PairError::WrongGateway`] if the key is not the code's; [`PairError::TooLarge`] if the bundle does not fit.
///
/// Source: ck1 section 7.
pub fn owner_confirm(
    code: &PairingCode,
    offer: &PairOffer,
    vehicle: VehicleId,
    owner_key: &VerifyingKey,
    owner_nonce: [u8; PAIR_NONCE_BYTES],
    bundle: &[u8],
) -> Result<PairConfirm, PairError> {
    if fingerprint_of(&offer.gateway_key) != *code.fingerprint() {
        return Err(PairError::WrongGateway);
    }
    let blank = PairMac([0; 32]);
    let mut confirm = PairConfirm {
        vehicle,
        owner_key: *owner_key,
        owner_nonce,
        bundle: bundle.to_vec(),
        mac: blank,
    };
    let length = confirm.encode().len();
    if length > PAIR_MESSAGE_BYTES {
        return Err(PairError::TooLarge(length));
    }
    confirm.mac = mac_of(code.secret(), Role::Owner, offer, &confirm);
    Ok(confirm)
}

/// The gateway's side: checks that the confirmation comes from somebody who knows the code of this `offer`.
///
/// Left to the gateway: that the code is unused, its tries counted before this call, the time not over; and that the
/// bundle verifies, is for this vehicle, holds the owner key and names the gateway's own key.
///
/// # Errors
/// [`PairError::WrongMac`] if anything in the exchange differs between the sides, the code above all.
///
/// Source: ck1 section 7.
pub fn check_confirm(
    secret: &PairingSecret,
    offer: &PairOffer,
    confirm: &PairConfirm,
) -> Result<(), PairError> {
    check(&mac_of(secret, Role::Owner, offer, confirm), &confirm.mac)
}

/// The gateway's side: the answer to a confirmation, sent after owner key and bundle are stored.
///
/// # Errors
/// [`PairError::WrongMac`] as in [`check_confirm`], which is asked again here, so that nobody gets a proof for a guess.
///
/// Source: ck1 section 7.
pub fn answer(
    secret: &PairingSecret,
    offer: &PairOffer,
    confirm: &PairConfirm,
) -> Result<PairAnswer, PairError> {
    check_confirm(secret, offer, confirm)?;
    Ok(PairAnswer {
        mac: mac_of(secret, Role::Gateway, offer, confirm),
    })
}

/// The owner's side: checks that the gateway which showed the code accepted this very confirmation.
///
/// # Errors
/// [`PairError::WrongMac`] if it did not.
///
/// Source: ck1 section 7.
pub fn check_answer(
    secret: &PairingSecret,
    offer: &PairOffer,
    confirm: &PairConfirm,
    answer: &PairAnswer,
) -> Result<(), PairError> {
    check(&mac_of(secret, Role::Gateway, offer, confirm), &answer.mac)
}

/// Reads maps whose keys are 1, 2, … without a gap, from bytes of bounded length.
struct Fields<'a> {
    reader: Reader<'a>,
    map: MapReader,
    last: i64,
}

impl<'a> Fields<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.len() > PAIR_MESSAGE_BYTES {
            return Err(DecodeError::TooLarge("pairing message"));
        }
        let mut reader = Reader::new(bytes);
        let map = reader.map()?;
        Ok(Self {
            reader,
            map,
            last: 0,
        })
    }

    /// Steps to the value of the next key.
    fn next(&mut self) -> Result<&mut Reader<'a>, DecodeError> {
        self.last += 1;
        match self.map.next_key(&mut self.reader)? {
            Some(key) if key == self.last => Ok(&mut self.reader),
            _ => Err(DecodeError::Malformed("pairing message lacks a key")),
        }
    }

    fn key(&mut self) -> Result<VerifyingKey, DecodeError> {
        let bytes = self.next()?.bytes_exact::<32>()?;
        VerifyingKey::decode(bytes)
            .map_err(|_unusable| DecodeError::Malformed("not a usable public key"))
    }

    fn mac(&mut self) -> Result<PairMac, DecodeError> {
        Ok(PairMac(*self.next()?.bytes_exact::<32>()?))
    }

    fn finish(mut self) -> Result<(), DecodeError> {
        match self.map.next_key(&mut self.reader)? {
            None => self.reader.finish(),
            Some(_) => Err(DecodeError::Malformed("pairing message has an unknown key")),
        }
    }
}

impl PairOffer {
    /// Encodes the message; 54 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .map(2)
            .uint(1)
            .bytes(self.gateway_key.as_bytes())
            .uint(2)
            .bytes(&self.gateway_nonce);
        writer.into_bytes()
    }

    /// Decodes the message; the key is decoded, too, and not yet trusted.
    ///
    /// # Errors
    /// [`DecodeError::TooLarge`] above [`PAIR_MESSAGE_BYTES`], [`DecodeError::Malformed`] for anything but the exact shape.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(bytes)?;
        let offer = Self {
            gateway_key: fields.key()?,
            gateway_nonce: *fields.next()?.bytes_exact()?,
        };
        fields.finish()?;
        Ok(offer)
    }
}

impl PairConfirm {
    /// Encodes the message; at most [`PAIR_MESSAGE_BYTES`] if [`owner_confirm`] or [`PairConfirm::decode`] made it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .map(5)
            .uint(1)
            .text(&self.vehicle.to_aud())
            .uint(2)
            .bytes(self.owner_key.as_bytes());
        writer
            .uint(3)
            .bytes(&self.owner_nonce)
            .uint(4)
            .bytes(&self.bundle)
            .uint(5)
            .bytes(&self.mac.0);
        writer.into_bytes()
    }

    /// Decodes the message; nothing in it is trusted before [`check_confirm`].
    ///
    /// # Errors
    /// [`DecodeError::TooLarge`] above [`PAIR_MESSAGE_BYTES`], [`DecodeError::Malformed`] for anything but the exact shape.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(bytes)?;
        let confirm = Self {
            vehicle: VehicleId::from_aud(fields.next()?.text(limits::AUD_BYTES)?)?,
            owner_key: fields.key()?,
            owner_nonce: *fields.next()?.bytes_exact()?,
            bundle: fields.next()?.bytes()?.to_vec(),
            mac: fields.mac()?,
        };
        fields.finish()?;
        Ok(confirm)
    }
}

impl PairAnswer {
    /// Encodes the message; 36 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.map(1).uint(1).bytes(&self.mac.0);
        writer.into_bytes()
    }

    /// Decodes the message; it proves nothing before [`check_answer`].
    ///
    /// # Errors
    /// [`DecodeError::TooLarge`] above [`PAIR_MESSAGE_BYTES`], [`DecodeError::Malformed`] for anything but the exact shape.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(bytes)?;
        let mac = fields.mac()?;
        fields.finish()?;
        Ok(Self { mac })
    }
}

#[cfg(test)]
mod tests;
