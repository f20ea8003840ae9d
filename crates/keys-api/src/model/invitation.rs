//! Invitations and pairings: offers that wait for somebody.

use keys_core::time::Timestamp;

use super::id::{AccountId, InvitationId, KeyId, PairingId, VehicleId};

/// How often an activation code may be tried.
pub const ACTIVATION_TRIES: u8 = 5;

/// The one-time offer of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The key it offers.
    pub key: KeyId,
    /// Where it is in its life.
    pub state: InvitationState,
    /// SHA-256 of the secret in the link.
    pub secret_hash: Vec<u8>,
    /// SHA-256 of the activation code, if one is asked for.
    pub activation_hash: Option<Vec<u8>>,
    /// Tries left at the activation code.
    pub tries_left: u8,
    /// SHA-256 of the recovery code, once redeemed.
    pub recovery_hash: Option<Vec<u8>>,
    /// What the redeeming device calls itself.
    pub device_name: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Not redeemable from here on.
    pub expires_at: Timestamp,
    /// When it was redeemed.
    pub redeemed_at: Option<Timestamp>,
}

/// Where an invitation is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// Five wrong activation codes.
    Locked,
    /// Waits for its holder.
    Open,
    /// Used.
    Redeemed,
    /// Taken back by the owner.
    Withdrawn,
}

impl InvitationState {
    /// The word tables and answers use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Open => "open",
            Self::Redeemed => "redeemed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Locked, Self::Open, Self::Redeemed, Self::Withdrawn]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// A pairing under way: opaque bytes between a gateway and an owner's device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairingRelay {
    /// Its id.
    pub id: PairingId,
    /// The public half of the pairing code.
    pub fingerprint: String,
    /// From the gateway.
    pub offer: Vec<u8>,
    /// From the owner's device.
    pub confirm: Option<Vec<u8>>,
    /// From the gateway.
    pub answer: Option<Vec<u8>>,
    /// Who confirmed.
    pub account: Option<AccountId>,
    /// For which vehicle.
    pub vehicle: Option<VehicleId>,
    /// Forgotten after this.
    pub expires_at: Timestamp,
}

impl Invitation {
    /// Whether it can be redeemed at `now`.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.state == InvitationState::Open && now < self.expires_at
    }
}
