//! By when a revoked key is dead.

use super::group::Group;
use super::json::{J, obj};
use super::scene::{DAY, HOUR, NOW};

pub(crate) fn groups() -> Vec<Group> {
    vec![endings()]
}

fn endings() -> Group {
    let mut group = Group::of_kind(
        1600,
        "dead-by",
        "dead-by",
        "By when a revoked key opens nothing any more",
    );
    struct Ending {
        now: u64,
        acknowledged_at: Option<u64>,
        window: (u64, u64),
        newest_unlisting_at: u64,
        outage_limit_s: Option<u64>,
        begun_limit_s: Option<u64>,
        clock_rule: u64,
        clock_trusted: bool,
    }
    let usual = || Ending {
        now: NOW,
        acknowledged_at: None,
        window: (NOW - HOUR, NOW + 9 * DAY),
        newest_unlisting_at: NOW - 600,
        outage_limit_s: Some(3_600),
        begun_limit_s: Some(7_200),
        clock_rule: 0,
        clock_trusted: true,
    };
    let mut add = |name: &str, note: &str, ending: Ending, expect: J| {
        let optional = |number: Option<u64>| number.map_or(J::Null, J::num);
        let fields = [
            ("now", J::num(ending.now)),
            ("acknowledged_at", optional(ending.acknowledged_at)),
            ("valid_from", J::num(ending.window.0)),
            ("valid_until", J::num(ending.window.1)),
            ("newest_unlisting_at", J::num(ending.newest_unlisting_at)),
            ("outage_limit_s", optional(ending.outage_limit_s)),
            ("begun_limit_s", optional(ending.begun_limit_s)),
            ("clock_rule", J::num(ending.clock_rule)),
            ("clock_trusted", J::Bool(ending.clock_trusted)),
        ];
        group.add(
            name,
            note,
            fields.map(|(name, value)| (name.to_owned(), value)).into(),
            expect,
        );
    };
    let by = |time: u64| obj([("dead_by", J::num(time))]);
    add(
        "window-started",
        "A trip may have begun once the window has started",
        usual(),
        by(NOW - 600 + 7_200),
    );
    add(
        "starts-now",
        "From its first second on",
        Ending {
            window: (NOW, NOW + DAY),
            ..usual()
        },
        by(NOW - 600 + 7_200),
    );
    add(
        "not-begun",
        "A trip that has not begun may begin while the statement is within the outage limit",
        Ending {
            outage_limit_s: Some(10_800),
            ..usual()
        },
        by(NOW - 600 + 10_800),
    );
    add(
        "begins-no-more",
        "Once it is older, only a trip that has begun goes on",
        Ending {
            outage_limit_s: Some(900),
            newest_unlisting_at: NOW - 901,
            ..usual()
        },
        by(NOW - 901 + 7_200),
    );
    add(
        "not-started",
        "Before the window too, if the trip can begin in time",
        Ending {
            window: (NOW + 3_000, NOW + DAY),
            ..usual()
        },
        by(NOW - 600 + 7_200),
    );
    add(
        "never-begins",
        "If it cannot, the outage limit ends the key",
        Ending {
            window: (NOW + 3_001, NOW + DAY),
            ..usual()
        },
        by(NOW - 600 + 3_600),
    );
    add(
        "ends-earlier",
        "Never after the end",
        Ending {
            window: (NOW - HOUR, NOW + 60),
            ..usual()
        },
        by(NOW + 60),
    );
    add(
        "no-limit",
        "Without a limit it is the end",
        Ending {
            begun_limit_s: None,
            ..usual()
        },
        by(NOW + 9 * DAY),
    );
    add(
        "acknowledged",
        "The gateway has acknowledged the statement",
        Ending {
            acknowledged_at: Some(NOW - 5),
            ..usual()
        },
        by(NOW - 5),
    );
    add(
        "acknowledged-untrusted",
        "Also without a clock",
        Ending {
            acknowledged_at: Some(NOW - 5),
            clock_trusted: false,
            ..usual()
        },
        by(NOW - 5),
    );
    add(
        "untrusted",
        "Without a clock nobody can say",
        Ending {
            clock_trusted: false,
            ..usual()
        },
        obj([("result", J::str("clock-untrusted"))]),
    );
    for rule in [1, 2] {
        add(
            &format!("clock-rule-{rule}"),
            "A key that opens without a clock outlives any time if the clock is lost",
            Ending {
                clock_rule: rule,
                ..usual()
            },
            obj([("result", J::str("clock-untrusted"))]),
        );
    }
    group
}
