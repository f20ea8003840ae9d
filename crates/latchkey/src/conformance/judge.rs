//! The decision about one record, in the order of ck1 section 5.

use keys_core::anchors::AnchorStore;
use keys_core::chain::DigitalKey;
use keys_core::challenge::Challenge;
use keys_core::decide::{Ask, Decision, Situation, decide};
use keys_core::envelope::{NO_REST, Unverified, Verified};
use keys_core::id::GrantId;
use keys_core::key::UnverifiedKey;
use keys_core::limits;
use keys_core::presentation::encode_presentation;
use keys_core::proof::{Proof, challenge_hash, speaks_this_version};
use keys_core::refusal::Refusal;
use keys_core::statement::Statement;
use keys_core::status::StatusBoard;
use keys_core::time::{ClockInterval, Timestamp};

use super::record::Record;

/// Decides about a record as a gateway in its situation would.
pub(super) fn judge(record: &Record) -> Decision {
    match verify(record) {
        Ok((key, proof, anchors)) => weigh(record, &key, &proof, &anchors),
        Err(refusal) => Decision::Refuse(refusal.into()),
    }
}

/// Lengths, parsing, vehicle, signatures from the root, narrowing, challenge, proof. The first that
/// fails is the only reason: nothing unsigned yields a specific one.
fn verify(record: &Record) -> Result<(DigitalKey, Verified<Proof>, AnchorStore), Refusal> {
    check_lengths(record)?;
    let key = UnverifiedKey::parse(&record.key)?;
    let challenge = decode::<Challenge>(record.challenge.as_deref())?;
    let proof = decode::<Proof>(record.proof.as_deref())?;
    check_vehicle(record, challenge.as_ref())?;

    let anchors = record.anchors.iter().map(Vec::as_slice);
    let anchors = AnchorStore::from_links(anchors, record.vehicle, &record.roots);
    let key = key.verify(record.vehicle, &record.roots, &anchors)?;

    let challenge = challenge.ok_or(Refusal::WrongChallenge)?;
    let hash = challenge_hash(challenge.envelope().bytes());
    check_challenge(challenge, record)?;
    let proof = proof.ok_or(Refusal::BadSignature)?;
    let proof = key.verify_proof(&proof, &hash)?;
    if proof.body().command != record.command {
        return Err(Refusal::BadSignature);
    }
    Ok((key, proof, anchors))
}

fn check_lengths(record: &Record) -> Result<(), Refusal> {
    let challenge = record.challenge.as_deref().unwrap_or_default();
    let proof = record.proof.as_deref().unwrap_or_default();
    let whole = encode_presentation(challenge, &record.key, proof).len();
    if record.key.len() > limits::KEY_BYTES || whole > limits::PRESENTATION_BYTES {
        return Err(Refusal::TooLarge);
    }
    Ok(())
}

fn decode<T: keys_core::envelope::Body>(
    bytes: Option<&[u8]>,
) -> Result<Option<Unverified<'_, T>>, Refusal> {
    Ok(bytes.map(Unverified::decode).transpose()?)
}

/// One generic refusal for a challenge of another car; the key's own is compared as it is verified.
fn check_vehicle(
    record: &Record,
    challenge: Option<&Unverified<'_, Challenge>>,
) -> Result<(), Refusal> {
    match challenge {
        Some(challenge) if challenge.unverified_body().vehicle != record.vehicle => {
            Err(Refusal::WrongVehicle)
        }
        _ => Ok(()),
    }
}

/// A challenge counts if this car's gateway signed it, in a version spoken here.
fn check_challenge(challenge: Unverified<'_, Challenge>, record: &Record) -> Result<(), Refusal> {
    let gateway_key = record.gateway_key.ok_or(Refusal::WrongChallenge)?;
    let challenge = challenge
        .verify(&gateway_key, NO_REST)
        .map_err(|_| Refusal::WrongChallenge)?;
    if speaks_this_version(challenge.body()) {
        Ok(())
    } else {
        Err(Refusal::WrongChallenge)
    }
}

/// All claims, conditions and statements, collecting every reason.
fn weigh(
    record: &Record,
    key: &DigitalKey,
    proof: &Verified<Proof>,
    anchors: &AnchorStore,
) -> Decision {
    let (status, clock) = take_statements(record, anchors);
    let ask = Ask {
        command: record.command,
        presence: proof.body().presence,
        not_after: proof.body().not_after,
        channel: record.channel,
        proximity: record.proximity,
    };
    let uses = |grant: GrantId| record.uses.get(&grant).copied().unwrap_or(0);
    let situation = Situation {
        clock,
        now: record.now,
        contact: record.contact,
        status: &status,
        car: record.car,
        uses: &uses,
        floor_admission_left: true,
    };
    decide(key, &ask, &situation)
}

/// Takes the statements in their order; those that do not hold change nothing. A clock of which
/// nothing is known has the newest statement's time as its floor.
fn take_statements(record: &Record, anchors: &AnchorStore) -> (StatusBoard, ClockInterval) {
    let known = record.known;
    let mut board = StatusBoard::with_known(known.owner_seq, known.platform_seq, known.generation);
    let clock_now = |board: &StatusBoard| {
        let unknown = ClockInterval::at_least(Timestamp(0));
        record
            .clock
            .unwrap_or_else(|| unknown.raise_floor(board.time_floor()))
    };
    for bytes in &record.statements {
        if let Ok(statement) = Unverified::<Statement>::decode(bytes) {
            let clock = clock_now(&board);
            // A refused statement leaves the board as it was.
            let _refused = board.accept(&statement, record.vehicle, &record.roots, anchors, clock);
        }
    }
    let clock = clock_now(&board);
    (board, clock)
}
