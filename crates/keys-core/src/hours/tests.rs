use alloc::vec::Vec;

use chrono::{NaiveDateTime, Offset, TimeZone};
use proptest::prelude::*;

use super::*;

mod changes;

const MONDAY: u8 = 1;
const SATURDAY: u8 = 1 << 5;
const SUNDAY: u8 = 1 << 6;
const EVERY_DAY: u8 = 127;

fn utc(text: &str) -> Timestamp {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap();
    Timestamp(time.and_utc().timestamp().try_into().unwrap())
}

/// Windows as (weekdays, start, end), times as hours and minutes: 930 is half past nine.
fn hours(zone: &str, windows: &[(u8, u16, u16)]) -> (WeeklyHours, Tz) {
    let minutes = |time: u16| time / 100 * 60 + time % 100;
    let windows: Vec<_> = windows
        .iter()
        .map(|(days, start, end)| HoursWindow::new(*days, minutes(*start), minutes(*end)).unwrap())
        .collect();
    let hours = WeeklyHours::new(ZoneName::new(zone).unwrap(), &windows).unwrap();
    let zone = hours.resolve().unwrap();
    (hours, zone)
}

fn between(from: &str, to: &str) -> ClockInterval {
    ClockInterval {
        lo: utc(from),
        hi: utc(to),
    }
}

#[track_caller]
fn assert_each(hours: &(WeeklyHours, Tz), cases: &[(&str, bool)]) {
    for (time, inside) in cases {
        assert_eq!(hours.0.contains(hours.1, utc(time)), *inside, "{time}");
    }
}

#[test]
fn a_window_holds_from_its_first_minute_to_the_last_second_before_its_end() {
    let office = hours("UTC", &[(MONDAY, 900, 1700)]);
    assert_each(
        &office,
        &[
            ("2026-06-01 08:59:59", false),
            ("2026-06-01 09:00:00", true),
            ("2026-06-01 09:00:01", true),
            ("2026-06-01 16:59:59", true),
            ("2026-06-01 17:00:00", false),
            ("2026-06-02 12:00:00", false),
            ("2026-05-31 12:00:00", false),
        ],
    );
}

#[test]
fn the_weekday_is_that_of_the_local_day() {
    let saturday = hours("Asia/Tokyo", &[(SATURDAY, 0, 2400)]);
    assert_each(
        &saturday,
        &[
            ("2026-06-05 14:59:59", false),
            ("2026-06-05 15:00:00", true),
            ("2026-06-06 14:59:59", true),
            ("2026-06-06 15:00:00", false),
        ],
    );
}

#[test]
fn any_of_several_windows_suffices_and_a_night_is_two() {
    let night = hours("UTC", &[(SATURDAY, 2200, 2400), (SUNDAY, 0, 600)]);
    assert_each(
        &night,
        &[
            ("2026-06-06 21:59:59", false),
            ("2026-06-06 22:00:00", true),
            ("2026-06-06 23:59:59", true),
            ("2026-06-07 00:00:00", true),
            ("2026-06-07 05:59:59", true),
            ("2026-06-07 06:00:00", false),
            ("2026-06-06 03:00:00", false),
        ],
    );
}

#[test]
fn an_uncertain_clock_is_inside_only_with_both_ends() {
    let (office, zone) = hours("Europe/Berlin", &[(EVERY_DAY, 900, 1700)]);
    for (from, to, inside) in [
        ("2026-06-01 07:00:00", "2026-06-01 14:59:59", true),
        ("2026-06-01 06:59:59", "2026-06-01 14:59:59", false),
        ("2026-06-01 07:00:00", "2026-06-01 15:00:00", false),
        ("2026-06-01 12:00:00", "2026-06-01 12:00:00", true),
        ("2026-06-01 12:00:00", "2026-06-02 12:00:00", false), // a night between
        ("2026-06-01 12:00:01", "2026-06-01 12:00:00", false), // turned round
    ] {
        assert_eq!(
            office.contains_all(zone, between(from, to)),
            inside,
            "{from} to {to}"
        );
    }
}

#[test]
fn an_uncertain_clock_may_pass_from_one_window_into_the_next() {
    let (night, zone) = hours(
        "Europe/Berlin",
        &[(EVERY_DAY, 2200, 2400), (EVERY_DAY, 0, 600)],
    );
    assert!(night.contains_all(zone, between("2026-06-01 21:59:59", "2026-06-01 22:00:01")));
    let (lunch, zone) = hours(
        "Europe/Berlin",
        &[(EVERY_DAY, 800, 1200), (EVERY_DAY, 1201, 1800)],
    );
    assert!(
        !lunch.contains_all(zone, between("2026-06-01 09:59:59", "2026-06-01 10:01:00")),
        "a minute between"
    );
}

#[test]
fn an_uncertainty_of_more_than_a_day_is_never_inside() {
    let (always, zone) = hours("UTC", &[(EVERY_DAY, 0, 2400)]);
    let lo = utc("2026-06-01 12:00:00");
    for (seconds, inside) in [(86_399, true), (86_400, true), (86_401, false)] {
        assert_eq!(
            always.contains_all(
                zone,
                ClockInterval {
                    lo,
                    hi: lo.plus(seconds)
                }
            ),
            inside,
            "{seconds}"
        );
    }
    assert!(!always.contains_all(zone, ClockInterval::at_least(lo)));
}

#[test]
fn times_beyond_the_calendar_are_outside() {
    let (always, zone) = hours("UTC", &[(EVERY_DAY, 0, 2400)]);
    assert!(always.contains(zone, Timestamp::UNKNOWN));
    assert!(!always.contains(zone, Timestamp(1 << 50)));
    assert!(!always.contains(zone, Timestamp(u64::MAX)));
    assert!(!always.contains_all(zone, ClockInterval::exactly(Timestamp(u64::MAX))));
}

#[test]
fn zones_are_known_by_their_exact_name_or_link_name_only() {
    let known = |name: &str| ZoneName::new(name).unwrap().resolve().is_some();
    for name in [
        "Europe/Berlin",
        "Asia/Calcutta",
        "Asia/Kolkata",
        "UTC",
        "Etc/GMT+5",
        "Australia/Lord_Howe",
        "US/Eastern",
    ] {
        assert!(known(name), "{name}");
    }
    for name in [
        "europe/berlin",
        "EUROPE/BERLIN",
        "Europe/Berlin ",
        " Europe/Berlin",
        "Berlin",
        "CEST",
        "+02:00",
        "",
        "Mars/Olympus",
    ] {
        assert!(!known(name), "{name}");
    }
}

#[test]
fn a_zone_name_is_kept_letter_for_letter_within_its_bounds() {
    let longest = "x".repeat(64);
    assert_eq!(ZoneName::new(&longest).unwrap().as_str(), longest);
    assert_eq!(ZoneName::new(&"x".repeat(65)), Err(HoursError::ZoneName));
    assert_eq!(ZoneName::new("Europe/Zürich"), Err(HoursError::ZoneName));
}

#[test]
fn a_window_has_bounds() {
    for (weekdays, start, end, fits) in [
        (0, 0, 1, false),
        (1, 0, 1, true),
        (127, 0, 1, true),
        (128, 0, 1, false),
        (1, 0, 1_440, true),
        (1, 0, 1_441, false),
        (1, 1_439, 1_440, true),
        (1, 600, 599, false),
        (1, 600, 600, false),
        (1, 600, 601, true),
    ] {
        assert_eq!(
            HoursWindow::new(weekdays, start, end).is_ok(),
            fits,
            "{weekdays} {start} {end}"
        );
    }
}

#[test]
fn hours_have_one_to_four_windows() {
    let (zone, window) = (
        ZoneName::new("UTC").unwrap(),
        HoursWindow::new(1, 0, 1).unwrap(),
    );
    for (count, fits) in [(0, false), (1, true), (4, true), (5, false)] {
        let made = WeeklyHours::new(zone, &std::vec![window; count]);
        assert_eq!(made.is_ok(), fits, "{count}");
        assert_eq!(
            made.err(),
            (!fits).then_some(HoursError::WindowCount(count))
        );
    }
}

fn encode(hours: &WeeklyHours) -> Vec<u8> {
    let mut writer = Writer::new();
    hours.write(&mut writer);
    writer.into_bytes()
}

fn decode(bytes: &[u8]) -> Result<WeeklyHours, DecodeError> {
    let mut reader = Reader::new(bytes);
    let hours = WeeklyHours::read(&mut reader)?;
    reader.finish()?;
    Ok(hours)
}

#[test]
fn hours_have_the_bytes_of_the_format() {
    let (office, _) = hours("UTC", &[(EVERY_DAY, 900, 2400)]);
    assert_eq!(
        encode(&office),
        [
            0x82, 0x63, b'U', b'T', b'C', 0x81, 0x83, 0x18, 127, 0x19, 0x02, 0x1c, 0x19, 0x05, 0xa0
        ]
    );
}

#[test]
fn other_shapes_are_refused_while_reading() {
    let refused: [&[u8]; 10] = [
        &[0x81, 0x63, b'U', b'T', b'C'],                      // no windows
        &[0x82, 0x63, b'U', b'T', b'C', 0x80],                // an empty list
        &[0x82, 0x63, b'U', b'T', b'C', 0x85],                // five windows
        &[0x82, 0x43, b'U', b'T', b'C', 0x81, 0x83, 1, 0, 1], // the name as bytes
        &[0x82, 0x63, b'U', b'T', b'C', 0x81, 0x82, 1, 0],    // two numbers
        &[0x82, 0x63, b'U', b'T', b'C', 0x81, 0x83, 0, 0, 1], // no weekday
        &[0x82, 0x63, b'U', b'T', b'C', 0x81, 0x83, 0x18, 128, 0, 1], // an eighth weekday
        &[0x82, 0x63, b'U', b'T', b'C', 0x81, 0x83, 1, 5, 5], // an empty window
        &[
            0x82, 0x63, b'U', b'T', b'C', 0x81, 0x83, 1, 0, 0x19, 0x05, 0xa1,
        ], // minute 1441
        &[
            0x82, 0x63, b'U', b'T', b'C', 0x81, 0x83, 1, 0, 0x1a, 0, 1, 0, 1,
        ], // minute 65537, 1 in 16 bits
    ];
    for bytes in refused {
        assert!(
            matches!(decode(bytes), Err(DecodeError::Malformed(_))),
            "{bytes:02x?}"
        );
    }
}

#[test]
fn an_unknown_zone_is_read_and_does_not_resolve() {
    let bytes = [0x82, 0x64, b'M', b'a', b'r', b's', 0x81, 0x83, 1, 0, 1];
    assert_eq!(decode(&bytes).unwrap().resolve(), None);
}

/// What [`WeeklyHours::contains_all`] relies on.
#[test]
fn every_zone_is_whole_minutes_from_utc_and_changes_at_whole_minutes() {
    let offset = |zone: Tz, time: u64| {
        let time = DateTime::from_timestamp(time.try_into().unwrap(), 0).unwrap();
        zone.offset_from_utc_datetime(&time.naive_utc())
            .fix()
            .local_minus_utc()
    };
    let (first, last) = (utc("2024-01-01 00:00:00").0, utc("2040-01-01 00:00:00").0);
    for zone in chrono_tz::TZ_VARIANTS {
        for day in (first..last).step_by(86_400) {
            let (mut before, mut after) = (day, day + 86_400);
            let start = offset(zone, before);
            assert_eq!(start % 60, 0, "{zone}");
            if start == offset(zone, after) {
                continue;
            }
            while after - before > 1 {
                let middle = before.midpoint(after);
                if offset(zone, middle) == start {
                    before = middle;
                } else {
                    after = middle;
                }
            }
            assert_eq!(after % 60, 0, "{zone} changes at {after}");
        }
    }
}

fn any_hours() -> impl Strategy<Value = (WeeklyHours, Tz)> {
    const ZONES: [&str; 6] = [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "UTC",
        "Pacific/Kiritimati",
    ];
    let window = (1_u8..=127, 0_u16..1_440, 1_u16..=1_440).prop_map(|(weekdays, start, length)| {
        HoursWindow::new(weekdays, start, start.saturating_add(length).min(1_440)).unwrap()
    });
    (
        prop::sample::select(&ZONES[..]),
        prop::collection::vec(window, 1..=4),
    )
        .prop_map(|(zone, windows)| {
            let hours = WeeklyHours::new(ZoneName::new(zone).unwrap(), &windows).unwrap();
            let zone = hours.resolve().unwrap();
            (hours, zone)
        })
}

/// Changes of the clocks in Berlin, New York and on Lord Howe, and an ordinary midnight.
const MOMENTS: [&str; 7] = [
    "2026-03-29 01:00:00",
    "2026-10-25 01:00:00",
    "2026-03-08 07:00:00",
    "2026-11-01 06:00:00",
    "2026-04-04 15:00:00",
    "2026-10-03 15:30:00",
    "2026-06-07 00:00:00",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_uncertain_clock_is_inside_exactly_if_every_second_is(
        (hours, zone) in any_hours(), moment in prop::sample::select(&MOMENTS[..]), before in 0_u64..7_200, length in 0_u64..7_200,
    ) {
        let lo = Timestamp(utc(moment).0 - before);
        let every = (lo.0..=lo.0 + length).all(|second| hours.contains(zone, Timestamp(second)));
        prop_assert_eq!(hours.contains_all(zone, ClockInterval { lo, hi: lo.plus(length) }), every);
    }

    #[test]
    fn a_wider_uncertainty_never_allows_more((hours, zone) in any_hours(), lo in 1_750_000_000_u64..1_850_000_000, length in 0_u64..90_000, more in 1_u64..10_000) {
        let lo = Timestamp(lo);
        let inside = |lo, hi| hours.contains_all(zone, ClockInterval { lo, hi });
        let (hi, earlier) = (lo.plus(length), Timestamp(lo.0 - more));
        prop_assert!(inside(lo, hi) || !inside(lo, hi.plus(more)));
        prop_assert!(inside(lo, hi) || !inside(earlier, hi));
    }

    #[test]
    fn hours_come_back_as_written((hours, _zone) in any_hours()) {
        prop_assert_eq!(decode(&encode(&hours)), Ok(hours));
    }

    #[test]
    fn any_bytes_read_to_hours_that_write_them_again_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(hours) = decode(&bytes) {
            prop_assert_eq!(encode(&hours), bytes);
        }
    }
}

#[test]
fn no_time_however_late_panics() {
    let always = [HoursWindow::new(127, 0, 1_440).unwrap()];
    let last = DateTime::<chrono::Utc>::MAX_UTC.timestamp().unsigned_abs();
    for zone in ["Pacific/Kiritimati", "Pacific/Niue", "UTC"] {
        let hours = WeeklyHours::new(ZoneName::new(zone).unwrap(), &always).unwrap();
        let tz = hours.resolve().unwrap();
        for at in [0, last - 86_400, last - 1, last, last + 1, u64::MAX] {
            let _ = hours.contains(tz, Timestamp(at));
            let _ = hours.contains_all(tz, ClockInterval::exactly(Timestamp(at)));
        }
    }
}
