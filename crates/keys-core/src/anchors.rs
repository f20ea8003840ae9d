//! Anchors: mandate, issuer and status links a gateway stores after one verification.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::chain::DigitalKey;
use crate::id::{ObjectId, VehicleId};
use crate::key::{UnverifiedLink, check_place};
use crate::limits;
use crate::refusal::Refusal;
use crate::signature::VerifyingKey;
use crate::trust::Roots;

/// What an anchor is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchorRole {
    /// The owner's mandate to the platform root.
    Mandate,
    /// The root's link to an issuer, below a mandate.
    Issuer,
    /// The root's link to a status key.
    Status,
    /// Any other link; a gateway has no reason to store it.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Anchor {
    key: DigitalKey,
    bytes: Vec<u8>,
    /// Under which it was verified. Under other roots it proves nothing until it is verified again.
    roots: Roots,
}

/// Verified anchors of one vehicle, each with its whole path.
///
/// They are tested for window, revocation and generation again at every use. After a new bundle,
/// [`AnchorStore::under`] verifies them again; until then none of them is used under its roots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnchorStore {
    anchors: BTreeMap<ObjectId, Anchor>,
}

impl AnchorStore {
    /// Verifies a link and stores it; storing it again changes nothing.
    ///
    /// # Errors
    /// [`Refusal::UnknownSigner`] if no stored anchor is its parent, [`Refusal::TooLarge`] if
    /// [`limits::ANCHORS`] are stored already; else what is wrong with the link.
    pub fn insert(
        &mut self,
        bytes: &[u8],
        vehicle: VehicleId,
        roots: &Roots,
    ) -> Result<ObjectId, Refusal> {
        let key = self.verify(bytes, vehicle, roots)?;
        let id = key.leaf();
        if self.anchors.len() >= limits::ANCHORS && !self.anchors.contains_key(&id) {
            return Err(Refusal::TooLarge);
        }
        let anchor = Anchor {
            key,
            bytes: bytes.to_vec(),
            roots: roots.clone(),
        };
        self.anchors.insert(id, anchor);
        Ok(id)
    }

    /// Verifies a link without storing it.
    ///
    /// # Errors
    /// As [`AnchorStore::insert`].
    pub fn verify(
        &self,
        bytes: &[u8],
        vehicle: VehicleId,
        roots: &Roots,
    ) -> Result<DigitalKey, Refusal> {
        let link = UnverifiedLink::decode(bytes)?;
        let is_first = link.envelope().hint().is_some();
        check_place(link.envelope(), link.unverified_body(), is_first)?;
        if is_first {
            return DigitalKey::root(&link, vehicle, roots);
        }
        let mut refusal = Refusal::UnknownSigner;
        for parent in self.under_roots(vehicle, roots) {
            match parent.key.extend(&link, roots) {
                Ok(key) => return Ok(key),
                Err(Refusal::BadSignature) => {}
                Err(other) => refusal = other,
            }
        }
        Err(refusal)
    }

    /// Verifies a set of links in whatever order they came; those that do not verify are left out.
    #[must_use]
    pub fn from_links<'a>(
        links: impl IntoIterator<Item = &'a [u8]>,
        vehicle: VehicleId,
        roots: &Roots,
    ) -> Self {
        let mut store = Self::default();
        let mut waiting: Vec<&[u8]> = links.into_iter().collect();
        loop {
            let before = waiting.len();
            waiting.retain(|bytes| store.insert(bytes, vehicle, roots).is_err());
            if waiting.is_empty() || waiting.len() == before {
                return store;
            }
        }
    }

    /// Keeps only what still verifies under other roots, for instance after a new bundle.
    #[must_use]
    pub fn under(&self, vehicle: VehicleId, roots: &Roots) -> Self {
        Self::from_links(self.links(), vehicle, roots)
    }

    /// The anchors that were verified for this vehicle under these very roots.
    fn under_roots<'a>(
        &'a self,
        vehicle: VehicleId,
        roots: &'a Roots,
    ) -> impl Iterator<Item = &'a Anchor> {
        self.anchors.values().filter(move |anchor| {
            anchor.key.effective().vehicle() == vehicle && anchor.roots == *roots
        })
    }

    /// The key that ends at an anchor, if it holds under these roots.
    pub(crate) fn get_under(&self, id: &ObjectId, roots: &Roots) -> Option<&DigitalKey> {
        self.anchors
            .get(id)
            .filter(|anchor| anchor.roots == *roots)
            .map(|anchor| &anchor.key)
    }

    /// The links that make keys status keys for this vehicle under these roots.
    pub(crate) fn status_links<'a>(
        &'a self,
        vehicle: VehicleId,
        roots: &'a Roots,
    ) -> impl Iterator<Item = &'a DigitalKey> {
        self.under_roots(vehicle, roots)
            .map(|anchor| &anchor.key)
            .filter(|key| key.is_status_key())
    }

    /// The key that ends at an anchor, under the roots it was stored with.
    #[must_use]
    pub fn get(&self, id: &ObjectId) -> Option<&DigitalKey> {
        self.anchors.get(id).map(|anchor| &anchor.key)
    }

    /// The stored links.
    pub fn links(&self) -> impl Iterator<Item = &[u8]> {
        self.anchors.values().map(|anchor| &anchor.bytes[..])
    }

    /// Ids of the stored links.
    pub fn ids(&self) -> impl Iterator<Item = ObjectId> {
        self.anchors.keys().copied()
    }

    /// Drops an anchor; those below it keep their path, which was verified.
    pub fn remove(&mut self, id: &ObjectId) -> bool {
        self.anchors.remove(id).is_some()
    }

    /// How many are stored.
    #[must_use]
    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Whether none is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The status keys: each with the verified link that makes it one.
    pub fn status_keys(&self) -> impl Iterator<Item = (&VerifyingKey, &DigitalKey)> {
        self.anchors
            .values()
            .filter(|anchor| anchor.key.is_status_key())
            .map(|anchor| (anchor.key.holder(), &anchor.key))
    }
}

impl DigitalKey {
    /// What this key would be for as an anchor.
    #[must_use]
    pub fn anchor_role(&self) -> AnchorRole {
        match (
            self.has_mandate(),
            self.links().len(),
            self.is_signed_by_platform_root(),
        ) {
            (true, 1, _) => AnchorRole::Mandate,
            (true, 2, true) => AnchorRole::Issuer,
            (false, 1, true) if self.is_status_key() => AnchorRole::Status,
            _ => AnchorRole::Other,
        }
    }
}

#[cfg(test)]
mod tests;
