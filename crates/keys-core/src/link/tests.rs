use super::*;
use crate::area::{Area, Point};
use crate::codec::edits::{assert_body, payload, read_payload};
use crate::entitlement::Entitlements;
use crate::envelope::Unverified;
use crate::hours::{HoursWindow, WeeklyHours, ZoneName};
use crate::policy::{CarConditions, ClockRule, Presence, Proximity};
use crate::refusal::Refusal;
use crate::testing::{NOW, claims, holder, owner, window};

fn point(lat: i64, lon: i64) -> Point {
    Point::new(lat, lon).unwrap()
}

/// A link that states everything.
fn full() -> Claims {
    let mut claims = claims(&holder(1), window(), Entitlements::from_bits(0x7f).unwrap());
    claims.grant_id = Some(GrantId([1; 8]));
    claims.booking_hash = Some([2; 16]);
    let circle = Area::circle(point(520_000_000, 134_000_000), 500).unwrap();
    let corners = [point(0, 0), point(0, 10), point(10, 0)];
    let polygon = Area::polygon(corners).unwrap();
    let hours = [(1, 0, 60), (127, 600, 1_440)]
        .map(|(days, start, end)| HoursWindow::new(days, start, end).unwrap());
    let policy = &mut claims.policy;
    policy.delegations = 4;
    policy.areas = [circle.clone(), polygon].into_iter().collect();
    policy.outage_limit_s = Some(900);
    policy.generation = Some(3);
    policy.proximity = Some(Proximity::Uwb);
    policy.clock_rule = Some(ClockRule::Floor);
    policy.hours = Some(WeeklyHours::new(ZoneName::new("Europe/Berlin").unwrap(), &hours).unwrap());
    policy.max_uses = Some(5);
    policy.max_window_s = Some(86_400);
    policy.begun_limit_s = Some(259_200);
    policy.grace_s = Some(3_600);
    policy.car_conditions = CarConditions::from_bits(3);
    policy.presence = Some(Presence::Verified);
    policy.return_areas = [circle.clone(), circle].into_iter().collect();
    claims
}

#[test]
fn a_link_comes_back_as_written_and_nothing_else_is_read() {
    let harmless = [
        "remove /3",
        "remove /7",
        "remove /-65539",
        "remove /-65537/3",
        "remove /-65537/4",
        "remove /-65537/5",
        "remove /-65537/6",
        "remove /-65537/7",
        "remove /-65537/8",
        "remove /-65537/9",
        "remove /-65537/10",
        "remove /-65537/11",
        "remove /-65537/12",
        "remove /-65537/13",
        "remove /-65537/14",
        "remove /-65537/15",
        "pop /-65537/3",
        "pop /-65537/15",
        "pop /-65537/8/1",
    ];
    assert_body(&full(), &harmless);
    let least = claims(&holder(1), window(), Entitlements::NONE);
    assert_body(&least, &["remove /3"]);
}

#[test]
fn neither_map_of_a_holder_key_has_another_entry() {
    let encoded = payload(&full());
    let cnf = [8, 0xa1, 1, 0xa3, 1, 1];
    let at = encoded.windows(6).position(|bytes| bytes == cnf).unwrap();
    for map in [at + 1, at + 3] {
        // What comes after the holder key, the policy, would be its further entry.
        let mut other = encoded.clone();
        other[map] += 1;
        assert!(read_payload::<Claims>(&other).is_err());
    }
}

/// Reads a full link whose policy item `key` is the number `value`.
fn with_item(key: u8, value: u64) -> bool {
    let mut changed = full();
    let small = |value| u8::try_from(value).ok();
    let policy = &mut changed.policy;
    // A marker of the same kind is written first, then its bytes are replaced.
    policy.areas.clear();
    policy.return_areas.clear();
    policy.hours = None;
    let marker = match key {
        1 => u64::from(policy.entitlements.bits()),
        2 => u64::from(policy.delegations),
        4 => 900,
        6 => 3,
        7 => 1,
        11 => 259_200,
        12 => 3_600,
        13 => 3,
        14 => 2,
        _ => panic!("no such item"),
    };
    let encoded = payload(&changed);
    let entry = |value: u64| {
        let mut writer = Writer::new();
        writer
            .uint(u64::from(small(u64::from(key)).unwrap()))
            .uint(value);
        writer.into_bytes()
    };
    let (from, to) = (entry(marker), entry(value));
    let policy_at = encoded
        .windows(5)
        .position(|bytes| bytes == [0x3a, 0, 1, 0, 0])
        .unwrap();
    let at = encoded[policy_at..]
        .windows(from.len())
        .position(|bytes| bytes == from)
        .unwrap();
    let mut spoilt = encoded;
    spoilt.splice(policy_at + at..policy_at + at + from.len(), to);
    read_payload::<Claims>(&spoilt).is_ok()
}

#[test]
fn every_policy_number_has_its_bounds() {
    for (key, value, expected) in [
        (1, 0, true),
        (1, 255, true),
        (1, 256, false),
        (2, 0, true),
        (2, 4, true),
        (2, 5, false),
        (4, 899, false),
        (4, 900, true),
        (4, 901, true),
        (4, 4_294_967_294, true),
        (4, 4_294_967_295, true),
        (4, 4_294_967_296, false),
        (6, 0, true),
        (6, 3, true),
        (6, 4, false),
        (6, 256, false),
        (7, 0, true),
        (7, 2, true),
        (7, 3, false),
        (11, 899, false),
        (11, 900, true),
        (11, 259_200, true),
        (11, 259_201, false),
        (12, 0, true),
        (12, 86_399, true),
        (12, 86_400, true),
        (12, 86_401, false),
        (13, 0, true),
        (13, 3, true),
        (13, 4, false),
        (13, 1 << 32, false),
        (14, 0, true),
        (14, 2, true),
        (14, 3, false),
    ] {
        assert_eq!(with_item(key, value), expected, "policy {key} = {value}");
    }
}

#[test]
fn unbounded_numbers_end_at_two_to_the_fifty_three() {
    type Item = fn(&mut Claims) -> &mut Option<u64>;
    let items: [Item; 3] = [
        |claims| &mut claims.policy.generation,
        |claims| &mut claims.policy.max_uses,
        |claims| &mut claims.policy.max_window_s,
    ];
    for item in items {
        let mut claims = full();
        for (value, expected) in [(0, true), ((1 << 53) - 1, true), (1 << 53, false)] {
            *item(&mut claims) = Some(value);
            assert_eq!(read_payload::<Claims>(&payload(&claims)).is_ok(), expected);
        }
    }
}

#[test]
fn a_window_ends_after_it_begins_and_before_two_to_the_forty() {
    let read = |from: u64, until: u64| {
        let mut claims = full();
        claims.validity = Validity {
            from: Timestamp(from),
            until: Timestamp(until),
        };
        read_payload::<Claims>(&payload(&claims)).is_ok()
    };
    assert!(!read(NOW.0, NOW.0 - 1));
    assert!(!read(NOW.0, NOW.0));
    assert!(read(NOW.0, NOW.0 + 1));
    assert!(read(0, (1 << 40) - 1));
    assert!(!read(0, 1 << 40));
}

#[test]
fn a_list_of_areas_has_one_to_eight() {
    let circle = Area::circle(point(0, 0), 1).unwrap();
    let mut claims = claims(&holder(1), window(), Entitlements::NONE);
    claims.policy.areas = core::iter::repeat_n(circle, 8).collect();
    let eight = payload(&claims);
    assert!(read_payload::<Claims>(&eight).is_ok());
    let at = eight
        .windows(2)
        .position(|bytes| bytes == [0x88, 0x83])
        .unwrap();
    let mut nine = eight.clone();
    nine[at] = 0x89;
    nine.splice(at + 1..at + 1, [0x83, 0, 0, 1]);
    let refused = read_payload::<Claims>(&nine).unwrap_err();
    assert_eq!(refused.refusal(), Refusal::TooLarge);
    let mut none = eight[..at].to_vec();
    none.push(0x80);
    let refused = read_payload::<Claims>(&none).unwrap_err();
    assert_eq!(refused.refusal(), Refusal::Malformed);
}

#[test]
fn a_link_has_at_most_640_bytes() {
    // Polygons of sixteen points fill the link; the zone name sets its last bytes.
    let sealed = |areas: usize, zone: &str| {
        let mut claims = claims(&holder(1), window(), Entitlements::NONE);
        let corner = |index: i64| point(index * index * 1_000_000, 100_000_000 + index * 1_000_000);
        let polygon = Area::polygon((0..16).map(corner)).unwrap();
        claims.policy.areas = core::iter::repeat_n(polygon, areas).collect();
        let circle = Area::circle(point(900_000_000, 1_800_000_000), 1).unwrap();
        claims.policy.return_areas = core::iter::repeat_n(circle, 4).collect();
        let always = [HoursWindow::new(127, 0, 1_440).unwrap()];
        claims.policy.hours =
            Some(WeeklyHours::new(ZoneName::new(zone).unwrap(), &always).unwrap());
        sign_link(&claims, &owner(), None).unwrap().bytes
    };
    let short = sealed(2, "");
    let missing = limits::LINK_BYTES - short.len();
    assert!((25..63).contains(&missing), "{missing}");
    for (length, expected) in [(639, None), (640, None), (641, Some(Refusal::TooLarge))] {
        // The head of a text of 24 and more takes one byte more.
        let link = sealed(2, &"x".repeat(length - short.len() - 1));
        assert_eq!(link.len(), length);
        let refused = Unverified::<Claims>::decode(&link).err();
        assert_eq!(refused.map(DecodeError::refusal), expected);
        let mut padded = crate::key::encode_key(crate::key::First::Link(&link), &[]);
        let nested = crate::key::UnverifiedKey::parse(&padded).err();
        assert_eq!(nested.map(DecodeError::refusal), expected);
        padded.push(0);
        assert!(crate::key::UnverifiedKey::parse(&padded).is_err());
    }
}

#[test]
fn a_radius_ends_at_two_to_the_fifty_three() {
    let circle = |radius_m| Area::circle(point(0, 0), radius_m);
    assert!(circle(9_007_199_254_740_991).is_ok());
    assert!(circle(9_007_199_254_740_992).is_err());
}

#[test]
fn corners_on_one_line_are_no_polygon_in_any_direction() {
    for (lat, lon) in [(1, 0), (0, 1), (1, 1), (-1, 0), (0, -1), (3, -2)] {
        let corners = [1, 10, 5].map(|steps| point(lat * steps, lon * steps));
        assert!(Area::polygon(corners).is_err(), "{lat} {lon}");
    }
}

#[test]
fn a_zone_prints_its_name() {
    let zone = ZoneName::new("Europe/Berlin").unwrap();
    assert_eq!(alloc::format!("{zone}"), "Europe/Berlin");
    assert_eq!(alloc::format!("{zone:?}"), "ZoneName(\"Europe/Berlin\")");
}
