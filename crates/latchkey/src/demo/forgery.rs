//! What thieves and a broken-into platform would send. None of it opens a car.

use anyhow::{Context, anyhow};
use keys_core::chain::DigitalKey;
use keys_core::command::VehicleCommand;
use keys_core::entitlement::Entitlements;
use keys_core::id::{CommandId, GrantId, ObjectId, VehicleId};
use keys_core::key::{First, UnverifiedKey, encode_key};
use keys_core::limits;
use keys_core::link::{Claims, sign_link};
use keys_core::policy::{Policy, Presence};
use keys_core::presentation::{Presentation, PresentedKey, encode_presentation};
use keys_core::proof::{Proof, sign_proof};
use keys_core::refusal::Refusal;
use keys_core::signature::{Signer, SigningKey};
use keys_core::time::{Timestamp, Validity};

use crate::clock;
use crate::device::car::{Car, CarError};
use crate::device::held_key::Handover;
use crate::device::phone::{CommandAnswer, Phone};
use crate::device::random;

/// A proof over any challenge with any key.
fn prove(
    signer: &SigningKey,
    challenge: &[u8],
    leaf: &ObjectId,
    command: VehicleCommand,
) -> anyhow::Result<Vec<u8>> {
    let now = clock::now();
    let proof = Proof {
        command,
        phone_time: now,
        share: None,
        parameters: None,
        presence: Presence::Tap,
        command_id: CommandId(random::bytes()?),
        not_after: now.plus(limits::COMMAND_LIFE_S),
        position: None,
    };
    Ok(sign_proof(&proof, signer, challenge, leaf)?.bytes)
}

/// Another command over the challenge of a presentation that was used.
pub(super) fn same_challenge(
    phone: &Phone,
    presentation: &[u8],
    command: VehicleCommand,
) -> anyhow::Result<Vec<u8>> {
    let used = Presentation::parse(presentation)?;
    let PresentedKey::Whole(_) = used.key else {
        return Err(anyhow!("the phone presents whole keys"));
    };
    let challenge = used.challenge.envelope().bytes();
    let leaf = phone.keys()[0].verified()?.leaf();
    let proof = prove(phone.signing_key(), challenge, &leaf, command)?;
    Ok(encode_presentation(challenge, used.key_bytes, &proof))
}

/// A delegated key that gives more than its parent: a right that was never given, for longer.
pub(super) fn wider(renter: &Phone, codriver: &Phone) -> anyhow::Result<Handover> {
    let key: DigitalKey = renter.keys()[0].verified()?;
    let window = key.effective().validity();
    let claims = Claims {
        vehicle: None,
        validity: Validity {
            from: window.from,
            until: window.until.plus(86_400),
        },
        grant_id: None,
        holder: *codriver.holder_key().as_bytes(),
        policy: Policy::of(key.effective().entitlements() | Entitlements::OPEN_TRUNK),
        booking_hash: None,
    };
    renter.sign_delegation(0, &claims)
}

/// The last link's id, without checking that the links lie inside each other.
fn unchecked_leaf(chain: &[u8]) -> anyhow::Result<ObjectId> {
    let key = UnverifiedKey::parse(chain)?;
    let ids = key.unverified_ids();
    ids.last().copied().context("a key has a link")
}

async fn present(
    phone: &Phone,
    at: usize,
    car: &Car,
    chain: &[u8],
    signer: &SigningKey,
    command: VehicleCommand,
) -> anyhow::Result<CommandAnswer> {
    let challenge = car.challenge(&random::bytes()?).await?;
    let proof = prove(signer, &challenge, &unchecked_leaf(chain)?, command)?;
    phone
        .hand_over(at, car, encode_presentation(&challenge, chain, &proof))
        .await
}

/// Presents a key that the phone itself would not.
pub(super) async fn present_unchecked(
    phone: &Phone,
    at: usize,
    car: &Car,
    command: VehicleCommand,
) -> anyhow::Result<CommandAnswer> {
    let chain = phone.keys()[at].chain()?;
    present(phone, at, car, &chain, phone.signing_key(), command).await
}

/// Presents the owner's key file with the thief's private key.
pub(super) async fn stolen_key(
    owner: &Phone,
    thief: &Phone,
    car: &Car,
    command: VehicleCommand,
) -> anyhow::Result<CommandAnswer> {
    let chain = owner.keys()[0].chain()?;
    present(owner, 0, car, &chain, thief.signing_key(), command).await
}

/// A key for the thief himself, with every right, signed by whoever the platform is: alone, or below
/// a mandate the platform wrote itself.
pub(super) fn platform_key(
    vehicle: VehicleId,
    signer: &SigningKey,
    mandate_from: Option<&SigningKey>,
    thief: &Phone,
) -> anyhow::Result<Vec<u8>> {
    let now = clock::now();
    let holder = *thief.holder_key().as_bytes();
    let Some(root) = mandate_from else {
        let claims = all_rights(vehicle, holder, now)?;
        let link = sign_link(&claims, signer, None)?;
        return Ok(encode_key(First::Link(&link.bytes), &[]));
    };
    let mut mandate = all_rights(vehicle, *signer.verifying_key().as_bytes(), now)?;
    mandate.policy.delegations = 4;
    mandate.policy.outage_limit_s = Some(86_400);
    mandate.policy.max_window_s = Some(86_400);
    let first = sign_link(&mandate, root, None)?;
    let mut claims = all_rights(vehicle, holder, now)?;
    claims.vehicle = None;
    let last = sign_link(&claims, signer, Some(&first.id))?;
    Ok(encode_key(First::Link(&first.bytes), &[&last.bytes]))
}

fn all_rights(vehicle: VehicleId, holder: [u8; 32], now: Timestamp) -> anyhow::Result<Claims> {
    let rights = Entitlements::from_bits(0x7f).context("seven known bits")?;
    Ok(Claims {
        vehicle: Some(vehicle),
        validity: Validity {
            from: Timestamp(now.0 - 60),
            until: now.plus(3_600),
        },
        grant_id: Some(GrantId(random::bytes()?)),
        holder,
        policy: Policy::of(rights),
        booking_hash: None,
    })
}

/// Whether a car takes a forged key over this challenge; `Err` is the refusal everybody hopes for.
///
/// A try that is refused uses nothing up, so one challenge does for all of them.
pub(super) async fn opens(
    car: &Car,
    challenge: &[u8],
    chain: &[u8],
    thief: &Phone,
) -> anyhow::Result<Result<(), Refusal>> {
    let leaf = unchecked_leaf(chain)?;
    let proof = prove(
        thief.signing_key(),
        challenge,
        &leaf,
        VehicleCommand::Unlock,
    )?;
    match car
        .present(encode_presentation(challenge, chain, &proof))
        .await
    {
        Err(CarError::Refused(refusal)) => Ok(Err(refusal)),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(Ok(())),
    }
}
