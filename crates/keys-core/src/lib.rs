//! The ck1 digital key: what phones, gateways and servers exchange about a key, and every rule by
//! which a gateway decides.
//!
//! Who takes part: an *owner* signs the first link of a key (or a *mandate* that lets a platform
//! issue within limits), a *holder* proves that a key is theirs, a *delegate* is a holder by
//! re-sharing, and a *gateway* beside the car decides. Bytes become trusted in one direction only:
//! [`key::UnverifiedKey`] → [`chain`] → [`chain::DigitalKey`] → [`decide::decide`].
//!
//! The crate is pure: no I/O, no clock, no randomness. Time, position and nonces are arguments.
//!
//! The byte formats are described in `docs/key-format.md`.
//!
//! # Features
//!
//! The crate is `no_std` and needs `alloc`. Features only add:
//!
//! - `testing` (off): module `testing` with fixed keys, builders and a clock to set by hand, for the
//!   tests of other crates. Needs `std`; its keys are public.
//!
//! # Example
//!
//! An owner issues a key, its holder shares a part of it, and the car's gateway decides.
//!
//! ```
//! use keys_core::anchors::AnchorStore;
//! use keys_core::challenge::{Challenge, Seqs, VERSION};
//! use keys_core::command::VehicleCommand;
//! use keys_core::decide::{Ask, CarFacts, Channel, Decision, Situation, decide};
//! use keys_core::entitlement::Entitlements;
//! use keys_core::envelope::{NO_REST, Unverified, seal};
//! use keys_core::freshness::Contact;
//! use keys_core::id::{BootEpoch, CommandId, GrantId, Nonce, VehicleId};
//! use keys_core::key::{First, UnverifiedKey, append_link, encode_key};
//! use keys_core::link::{Claims, sign_link};
//! use keys_core::policy::{NO_OUTAGE_LIMIT, Policy, Presence, Proximity};
//! use keys_core::presentation::{Presentation, PresentedKey, encode_presentation};
//! use keys_core::proof::{Proof, challenge_hash, sign_proof};
//! use keys_core::refusal::Refusal;
//! use keys_core::signature::{Signer, SigningKey};
//! use keys_core::status::StatusBoard;
//! use keys_core::time::{ClockInterval, Timestamp, Validity};
//! use keys_core::trust::Roots;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Seeds come from a good random source. These are for show.
//! let [owner, gateway, renter, co_driver] = [1, 2, 3, 4].map(|n| SigningKey::from_seed(&[n; 32]));
//! let vehicle = VehicleId::from_bytes([7; 16]);
//! let now = Timestamp(1_782_907_200);
//! let window = Validity { from: now, until: now.plus(86_400) };
//!
//! // Issue: the owner lets the renter unlock, lock and drive for a day, and share once.
//! let rights = Entitlements::UNLOCK | Entitlements::LOCK | Entitlements::ENABLE_DRIVING;
//! let mut policy = Policy::of(rights);
//! policy.delegations = 1;
//! policy.outage_limit_s = Some(NO_OUTAGE_LIMIT);
//! let first = Claims {
//!     vehicle: Some(vehicle),
//!     validity: window,
//!     grant_id: Some(GrantId(*b"booking1")),
//!     holder: *renter.verifying_key().as_bytes(),
//!     policy,
//!     booking_hash: None,
//! };
//! let first = sign_link(&first, &owner, None)?;
//! let key = encode_key(First::Link(&first.bytes), &[]);
//!
//! // Share: the renter's phone signs the next link, with no server. It can only narrow.
//! let second = Claims {
//!     vehicle: None,
//!     validity: window,
//!     grant_id: None,
//!     holder: *co_driver.verifying_key().as_bytes(),
//!     policy: Policy::of(Entitlements::UNLOCK | Entitlements::LOCK),
//!     booking_hash: None,
//! };
//! let second = sign_link(&second, &renter, Some(&first.id))?;
//! let key = append_link(&key, &second.bytes)?;
//!
//! // The gateway's challenge, and the co-driver's proof over it.
//! let challenge = Challenge {
//!     nonce: Nonce([0; 16]),
//!     vehicle,
//!     phone_nonce: None,
//!     share: [0; 32],
//!     clock: ClockInterval::exactly(now),
//!     boot_epoch: BootEpoch([0; 8]),
//!     seqs: Seqs::default(),
//!     ttl_ms: 30_000,
//!     versions: [VERSION].into_iter().collect(),
//!     return_origin: None,
//!     boot_ms: 0,
//! };
//! let challenge = seal(&challenge, &gateway, NO_REST)?.bytes;
//! let prove = |command| {
//!     let proof = Proof {
//!         command,
//!         phone_time: now,
//!         share: None,
//!         parameters: None,
//!         presence: Presence::Tap,
//!         command_id: CommandId([0; 16]),
//!         not_after: now.plus(30),
//!         position: None,
//!     };
//!     let proof = sign_proof(&proof, &co_driver, &challenge, &second.id)?;
//!     Ok::<_, keys_core::signature::SignError>(encode_presentation(&challenge, &key, &proof.bytes))
//! };
//!
//! // Verify and decide, as the gateway does. It trusts the owner's key and nothing else.
//! let roots = Roots {
//!     owner_keys: [*owner.verifying_key()].into_iter().collect(),
//!     platform_root: None,
//!     mandate_allowed: false,
//! };
//! let answer = |presentation: &[u8]| -> Result<Decision, Refusal> {
//!     let presented = Presentation::parse(presentation)?;
//!     let hash = challenge_hash(presented.challenge.envelope().bytes());
//!     presented.challenge.verify(gateway.verifying_key(), NO_REST)?;
//!     let PresentedKey::Whole(key) = presented.key else {
//!         return Err(Refusal::UnknownSigner);
//!     };
//!     let key = key.verify(vehicle, &roots, &AnchorStore::default())?;
//!     let proof = key.verify_proof(&presented.proof, &hash)?;
//!     let ask = Ask {
//!         command: proof.body().command,
//!         presence: proof.body().presence,
//!         not_after: proof.body().not_after,
//!         channel: Channel::Local,
//!         proximity: Proximity::None,
//!     };
//!     let situation = Situation {
//!         clock: ClockInterval::exactly(now),
//!         now: Some(now),
//!         contact: Contact { in_contact: false, begun: false },
//!         status: &StatusBoard::default(),
//!         car: CarFacts::default(),
//!         uses: &|_: GrantId| 0,
//!         floor_admission_left: false,
//!     };
//!     Ok(decide(&key, &ask, &situation))
//! };
//! assert_eq!(answer(&prove(VehicleCommand::Unlock)?), Ok(Decision::Allow));
//! let refused = Decision::Refuse(Refusal::NotEntitled.into());
//! assert_eq!(answer(&prove(VehicleCommand::EnableDriving)?), Ok(refused));
//! # Ok(())
//! # }
//! ```
#![no_std]
#![warn(
    clippy::alloc_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core
)]

extern crate alloc;
#[cfg(any(test, feature = "testing"))]
extern crate std;

pub mod anchors;
pub mod area;
pub mod attestation;
pub mod bundle;
pub mod cache;
pub mod carried;
pub mod chain;
pub mod challenge;
pub mod codec;
pub mod command;
pub mod decide;
pub mod effective;
pub mod entitlement;
pub mod envelope;
pub mod freshness;
pub mod handshake;
pub mod hours;
pub mod id;
pub mod journal;
pub mod key;
pub mod limits;
pub mod link;
pub mod pairing;
pub mod policy;
pub mod presentation;
pub mod proof;
pub mod receipt;
pub mod refusal;
pub mod signature;
pub mod statement;
pub mod status;
pub mod sync;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod time;
pub mod trust;

/// Runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
