//! What a board remembers, for how long, and how it is stored.

use super::*;

#[test]
fn a_platform_revocation_is_kept_92_days_from_the_last_statement_that_lists_it() {
    let key = mandated();
    let mut board = board(&[
        by_status(1, |body| body.revoked = ids(&[key.leaf()])),
        by_status(2, |_| {}),
    ]);
    board.prune(NOW.plus(92 * 86_400 - 1));
    assert_eq!(denials(&board, &key), [Refusal::Revoked]);
    board.prune(NOW.plus(92 * 86_400));
    assert_eq!(denials(&board, &key), NOTHING);
}

#[test]
fn what_a_statement_in_force_lists_is_never_forgotten() {
    let key = mandated();
    let mut board = board(&[by_status(1, |body| body.revoked = ids(&[key.leaf()]))]);
    board.prune(NOW.plus(1_000 * 86_400));
    assert_eq!(denials(&board, &key), [Refusal::Revoked]);
}

#[test]
fn what_an_owner_revoked_is_never_forgotten() {
    let key = owned();
    let mut board = board(&[
        by_owner(1, |body| body.revoked = ids(&[key.leaf()])),
        by_owner(2, |_| {}),
    ]);
    board.prune(NOW.plus(1_000 * 86_400));
    assert_eq!(denials(&board, &key), [Refusal::Revoked]);
}

#[test]
fn a_clock_that_a_statement_pushed_ends_no_revocation() {
    let key = mandated();
    let mut board = board(&[by_status(1, |body| body.revoked = ids(&[key.leaf()]))]);
    let far = NOW.plus(25 * 86_400);
    let untrusted = ClockInterval::at_least(NOW.plus(300 * 86_400));
    let pushed = by_owner(1, |body| body.issued_at = NOW.plus(300 * 86_400));
    accept_at(&mut board, &pushed, untrusted).unwrap();
    let unlisted = by_status(2, |body| {
        body.issued_at = far;
        body.expires_at = Some(far.plus(60));
    });
    accept_at(&mut board, &unlisted, ClockInterval::at_least(far)).unwrap();
    assert_eq!(denials(&board, &key), [Refusal::Revoked]);
}

#[test]
fn a_status_key_cannot_fill_the_memory() {
    let mut board = StatusBoard::default();
    let batch = |seq: u64| {
        let list = (0..64).map(|number| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&(seq * 64 + number).to_be_bytes());
            ShortId(id)
        });
        id_list(list).unwrap()
    };
    let full = limits::PLATFORM_REVOKED_IDS as u64 / 64;
    let later = Validity {
        from: NOW.plus(86_400),
        until: NOW.plus(93 * 86_400),
    };
    let later = claims(&status(), later, Entitlements::SIGN_STATUS);
    let later = KeyBuilder::first(&platform_root(), &later, &status());
    let later_link = &later.links()[0].bytes[..];
    let later_valid = AnchorStore::from_links([later_link], vehicle(), &roots());
    let now_valid = anchors();
    let at = |board: &mut StatusBoard, seq: u64, days: u64| {
        let now = NOW.plus(days * 86_400);
        let bytes = by_status(seq, |body| {
            body.issued_at = now;
            body.expires_at = Some(now.plus(60));
            body.revoked = batch(seq);
        });
        let statement = Unverified::<Statement>::decode(&bytes).unwrap();
        let clock = ClockInterval::exactly(now);
        let anchors = if days == 0 { &now_valid } else { &later_valid };
        board.accept(&statement, vehicle(), &roots(), anchors, clock)
    };
    for seq in 0..full {
        assert!(at(&mut board, seq, 0).is_ok());
    }
    assert_eq!(board.revoked().count(), limits::PLATFORM_REVOKED_IDS);
    let refused = at(&mut board, full, 0).unwrap_err();
    assert_eq!(
        (refused, refused.refusal()),
        (StatementRefusal::Full, Refusal::TooLarge)
    );
    // An owner is heard all the same, and so is the platform about what is remembered already.
    assert!(
        accept(
            &mut board,
            &by_owner(1, |body| body.revoked = batch(full + 1))
        )
        .is_ok()
    );
    let again = by_status(full + 1, |body| body.revoked = batch(0));
    assert!(accept(&mut board, &again).is_ok());
    // What is over takes no room: it was told 92 days ago.
    assert_eq!(at(&mut board.clone(), full + 2, 91), Err(refused));
    assert!(at(&mut board, full + 2, 92).is_ok());
}

/// Ids of a range, in statements of 64.
fn owner_revokes(board: &mut StatusBoard, numbers: core::ops::Range<u64>) {
    let id = |number: u64| {
        let mut id = [0xee; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        ShortId(id)
    };
    let numbers: Vec<u64> = numbers.collect();
    for list in numbers.chunks(64) {
        let bytes = by_owner(1 + list[0], |body| {
            body.revoked = id_list(list.iter().copied().map(id)).unwrap();
        });
        let statement = Unverified::<Statement>::decode(&bytes).unwrap();
        // Nothing is forgotten while the time is not known.
        let clock = ClockInterval::at_least(NOW);
        board
            .accept(&statement, vehicle(), &roots(), &anchors_cached(), clock)
            .unwrap();
    }
}

#[test]
fn what_an_owner_revoked_is_forgotten_only_beyond_a_bound() {
    let key = mandated();
    let bound = OWNER_REVOKED_IDS as u64;
    let mut board = board(&[by_status(1, |body| body.revoked = ids(&[key.leaf()]))]);
    owner_revokes(&mut board, 0..bound);
    let long_after = NOW.plus(1_000 * 86_400);
    let mut at_the_bound = board.clone();
    at_the_bound.prune(long_after);
    assert_eq!(at_the_bound.revoked().count(), OWNER_REVOKED_IDS + 1);
    owner_revokes(&mut board, bound..bound + 1);
    board.prune(long_after);
    // The newest statement's one, and the platform's, which one in force lists.
    assert_eq!(board.revoked().count(), 2);
}

fn anchors_cached() -> AnchorStore {
    static STORE: std::sync::OnceLock<AnchorStore> = std::sync::OnceLock::new();
    STORE.get_or_init(anchors).clone()
}

#[test]
fn a_board_remembers_a_bounded_number_of_signers() {
    let mut board = StatusBoard::default();
    for number in 0..20u8 {
        let key = holder(number);
        let mut others = roots();
        others.owner_keys = [*key.verifying_key()].into_iter().collect();
        let bytes = signed(&key, 1, |body| {
            body.issued_at = NOW.plus(u64::from(number));
            body.revoked = ids(&[ObjectId([number; 32])]);
        });
        let statement = Unverified::<Statement>::decode(&bytes).unwrap();
        let now = ClockInterval::exactly(NOW);
        board
            .accept(&statement, vehicle(), &others, &AnchorStore::default(), now)
            .unwrap();
    }
    assert_eq!(board.owner.len(), SIGNERS);
    assert_eq!(board.revoked().count(), 20, "what they revoked stays");
    assert_eq!(StatusBoard::decode(&board.encode()), Ok(board));
}

#[test]
fn a_stored_board_comes_back_and_nothing_else_is_read() {
    let key = mandated();
    let board = board(&[
        by_owner(3, |body| {
            body.revoked = ids(&[key.leaf()]);
            body.least_generation = 0;
        }),
        by_status(8, |body| {
            body.suspended = ids(&[key.links()[1].id]);
            body.owner_statement = Some((3, ShortId([1; 16])));
        }),
    ]);
    let encoded = board.encode();
    assert_eq!(StatusBoard::decode(&encoded), Ok(board));
    for end in 0..encoded.len() {
        assert!(StatusBoard::decode(&encoded[..end]).is_err());
    }
    assert!(StatusBoard::decode(&[&encoded[..], &[0]].concat()).is_err());
    let default = StatusBoard::default();
    assert_eq!(StatusBoard::decode(&default.encode()), Ok(default));
}
