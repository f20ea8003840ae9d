mod conditions;
mod lock_only;
mod times;

use super::*;
use crate::anchors::AnchorStore;
use crate::area::Area;
use crate::envelope::{NO_REST, Unverified, seal};
use crate::hours::{HoursWindow, WeeklyHours, ZoneName};
use crate::id::ObjectId;
use crate::key::UnverifiedKey;
use crate::link::Claims;
use crate::policy::{CarConditions, NO_OUTAGE_LIMIT};
use crate::statement::{Statement, id_list};
use crate::testing::{
    KeyBuilder, NOW, claims, holder, mandate_claims, owner, platform_root, roots, status,
    status_link, vehicle, window,
};
use crate::time::Validity;

/// A key, what is asked and the situation; at the start everything allows.
#[derive(Clone)]
struct Case {
    key: DigitalKey,
    ask: Ask,
    clock: ClockInterval,
    now: Option<Timestamp>,
    contact: Contact,
    board: StatusBoard,
    car: CarFacts,
    used: u64,
    floor_admission_left: bool,
}

impl Case {
    fn of(key: &KeyBuilder) -> Self {
        let key = UnverifiedKey::parse(&key.encode())
            .unwrap()
            .verify(vehicle(), &roots(), &AnchorStore::default())
            .unwrap();
        Self {
            key,
            ask: Ask {
                command: VehicleCommand::Unlock,
                presence: Presence::Tap,
                not_after: NOW.plus(30),
                channel: Channel::Local,
                proximity: Proximity::None,
            },
            clock: ClockInterval::exactly(NOW),
            now: Some(NOW),
            contact: Contact {
                in_contact: false,
                begun: false,
            },
            board: said(0, |_| {}),
            car: CarFacts {
                stationary: Some(true),
                ignition_off: Some(true),
                position: None,
            },
            used: 0,
            floor_admission_left: true,
        }
    }

    fn decide(&self) -> Decision {
        let uses = |_: GrantId| self.used;
        let situation = Situation {
            clock: self.clock,
            now: self.now,
            contact: self.contact,
            status: &self.board,
            car: self.car,
            uses: &uses,
            floor_admission_left: self.floor_admission_left,
        };
        decide(&self.key, &self.ask, &situation)
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut case = self.clone();
        change(&mut case);
        case
    }

    fn assert_allowed(&self) {
        assert_eq!(self.decide(), Decision::Allow);
    }

    fn assert_refused(&self, reasons: &[Refusal]) {
        let expected = Decision::Refuse(reasons.iter().copied().collect());
        assert_eq!(self.decide(), expected);
    }

    fn assert_lock_only(&self, reasons: &[Refusal]) {
        let expected = Decision::LockOnly(reasons.iter().copied().collect());
        assert_eq!(self.decide(), expected);
    }
}

/// A board with one statement of the status key and one of the owner, both so many seconds old.
fn said(age_s: u64, change: impl Fn(&mut Statement)) -> StatusBoard {
    let mut board = StatusBoard::default();
    let anchors = AnchorStore::from_links([&status_link().bytes[..]], vehicle(), &roots());
    for is_platform in [true, false] {
        let mut body = Statement {
            vehicle: vehicle(),
            expires_at: is_platform.then_some(NOW.plus(20 * 86_400)),
            issued_at: Timestamp(NOW.0 - age_s),
            seq: 1,
            least_generation: 0,
            revoked: Default::default(),
            owner_statement: None,
            suspended: Default::default(),
        };
        change(&mut body);
        let signer = if is_platform { status() } else { owner() };
        if is_platform {
            body.least_generation = 0;
        }
        let sealed = seal(&body, &signer, NO_REST).unwrap();
        let statement = Unverified::decode(&sealed.bytes).unwrap();
        let now = ClockInterval::exactly(NOW);
        board
            .accept(&statement, vehicle(), &roots(), &anchors, now)
            .unwrap();
    }
    board
}

fn revoking(id: ObjectId) -> StatusBoard {
    said(0, |body| body.revoked = id_list([id.short()]).unwrap())
}

fn suspending(id: ObjectId) -> StatusBoard {
    said(0, |body| body.suspended = id_list([id.short()]).unwrap())
}

fn all() -> Entitlements {
    Entitlements::from_bits(0x7f).unwrap()
}

/// An owner-signed key for holder 1, changed.
fn key(change: impl FnOnce(&mut Claims)) -> KeyBuilder {
    let mut claims = claims(&holder(1), window(), all());
    claims.grant_id = Some(GrantId([7; 8]));
    change(&mut claims);
    KeyBuilder::first(&owner(), &claims, &holder(1))
}

fn case(change: impl FnOnce(&mut Claims)) -> Case {
    Case::of(&key(change))
}

/// A key below a mandate for holder 1.
fn mandated(change: impl FnOnce(&mut Claims)) -> Case {
    let mut claims = claims(&holder(1), window(), all());
    claims.grant_id = Some(GrantId([7; 8]));
    change(&mut claims);
    Case::of(&KeyBuilder::mandated().then(claims, &holder(1)))
}

fn berlin(start: u16, end: u16) -> WeeklyHours {
    // Around NOW, 2026-07-01T12:00Z, Berlin's clocks show two hours more; it is a Wednesday.
    let window = HoursWindow::new(0b100, start, end).unwrap();
    WeeklyHours::new(ZoneName::new("Europe/Berlin").unwrap(), &[window]).unwrap()
}
