//! Whom the first link of a key may come from.

use crate::bundle::OwnerKeys;
use crate::signature::VerifyingKey;

/// The pinned keys of one vehicle, as its current bundle names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    /// Owner keys, one to four.
    pub owner_keys: OwnerKeys,
    /// The platform root, if the owner works with a platform.
    pub platform_root: Option<VerifyingKey>,
    /// Whether the platform may hold a mandate.
    pub mandate_allowed: bool,
}

impl Roots {
    /// Whether these 32 bytes are an owner key.
    #[must_use]
    pub fn is_owner(&self, public: &[u8; 32]) -> bool {
        self.owner_keys.iter().any(|key| key.as_bytes() == public)
    }

    /// Whether these 32 bytes are the platform root.
    #[must_use]
    pub fn is_platform_root(&self, public: &[u8; 32]) -> bool {
        self.platform_root
            .is_some_and(|root| root.as_bytes() == public)
    }
}
