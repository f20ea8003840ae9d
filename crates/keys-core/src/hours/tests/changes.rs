//! Changes of the clocks: hand-made cases, and every minute around the changes of several zones.

use super::*;

#[test]
fn in_berlin_the_hour_left_out_never_comes_and_the_end_keeps_its_wall_time() {
    let early = hours("Europe/Berlin", &[(SUNDAY, 130, 330)]);
    assert_each(
        &early,
        &[
            ("2026-03-29 00:29:59", false), // 01:29:59 winter time
            ("2026-03-29 00:30:00", true),
            ("2026-03-29 00:59:59", true), // 01:59:59, then 03:00:00
            ("2026-03-29 01:00:00", true),
            ("2026-03-29 01:29:59", true),
            ("2026-03-29 01:30:00", false), // 03:30 summer time
        ],
    );
    let skipped = hours("Europe/Berlin", &[(SUNDAY, 200, 300)]);
    for second in utc("2026-03-28 23:00:00").0..utc("2026-03-29 04:00:00").0 {
        assert!(!skipped.0.contains(skipped.1, Timestamp(second)));
    }
}

#[test]
fn in_berlin_both_passes_of_the_repeated_hour_count() {
    let repeated = hours("Europe/Berlin", &[(SUNDAY, 200, 300)]);
    assert_each(
        &repeated,
        &[
            ("2026-10-24 23:59:59", false),
            ("2026-10-25 00:00:00", true), // 02:00 summer time
            ("2026-10-25 00:59:59", true),
            ("2026-10-25 01:00:00", true), // 02:00 winter time
            ("2026-10-25 01:59:59", true),
            ("2026-10-25 02:00:00", false),
        ],
    );
    let half = hours("Europe/Berlin", &[(SUNDAY, 230, 300)]);
    assert_each(
        &half,
        &[
            ("2026-10-25 00:30:00", true),
            ("2026-10-25 01:00:00", false), // the wall clock went back to 02:00
            ("2026-10-25 01:29:59", false),
            ("2026-10-25 01:30:00", true),
        ],
    );
}

#[test]
fn in_new_york_the_clocks_change_at_other_times_and_still_both_ways() {
    let early = hours("America/New_York", &[(SUNDAY, 100, 300)]);
    assert_each(
        &early,
        &[
            ("2026-03-08 05:59:59", false), // 00:59:59 EST
            ("2026-03-08 06:00:00", true),
            ("2026-03-08 06:59:59", true), // 01:59:59, then 03:00:00
            ("2026-03-08 07:00:00", false),
            ("2026-11-01 04:59:59", false), // 00:59:59 EDT
            ("2026-11-01 05:00:00", true),
            ("2026-11-01 06:00:00", true), // 01:00 again, EST
            ("2026-11-01 07:59:59", true),
            ("2026-11-01 08:00:00", false),
        ],
    );
}

#[test]
fn on_lord_howe_the_clocks_change_by_half_an_hour() {
    let early = hours("Australia/Lord_Howe", &[(SUNDAY, 145, 215)]);
    assert_each(
        &early,
        &[
            // Back from 02:00 (+11) to 01:30 (+10:30).
            ("2026-04-04 14:44:59", false),
            ("2026-04-04 14:45:00", true),
            ("2026-04-04 14:59:59", true),
            ("2026-04-04 15:00:00", false),
            ("2026-04-04 15:14:59", false),
            ("2026-04-04 15:15:00", true),
            ("2026-04-04 15:44:59", true),
            ("2026-04-04 15:45:00", false),
            // On from 02:00 (+10:30) to 02:30 (+11).
            ("2026-10-03 15:14:59", false),
            ("2026-10-03 15:15:00", true),
            ("2026-10-03 15:29:59", true),
            ("2026-10-03 15:30:00", false),
        ],
    );
}

#[test]
fn an_uncertain_clock_sees_the_gap_that_a_repeated_hour_opens() {
    let (half, zone) = hours("Europe/Berlin", &[(SUNDAY, 230, 330)]);
    assert!(half.contains_all(zone, between("2026-10-25 00:30:00", "2026-10-25 00:59:59")));
    assert!(
        !half.contains_all(zone, between("2026-10-25 00:45:00", "2026-10-25 01:45:00")),
        "02:00 to 02:30 lies between"
    );
    let (whole, zone) = hours("Europe/Berlin", &[(SUNDAY, 200, 330)]);
    assert!(whole.contains_all(zone, between("2026-10-25 00:45:00", "2026-10-25 01:45:00")));
    let (early, zone) = hours("Europe/Berlin", &[(SUNDAY, 130, 330)]);
    assert!(
        early.contains_all(zone, between("2026-03-29 00:30:00", "2026-03-29 01:29:59")),
        "over the hour left out"
    );
}

/// A change of the clocks: zone, UTC, minutes from UTC before and after.
const CHANGES: [(&str, &str, i32, i32); 17] = [
    ("Europe/Berlin", "2026-03-29 01:00:00", 60, 120),
    ("Europe/Berlin", "2026-10-25 01:00:00", 120, 60),
    ("America/New_York", "2026-03-08 07:00:00", -300, -240),
    ("America/New_York", "2026-11-01 06:00:00", -240, -300),
    // By half an hour.
    ("Australia/Lord_Howe", "2026-04-04 15:00:00", 660, 630),
    ("Australia/Lord_Howe", "2026-10-03 15:30:00", 630, 660),
    // For Ramadan.
    ("Africa/Casablanca", "2026-02-15 02:00:00", 60, 0),
    ("Africa/Casablanca", "2026-03-22 02:00:00", 0, 60),
    // At midnight: a day that begins at one o'clock, and one that ends twice.
    ("America/Sao_Paulo", "2018-11-04 03:00:00", -180, -120),
    ("America/Sao_Paulo", "2019-02-17 02:00:00", -120, -180),
    // By a quarter of an hour, once and never again.
    ("Asia/Kathmandu", "1985-12-31 18:30:00", 330, 345),
    ("Asia/Kathmandu", "2026-03-29 01:00:00", 345, 345),
    // Over the date line: a Friday that never came.
    ("Pacific/Apia", "2011-12-30 10:00:00", -600, 840),
    ("America/St_Johns", "2026-03-08 05:30:00", -210, -150),
    ("America/St_Johns", "2026-11-01 04:30:00", -150, -210),
    // One minute past midnight, back into the day before.
    ("America/St_Johns", "2010-11-07 02:31:00", -150, -210),
    ("UTC", "2026-06-07 00:00:00", 0, 0),
];

/// Hours over midnight, over the end of the week, inside a changed hour, and of one whole day.
const HOURS: [&[(u8, u16, u16)]; 8] = [
    &[(SATURDAY, 2200, 2400), (SUNDAY, 0, 600)],
    &[(SUNDAY, 2330, 2400), (MONDAY, 0, 330)],
    &[(EVERY_DAY, 2300, 2400), (EVERY_DAY, 0, 100)],
    &[(EVERY_DAY, 200, 300)],
    &[(EVERY_DAY, 130, 145), (EVERY_DAY, 215, 246)],
    &[(FRIDAY, 0, 2400)],
    &[(SUNDAY, 0, 2400)],
    &[(EVERY_DAY, 0, 1), (MONDAY, 2359, 2400)],
];
const FRIDAY: u8 = 1 << 4;
const DAY_S: i64 = 86_400;

/// Seconds from UTC, straight from the table of the zone.
fn offset_s(zone: Tz, at: i64) -> i64 {
    let utc = DateTime::from_timestamp(at, 0).unwrap().naive_utc();
    i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc())
}

/// Whether the wall clock is inside, by counting seconds since a Thursday in 1970.
fn is_inside(windows: &[(u8, u16, u16)], zone: Tz, at: i64) -> bool {
    let local = at + offset_s(zone, at);
    let weekday = (local.div_euclid(DAY_S) + 3).rem_euclid(7);
    let minute = local.rem_euclid(DAY_S) / 60;
    let clock = minute / 60 * 100 + minute % 60;
    windows.iter().any(|(days, start, end)| {
        days >> weekday & 1 == 1 && (i64::from(*start)..i64::from(*end)).contains(&clock)
    })
}

#[test]
fn every_minute_around_a_change_is_where_the_wall_clock_says() {
    let mut minutes = 0;
    for (name, change, before, after) in CHANGES {
        let change = i64::try_from(utc(change).0).unwrap();
        for windows in HOURS {
            let (hours, zone) = hours(name, windows);
            let offsets = (offset_s(zone, change - 1), offset_s(zone, change));
            let expected = (i64::from(before) * 60, i64::from(after) * 60);
            assert_eq!(offsets, expected, "{name}");
            for at in (change - 4 * DAY_S..change + 4 * DAY_S).step_by(60) {
                // The first and the last second of the minute.
                for second in [at, at + 59] {
                    let found = hours.contains(zone, Timestamp(second.unsigned_abs()));
                    let expected = is_inside(windows, zone, second);
                    assert_eq!(found, expected, "{name} {windows:?} {second}");
                }
                minutes += 1;
            }
        }
    }
    assert_eq!(minutes, CHANGES.len() * HOURS.len() * 8 * 1_440);
}

#[test]
fn an_uncertain_clock_around_a_change_is_inside_only_with_every_minute() {
    for (name, change, _, _) in CHANGES {
        let start = i64::try_from(utc(change).0).unwrap() - DAY_S;
        for windows in HOURS {
            let (hours, zone) = hours(name, windows);
            let inside: Vec<bool> = (0..4 * 1_440)
                .map(|minute| is_inside(windows, zone, start + minute * 60))
                .collect();
            for lo in (0..2 * 1_440 * 60).step_by(60 * 17 + 30) {
                for length in [0usize, 29, 30, 1_800, 3_599, 5_400, 86_400] {
                    let every = inside[lo / 60..=(lo + length) / 60]
                        .iter()
                        .all(|inside| *inside);
                    let lo = Timestamp(start.unsigned_abs()).plus(lo as u64);
                    let hi = lo.plus(length as u64);
                    let found = hours.contains_all(zone, ClockInterval { lo, hi });
                    assert_eq!(found, every, "{name} {windows:?} {lo} {length}");
                }
            }
        }
    }
}

#[test]
fn in_apia_the_friday_of_the_date_line_never_came() {
    let friday = hours("Pacific/Apia", &[(FRIDAY, 0, 2400)]);
    assert_each(
        &friday,
        &[
            ("2011-12-30 09:59:59", false), // the last second of Thursday
            ("2011-12-30 10:00:00", false), // the first of Saturday
            ("2011-12-23 10:00:00", true),
            ("2012-01-05 10:00:00", true),
        ],
    );
}
