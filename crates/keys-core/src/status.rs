//! What a car knows about revocation: the newest statement of every signer, and all that was ever denied.
//!
//! Two authorities speak: owner keys, and status keys under the platform root. A status key **can only
//! deny**: what it revoked stays revoked, it cannot raise the generation, and its word reaches only links
//! below a mandate. The board is a value: the gateway stores [`StatusBoard::encode`] durably before it
//! acts on a statement. Source: ck1 section 4.

mod stored;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::anchors::AnchorStore;
use crate::chain::DigitalKey;
use crate::envelope::{NO_REST, Unverified};
use crate::id::{ObjectId, ShortId, VehicleId};
use crate::limits;
use crate::refusal::{Refusal, Refusals};
use crate::signature::VerifyingKey;
use crate::statement::Statement;
use crate::time::{ClockInterval, Timestamp};
use crate::trust::Roots;

/// How long a platform's revocation is kept at least, seconds: no link below a mandate lives longer.
const PLATFORM_KEEP_S: u64 = limits::WINDOW_S;
/// How long an owner's revocation is kept at least, seconds: no link lives longer.
const OWNER_KEEP_S: u64 = limits::LONG_WINDOW_S;
/// Up to here an owner's revocations are kept for ever: the windows of owner devices, and of links
/// under clock rule 2, are not tested, so no time makes them harmless.
const OWNER_REVOKED_IDS: usize = 16_384;
/// Signers remembered for each authority.
const SIGNERS: usize = 16;

/// Who speaks in a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// An owner key of the bundle.
    Owner,
    /// A status key under the platform root.
    Platform,
}

/// Why a statement is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatementRefusal {
    /// It is for another vehicle.
    #[error("the statement is for another vehicle")]
    WrongVehicle,
    /// No owner or status key known here signed it.
    #[error("no key known here signed the statement: {0}")]
    Signature(Refusal),
    /// A status key may not raise the generation.
    #[error("a status key raised the generation")]
    RaisesGeneration,
    /// The status key's own link does not hold.
    #[error("the status key's link does not hold: {0}")]
    StatusKey(Refusal),
    /// It lies more than ten minutes ahead of a trusted clock.
    #[error("the statement is from the future")]
    FromTheFuture,
    /// Its signer has signed a later one.
    #[error("the statement is older than one already held")]
    Rollback,
    /// Its signer has signed another one with the same number: an alarm.
    #[error("the signer signed two statements with one number")]
    Equivocation,
    /// Status keys have revoked more links than a car remembers.
    #[error("the statement revokes more links than the car can remember")]
    Full,
}

impl StatementRefusal {
    /// The code to answer with.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            Self::WrongVehicle => Refusal::WrongVehicle,
            Self::Signature(refusal) | Self::StatusKey(refusal) => refusal,
            Self::RaisesGeneration => Refusal::Malformed,
            Self::FromTheFuture => Refusal::NotYetValid,
            Self::Rollback => Refusal::StatementTooOld,
            Self::Equivocation => Refusal::Replayed,
            Self::Full => Refusal::TooLarge,
        }
    }
}

/// What taking a statement changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is the newest of its signer now.
    New(Authority, ObjectId),
    /// It was held already.
    Known,
}

/// The newest statement of one signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Who signed.
    pub signer: [u8; 32],
    /// Its number.
    pub seq: u64,
    /// Its id.
    pub id: ObjectId,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// Not fresh from here on: the statement's end, or that of the status key's link.
    pub fresh_until: Timestamp,
    /// The newest owner statement its signer knew.
    pub owner_statement: Option<(u64, ShortId)>,
    /// Revoked links.
    pub revoked: Vec<ShortId>,
    /// Suspended links.
    pub suspended: Vec<ShortId>,
    /// For a status key: its link, which the owner may revoke, and that link's generation.
    pub status_link: Option<(ObjectId, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct RevokedUntil {
    by_owner: u64,
    by_platform: u64,
}

/// Everything a car knows about revocation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusBoard {
    owner: Vec<Held>,
    platform: Vec<Held>,
    revoked: BTreeMap<ShortId, RevokedUntil>,
    least_generation: u64,
    least_owner_seq: u64,
    least_platform_seq: u64,
    time_floor: u64,
}

impl StatusBoard {
    /// A board that has seen these numbers before, of statements it does not hold any more.
    #[must_use]
    pub fn with_known(owner_seq: u64, platform_seq: u64, generation: u64) -> Self {
        Self {
            least_owner_seq: owner_seq,
            least_platform_seq: platform_seq,
            least_generation: generation,
            ..Self::default()
        }
    }

    /// Takes a statement if a known authority signed it and it is newer than what is held.
    ///
    /// # Errors
    /// [`StatementRefusal`]; the board is unchanged then.
    pub fn accept(
        &mut self,
        statement: &Unverified<'_, Statement>,
        vehicle: VehicleId,
        roots: &Roots,
        anchors: &AnchorStore,
        clock: ClockInterval,
    ) -> Result<Accepted, StatementRefusal> {
        let body = statement.unverified_body();
        if body.vehicle != vehicle {
            return Err(StatementRefusal::WrongVehicle);
        }
        let (authority, held) = match body.expires_at {
            None => (Authority::Owner, Self::verify_owner(statement, roots)?),
            Some(until) => {
                let links: Vec<&DigitalKey> = anchors.status_links(vehicle, roots).collect();
                let held = self.verify_platform(statement, until, &links, clock)?;
                (Authority::Platform, held)
            }
        };
        if clock.is_trusted() && body.issued_at > clock.hi.plus(limits::STATEMENT_AHEAD_S) {
            return Err(StatementRefusal::FromTheFuture);
        }
        if authority == Authority::Platform && !self.has_room(body, clock) {
            return Err(StatementRefusal::Full);
        }
        let id = held.id;
        if !self.replace(authority, held)? {
            return Ok(Accepted::Known);
        }
        self.deny(authority, body);
        if clock.is_trusted() {
            self.prune(clock.lo);
        }
        Ok(Accepted::New(authority, id))
    }

    fn verify_owner(
        statement: &Unverified<'_, Statement>,
        roots: &Roots,
    ) -> Result<Held, StatementRefusal> {
        let signer = statement
            .find_signer(&roots.owner_keys, NO_REST)
            .map_err(StatementRefusal::Signature)?;
        Ok(held(statement, &signer, Timestamp::UNKNOWN, None))
    }

    fn verify_platform(
        &self,
        statement: &Unverified<'_, Statement>,
        until: Timestamp,
        links: &[&DigitalKey],
        clock: ClockInterval,
    ) -> Result<Held, StatementRefusal> {
        let keys = links.iter().map(|link| link.holder());
        let signer = statement
            .find_signer(keys, NO_REST)
            .map_err(StatementRefusal::Signature)?;
        let body = statement.unverified_body();
        if body.least_generation != 0 {
            return Err(StatementRefusal::RaisesGeneration);
        }
        // A status key may hold several links, an old and a renewed one: any that stands will do.
        let mut refusal = Refusal::UnknownSigner;
        let mut best: Option<&DigitalKey> = None;
        for link in links.iter().filter(|link| *link.holder() == signer) {
            match self.status_link_stands(link, body.issued_at, clock) {
                Ok(())
                    if best.is_none_or(|best| {
                        best.effective().validity().until < link.effective().validity().until
                    }) =>
                {
                    best = Some(link);
                }
                Ok(()) => {}
                Err(why) => refusal = why,
            }
        }
        let link = best.ok_or(StatementRefusal::StatusKey(refusal))?;
        let fresh_until = until.min(link.effective().validity().until);
        Ok(held(
            statement,
            &signer,
            fresh_until,
            Some((link.leaf(), link.effective().generation())),
        ))
    }

    /// The status key's link: in its window, neither revoked by the owner nor of an old generation.
    ///
    /// While the time is not known only the floor counts, or no status key could ever attest it.
    fn status_link_stands(
        &self,
        link: &DigitalKey,
        issued_at: Timestamp,
        clock: ClockInterval,
    ) -> Result<(), Refusal> {
        let window = link.effective().validity();
        let latest = if clock.is_trusted() {
            clock.hi
        } else {
            clock.lo
        };
        if latest.max(issued_at) >= window.until {
            return Err(Refusal::Expired);
        }
        if clock.is_trusted() && clock.lo < window.from {
            return Err(Refusal::NotYetValid);
        }
        if self.is_revoked_by_owner(link.leaf().short()) {
            return Err(Refusal::Revoked);
        }
        if link.effective().generation() < self.least_generation {
            return Err(Refusal::OldGeneration);
        }
        Ok(())
    }

    /// Puts a statement in its signer's place; `false` if it is the one held there.
    fn replace(&mut self, authority: Authority, held: Held) -> Result<bool, StatementRefusal> {
        let (list, least) = match authority {
            Authority::Owner => (&mut self.owner, self.least_owner_seq),
            Authority::Platform => (&mut self.platform, self.least_platform_seq),
        };
        if held.seq < least {
            return Err(StatementRefusal::Rollback);
        }
        match list.iter_mut().find(|known| known.signer == held.signer) {
            Some(known) if held.seq < known.seq => return Err(StatementRefusal::Rollback),
            Some(known) if held.seq == known.seq && held.id != known.id => {
                return Err(StatementRefusal::Equivocation);
            }
            Some(known) if held.seq == known.seq => return Ok(false),
            Some(known) => *known = held,
            None => {
                if list.len() == SIGNERS {
                    let oldest = (0..list.len())
                        .min_by_key(|index| list[*index].issued_at)
                        .unwrap_or(0);
                    list.remove(oldest);
                }
                list.push(held);
            }
        }
        Ok(true)
    }

    /// Whether a status key's revocations fit, those surely over left out.
    fn has_room(&self, body: &Statement, clock: ClockInterval) -> bool {
        let lo = if clock.is_trusted() { clock.lo.0 } else { 0 };
        let is_new = |id: &&ShortId| !self.revoked.contains_key(id);
        let remembered = self.revoked.values().filter(|until| until.by_platform > lo);
        remembered.count() + body.revoked.iter().filter(is_new).count()
            <= limits::PLATFORM_REVOKED_IDS
    }

    fn deny(&mut self, authority: Authority, body: &Statement) {
        self.time_floor = self.time_floor.max(body.issued_at.0);
        for id in &body.revoked {
            let until = self.revoked.entry(*id).or_default();
            match authority {
                Authority::Owner => {
                    until.by_owner = until.by_owner.max(body.issued_at.plus(OWNER_KEEP_S).0);
                }
                Authority::Platform => {
                    until.by_platform = until
                        .by_platform
                        .max(body.issued_at.plus(PLATFORM_KEEP_S).0);
                }
            }
        }
        if authority == Authority::Owner {
            self.least_generation = self.least_generation.max(body.least_generation);
        }
    }

    /// Raises the generation floor, as a bundle does.
    pub fn raise_generation(&mut self, least_generation: u64) {
        self.least_generation = self.least_generation.max(least_generation);
    }

    /// Forgets revocations of links that are surely over. `lo` is the floor of a **trusted** clock:
    /// a floor that a statement raised while the time was not known must not end a revocation.
    ///
    /// What a statement held here still lists stays whatever the time, and so does what an owner
    /// revoked. [`StatusBoard::accept`] does this by itself.
    pub fn prune(&mut self, lo: Timestamp) {
        let mut revoked = core::mem::take(&mut self.revoked);
        let by_owner = revoked.values().filter(|until| until.by_owner > 0).count();
        revoked.retain(|id, until| {
            until.by_owner.max(until.by_platform) > lo.0
                || until.by_owner > 0 && by_owner <= OWNER_REVOKED_IDS
                || self.lists_as_revoked(id)
        });
        self.revoked = revoked;
    }

    fn lists_as_revoked(&self, id: &ShortId) -> bool {
        let mut all = self.owner.iter().chain(&self.platform);
        all.any(|held| held.revoked.contains(id))
    }

    fn is_revoked_by_owner(&self, id: ShortId) -> bool {
        self.revoked
            .get(&id)
            .is_some_and(|until| until.by_owner > 0)
    }

    fn is_revoked_by_platform(&self, id: ShortId) -> bool {
        self.revoked
            .get(&id)
            .is_some_and(|until| until.by_platform > 0)
    }

    /// `revoked` and `suspended`, as far as they hold for a key.
    ///
    /// An owner's word reaches every link, a status key's only links below a mandate. Every signer's
    /// newest statement counts: what one suspends only that one lifts.
    #[must_use]
    pub fn denials(&self, key: &DigitalKey) -> Refusals {
        let mut refusals = Refusals::NONE;
        for (index, id) in key.links().iter().enumerate() {
            let id = id.short();
            let below_mandate = key.has_mandate() && index > 0;
            if self.is_revoked_by_owner(id) || below_mandate && self.is_revoked_by_platform(id) {
                refusals.insert(Refusal::Revoked);
            }
            let lists = |held: &Held| held.suspended.contains(&id);
            if self.owner.iter().any(lists) || below_mandate && self.platform_words().any(lists) {
                refusals.insert(Refusal::Suspended);
            }
        }
        refusals
    }

    /// The words of status keys that the owner has not ended; of all if none is left.
    fn platform_words(&self) -> impl Iterator<Item = &Held> {
        let is_any_left = self.platform.iter().any(|held| self.link_stands(held));
        self.platform
            .iter()
            .filter(move |held| !is_any_left || self.link_stands(held))
    }

    /// Age in seconds at `reference` of the newest statement that speaks for a key, if one is fresh at all.
    ///
    /// Below a mandate that is the platform's; without one, an owner's own statement speaks as well.
    #[must_use]
    pub fn statement_age_s(&self, has_mandate: bool, reference: Timestamp) -> Option<u64> {
        let platform = self.platform.iter();
        let platform = newest(platform.filter(|held| self.is_fresh(held, reference)))
            .map(|held| held.issued_at);
        let owner = if has_mandate {
            None
        } else {
            newest(&self.owner).map(|held| held.issued_at)
        };
        platform
            .max(owner)
            .map(|issued_at| reference.since(issued_at))
    }

    /// A platform statement counts until its end, and only for a car that has the owner's newest word.
    fn is_fresh(&self, held: &Held, reference: Timestamp) -> bool {
        let has_owner_word = held.owner_statement.is_none_or(|(seq, id)| {
            self.least_owner_seq >= seq && self.owner.is_empty()
                || self
                    .owner
                    .iter()
                    .any(|own| own.seq > seq || own.seq == seq && own.id.short() == id)
        });
        reference < held.fresh_until && has_owner_word && self.link_stands(held)
    }

    /// Whether the status key's link is neither revoked by the owner nor of an old generation.
    fn link_stands(&self, held: &Held) -> bool {
        held.status_link.is_none_or(|(link, generation)| {
            !self.is_revoked_by_owner(link.short()) && generation >= self.least_generation
        })
    }

    /// Least generation of first links.
    #[must_use]
    pub fn least_generation(&self) -> u64 {
        self.least_generation
    }

    /// Greatest time of any statement taken: true time is not before it.
    #[must_use]
    pub fn time_floor(&self) -> Timestamp {
        Timestamp(self.time_floor)
    }

    /// The newest statement of an authority.
    #[must_use]
    pub fn newest(&self, authority: Authority) -> Option<&Held> {
        newest(match authority {
            Authority::Owner => &self.owner,
            Authority::Platform => &self.platform,
        })
    }

    /// Number of the newest statement of an authority; 0 if there is none.
    #[must_use]
    pub fn seq(&self, authority: Authority) -> u64 {
        let least = match authority {
            Authority::Owner => self.least_owner_seq,
            Authority::Platform => self.least_platform_seq,
        };
        self.newest(authority).map_or(least, |held| held.seq)
    }

    /// The suspended ids, whoever suspended them.
    pub fn suspended(&self) -> impl Iterator<Item = ShortId> {
        let words = self.owner.iter().chain(self.platform_words());
        words.flat_map(|held| held.suspended.iter().copied())
    }

    /// The revoked ids, whoever revoked them.
    pub fn revoked(&self) -> impl Iterator<Item = ShortId> {
        self.revoked.keys().copied()
    }
}

/// The latest word of several signers, whoever spoke it.
fn newest<'a>(list: impl IntoIterator<Item = &'a Held>) -> Option<&'a Held> {
    list.into_iter()
        .max_by_key(|held| (held.issued_at, held.seq))
}

fn held(
    statement: &Unverified<'_, Statement>,
    signer: &VerifyingKey,
    fresh_until: Timestamp,
    status_link: Option<(ObjectId, u64)>,
) -> Held {
    let body = statement.unverified_body();
    Held {
        signer: *signer.as_bytes(),
        seq: body.seq,
        id: statement.id(NO_REST),
        issued_at: body.issued_at,
        fresh_until,
        owner_statement: body.owner_statement,
        revoked: body.revoked.to_vec(),
        suspended: body.suspended.to_vec(),
        status_link,
    }
}

#[cfg(test)]
mod tests;
