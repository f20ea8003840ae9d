//! Digital keys as the API knows them: what was promised to whom, and how far it is signed.

use keys_core::entitlement::Entitlements;
use keys_core::id::{GrantId, ObjectId};
use keys_core::policy::Policy;
use keys_core::time::{Timestamp, Validity};

use super::id::{AccountId, KeyId, MandateId, VehicleId};
use super::statement::Authority;
use crate::secret::sha256;

/// A key: a holder's right on a vehicle, promised by its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// The vehicle.
    pub vehicle: VehicleId,
    /// The owner.
    pub account: AccountId,
    /// Random; extensions repeat it.
    pub grant: GrantId,
    /// Where it is in its life, as stored; see [`Key::state_at`].
    pub state: KeyState,
    /// The promised window.
    pub window: Validity,
    /// Entitlements, delegations and conditions, as the link states them.
    pub policy: Policy,
    /// The owner's reference, if given.
    pub booking: Option<Booking>,
    /// The holder's public key, once known.
    pub holder: Option<[u8; 32]>,
    /// Whether the holder key lies on a server.
    pub server_held: bool,
    /// The mandate it is signed below; absent where the owner signs.
    pub mandate: Option<MandateId>,
    /// Its newest link.
    pub leaf: Option<ObjectId>,
    /// The whole key as the holder presents it.
    pub chain: Option<Vec<u8>>,
    /// Until when `chain` is signed; behind `window` while an extension waits for its signature.
    pub signed_until: Option<Timestamp>,
    /// Claims that wait for the owner's signature.
    pub to_sign: Option<Vec<u8>>,
    /// When the trip began, as a receipt showed.
    pub begun_at: Option<Timestamp>,
    /// When it was suspended, while it is.
    pub suspended_at: Option<Timestamp>,
    /// When it was revoked or relinquished.
    pub ended_at: Option<Timestamp>,
    /// How the car is told that it is suspended or over.
    pub denial: Option<Denial>,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The caller's reservation number, and what the link says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Opaque to us; empty if there is none and only a salt was needed.
    pub reference: String,
    /// Kept here only, so that the hash tells readers of the key nothing.
    pub salt: [u8; 16],
    /// SHA-256(salt || reference), first 16 bytes.
    pub hash: [u8; 16],
}

impl Booking {
    /// Hashes `reference`, which may be empty, with a fresh salt.
    #[must_use]
    pub fn new(salt: [u8; 16], reference: String) -> Self {
        let digest = sha256(&[&salt[..], reference.as_bytes()].concat());
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest[..16]);
        Self {
            reference,
            salt,
            hash,
        }
    }
}

/// The statement that suspends or revokes a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denial {
    /// Who signs it.
    pub by: Authority,
    /// When it was decided.
    pub at: Timestamp,
    /// The statement's number; absent until the owner's device signed one.
    pub seq: Option<u64>,
    /// When the car confirmed to hold it.
    pub acknowledged_at: Option<Timestamp>,
}

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Signed; the holder can present it in its window.
    Active,
    /// Promised; nobody redeemed it yet.
    AwaitingHolder,
    /// Its window is over.
    Expired,
    /// The holder is known; the owner's device must sign.
    PendingSignature,
    /// Given back by its holder.
    Relinquished,
    /// Ended by its owner.
    Revoked,
    /// The holder is known; its window lies beyond the current mandate or issuer link. Signed as soon
    /// as it fits.
    Scheduled,
    /// Paused by its owner, or by a lost phone.
    Suspended,
}

impl KeyState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Active,
        Self::AwaitingHolder,
        Self::Expired,
        Self::PendingSignature,
        Self::Relinquished,
        Self::Revoked,
        Self::Scheduled,
        Self::Suspended,
    ];

    /// The word tables and answers use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::AwaitingHolder => "awaiting_holder",
            Self::Expired => "expired",
            Self::PendingSignature => "pending_signature",
            Self::Relinquished => "relinquished",
            Self::Revoked => "revoked",
            Self::Scheduled => "scheduled",
            Self::Suspended => "suspended",
        }
    }

    /// Whether nothing leads out of it.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Expired | Self::Relinquished | Self::Revoked)
    }
}

/// Text that names no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected awaiting_holder, scheduled, pending_signature, active, suspended, expired, revoked or relinquished"
)]
pub struct UnknownState;

impl std::str::FromStr for KeyState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(UnknownState)
    }
}

impl Key {
    /// What the holder may do.
    #[must_use]
    pub fn entitlements(&self) -> Entitlements {
        self.policy.entitlements
    }

    /// Whether it may drive, and so reserves its window on the vehicle.
    #[must_use]
    pub fn drives(&self) -> bool {
        self.policy
            .entitlements
            .contains(Entitlements::ENABLE_DRIVING)
    }

    /// Its state at `now`: a window that is over ends it, whoever noticed.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> KeyState {
        if !self.state.is_over() && now >= self.window.until {
            KeyState::Expired
        } else {
            self.state
        }
    }

    /// Whether part of its promised window is not signed yet.
    #[must_use]
    pub fn waits_for_signature(&self) -> bool {
        self.holder.is_some()
            && !self.state.is_over()
            && self
                .signed_until
                .is_none_or(|until| until != self.window.until)
    }
}
