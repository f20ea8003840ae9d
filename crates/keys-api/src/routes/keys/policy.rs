//! The conditions of a key as JSON, both ways.

use keys_core::area::{Area, Point};
use keys_core::hours::{HoursWindow, WeeklyHours, ZoneName};
use keys_core::limits;
use keys_core::policy::{
    Areas, CarConditions, ClockRule, LONGEST_GRACE_S, Policy, Presence, Proximity,
    STRICTEST_LIMIT_S,
};

use crate::http::fields::{At, Fields, FromFields};
use crate::http::read;

/// All numbers of the format are below 2^53.
const NUMBER: u64 = (1 << 53) - 1;
const DEGREE: f64 = 1e7;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const PROXIMITIES: [(&str, Proximity); 4] = [
    ("none", Proximity::None),
    ("round_trip", Proximity::RoundTrip),
    ("channel_sounding", Proximity::ChannelSounding),
    ("uwb", Proximity::Uwb),
];
const CLOCK_RULES: [(&str, ClockRule); 3] = [
    ("refuse", ClockRule::Refuse),
    ("floor", ClockRule::Floor),
    ("ignore", ClockRule::Ignore),
];
const PRESENCES: [(&str, Presence); 3] = [
    ("none", Presence::None),
    ("tap", Presence::Tap),
    ("verified", Presence::Verified),
];

/// Conditions on a key; what is absent is inherited from the mandate, or the format's default.
#[derive(Debug, Default, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Policy)]
pub struct PolicyJson {
    /// Greatest statement age before the trip began, seconds; 4294967295 = none, without a mandate only.
    #[schema(minimum = 900, maximum = 4_294_967_295_u64)]
    #[serde(skip_serializing_if = "Option::is_none")]
    outage_limit_s: Option<u64>,
    /// Greatest statement age after the trip began, seconds.
    #[schema(minimum = 900, maximum = 259_200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    begun_limit_s: Option<u64>,
    /// How long after the end a begun trip may still lock the standing car, seconds.
    #[schema(maximum = 86_400)]
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_s: Option<u64>,
    /// How near the phone must be proven to be: none, round_trip, channel_sounding or uwb.
    #[serde(skip_serializing_if = "Option::is_none")]
    proximity: Option<String>,
    /// While the car does not know the time: refuse, floor or ignore.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_rule: Option<String>,
    /// Weekly hours in which it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<HoursJson>,
    /// Greatest number of uses; lock and locate do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_uses: Option<u64>,
    /// Areas that must all hold for commands other than lock.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    areas: Vec<AreaJson>,
    /// Areas of which one must hold at the return.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    return_areas: Vec<AreaJson>,
    /// Car state needed: stationary, ignition_off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    state_needed: Vec<String>,
    /// User presence needed: none, tap or verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    presence: Option<String>,
}

/// Weekly hours in a zone.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Hours)]
pub struct HoursJson {
    /// IANA zone name.
    zone: String,
    /// One to four windows; a night is two.
    windows: Vec<HoursWindowJson>,
}

/// A stretch of some local weekdays.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = HoursWindow)]
pub struct HoursWindowJson {
    /// mon to sun.
    days: Vec<String>,
    /// Local time, first minute inside.
    #[schema(example = "08:00")]
    start: String,
    /// Local time, first minute outside; up to 24:00.
    #[schema(example = "20:00")]
    end: String,
}

/// A circle (`latitude`, `longitude`, `radius_m`) or a `polygon`.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Area)]
pub struct AreaJson {
    /// Degrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    latitude: Option<f64>,
    /// Degrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    longitude: Option<f64>,
    /// Meters.
    #[serde(skip_serializing_if = "Option::is_none")]
    radius_m: Option<u64>,
    /// Three to sixteen corners.
    #[serde(skip_serializing_if = "Option::is_none")]
    polygon: Option<Vec<PointJson>>,
}

/// A place.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Point)]
pub struct PointJson {
    /// Degrees.
    latitude: f64,
    /// Degrees.
    longitude: f64,
}

/// The conditions that a body states. Entitlements and delegations are the caller's to fill in.
#[derive(Debug)]
pub struct Conditions(pub Policy);

impl FromFields for Conditions {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let least = u64::from(STRICTEST_LIMIT_S);
        let outage = fields.optional("outage_limit_s", read::uint(least, u64::from(u32::MAX)));
        let begun = fields.optional("begun_limit_s", read::uint(least, 259_200));
        let grace = fields.optional("grace_s", read::uint(0, u64::from(LONGEST_GRACE_S)));
        let proximity = fields.optional("proximity", word(&PROXIMITIES));
        let clock_rule = fields.optional("clock_rule", word(&CLOCK_RULES));
        let hours = fields.optional("hours", read::object::<Hours>);
        let max_uses = fields.optional("max_uses", read::uint(1, NUMBER));
        let areas = fields.optional("areas", read::list(1, limits::AREAS, area));
        let return_areas = fields.optional("return_areas", read::list(1, limits::AREAS, area));
        let state_needed = fields.optional("state_needed", read::list(1, 2, condition));
        let presence = fields.optional("presence", word(&PRESENCES));
        fields.refuse_unknown();
        let small = |value: Option<u64>| value.and_then(|value| u32::try_from(value).ok());
        let list = |areas: Option<Vec<Area>>| -> Areas {
            areas
                .unwrap_or_default()
                .into_iter()
                .take(limits::AREAS)
                .collect()
        };
        let nothing = keys_core::entitlement::Entitlements::NONE;
        Some(Self(Policy {
            outage_limit_s: small(outage?),
            begun_limit_s: small(begun?),
            grace_s: small(grace?),
            proximity: proximity?,
            clock_rule: clock_rule?,
            hours: hours?.map(|hours| hours.0),
            max_uses: max_uses?,
            areas: list(areas?),
            return_areas: list(return_areas?),
            car_conditions: state_needed?.map(|needed| {
                needed
                    .into_iter()
                    .fold(CarConditions::default(), |all, one| all.union(one))
            }),
            presence: presence?,
            ..Policy::of(nothing)
        }))
    }
}

fn word<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(At<'_>) -> Option<T> {
    move |at| {
        let found = at
            .value()
            .as_str()
            .and_then(|text| words.iter().find(|(word, _)| *word == text));
        match found {
            Some((_, value)) => Some(*value),
            None => {
                let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                at.refuse(format!("expected one of {}", all.join(", ")))
            }
        }
    }
}

fn condition(at: At<'_>) -> Option<CarConditions> {
    match at.value().as_str() {
        Some("stationary") => Some(CarConditions {
            stationary: true,
            ignition_off: false,
        }),
        Some("ignition_off") => Some(CarConditions {
            stationary: false,
            ignition_off: true,
        }),
        _ => at.refuse("expected stationary or ignition_off"),
    }
}

struct Hours(WeeklyHours);

impl FromFields for Hours {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let zone = fields.required("zone", zone);
        let windows = fields.required("windows", read::list(1, 4, read::object::<Window>));
        fields.refuse_unknown();
        let windows: Vec<HoursWindow> = windows?.into_iter().map(|window| window.0).collect();
        match WeeklyHours::new(zone?, &windows) {
            Ok(hours) => Some(Self(hours)),
            Err(error) => fields.refuse("windows", error.to_string()),
        }
    }
}

fn zone(at: At<'_>) -> Option<ZoneName> {
    let name = at
        .value()
        .as_str()
        .and_then(|text| ZoneName::new(text).ok())
        .filter(|zone| zone.resolve().is_some());
    name.or_else(|| at.refuse("expected an IANA zone name, such as Europe/Berlin"))
}

struct Window(HoursWindow);

impl FromFields for Window {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let days = fields.required("days", read::list(1, 7, day));
        let start = fields.required("start", minute);
        let end = fields.required("end", minute);
        fields.refuse_unknown();
        let mask = days?.into_iter().fold(0, |mask, day| mask | 1 << day);
        match HoursWindow::new(mask, start?, end?) {
            Ok(window) => Some(Self(window)),
            Err(error) => fields.refuse("end", error.to_string()),
        }
    }
}

fn day(at: At<'_>) -> Option<u8> {
    let found = at
        .value()
        .as_str()
        .and_then(|text| DAYS.iter().position(|day| *day == text));
    match found.and_then(|index| u8::try_from(index).ok()) {
        Some(index) => Some(index),
        None => at.refuse("expected one of mon, tue, wed, thu, fri, sat, sun"),
    }
}

/// `HH:MM`, 00:00 to 24:00.
fn minute(at: At<'_>) -> Option<u16> {
    let parsed = at.value().as_str().and_then(|text| {
        let (hour, minute) = text.split_once(':')?;
        let two = |part: &str| {
            (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| part.parse::<u16>().ok())?
        };
        let (hour, minute) = (two(hour)?, two(minute)?);
        let total = hour * 60 + minute;
        (minute < 60 && total <= 1_440).then_some(total)
    });
    parsed.or_else(|| at.refuse("expected a time of day such as 08:00"))
}

fn area(at: At<'_>) -> Option<Area> {
    struct Read(Area);
    impl FromFields for Read {
        fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
            read_area(fields).map(Self)
        }
    }
    at.object::<Read>().map(|read| read.0)
}

fn read_area(fields: &mut Fields<'_>) -> Option<Area> {
    let polygon = fields.optional(
        "polygon",
        read::list(3, limits::POLYGON_POINTS, |at| {
            at.object::<ReadPoint>().map(|point| point.0)
        }),
    )?;
    if let Some(points) = polygon {
        fields.refuse_unknown();
        return match Area::polygon(points) {
            Ok(area) => Some(area),
            Err(error) => fields.refuse("polygon", error.to_string()),
        };
    }
    let center = read_point(fields);
    let radius = fields.required("radius_m", read::uint(0, NUMBER));
    fields.refuse_unknown();
    match Area::circle(center?, radius?) {
        Ok(area) => Some(area),
        Err(error) => fields.refuse("radius_m", error.to_string()),
    }
}

struct ReadPoint(Point);

impl FromFields for ReadPoint {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let point = read_point(fields);
        fields.refuse_unknown();
        point.map(Self)
    }
}

fn read_point(fields: &mut Fields<'_>) -> Option<Point> {
    let latitude = fields.required("latitude", degrees(90.0));
    let longitude = fields.required("longitude", degrees(180.0));
    Point::new(latitude?, longitude?).ok()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "at most 1.8e9 after the bounds were checked"
)]
fn degrees(most: f64) -> impl Fn(At<'_>) -> Option<i64> {
    move |at| match at.value().as_f64() {
        Some(value) if value.abs() <= most => Some((value * DEGREE).round() as i64),
        _ => at.refuse(format!("expected degrees from -{most} to {most}")),
    }
}

impl From<&Policy> for PolicyJson {
    fn from(policy: &Policy) -> Self {
        let name = |words: &[(&'static str, u8)], number: u8| {
            words
                .iter()
                .find(|(_, one)| *one == number)
                .map(|(word, _)| (*word).to_owned())
        };
        let conditions = policy.car_conditions.unwrap_or_default();
        let needed = [
            ("stationary", conditions.stationary),
            ("ignition_off", conditions.ignition_off),
        ];
        Self {
            outage_limit_s: policy.outage_limit_s.map(u64::from),
            begun_limit_s: policy.begun_limit_s.map(u64::from),
            grace_s: policy.grace_s.map(u64::from),
            proximity: policy.proximity.and_then(|level| {
                let words = PROXIMITIES.map(|(word, level)| (word, level.number()));
                name(&words, level.number())
            }),
            clock_rule: policy.clock_rule.and_then(|rule| {
                let words = CLOCK_RULES.map(|(word, rule)| (word, rule.number()));
                name(&words, rule.number())
            }),
            hours: policy.hours.as_ref().map(HoursJson::from),
            max_uses: policy.max_uses,
            areas: policy.areas.iter().map(AreaJson::from).collect(),
            return_areas: policy.return_areas.iter().map(AreaJson::from).collect(),
            state_needed: needed
                .into_iter()
                .filter(|(_, stated)| *stated)
                .map(|(word, _)| word.to_owned())
                .collect(),
            presence: policy.presence.and_then(|presence| {
                let words = PRESENCES.map(|(word, presence)| (word, presence.number()));
                name(&words, presence.number())
            }),
        }
    }
}

impl From<&WeeklyHours> for HoursJson {
    fn from(hours: &WeeklyHours) -> Self {
        let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let windows = hours.windows().iter().map(|window| HoursWindowJson {
            days: DAYS
                .iter()
                .enumerate()
                .filter(|(bit, _)| window.weekdays() >> bit & 1 == 1)
                .map(|(_, day)| (*day).to_owned())
                .collect(),
            start: time(window.start()),
            end: time(window.end()),
        });
        Self {
            zone: hours.zone().as_str().to_owned(),
            windows: windows.collect(),
        }
    }
}

impl From<&Area> for AreaJson {
    fn from(area: &Area) -> Self {
        match area {
            Area::Circle(circle) => Self {
                latitude: Some(f64::from(circle.center().lat()) / DEGREE),
                longitude: Some(f64::from(circle.center().lon()) / DEGREE),
                radius_m: Some(circle.radius_m()),
                polygon: None,
            },
            Area::Polygon(polygon) => Self {
                latitude: None,
                longitude: None,
                radius_m: None,
                polygon: Some(polygon.points().iter().map(PointJson::from).collect()),
            },
        }
    }
}

impl From<&Point> for PointJson {
    fn from(point: &Point) -> Self {
        Self {
            latitude: f64::from(point.lat()) / DEGREE,
            longitude: f64::from(point.lon()) / DEGREE,
        }
    }
}
