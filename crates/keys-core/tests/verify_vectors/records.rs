//! Boards, areas, hours, pairing, journals, endings.

use keys_core::area::{Point, read_area};
use keys_core::codec::Reader;
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::freshness::{Ending, dead_by};
use keys_core::hours::WeeklyHours;
use keys_core::journal::{ChainCheck, JournalError, JournalHead};
use keys_core::pairing::{
    PairAnswer, PairConfirm, PairOffer, PairingCode, check_answer, check_confirm, fingerprint_of,
};
use keys_core::policy::ClockRule;
use keys_core::refusal::Refusal;
use keys_core::statement::Statement;
use keys_core::status::{Accepted, Authority};
use keys_core::time::{ClockInterval, Timestamp};
use serde_json::{Value, json};

use super::decision;
use super::fields::{bytes, field, flag, key, list, stated, text, uint, unhex};

pub(super) fn board(case: &Value) -> Value {
    let (vehicle, roots) = (decision::vehicle(case), decision::roots(case));
    let anchors = decision::anchors(case, &roots);
    let clock = decision::clock(case).expect("a clock is stated");
    let mut board = decision::board(case);
    let mut answers = Vec::new();
    for statement in list(case, "statements").iter().map(unhex) {
        let answer = Unverified::<Statement>::decode(&statement)
            .map_err(Refusal::from)
            .and_then(|statement| {
                board
                    .accept(&statement, vehicle, &roots, &anchors, clock)
                    .map_err(|refusal| refusal.refusal())
            });
        answers.push(match answer {
            Ok(Accepted::New(..)) => "new",
            Ok(Accepted::Known) => "known",
            Err(refusal) => refusal.code(),
        });
    }
    let revoked: Vec<String> = board.revoked().map(|id| id.to_string()).collect();
    json!({
        "answers": answers,
        "owner_seq": board.seq(Authority::Owner),
        "platform_seq": board.seq(Authority::Platform),
        "generation": board.least_generation(),
        "revoked": revoked,
    })
}

pub(super) fn area(case: &Value) -> Value {
    let encoded = bytes(case, "area");
    let mut reader = Reader::new(&encoded);
    let area = read_area(&mut reader).expect("an area");
    reader.finish().expect("nothing after it");
    let inside: Vec<bool> = list(case, "points")
        .iter()
        .map(|point| {
            let [lat, lon] = [0, 1].map(|index| point[index].as_i64().expect("a number"));
            area.contains(&Point::new(lat, lon).expect("a place on earth"))
        })
        .collect();
    json!({ "result": "valid", "inside": inside })
}

pub(super) fn hours(case: &Value) -> Value {
    let encoded = bytes(case, "hours");
    let mut reader = Reader::new(&encoded);
    let hours = WeeklyHours::read(&mut reader).expect("hours");
    reader.finish().expect("nothing after them");
    let zone = hours.resolve().expect("a known zone");
    let inside: Vec<bool> = list(case, "clocks")
        .iter()
        .map(|clock| {
            let [lo, hi] = [0, 1].map(|index| Timestamp(clock[index].as_u64().expect("a number")));
            hours.contains_all(zone, ClockInterval { lo, hi })
        })
        .collect();
    json!({ "result": "valid", "inside": inside })
}

pub(super) fn pairing(case: &Value) -> Value {
    let Ok(code) = text(case, "code").parse::<PairingCode>() else {
        let bad = "bad-code";
        return json!({ "fingerprint": bad, "offer": bad, "confirm": bad, "answer": bad });
    };
    let offer = PairOffer::decode(&bytes(case, "offer")).expect("an offer");
    let confirm = PairConfirm::decode(&bytes(case, "confirm")).expect("a confirmation");
    let answer = PairAnswer::decode(&bytes(case, "answer")).expect("an answer");
    let word = |holds: bool, otherwise: &'static str| if holds { "valid" } else { otherwise };
    json!({
        "fingerprint": code.fingerprint().to_string(),
        "offer": word(fingerprint_of(&offer.gateway_key) == *code.fingerprint(), "wrong-gateway"),
        "confirm": word(check_confirm(code.secret(), &offer, &confirm).is_ok(), "wrong-mac"),
        "answer": word(check_answer(code.secret(), &offer, &confirm, &answer).is_ok(), "wrong-mac"),
    })
}

pub(super) fn journal(case: &Value) -> Value {
    let mut check = ChainCheck::default();
    let mut hashes = Vec::new();
    let mut result = "whole";
    for entry in list(case, "entries").iter().map(unhex) {
        match check.push(&entry) {
            Ok(_) => hashes.push(check.head()),
            Err(error) => {
                result = match error {
                    JournalError::Malformed { .. } => "malformed",
                    JournalError::Misplaced { .. } => "misplaced",
                    JournalError::Broken { .. } => "broken",
                };
                break;
            }
        }
    }
    let head = bytes(case, "head");
    let head = Unverified::<JournalHead>::decode(&head).expect("a head");
    let fits = head
        .verify(&key(field(case, "gateway_key")), NO_REST)
        .is_ok_and(|head| {
            let place = usize::try_from(head.body().index).expect("a small number");
            head.body().vehicle == decision::vehicle(case)
                && hashes.get(place) == Some(&head.body().head)
        });
    json!({ "result": result, "good": check.len(), "head_fits": fits })
}

pub(super) fn ending(case: &Value) -> Value {
    let optional =
        |name: &str| stated(case, name).map(|_| u32::try_from(uint(case, name)).expect("a limit"));
    let ending = Ending {
        now: Timestamp(uint(case, "now")),
        acknowledged_at: stated(case, "acknowledged_at")
            .map(|_| Timestamp(uint(case, "acknowledged_at"))),
        valid_until: Timestamp(uint(case, "valid_until")),
        valid_from: Timestamp(uint(case, "valid_from")),
        newest_unlisting_at: Timestamp(uint(case, "newest_unlisting_at")),
        outage_limit_s: optional("outage_limit_s"),
        begun_limit_s: optional("begun_limit_s"),
        clock_rule: u8::try_from(uint(case, "clock_rule"))
            .ok()
            .and_then(ClockRule::from_number)
            .expect("a clock rule"),
        clock_trusted: flag(case, "clock_trusted"),
    };
    match dead_by(&ending) {
        Ok(time) => json!({ "dead_by": time.0 }),
        Err(refusal) => json!({ "result": refusal.code() }),
    }
}
