//! From bytes to a [`DigitalKey`]: signatures from the owner down, each link inside its parent.

use arrayvec::ArrayVec;

use crate::anchors::AnchorStore;
use crate::effective::Effective;
use crate::entitlement::Entitlements;
use crate::envelope::{Unverified, Verified};
use crate::id::{ObjectId, VehicleId};
use crate::key::{UnverifiedKey, UnverifiedLink};
use crate::limits;
use crate::link::{Claims, parent_rest};
use crate::policy::NO_OUTAGE_LIMIT;
use crate::proof::{Proof, proof_rest};
use crate::refusal::Refusal;
use crate::signature::VerifyingKey;
use crate::trust::Roots;

/// Ids of the links of a key, from the owner.
pub type LinkIds = ArrayVec<ObjectId, { limits::LINKS }>;

/// A key whose every signature holds and whose every link lies inside its parent.
///
/// Made only by [`UnverifiedKey::verify`] and [`AnchorStore`]. Windows, conditions and revocation
/// are not part of this: they are tested at every use by [`decide`](crate::decide::decide).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigitalKey {
    effective: Effective,
    links: LinkIds,
    holder: VerifyingKey,
    has_mandate: bool,
    is_owner_device: bool,
    signed_by_platform_root: bool,
}

impl DigitalKey {
    /// What the key gives.
    #[must_use]
    pub fn effective(&self) -> &Effective {
        &self.effective
    }

    /// Ids of its links, from the owner.
    #[must_use]
    pub fn links(&self) -> &LinkIds {
        &self.links
    }

    /// Id of its last link.
    #[must_use]
    pub fn leaf(&self) -> ObjectId {
        *self
            .links
            .last()
            .expect("a key has at least one link: both constructors push one")
    }

    /// Whose key it is.
    #[must_use]
    pub fn holder(&self) -> &VerifyingKey {
        &self.holder
    }

    /// Whether its first link is a mandate.
    #[must_use]
    pub fn has_mandate(&self) -> bool {
        self.has_mandate
    }

    /// Whether its holder is an owner key of the bundle.
    #[must_use]
    pub fn is_owner_device(&self) -> bool {
        self.is_owner_device
    }

    /// Whether it is a status key's link: signed by the platform root, grants only `sign_status`.
    #[must_use]
    pub fn is_status_key(&self) -> bool {
        self.effective.entitlements() == Entitlements::SIGN_STATUS
    }

    /// Whether the last link was signed by the platform root.
    #[must_use]
    pub fn is_signed_by_platform_root(&self) -> bool {
        self.signed_by_platform_root
    }

    /// Verifies a first link.
    ///
    /// # Errors
    /// The refusal of ck1 section 11 that applies.
    pub(crate) fn root(
        link: &UnverifiedLink<'_>,
        vehicle: VehicleId,
        roots: &Roots,
    ) -> Result<Self, Refusal> {
        let claims = link.unverified_body();
        if claims.vehicle != Some(vehicle) {
            return Err(Refusal::WrongVehicle);
        }
        let wants_status = claims.policy.entitlements == Entitlements::SIGN_STATUS;
        let rest = parent_rest(None);
        if wants_status {
            link.find_signer(roots.platform_root.iter(), rest)?;
            if claims.policy.delegations > 0 {
                return Err(Refusal::Widened);
            }
        } else {
            link.find_signer(roots.owner_keys.iter(), rest)?;
            if claims
                .policy
                .entitlements
                .contains(Entitlements::SIGN_STATUS)
            {
                return Err(Refusal::Widened);
            }
        }
        let has_mandate = !wants_status && roots.is_platform_root(&claims.holder);
        if has_mandate {
            check_mandate(claims, roots)?;
        }
        check_length(claims, roots, has_mandate)?;
        Ok(Self {
            effective: Effective::root(claims)?,
            links: LinkIds::from_iter([link.id(rest)]),
            holder: decode_holder(claims)?,
            has_mandate,
            is_owner_device: roots.is_owner(&claims.holder),
            signed_by_platform_root: wants_status,
        })
    }

    /// Verifies a further link.
    ///
    /// # Errors
    /// The refusal of ck1 section 11 that applies.
    pub(crate) fn extend(&self, link: &UnverifiedLink<'_>, roots: &Roots) -> Result<Self, Refusal> {
        let claims = link.unverified_body();
        let parent = self.leaf();
        let rest = [&parent.0[..], &[], &[]];
        if !link.is_signed_by(&self.holder, rest) {
            return Err(Refusal::BadSignature);
        }
        check_length(claims, roots, false)?;
        let mut links = self.links.clone();
        links
            .try_push(link.id(rest))
            .map_err(|_| Refusal::TooLarge)?;
        Ok(Self {
            effective: self.effective.attenuate(claims)?,
            links,
            holder: decode_holder(claims)?,
            has_mandate: self.has_mandate,
            is_owner_device: roots.is_owner(&claims.holder),
            signed_by_platform_root: roots.is_platform_root(self.holder.as_bytes()),
        })
    }

    /// Checks that the holder signed `proof` for this key and the challenge with this hash.
    ///
    /// # Errors
    /// [`Refusal::BadSignature`] if not.
    pub fn verify_proof(
        &self,
        proof: &Unverified<'_, Proof>,
        challenge_hash: &[u8; 32],
    ) -> Result<Verified<Proof>, Refusal> {
        let leaf = self.leaf();
        let body = proof.unverified_body().clone();
        let rest = proof_rest(challenge_hash, &leaf);
        if !proof.is_signed_by(&self.holder, rest) {
            return Err(Refusal::BadSignature);
        }
        Ok(Verified::new(body, proof.id(rest), self.holder))
    }
}

/// A mandate states the longest key (policy 10) and an outage limit, and the bundle allows it.
fn check_mandate(claims: &Claims, roots: &Roots) -> Result<(), Refusal> {
    let policy = &claims.policy;
    let limited = policy.max_window_s.is_some()
        && policy
            .outage_limit_s
            .is_some_and(|limit| limit != NO_OUTAGE_LIMIT);
    if limited && roots.mandate_allowed {
        Ok(())
    } else {
        Err(Refusal::MandateExceeded)
    }
}

/// Mandates and owner-device links last at most 400 days, all others 92.
fn check_length(claims: &Claims, roots: &Roots, is_mandate: bool) -> Result<(), Refusal> {
    let most = if is_mandate || roots.is_owner(&claims.holder) {
        limits::LONG_WINDOW_S
    } else {
        limits::WINDOW_S
    };
    if claims.validity.seconds() <= most {
        Ok(())
    } else {
        Err(Refusal::Widened)
    }
}

fn decode_holder(claims: &Claims) -> Result<VerifyingKey, Refusal> {
    VerifyingKey::decode(&claims.holder).map_err(|_| Refusal::Malformed)
}

impl UnverifiedKey<'_> {
    /// Verifies every signature from the owner down and narrows link by link.
    ///
    /// # Errors
    /// The first refusal met, in the order of ck1 section 5: `wrong-vehicle`, then signatures,
    /// narrowing and the rules about who may sign what.
    pub fn verify(
        &self,
        vehicle: VehicleId,
        roots: &Roots,
        anchors: &AnchorStore,
    ) -> Result<DigitalKey, Refusal> {
        let mut links = self.links();
        let mut key = match self.anchor() {
            Some(id) => anchors
                .get_under(&id, roots)
                .ok_or(Refusal::UnknownSigner)?
                .clone(),
            None => DigitalKey::root(&links.next().ok_or(Refusal::Malformed)??, vehicle, roots)?,
        };
        if key.effective.vehicle() != vehicle {
            return Err(Refusal::WrongVehicle);
        }
        if self.anchor().is_some() && key.links.len() + self.envelopes().len() > limits::LINKS {
            return Err(Refusal::TooLarge);
        }
        for link in links {
            key = key.extend(&link?, roots)?;
        }
        if key.effective.grant_id().is_none() {
            return Err(Refusal::Malformed);
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests;
