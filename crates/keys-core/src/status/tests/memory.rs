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
    let at = |board: &mut StatusBoard, seq: u64, days: u64| {
        let now = NOW.plus(days * 86_400);
        let bytes = by_status(seq, |body| {
            body.issued_at = now;
            body.expires_at = Some(now.plus(60));
            body.revoked = batch(seq);
        });
        let statement = Unverified::<Statement>::decode(&bytes).unwrap();
        let clock = ClockInterval::exactly(now);
        board.accept(&statement, vehicle(), &roots(), &anchors_cached(), clock)
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
