//! Fixed keys, builders and a clock to set by hand, for tests of this and other crates.

use alloc::vec::Vec;
use core::cell::Cell;
use std::sync::OnceLock;

use arrayvec::ArrayVec;

use crate::attestation::attest;
use crate::bundle::Bundle;
use crate::challenge::{Challenge, Seqs, VERSION};
use crate::command::VehicleCommand;
use crate::entitlement::Entitlements;
use crate::envelope::{NO_REST, Sealed, seal};
use crate::id::{BootEpoch, CommandId, GrantId, Nonce, ObjectId, ShortId, VehicleId};
use crate::key::{First, encode_key};
use crate::link::{Claims, sign_link};
use crate::policy::{Policy, Presence};
use crate::proof::{Proof, sign_proof};
use crate::signature::{Signer, SigningKey};
use crate::statement::{IdList, Statement, id_list};
use crate::time::{ClockInterval, Timestamp, Validity};
use crate::trust::Roots;

/// A fixed instant that tests happen around: 2026-07-01T12:00:00Z.
pub const NOW: Timestamp = Timestamp(1_782_907_200);

/// The vehicle of most tests.
#[must_use]
pub fn vehicle() -> VehicleId {
    VehicleId::from_bytes(*b"\x01\x97\xc0\xde\x00\x00\x70\x00\x80\x00\x00\x00\x00\x00\x00\x01")
}

/// Another vehicle.
#[must_use]
pub fn other_vehicle() -> VehicleId {
    VehicleId::from_bytes(*b"\x01\x97\xc0\xde\x00\x00\x70\x00\x80\x00\x00\x00\x00\x00\x00\x02")
}

/// The key whose seed is this byte 32 times, made once.
fn fixed(label: u8) -> SigningKey {
    static KEYS: [OnceLock<SigningKey>; 256] = [const { OnceLock::new() }; 256];
    KEYS[usize::from(label)]
        .get_or_init(|| SigningKey::from_seed(&[label; 32]))
        .clone()
}

/// The owner's key.
#[must_use]
pub fn owner() -> SigningKey {
    fixed(0x01)
}

/// A second owner key.
#[must_use]
pub fn second_owner() -> SigningKey {
    fixed(0x02)
}

/// The platform root.
#[must_use]
pub fn platform_root() -> SigningKey {
    fixed(0x11)
}

/// The issuer key.
#[must_use]
pub fn issuer() -> SigningKey {
    fixed(0x12)
}

/// The status key.
#[must_use]
pub fn status() -> SigningKey {
    fixed(0x13)
}

/// The gateway key.
#[must_use]
pub fn gateway() -> SigningKey {
    fixed(0x21)
}

/// A holder's key, numbered.
#[must_use]
pub fn holder(number: u8) -> SigningKey {
    fixed(0x80 | number)
}

/// The roots of [`vehicle`]: [`owner`], [`platform_root`], mandates allowed.
#[must_use]
pub fn roots() -> Roots {
    Roots {
        owner_keys: [*owner().verifying_key()].into_iter().collect(),
        platform_root: Some(*platform_root().verifying_key()),
        mandate_allowed: true,
    }
}

/// A bundle of [`vehicle`] with the fixed keys.
#[must_use]
pub fn bundle(seq: u64) -> Bundle {
    Bundle {
        vehicle: vehicle(),
        issued_at: NOW,
        seq,
        owner_keys: roots().owner_keys,
        platform_root: roots().platform_root,
        gateway_key: *gateway().verifying_key(),
        mandate_allowed: true,
        least_generation: 0,
        platform_operated: false,
        page_origin: None,
    }
}

/// A window around [`NOW`]: from one hour before to one day after.
#[must_use]
pub fn window() -> Validity {
    Validity {
        from: Timestamp(NOW.0 - 3_600),
        until: NOW.plus(86_400),
    }
}

/// Claims of a link for `holder` over `validity`, granting `entitlements`; first links name [`vehicle`].
#[must_use]
pub fn claims(holder: &SigningKey, validity: Validity, entitlements: Entitlements) -> Claims {
    Claims {
        vehicle: Some(vehicle()),
        validity,
        grant_id: None,
        holder: *holder.verifying_key().as_bytes(),
        policy: Policy::of(entitlements),
        booking_hash: None,
    }
}

/// The mandate of [`owner`] to [`platform_root`]: everything but `sign_status`, keys up to 92 days.
#[must_use]
pub fn mandate_claims() -> Claims {
    let all = Entitlements::from_bits(0x7f).unwrap_or(Entitlements::NONE);
    let validity = Validity {
        from: Timestamp(NOW.0 - 86_400),
        until: NOW.plus(90 * 86_400),
    };
    let mut claims = claims(&platform_root(), validity, all);
    claims.policy.delegations = 4;
    claims.policy.outage_limit_s = Some(86_400);
    claims.policy.max_window_s = Some(7 * 86_400);
    claims
}

/// The platform root's link to the status key.
#[must_use]
pub fn status_link() -> Sealed {
    let validity = Validity {
        from: Timestamp(NOW.0 - 86_400),
        until: NOW.plus(29 * 86_400),
    };
    sign_link(
        &claims(&status(), validity, Entitlements::SIGN_STATUS),
        &platform_root(),
        None,
    )
    .expect("a key in memory always signs")
}

/// Builds a key link by link.
#[derive(Debug, Clone)]
pub struct KeyBuilder {
    links: Vec<Sealed>,
    signer: SigningKey,
}

impl KeyBuilder {
    /// Starts with a first link signed by `signer`.
    #[must_use]
    pub fn first(signer: &SigningKey, claims: &Claims, holder: &SigningKey) -> Self {
        let link = sign_link(claims, signer, None).expect("a key in memory always signs");
        Self {
            links: Vec::from([link]),
            signer: holder.clone(),
        }
    }

    /// An owner-signed key for `holder`: a grant id, all commands, one delegation less than four.
    #[must_use]
    pub fn owned(holder: &SigningKey) -> Self {
        let mut claims = claims(
            holder,
            window(),
            Entitlements::from_bits(0x7f).unwrap_or(Entitlements::NONE),
        );
        claims.grant_id = Some(GrantId([7; 8]));
        claims.policy.delegations = 3;
        Self::first(&owner(), &claims, holder)
    }

    /// Mandate and issuer link; the next link is the issuer's.
    #[must_use]
    pub fn mandated() -> Self {
        let mandate = mandate_claims();
        let validity = Validity {
            from: Timestamp(NOW.0 - 3_600),
            until: NOW.plus(30 * 86_400),
        };
        let mut to_issuer = claims(&issuer(), validity, mandate.policy.entitlements);
        to_issuer.policy.delegations = 3;
        Self::first(&owner(), &mandate, &platform_root()).then(to_issuer, &issuer())
    }

    /// Adds a link signed by the holder of the last one. `vehicle` is left out, as it must be.
    #[must_use]
    pub fn then(mut self, mut claims: Claims, holder: &SigningKey) -> Self {
        claims.vehicle = None;
        let parent = self.leaf();
        self.links.push(
            sign_link(&claims, &self.signer, Some(&parent)).expect("a key in memory always signs"),
        );
        self.signer = holder.clone();
        self
    }

    /// Id of the last link.
    #[must_use]
    pub fn leaf(&self) -> ObjectId {
        self.links.last().map_or(ObjectId([0; 32]), |link| link.id)
    }

    /// The links.
    #[must_use]
    pub fn links(&self) -> &[Sealed] {
        &self.links
    }

    /// The encoded key with all its links.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.encode_from(0)
    }

    /// The encoded key, with the first `anchored` links replaced by the anchor's id.
    #[must_use]
    pub fn encode_from(&self, anchored: usize) -> Vec<u8> {
        let links: Vec<&[u8]> = self.links.iter().map(|link| &link.bytes[..]).collect();
        match anchored {
            0 => encode_key(First::Link(links[0]), &links[1..]),
            count => encode_key(First::Anchor(self.links[count - 1].id), &links[count..]),
        }
    }
}

/// A statement signed by [`owner`] (no end) or, with an end, by [`status`].
#[must_use]
pub fn statement(
    seq: u64,
    issued_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked: &[ShortId],
    suspended: &[ShortId],
) -> Sealed {
    let list = |ids: &[ShortId]| id_list(ids.iter().copied()).unwrap_or_else(IdList::new);
    let body = Statement {
        vehicle: vehicle(),
        expires_at,
        issued_at,
        seq,
        least_generation: 0,
        revoked: list(revoked),
        owner_statement: None,
        suspended: list(suspended),
    };
    let signer = if expires_at.is_some() {
        status()
    } else {
        owner()
    };
    seal(&body, &signer, NO_REST).expect("a key in memory always signs")
}

/// A challenge of [`gateway`] with the clock exactly at [`NOW`].
#[must_use]
pub fn challenge(number: u8) -> Sealed {
    let body = Challenge {
        nonce: Nonce([number; 16]),
        vehicle: vehicle(),
        phone_nonce: None,
        share: [9; 32],
        clock: ClockInterval::exactly(NOW),
        boot_epoch: BootEpoch([3; 8]),
        seqs: Seqs::default(),
        ttl_ms: 30_000,
        versions: ArrayVec::from_iter([VERSION]),
        return_origin: None,
        boot_ms: 1_000,
    };
    seal(&body, &gateway(), NO_REST).expect("a key in memory always signs")
}

/// A proof for `command` at [`NOW`] with a tap.
#[must_use]
pub fn proof(
    command: VehicleCommand,
    command_id: u8,
    holder: &SigningKey,
    challenge: &[u8],
    leaf: &ObjectId,
) -> Sealed {
    let body = Proof {
        command,
        phone_time: NOW,
        share: None,
        parameters: None,
        presence: Presence::Tap,
        command_id: CommandId([command_id; 16]),
        not_after: NOW.plus(30),
        position: None,
    };
    sign_proof(&body, holder, challenge, leaf).expect("a key in memory always signs")
}

/// A time attestation by [`status`].
#[must_use]
pub fn attestation(time: Timestamp, challenge: &[u8]) -> Sealed {
    attest(time, &status(), challenge).expect("a key in memory always signs")
}

/// A clock that stands until it is moved.
#[derive(Debug, Clone)]
pub struct MockClock {
    now: Cell<u64>,
}

impl MockClock {
    /// A clock standing at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            now: Cell::new(now.0),
        }
    }

    /// The time it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp(self.now.get())
    }

    /// Moves it forward.
    pub fn advance(&self, seconds: u64) {
        self.now.set(self.now.get().saturating_add(seconds));
    }

    /// Sets it, also backwards.
    pub fn set(&self, now: Timestamp) {
        self.now.set(now.0);
    }
}
