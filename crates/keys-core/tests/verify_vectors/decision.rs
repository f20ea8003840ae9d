//! What a gateway in the recorded situation decides.

use keys_core::anchors::AnchorStore;
use keys_core::area::Point;
use keys_core::challenge::Challenge;
use keys_core::decide::{Ask, CarFacts, Channel, Decision, Situation, decide};
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::freshness::Contact;
use keys_core::id::{GrantId, VehicleId};
use keys_core::key::UnverifiedKey;
use keys_core::policy::Proximity;
use keys_core::proof::{Proof, challenge_hash, speaks_this_version};
use keys_core::refusal::Refusal;
use keys_core::statement::Statement;
use keys_core::status::StatusBoard;
use keys_core::time::{ClockInterval, Timestamp};
use keys_core::trust::Roots;
use serde_json::{Value, json};

use super::fields::{bytes, field, flag, key, list, stated, text, uint, unhex};

pub(super) fn answer(case: &Value) -> Value {
    let decision = decide_about(case).unwrap_or_else(|refusal| Decision::Refuse(refusal.into()));
    let reasons: Vec<&str> = decision.reasons().iter().map(Refusal::code).collect();
    json!({ "decision": decision.as_str(), "reasons": reasons })
}

pub(super) fn roots(case: &Value) -> Roots {
    let platform_root = stated(case, "platform_root").map(key);
    Roots {
        owner_keys: list(case, "roots").iter().map(key).collect(),
        platform_root,
        mandate_allowed: platform_root.is_some(),
    }
}

pub(super) fn vehicle(case: &Value) -> VehicleId {
    text(case, "vehicle").parse().expect("a UUID")
}

pub(super) fn anchors(case: &Value, roots: &Roots) -> AnchorStore {
    let anchors: Vec<Vec<u8>> = list(case, "anchors").iter().map(unhex).collect();
    AnchorStore::from_links(anchors.iter().map(Vec::as_slice), vehicle(case), roots)
}

/// The stated clock; `null` is a clock of which nothing is known.
pub(super) fn clock(case: &Value) -> Option<ClockInterval> {
    let ends = stated(case, "clock")?.as_array().expect("a list of two");
    let [lo, hi] = [0, 1].map(|index| Timestamp(ends[index].as_u64().expect("a number")));
    Some(ClockInterval { lo, hi })
}

pub(super) fn board(case: &Value) -> StatusBoard {
    let known = field(case, "known");
    StatusBoard::with_known(
        uint(known, "owner_seq"),
        uint(known, "platform_seq"),
        uint(known, "generation"),
    )
}

fn decide_about(case: &Value) -> Result<Decision, Refusal> {
    let (vehicle, roots) = (vehicle(case), roots(case));
    let anchors = anchors(case, &roots);
    let key_bytes = bytes(case, "key");
    let unverified = UnverifiedKey::parse(&key_bytes)?;
    let challenge_bytes = stated(case, "challenge").map(unhex);
    let challenge = challenge_bytes
        .as_deref()
        .map(Unverified::<Challenge>::decode)
        .transpose()?;
    let proof_bytes = stated(case, "proof").map(unhex);
    let proof = proof_bytes
        .as_deref()
        .map(Unverified::<Proof>::decode)
        .transpose()?;
    if challenge
        .as_ref()
        .is_some_and(|challenge| challenge.unverified_body().vehicle != vehicle)
    {
        return Err(Refusal::WrongVehicle);
    }

    let digital_key = unverified.verify(vehicle, &roots, &anchors)?;
    let gateway = key(field(case, "gateway_key"));
    let challenge = challenge
        .ok_or(Refusal::WrongChallenge)?
        .verify(&gateway, NO_REST)
        .map_err(|_| Refusal::WrongChallenge)?;
    if !speaks_this_version(challenge.body()) {
        return Err(Refusal::WrongChallenge);
    }
    let hash = challenge_hash(challenge_bytes.as_deref().unwrap_or_default());
    let proof = digital_key.verify_proof(&proof.ok_or(Refusal::BadSignature)?, &hash)?;
    if proof.body().command.as_str() != text(case, "command") {
        return Err(Refusal::BadSignature);
    }
    let ask = Ask {
        command: proof.body().command,
        presence: proof.body().presence,
        not_after: proof.body().not_after,
        channel: match text(case, "channel") {
            "local" => Channel::Local,
            _ => Channel::Remote,
        },
        proximity: u8::try_from(uint(case, "proximity"))
            .ok()
            .and_then(Proximity::from_number)
            .expect("0 to 3"),
    };
    let (status, clock) = hear(case, &roots, &anchors);
    let situation = Situation {
        clock,
        now: Some(Timestamp(uint(case, "now"))),
        contact: Contact {
            in_contact: flag(case, "in_contact"),
            begun: flag(case, "begun"),
        },
        status: &status,
        car: car(case),
        uses: &|grant: GrantId| {
            field(case, "uses")
                .get(grant.to_string())
                .map_or(0, |count| count.as_u64().expect("a number"))
        },
        floor_admission_left: true,
    };
    Ok(decide(&digital_key, &ask, &situation))
}

/// Takes the statements one by one. Without a clock the newest of them is the floor.
fn hear(case: &Value, roots: &Roots, anchors: &AnchorStore) -> (StatusBoard, ClockInterval) {
    let stated = clock(case);
    let now =
        |board: &StatusBoard| stated.unwrap_or_else(|| ClockInterval::at_least(board.time_floor()));
    let mut board = board(case);
    for statement in list(case, "statements").iter().map(unhex) {
        if let Ok(statement) = Unverified::<Statement>::decode(&statement) {
            let clock = now(&board);
            let _not_taken = board.accept(&statement, vehicle(case), roots, anchors, clock);
        }
    }
    let clock = now(&board);
    (board, clock)
}

fn car(case: &Value) -> CarFacts {
    let state = stated(case, "state");
    CarFacts {
        stationary: state.map(|state| flag(state, "stationary")),
        ignition_off: state.map(|state| flag(state, "ignition_off")),
        position: stated(case, "position").map(|position| {
            let [lat, lon] = [0, 1].map(|index| position[index].as_i64().expect("a number"));
            Point::new(lat, lon).expect("a place on earth")
        }),
    }
}
