//! Identifiers, one type per kind.

use alloc::string::String;
use core::fmt;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use uuid::Uuid;

use crate::codec::DecodeError;
use crate::limits;

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// The bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl core::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| IdError)?;
                bytes.try_into().map(Self).map_err(|_| IdError)
            }
        }
    };
}

/// Text that is not an identifier of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid identifier")]
pub struct IdError;

hex_id! {
    /// SHA-256 of a signed object's `Sig_structure`: names it and all that it was signed under.
    ObjectId, 32
}
hex_id! {
    /// The first 16 bytes of an [`ObjectId`], as statements list them.
    ShortId, 16
}
hex_id! {
    /// Random id of one grant; an extension repeats it (claim 7, `cti`).
    GrantId, 8
}
hex_id! {
    /// Made by the phone for one command; executes at most once for ever.
    CommandId, 16
}
hex_id! {
    /// First 8 bytes of a COSE Key Thumbprint: says which key to try, proves nothing (`kid`).
    KeyHint, 8
}
hex_id! {
    /// A challenge nonce: counter (8) ‖ truncated HMAC (8).
    Nonce, 16
}
hex_id! {
    /// A gateway's boot epoch: random, new at each start.
    BootEpoch, 8
}

impl ObjectId {
    /// The form statements list.
    #[must_use]
    pub fn short(&self) -> ShortId {
        let mut short = [0; 16];
        short.copy_from_slice(&self.0[..16]);
        ShortId(short)
    }
}

/// Our id of a vehicle: a UUID, 16 bytes; never the VIN.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VehicleId([u8; 16]);

impl VehicleId {
    /// From the UUID's 16 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// From a UUID.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(*uuid.as_bytes())
    }

    /// The UUID.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        Uuid::from_bytes(self.0)
    }

    /// The 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The `aud` claim: unpadded base64url, 22 characters.
    #[must_use]
    pub fn to_aud(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }

    /// Reads the `aud` claim.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] unless it is the unpadded base64url form of 16 bytes.
    pub fn from_aud(text: &str) -> Result<Self, DecodeError> {
        const BAD: DecodeError = DecodeError::Malformed("aud is not a vehicle id");
        if text.len() != limits::AUD_BYTES {
            return Err(BAD);
        }
        let mut bytes = [0u8; 16];
        match BASE64URL_NOPAD.decode_mut(text.as_bytes(), &mut bytes) {
            Ok(16) => Ok(Self(bytes)),
            _ => Err(BAD),
        }
    }
}

impl fmt::Display for VehicleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid().fmt(f)
    }
}

impl fmt::Debug for VehicleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VehicleId({self})")
    }
}

impl core::str::FromStr for VehicleId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Uuid::parse_str(text)
            .map(Self::from_uuid)
            .map_err(|_| IdError)
    }
}
