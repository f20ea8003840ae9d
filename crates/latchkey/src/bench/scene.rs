//! What is checked: keys of as many owners as there are variations, each with a challenge and a proof.

use anyhow::Context;
use keys_core::anchors::AnchorStore;
use keys_core::area::{Area, Point};
use keys_core::challenge::{Challenge, Seqs, VERSION};
use keys_core::command::VehicleCommand;
use keys_core::entitlement::Entitlements;
use keys_core::envelope::{NO_REST, Unverified, seal};
use keys_core::id::{BootEpoch, CommandId, GrantId, Nonce, ShortId, VehicleId};
use keys_core::key::{First, encode_key};
use keys_core::link::{Claims, sign_link};
use keys_core::policy::{Policy, Presence};
use keys_core::presentation::{cached_key_item, encode_presentation};
use keys_core::proof::{Proof, sign_proof};
use keys_core::signature::{Signer, SigningKey};
use keys_core::statement::{IdList, Statement, id_list};
use keys_core::status::StatusBoard;
use keys_core::time::{ClockInterval, Timestamp, Validity};
use keys_core::trust::Roots;

use super::VARIETY;

/// 2026-07-01T12:00:00Z.
pub(super) const NOW: Timestamp = Timestamp(1_782_907_200);

/// A car, a key for it, and the messages that ask the car to unlock.
pub(super) struct Car {
    pub(super) vehicle: VehicleId,
    pub(super) roots: Roots,
    pub(super) anchors: AnchorStore,
    pub(super) board: StatusBoard,
    pub(super) key: Vec<u8>,
    /// With the whole key.
    pub(super) presentation: Vec<u8>,
    /// With the id of its last link instead.
    pub(super) short_presentation: Vec<u8>,
}

/// Cars whose keys have the same number of links.
pub(crate) struct Scene {
    pub(super) cars: Vec<Car>,
}

impl Scene {
    /// Makes the cars and keys.
    pub(super) fn new(hops: usize) -> anyhow::Result<Self> {
        let cars = (0..VARIETY)
            .map(|number| Car::new(hops, number))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { cars })
    }

    /// Where every car stands: inside its area.
    pub(super) fn position() -> Option<Point> {
        Point::new(525_200_070, 134_049_540).ok()
    }

    /// Bytes of a key.
    pub(super) fn key_bytes(&self) -> usize {
        self.cars.first().map_or(0, |car| car.key.len())
    }
}

/// Keys of car `number`: 0 the owner, then the holders, last the gateway.
fn signer(number: usize, role: u8) -> anyhow::Result<SigningKey> {
    let mut seed = [role; 32];
    seed[0] = u8::try_from(number)?;
    Ok(SigningKey::from_seed(&seed))
}

/// Three entitlements, in a circle, one day; each further link asks for less.
fn claims(
    hop: usize,
    hops: usize,
    vehicle: VehicleId,
    holder: &SigningKey,
) -> anyhow::Result<Claims> {
    let rights = [
        Entitlements::UNLOCK | Entitlements::LOCK | Entitlements::ENABLE_DRIVING,
        Entitlements::UNLOCK | Entitlements::LOCK,
        Entitlements::UNLOCK,
    ];
    let mut policy = Policy::of(
        *rights
            .get(hop)
            .context("a benchmark key has one to three links")?,
    );
    policy.delegations = u8::try_from(hops - 1 - hop)?;
    if hop == 0 {
        let center = Scene::position().context("the position is on the earth")?;
        policy.areas.push(Area::circle(center, 250_000)?);
        policy.outage_limit_s = Some(86_400);
    }
    Ok(Claims {
        vehicle: (hop == 0).then_some(vehicle),
        validity: Validity {
            from: NOW,
            until: NOW.plus(86_400 - 3_600 * u64::try_from(hop)?),
        },
        grant_id: (hop == 0).then_some(GrantId(*b"booking1")),
        holder: *holder.verifying_key().as_bytes(),
        policy,
        booking_hash: None,
    })
}

/// A statement of the owner that revokes three other keys.
fn board(owner: &SigningKey, vehicle: VehicleId, roots: &Roots) -> anyhow::Result<StatusBoard> {
    let statement = Statement {
        vehicle,
        issued_at: NOW,
        seq: 1,
        least_generation: 0,
        revoked: id_list([1, 2, 3].map(|id| ShortId([id; 16]))).context("three ids fit")?,
        suspended: IdList::new(),
        owner_statement: None,
        expires_at: None,
    };
    let sealed = seal(&statement, owner, NO_REST)?;
    let mut board = StatusBoard::default();
    let parsed = Unverified::<Statement>::decode(&sealed.bytes)?;
    board.accept(
        &parsed,
        vehicle,
        roots,
        &AnchorStore::default(),
        ClockInterval::exactly(NOW),
    )?;
    Ok(board)
}

impl Car {
    fn new(hops: usize, number: usize) -> anyhow::Result<Self> {
        let mut id = [7; 16];
        id[15] = u8::try_from(number)?;
        let vehicle = VehicleId::from_bytes(id);
        let owner = signer(number, 1)?;
        let roots = Roots {
            owner_keys: [*owner.verifying_key()].into_iter().collect(),
            platform_root: None,
            mandate_allowed: false,
        };
        let mut links = Vec::new();
        let mut by = owner.clone();
        let mut parent = None;
        for hop in 0..hops {
            let holder = signer(number, 2 + u8::try_from(hop)?)?;
            let link = sign_link(&claims(hop, hops, vehicle, &holder)?, &by, parent.as_ref())?;
            (by, parent) = (holder, Some(link.id));
            links.push(link.bytes);
        }
        let leaf = parent.context("a key has a link")?;
        let further: Vec<&[u8]> = links[1..].iter().map(Vec::as_slice).collect();
        let key = encode_key(First::Link(&links[0]), &further);
        let challenge = challenge(vehicle, number)?;
        let proof = sign_proof(&proof(number)?, &by, &challenge, &leaf)?;
        Ok(Self {
            board: board(&owner, vehicle, &roots)?,
            presentation: encode_presentation(&challenge, &key, &proof.bytes),
            short_presentation: encode_presentation(
                &challenge,
                &cached_key_item(&leaf),
                &proof.bytes,
            ),
            anchors: AnchorStore::default(),
            vehicle,
            roots,
            key,
        })
    }
}

fn challenge(vehicle: VehicleId, number: usize) -> anyhow::Result<Vec<u8>> {
    let challenge = Challenge {
        nonce: Nonce([u8::try_from(number)?; 16]),
        vehicle,
        phone_nonce: Some([3; 16]),
        share: [0x55; 32],
        clock: ClockInterval::exactly(NOW),
        boot_epoch: BootEpoch([4; 8]),
        seqs: Seqs::default(),
        ttl_ms: 2_000,
        versions: [VERSION].into_iter().collect(),
        return_origin: None,
        boot_ms: 123_456,
    };
    Ok(seal(&challenge, &signer(number, 9)?, NO_REST)?.bytes)
}

fn proof(number: usize) -> anyhow::Result<Proof> {
    Ok(Proof {
        command: VehicleCommand::Unlock,
        phone_time: NOW,
        share: None,
        parameters: None,
        presence: Presence::Tap,
        command_id: CommandId([u8::try_from(number)?; 16]),
        not_after: NOW.plus(30),
        position: None,
    })
}
