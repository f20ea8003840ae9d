//! The whole check, from the bytes of a presentation to a decision, in one fixed world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use keys_core::anchors::AnchorStore;
use keys_core::chain::DigitalKey;
use keys_core::command::VehicleCommand;
use keys_core::decide::{Ask, CarFacts, Channel, Decision, Situation, decide};
use keys_core::entitlement::Entitlements;
use keys_core::envelope::{NO_REST, Sealed, Unverified};
use keys_core::freshness::Contact;
use keys_core::id::{GrantId, ObjectId};
use keys_core::key::{First, UnverifiedKey, encode_key};
use keys_core::policy::Proximity;
use keys_core::presentation::{Presentation, PresentedKey, cached_key_item, encode_presentation};
use keys_core::proof::{challenge_hash, speaks_this_version};
use keys_core::refusal::Refusal;
use keys_core::signature::{Signer, SigningKey, VerifyingKey};
use keys_core::statement::Statement;
use keys_core::status::StatusBoard;
use keys_core::testing::{self, KeyBuilder, NOW, holder, roots, vehicle, window};
use keys_core::time::ClockInterval;
use keys_core::trust::Roots;

/// What the gateway of this world trusts and knows.
struct World {
    roots: Roots,
    anchors: AnchorStore,
    gateway: VerifyingKey,
    board: StatusBoard,
    cached: BTreeMap<ObjectId, DigitalKey>,
    good: BTreeSet<Vec<u8>>,
}

/// Allows exactly the presentations that were made with the keys of this world: no other bytes.
///
/// # Panics
/// If it allows other bytes, or refuses these.
pub(crate) fn check(data: &[u8]) -> bool {
    let world = world();
    let allowed = answer(world, data).is_ok_and(Decision::allows);
    assert_eq!(allowed, world.good.contains(data));
    allowed
}

/// Every presentation that this world allows.
pub(crate) fn good() -> impl Iterator<Item = &'static [u8]> {
    world().good.iter().map(Vec::as_slice)
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(World::new)
}

fn answer(world: &World, data: &[u8]) -> Result<Decision, Refusal> {
    let presentation = Presentation::parse(data)?;
    let hash = challenge_hash(presentation.challenge.envelope().bytes());
    let challenge = presentation.challenge.verify(&world.gateway, NO_REST)?;
    if challenge.body().vehicle != vehicle() || !speaks_this_version(challenge.body()) {
        return Err(Refusal::WrongChallenge);
    }
    let key = match &presentation.key {
        PresentedKey::Whole(key) => key.verify(vehicle(), &world.roots, &world.anchors)?,
        PresentedKey::Cached(leaf) => world
            .cached
            .get(leaf)
            .cloned()
            .ok_or(Refusal::UnknownSigner)?,
    };
    let proof = key.verify_proof(&presentation.proof, &hash)?;
    let ask = Ask {
        command: proof.body().command,
        presence: proof.body().presence,
        not_after: proof.body().not_after,
        channel: Channel::Local,
        proximity: Proximity::None,
    };
    let situation = Situation {
        clock: ClockInterval::exactly(NOW),
        now: Some(NOW),
        contact: Contact {
            in_contact: true,
            begun: false,
        },
        status: &world.board,
        car: CarFacts::default(),
        uses: &|_: GrantId| 0,
        floor_admission_left: false,
    };
    Ok(decide(&key, &ask, &situation))
}

impl World {
    fn new() -> Self {
        let mandated = KeyBuilder::mandated();
        let status_link = testing::status_link().bytes;
        let links = mandated.links().iter().map(|link| &link.bytes[..]);
        let links = links.chain([&status_link[..]]);
        let anchors = AnchorStore::from_links(links, vehicle(), &roots());
        assert_eq!(anchors.len(), 3);
        let mut world = Self {
            roots: roots(),
            board: fresh_board(&anchors),
            anchors,
            gateway: *testing::gateway().verifying_key(),
            cached: BTreeMap::new(),
            good: BTreeSet::new(),
        };
        for (key, number, anchored) in keys(mandated) {
            world.take(&key, &holder(number), anchored);
        }
        world
    }

    /// Adds every presentation of a key: whole, behind each of its first `anchored` links, and by its id.
    fn take(&mut self, key: &KeyBuilder, holder: &SigningKey, anchored: usize) {
        let leaf = key.leaf();
        let encoded = key.encode();
        let verified = UnverifiedKey::parse(&encoded)
            .expect("a key")
            .verify(vehicle(), &self.roots, &self.anchors)
            .expect("a good one");
        self.cached.insert(leaf, verified);
        for (number, command) in (1..).zip([VehicleCommand::Unlock, VehicleCommand::Lock]) {
            let challenge = testing::challenge(number).bytes;
            let proof = testing::proof(command, number, holder, &challenge, &leaf).bytes;
            let forms = (0..=anchored).map(|count| key.encode_from(count));
            for form in forms.chain([cached_key_item(&leaf)]) {
                self.good
                    .insert(encode_presentation(&challenge, &form, &proof));
            }
        }
    }
}

/// Keys of one to five links, with their last holder's number and how many links are anchors.
fn keys(mandated: KeyBuilder) -> Vec<(KeyBuilder, u8, usize)> {
    let link = |number: u8| {
        let rights = Entitlements::UNLOCK | Entitlements::LOCK;
        let mut claims = testing::claims(&holder(number), window(), rights);
        claims.grant_id = Some(GrantId([number; 8]));
        claims.policy.delegations = 3_u8.saturating_sub(number);
        claims
    };
    let owned = |number| KeyBuilder::owned(&holder(number));
    vec![
        (owned(1), 1, 0),
        (owned(1).then(link(2), &holder(2)), 2, 0),
        (mandated.clone().then(link(1), &holder(1)), 1, 2),
        (
            mandated
                .then(link(1), &holder(1))
                .then(link(2), &holder(2))
                .then(link(3), &holder(3)),
            3,
            2,
        ),
    ]
}

/// A board with a fresh word of the owner and of the platform.
fn fresh_board(anchors: &AnchorStore) -> StatusBoard {
    let mut board = StatusBoard::default();
    let owner = testing::statement(1, NOW, None, &[], &[]);
    let platform = testing::statement(1, NOW, Some(NOW.plus(900)), &[], &[]);
    for Sealed { bytes, .. } in [owner, platform] {
        let statement = Unverified::<Statement>::decode(&bytes).expect("a statement");
        let clock = ClockInterval::exactly(NOW);
        board
            .accept(&statement, vehicle(), &roots(), anchors, clock)
            .expect("a good one");
    }
    board
}

/// Presentations that verify in part: another's proof, a link too few, an order turned round.
pub(crate) fn nearly_good() -> Vec<Vec<u8>> {
    let challenge = testing::challenge(1).bytes;
    let key = KeyBuilder::owned(&holder(1));
    let proof_by = |number: u8, leaf| {
        testing::proof(VehicleCommand::Unlock, 1, &holder(number), &challenge, leaf).bytes
    };
    let mandated = KeyBuilder::mandated();
    let links: Vec<&[u8]> = mandated
        .links()
        .iter()
        .map(|link| &link.bytes[..])
        .collect();
    let turned = encode_key(First::Link(links[1]), &links[..1]);
    vec![
        encode_presentation(&challenge, &key.encode(), &proof_by(2, &key.leaf())),
        encode_presentation(&challenge, &key.encode(), &proof_by(1, &mandated.leaf())),
        encode_presentation(&challenge, &mandated.encode(), &proof_by(1, &key.leaf())),
        encode_presentation(&challenge, &turned, &proof_by(1, &mandated.leaf())),
        encode_presentation(
            &testing::challenge(3).bytes,
            &key.encode(),
            &proof_by(1, &key.leaf()),
        ),
    ]
}
