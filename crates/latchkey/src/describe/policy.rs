//! Policies and what a verified key gives, in the words of the API.

use keys_core::area::{Area, Point};
use keys_core::effective::Effective;
use keys_core::hours::WeeklyHours;
use keys_core::policy::{CarConditions, ClockRule, NO_OUTAGE_LIMIT, Policy, Presence, Proximity};
use serde_json::{Map, Value, json};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const UNITS_PER_DEGREE: f64 = 1e7;

/// What one link states; what it does not state is left out.
pub(crate) fn stated(policy: &Policy) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    put("entitlements", Some(json!(policy.entitlements.names())));
    put("delegations", Some(json!(policy.delegations)));
    put("areas", areas(&policy.areas));
    put("outage_limit_s", policy.outage_limit_s.map(outage_limit));
    put("generation", policy.generation.map(Value::from));
    put(
        "proximity",
        policy.proximity.map(|level| json!(proximity(level))),
    );
    put(
        "clock_rule",
        policy.clock_rule.map(|rule| json!(clock_rule(rule))),
    );
    put("hours", policy.hours.as_ref().map(hours));
    put("max_uses", policy.max_uses.map(Value::from));
    put("max_window_s", policy.max_window_s.map(Value::from));
    put("begun_limit_s", policy.begun_limit_s.map(Value::from));
    put("grace_s", policy.grace_s.map(Value::from));
    put("state_needed", policy.car_conditions.map(conditions));
    put(
        "presence",
        policy.presence.map(|level| json!(presence(level))),
    );
    put("return_areas", areas(&policy.return_areas));
    Value::Object(fields)
}

/// What a whole verified key gives.
pub(crate) fn effective(effective: &Effective) -> Value {
    json!({
        "vehicle": effective.vehicle().to_string(),
        "valid_from": effective.validity().from.to_string(),
        "valid_until": effective.validity().until.to_string(),
        "grant_id": effective.grant_id().map(|id| id.to_string()),
        "entitlements": effective.entitlements().names(),
        "delegations": effective.delegations(),
        "areas": areas(effective.areas()),
        "outage_limit_s": effective.outage_limit_s(),
        "begun_limit_s": effective.begun_limit_s(),
        "generation": effective.generation(),
        "proximity": proximity(effective.proximity()),
        "clock_rule": clock_rule(effective.clock_rule()),
        "hours": effective.hours().iter().map(hours).collect::<Vec<_>>(),
        "max_uses": effective.use_limits().iter().map(|limit| limit.max_uses).collect::<Vec<_>>(),
        "max_window_s": effective.max_window_s(),
        "grace_s": effective.grace_s(),
        "state_needed": conditions(effective.car_conditions()),
        "presence": presence(effective.presence()),
    })
}

fn outage_limit(limit_s: u32) -> Value {
    if limit_s == NO_OUTAGE_LIMIT {
        json!("none")
    } else {
        json!(limit_s)
    }
}

fn proximity(level: Proximity) -> &'static str {
    match level {
        Proximity::None => "none",
        Proximity::RoundTrip => "round_trip",
        Proximity::ChannelSounding => "channel_sounding",
        Proximity::Uwb => "uwb",
    }
}

fn clock_rule(rule: ClockRule) -> &'static str {
    match rule {
        ClockRule::Refuse => "refuse",
        ClockRule::Floor => "floor",
        ClockRule::Ignore => "ignore",
    }
}

fn presence(level: Presence) -> &'static str {
    match level {
        Presence::None => "none",
        Presence::Tap => "tap",
        Presence::Verified => "verified",
    }
}

fn conditions(conditions: CarConditions) -> Value {
    let needed = [
        (conditions.stationary, "stationary"),
        (conditions.ignition_off, "ignition_off"),
    ];
    needed
        .into_iter()
        .filter(|(needed, _)| *needed)
        .map(|(_, name)| name)
        .collect()
}

fn hours(hours: &WeeklyHours) -> Value {
    let windows: Vec<String> = hours
        .windows()
        .iter()
        .map(|window| {
            let days: Vec<&str> = DAYS
                .iter()
                .enumerate()
                .filter(|(bit, _)| window.weekdays() >> bit & 1 == 1)
                .map(|(_, day)| *day)
                .collect();
            format!(
                "{} {}–{}",
                days.join(" "),
                wall_time(window.start()),
                wall_time(window.end())
            )
        })
        .collect();
    json!({ "zone": hours.zone().as_str(), "windows": windows })
}

fn wall_time(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn areas(areas: &[Area]) -> Option<Value> {
    (!areas.is_empty()).then(|| areas.iter().map(area).collect())
}

fn area(area: &Area) -> Value {
    match area {
        Area::Circle(circle) => {
            json!({ "center": point(&circle.center()), "radius_m": circle.radius_m() })
        }
        Area::Polygon(polygon) => {
            json!({ "corners": polygon.points().iter().map(point).collect::<Vec<_>>() })
        }
    }
}

/// Latitude and longitude in degrees.
pub(crate) fn point(point: &Point) -> String {
    format!(
        "{:.7} {:.7}",
        f64::from(point.lat()) / UNITS_PER_DEGREE,
        f64::from(point.lon()) / UNITS_PER_DEGREE
    )
}
