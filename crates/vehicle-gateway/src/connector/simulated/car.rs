//! The car itself: a state machine that knows no time but what it is told.
//!
//! Every call says how long the car has existed (`now`). The car keeps its own clock on top of that,
//! which drifts; nothing outside may rely on it. Orders wait in `work` until they are due; what became
//! of each is its verdict. While the car is awake and talks, a report is sampled for whoever asks;
//! otherwise the last sample is given out again, as a cloud does for a sleeping car.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use keys_core::command::VehicleCommand;
use keys_core::id::CommandId;
use serde::Serialize;

use super::faults::{Faults, Silence};
use super::history::{Execution, History};
use super::profile::Profile;
use crate::connector::{Declined, Door, Position, Progress, Window};

/// How long a woken car with the `asleep` fault stays awake.
const NAP_AFTER: Duration = Duration::from_secs(30);
/// How many verdicts are remembered.
const VERDICTS: usize = 64;
/// Speed of a car with the `moving` fault.
const MOVING_KMH: u16 = 50;

/// The parts of the car that commands change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Body {
    locked: bool,
    driving_enabled: bool,
    trunk_open: bool,
    charge_port_open: bool,
}

impl Body {
    const PARKED: Self = Self {
        locked: true,
        driving_enabled: false,
        trunk_open: false,
        charge_port_open: false,
    };

    fn apply(&mut self, command: VehicleCommand) {
        match command {
            VehicleCommand::Unlock => self.locked = false,
            // Locking from outside ends driving and shuts what a command had opened.
            VehicleCommand::Lock => *self = Self::PARKED,
            VehicleCommand::EnableDriving => self.driving_enabled = true,
            VehicleCommand::OpenTrunk => self.trunk_open = true,
            VehicleCommand::ChargePort => self.charge_port_open = true,
            _ => {}
        }
    }
}

/// One sample of everything the car can tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Sample {
    pub(crate) locked: bool,
    pub(crate) open_doors: BTreeSet<Door>,
    pub(crate) open_windows: BTreeSet<Window>,
    pub(crate) driving_enabled: bool,
    pub(crate) charge_port_open: Option<bool>,
    pub(crate) ignition_on: bool,
    pub(crate) speed_kmh: u16,
    pub(crate) position: Position,
    pub(crate) fuel_percent: Option<u8>,
    pub(crate) charge_percent: Option<u8>,
    pub(crate) odometer_km: u32,
}

/// A sample as it reaches whoever asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    pub(crate) sample: Sample,
    /// Counts samples; equal numbers are the same sample.
    pub(crate) sequence: u64,
    /// Whether it was sampled for this question; otherwise it is the last one again.
    pub(crate) live: bool,
    /// The car's clock when it was sampled.
    pub(crate) sampled_ms: i64,
    /// The car's clock now.
    pub(crate) clock_ms: i64,
}

/// An order the car has taken and not yet dealt with.
#[derive(Debug)]
struct Work {
    id: CommandId,
    command: VehicleCommand,
    due: Duration,
    expires: Duration,
}

/// The simulated car.
#[derive(Debug)]
pub(crate) struct Car {
    profile: Profile,
    home: Position,
    faults: Faults,
    body: Body,
    work: VecDeque<Work>,
    verdicts: VecDeque<(CommandId, Progress)>,
    history: History,
    /// Awake until then; `None` while asleep.
    awake_until: Option<Duration>,
    /// When a waking takes effect.
    wakes_at: Option<Duration>,
    last: Option<(u64, i64, Sample)>,
    sequence: u64,
}

impl Car {
    /// A parked car that has done nothing yet.
    pub(crate) fn new(profile: Profile, home: Position, faults: Faults) -> Self {
        let mut car = Self {
            profile,
            home,
            faults: Faults::default(),
            body: Body::PARKED,
            work: VecDeque::new(),
            verdicts: VecDeque::new(),
            history: History::default(),
            awake_until: Some(Duration::MAX),
            wakes_at: None,
            last: None,
            sequence: 0,
        };
        car.sample(Duration::ZERO);
        car.set_faults(Duration::ZERO, faults);
        car
    }

    /// Remembers what was carried out before: restores the body, and records in `history` from now on.
    pub(crate) fn restore(&mut self, past: &[Execution], history: History) {
        for execution in past {
            if let Ok(command) = execution.command.parse() {
                self.body.apply(command);
            }
        }
        self.history = history;
        self.sample(Duration::ZERO);
    }

    /// Puts other faults in place of the present ones.
    pub(crate) fn set_faults(&mut self, now: Duration, faults: Faults) {
        self.advance(now);
        self.awake_until = if faults.asleep {
            None
        } else {
            Some(Duration::MAX)
        };
        self.wakes_at = None;
        self.faults = faults;
    }

    /// The present faults.
    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What was carried out.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// The car's own clock, in ms.
    pub(crate) fn clock_ms(&self, now: Duration) -> i64 {
        let true_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX / 2);
        let gained = true_ms.saturating_mul(i64::from(self.faults.clock_drift_ppm)) / 1_000_000;
        true_ms
            .saturating_add(gained)
            .saturating_add(self.faults.clock_offset_ms)
    }

    /// Whether it listens.
    pub(crate) fn is_awake(&self, now: Duration) -> bool {
        self.awake_until.is_some_and(|until| now < until)
    }

    /// Asks it to wake. Returns when it will listen; `None` if it will not.
    pub(crate) fn wake(&mut self, now: Duration) -> Option<Duration> {
        self.advance(now);
        if self.is_awake(now) {
            return Some(now);
        }
        if self.faults.never_wakes {
            return None;
        }
        Some(
            *self
                .wakes_at
                .get_or_insert(now + millis(self.profile.wake_ms)),
        )
    }

    /// Takes an order that expires after `ttl`. A sleeping car does not hear it.
    pub(crate) fn take(
        &mut self,
        now: Duration,
        id: CommandId,
        command: VehicleCommand,
        ttl: Duration,
    ) -> bool {
        self.advance(now);
        if !self.is_awake(now) {
            return false;
        }
        let due = now + millis(self.profile.act_ms) + millis(self.faults.slow_ms);
        self.work.push_back(Work {
            id,
            command,
            due,
            expires: now + ttl,
        });
        true
    }

    /// When something happens next, if nothing else comes in.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.work
            .iter()
            .map(|work| work.due)
            .chain(self.wakes_at)
            .min()
    }

    /// Lives through everything that is due by `now`.
    pub(crate) fn advance(&mut self, now: Duration) {
        if let Some(at) = self.wakes_at.filter(|at| *at <= now) {
            self.wakes_at = None;
            self.awake_until = Some(at + NAP_AFTER);
        }
        while let Some(index) = self.first_due(now) {
            if let Some(work) = self.work.remove(index) {
                let verdict = self.deal_with(&work);
                if let Some(verdict) = verdict {
                    self.judge(work.id, verdict);
                }
            }
        }
        if self.awake_until.is_some_and(|until| until <= now) {
            self.awake_until = None;
        }
    }

    /// What it says about an order.
    pub(crate) fn progress(&self, now: Duration, id: &CommandId) -> Progress {
        if self.faults.silent != Silence::No || !self.is_awake(now) {
            return Progress::Untold;
        }
        if self.work.iter().any(|work| work.id == *id) {
            return Progress::Pending;
        }
        let verdict = self.verdicts.iter().rev().find(|(of, _)| of == id);
        verdict.map_or(Progress::Untold, |(_, verdict)| *verdict)
    }

    /// What it tells about itself: a fresh sample if it is awake and talks, else the last one again.
    pub(crate) fn report(&mut self, now: Duration) -> Report {
        self.advance(now);
        let live = self.is_awake(now) && self.faults.silent == Silence::No;
        if live {
            self.sample(now);
        }
        let clock_ms = self.clock_ms(now);
        let (sequence, sampled_ms, sample) = self
            .last
            .clone()
            .unwrap_or_else(|| (0, clock_ms, self.look()));
        Report {
            sample,
            sequence,
            live,
            sampled_ms,
            clock_ms,
        }
    }

    /// How the car really is, whatever it tells.
    pub(crate) fn look(&self) -> Sample {
        let mut open_doors = self.faults.open_doors.clone();
        if self.body.trunk_open {
            open_doors.insert(Door::Trunk);
        }
        let powertrain = self.profile.powertrain;
        Sample {
            locked: self.body.locked,
            open_doors,
            open_windows: self.faults.open_windows.clone(),
            driving_enabled: self.body.driving_enabled,
            charge_port_open: powertrain.charges().then_some(self.body.charge_port_open),
            ignition_on: self.faults.ignition_on || self.faults.moving,
            speed_kmh: if self.faults.moving { MOVING_KMH } else { 0 },
            position: self.faults.position.unwrap_or(self.home),
            fuel_percent: powertrain.burns().then_some(70),
            charge_percent: powertrain.charges().then_some(80),
            odometer_km: self.profile.odometer_km,
        }
    }

    fn sample(&mut self, now: Duration) {
        self.sequence += 1;
        self.last = Some((self.sequence, self.clock_ms(now), self.look()));
    }

    fn first_due(&self, now: Duration) -> Option<usize> {
        let due = self
            .work
            .iter()
            .enumerate()
            .filter(|(_, work)| work.due <= now);
        due.min_by_key(|(_, work)| work.due).map(|(index, _)| index)
    }

    fn deal_with(&mut self, work: &Work) -> Option<Progress> {
        if self.faults.silent == Silence::Ignores {
            return None;
        }
        if let Some(reason) = self.objection(work) {
            return Some(Progress::Refused(reason));
        }
        let at = self.clock_ms(work.due);
        if let Err(error) = self
            .history
            .append(work.id.to_string(), work.command.as_str(), at)
        {
            tracing::error!(%error, "the simulated car cannot record what it does, so it does nothing");
            return Some(Progress::Refused(Declined::Refused));
        }
        self.body.apply(work.command);
        Some(Progress::Finished)
    }

    /// Why the car itself will not do it.
    fn objection(&self, work: &Work) -> Option<Declined> {
        let command = work.command;
        let moves_lock = matches!(command, VehicleCommand::Lock | VehicleCommand::Unlock);
        let opens = matches!(
            command,
            VehicleCommand::Unlock | VehicleCommand::OpenTrunk | VehicleCommand::ChargePort
        );
        if work.due > work.expires && !self.faults.late {
            Some(Declined::Expired)
        } else if opens && self.faults.moving {
            Some(Declined::Moving)
        } else if command == VehicleCommand::Lock && !self.faults.open_doors.is_empty() {
            Some(Declined::DoorsOpen)
        } else if moves_lock && self.faults.jammed {
            Some(Declined::Jammed)
        } else {
            None
        }
    }

    fn judge(&mut self, id: CommandId, verdict: Progress) {
        self.verdicts.push_back((id, verdict));
        if self.verdicts.len() > VERDICTS {
            self.verdicts.pop_front();
        }
    }
}

fn millis(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: CommandId = CommandId([7; 16]);
    const TTL: Duration = Duration::from_secs(10);

    fn car(faults: Faults) -> Car {
        let home = Position {
            latitude_e7: 525_200_000,
            longitude_e7: 134_050_000,
        };
        Car::new(Profile::default(), home, faults)
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_car_acts_when_its_lock_has_moved_and_not_before() {
        let mut car = car(Faults::default());
        assert!(car.take(secs(1), ID, VehicleCommand::Unlock, TTL));
        let due = car.next_due().unwrap();
        car.advance(due - Duration::from_nanos(1));
        assert!(car.look().locked);
        car.advance(due);
        assert!(!car.look().locked);
        assert_eq!(car.history().count(), 1);
    }

    #[test]
    fn a_sleeping_car_hears_nothing_and_tells_its_last_sample_until_it_wakes() {
        let mut car = car(Faults {
            asleep: true,
            ..Faults::default()
        });
        assert!(!car.take(secs(1), ID, VehicleCommand::Unlock, TTL));
        assert!(!car.report(secs(1)).live);
        let awake = car.wake(secs(1)).unwrap();
        assert!(awake > secs(1));
        assert!(car.report(awake).live);
        assert!(car.take(awake, ID, VehicleCommand::Unlock, TTL));
        assert!(!car.is_awake(awake + NAP_AFTER), "it naps again");
    }

    #[test]
    fn a_slow_car_drops_an_expired_command_and_a_late_one_does_not() {
        for late in [false, true] {
            let mut car = car(Faults {
                slow_ms: 20_000,
                late,
                ..Faults::default()
            });
            car.take(secs(1), ID, VehicleCommand::Unlock, TTL);
            car.advance(secs(60));
            assert_eq!(!car.look().locked, late);
            assert_eq!(car.history().count(), u64::from(late));
        }
    }

    #[test]
    fn an_open_door_keeps_the_car_from_locking() {
        let mut car = car(Faults {
            open_doors: [Door::FrontLeft].into(),
            ..Faults::default()
        });
        car.take(secs(1), ID, VehicleCommand::Lock, TTL);
        car.advance(secs(2));
        assert_eq!(
            car.progress(secs(2), &ID),
            Progress::Refused(Declined::DoorsOpen)
        );
    }

    #[test]
    fn a_moving_car_opens_nothing_and_still_locks() {
        let mut car = car(Faults {
            moving: true,
            ..Faults::default()
        });
        car.take(secs(1), ID, VehicleCommand::OpenTrunk, TTL);
        car.advance(secs(2));
        assert_eq!(
            car.progress(secs(2), &ID),
            Progress::Refused(Declined::Moving)
        );
        let other = CommandId([8; 16]);
        car.take(secs(2), other, VehicleCommand::Lock, TTL);
        car.advance(secs(3));
        assert_eq!(car.progress(secs(3), &other), Progress::Finished);
    }

    #[test]
    fn the_clock_of_the_car_drifts_and_jumps() {
        let mut car = car(Faults {
            clock_drift_ppm: 500,
            ..Faults::default()
        });
        assert_eq!(car.clock_ms(secs(1_000)), 1_000_500);
        car.set_faults(
            secs(1_000),
            Faults {
                clock_offset_ms: -2_000_000,
                ..Faults::default()
            },
        );
        assert_eq!(car.clock_ms(secs(1_000)), -1_000_000);
    }
}
