//! Statements, bundles, mandates, links: signed objects as the API keeps them.

use keys_core::entitlement::Entitlements;
use keys_core::id::{GrantId, ObjectId, ShortId};
use keys_core::time::{Timestamp, Validity};

use super::id::{KeyId, MandateId, VehicleId};

/// Who speaks in a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Authority {
    /// An owner key of the bundle.
    Owner,
    /// A status key under the platform root; it can only deny.
    Platform,
}

impl Authority {
    /// The word tables use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Platform => "platform",
        }
    }

    /// The authority of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Owner, Self::Platform]
            .into_iter()
            .find(|authority| authority.as_str() == word)
    }
}

/// A signed statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredStatement {
    /// The vehicle.
    pub vehicle: VehicleId,
    /// Who signed.
    pub authority: Authority,
    /// Its number.
    pub seq: u64,
    /// The form other statements name it by.
    pub short: ShortId,
    /// The signed bytes.
    pub bytes: Vec<u8>,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// Not fresh from here on; absent from owners.
    pub expires_at: Option<Timestamp>,
}

/// How a link is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DenialKind {
    /// For ever.
    Revoked,
    /// Until it leaves the list.
    Suspended,
}

impl DenialKind {
    /// The word tables use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
        }
    }
}

/// A link on an authority's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeniedLink {
    /// The link.
    pub short: ShortId,
    /// For ever or for now.
    pub kind: DenialKind,
    /// Listed until its own end.
    pub keep_until: Timestamp,
}

/// A signed bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBundle {
    /// The vehicle.
    pub vehicle: VehicleId,
    /// Its number.
    pub seq: u64,
    /// The signed bytes.
    pub bytes: Vec<u8>,
    /// The gateway it names.
    pub gateway_key: [u8; 32],
    /// When it was signed.
    pub issued_at: Timestamp,
}

/// What a stored link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// A co-driver's link, signed by a holder.
    Delegation,
    /// The platform root's link to the issuer.
    Issuer,
    /// A key's own link.
    Key,
    /// The owner's link to the platform root.
    Mandate,
    /// The owner's link to an owner key: an owner device.
    OwnerDevice,
    /// The platform root's link to the status key.
    Status,
}

impl LinkKind {
    /// The word tables use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delegation => "delegation",
            Self::Issuer => "issuer",
            Self::Key => "key",
            Self::Mandate => "mandate",
            Self::OwnerDevice => "owner_device",
            Self::Status => "status",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Delegation,
            Self::Issuer,
            Self::Key,
            Self::Mandate,
            Self::OwnerDevice,
            Self::Status,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == word)
    }
}

/// A signed link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLink {
    /// Its id.
    pub id: ObjectId,
    /// The vehicle.
    pub vehicle: VehicleId,
    /// What it is for.
    pub kind: LinkKind,
    /// The link above; absent for first links.
    pub parent: Option<ObjectId>,
    /// The key it belongs to, if any.
    pub key: Option<KeyId>,
    /// The grant id it states.
    pub grant: Option<GrantId>,
    /// Its holder.
    pub holder: [u8; 32],
    /// The signed bytes.
    pub bytes: Vec<u8>,
    /// Its window.
    pub window: Validity,
    /// What its maker calls it.
    pub label: Option<String>,
    /// When it came here.
    pub created_at: Timestamp,
}

/// What an owner lets the platform hand on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mandate {
    /// Its id.
    pub id: MandateId,
    /// The vehicle.
    pub vehicle: VehicleId,
    /// The signed link.
    pub link: ObjectId,
    /// What keys below it may do at most.
    pub entitlements: Entitlements,
    /// Further delegations the mandate's link allows.
    pub delegations: u8,
    /// Longest key, seconds.
    pub max_duration_s: u64,
    /// Greatest statement age before a trip began, seconds.
    pub outage_limit_s: u32,
    /// Its window.
    pub window: Validity,
    /// When it came here.
    pub created_at: Timestamp,
}

impl Mandate {
    /// Further delegations a key may allow: the issuer and the key itself take one each.
    #[must_use]
    pub fn key_delegations(&self) -> u8 {
        self.delegations.saturating_sub(2)
    }
}
