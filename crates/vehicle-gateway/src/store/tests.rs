use keys_core::chain::LinkIds;
use keys_core::command::VehicleCommand;
use keys_core::envelope::{NO_REST, seal};
use keys_core::id::{CommandId, GrantId, ObjectId};
use keys_core::journal::{Entry, EntryKind, GENESIS, JournalHead};
use keys_core::receipt::OutcomeCode;
use keys_core::refusal::Refusals;
use keys_core::testing::{self, NOW};

use super::*;

const BUDGET: u64 = 1 << 20;

fn open(dir: &Path) -> Result<Store, OpenError> {
    Store::open(dir, BUDGET, |buffer| {
        buffer.fill(5);
        Ok(())
    })
}

fn entry(kind: EntryKind) -> Entry {
    Entry::new(0, GENESIS, kind, NOW, true)
}

fn trip() -> Trip {
    (GrantId([1; 8]), [2; 32])
}

fn intent(number: u8) -> Intent {
    Intent {
        id: CommandId([number; 16]),
        record: CommandRecord {
            presentation: [number; 32],
            links: LinkIds::from_iter([ObjectId([3; 32])]),
            command: VehicleCommand::Unlock,
            reasons: Refusals::NONE,
            counted: vec![GrantId([1; 8])],
            trip: Some(trip()),
            intent: 0,
            reference: None,
            outcome: None,
            first_receipt: None,
            receipt: None,
        },
        entry: entry(EntryKind::Intent),
        on_floor: false,
    }
}

fn finish(store: &Store, number: u8, outcome: OutcomeCode) -> Vec<u8> {
    let finish = Finish {
        id: CommandId([number; 16]),
        outcome,
        reference: None,
        entry: entry(EntryKind::Outcome),
        report: true,
    };
    // Any sealed object will do for the receipt here.
    let sealed = |place: Place| {
        let head = JournalHead {
            index: place.index,
            head: place.head,
            vehicle: testing::vehicle(),
            time: NOW,
        };
        seal(&head, &testing::gateway(), NO_REST)
    };
    store.finish(finish, |place, _| sealed(place)).unwrap()
}

#[test]
fn a_command_id_begins_once_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    assert!(matches!(
        store.begin(intent(1)).unwrap(),
        Begin::New(Place { index: 0, .. })
    ));
    assert!(
        matches!(store.begin(intent(1)).unwrap(), Begin::Known(record) if record.presentation == [1; 32])
    );
    drop(store);
    let store = open(dir.path()).unwrap();
    assert!(matches!(store.begin(intent(1)).unwrap(), Begin::Known(_)));
    assert_eq!(store.journal().unwrap().entries, 1);
    assert_eq!(store.unsettled().unwrap().len(), 1);
}

#[test]
fn a_declined_command_gives_back_its_use_and_its_trip_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    store.begin(intent(1)).unwrap();
    store.begin(intent(2)).unwrap();
    assert_eq!(store.uses(&GrantId([1; 8])).unwrap(), 2);
    let receipt = finish(&store, 1, OutcomeCode::Declined);
    assert_eq!(
        finish(&store, 1, OutcomeCode::Done),
        receipt,
        "the last word stands"
    );
    assert_eq!(store.uses(&GrantId([1; 8])).unwrap(), 1);
    assert!(store.has_begun(&trip()).unwrap(), "the other one began it");
    finish(&store, 2, OutcomeCode::Unknown);
    assert!(store.has_begun(&trip()).unwrap());
    finish(&store, 2, OutcomeCode::Declined);
    assert!(!store.has_begun(&trip()).unwrap());
    assert_eq!(store.uses(&GrantId([1; 8])).unwrap(), 0);
    assert!(store.unsettled().unwrap().is_empty());
}

#[test]
fn receipts_wait_in_order_until_the_api_has_them_and_no_index_comes_twice() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    for number in 1..=3 {
        store.begin(intent(number)).unwrap();
        finish(&store, number, OutcomeCode::Done);
    }
    let indexes = |store: &Store| {
        let mut found = Vec::new();
        while let Some((index, _)) = store
            .receipt_after(found.last().copied().unwrap_or(0))
            .unwrap()
        {
            found.push(index);
        }
        found
    };
    assert_eq!(indexes(&store), [1, 2, 3]);
    store.forget_receipts(2).unwrap();
    assert_eq!(indexes(&store), [3]);
    store.forget_receipts(3).unwrap();
    drop(store);
    let store = open(dir.path()).unwrap();
    store.begin(intent(4)).unwrap();
    finish(&store, 4, OutcomeCode::Done);
    assert_eq!(indexes(&store), [4]);
}

#[test]
fn without_room_in_the_journal_nothing_begins() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), 3_000, |_| Ok(())).unwrap();
    let mut begun = 0;
    let full = (1..=100).find_map(|number| match store.begin(intent(number)) {
        Ok(_) => {
            begun += 1;
            None
        }
        Err(error) => Some(error),
    });
    assert!(matches!(full, Some(StoreError::Full)));
    // What was begun can end.
    for number in 1..=begun {
        finish(&store, number, OutcomeCode::Done);
    }
    drop(store);
    assert!(Store::open_existing(dir.path(), 3_000).is_ok());
}

#[test]
fn a_broken_journal_refuses_to_open_and_names_the_entry() {
    let written = || {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).unwrap();
        for _ in 0..5 {
            store.note(entry(EntryKind::Boot)).unwrap();
        }
        (dir, store)
    };
    let changed = {
        let mut changed = entry(EntryKind::Trust);
        changed.index = 2;
        changed.encode()
    };
    let cases: [(u64, Option<&[u8]>, &str); 4] = [
        (2, Some(b"nonsense"), "entry 2 does not decode"),
        (2, Some(&changed), "entry 2 does not follow"),
        (3, None, "entry 3 carries index 4"),
        (4, None, "entry 4 does not decode"),
    ];
    for (index, bytes, told) in cases {
        let (dir, store) = written();
        store.overwrite_entry(index, bytes);
        drop(store);
        let error = open(dir.path()).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, OpenError::Journal { .. }), "{text}");
        assert!(
            text.contains(told) && text.contains("pair the car again"),
            "{text}"
        );
    }
}

#[test]
fn the_floor_of_the_clock_never_falls() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    store.raise_floor(NOW).unwrap();
    store.raise_floor(keys_core::time::Timestamp(5)).unwrap();
    assert_eq!(store.floor().unwrap(), NOW);
}

#[test]
fn the_gateway_key_is_drawn_once() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).unwrap().gateway_key().unwrap();
    let again = Store::open(dir.path(), BUDGET, |_| panic!("it is there"))
        .unwrap()
        .gateway_key()
        .unwrap();
    assert_eq!(*first.to_seed(), *again.to_seed());
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(
        Store::open_existing(empty.path(), BUDGET),
        Err(OpenError::Missing(_))
    ));
}
