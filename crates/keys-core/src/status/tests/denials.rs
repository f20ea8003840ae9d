//! What a statement ends, and for how long it is fresh.

use super::*;

#[test]
fn an_owner_revokes_every_link_and_all_below_it() {
    for key in [mandated(), owned()] {
        for link in key.links() {
            let board = board(&[by_owner(1, |body| body.revoked = ids(&[link.id]))]);
            assert_eq!(denials(&board, &key), [Refusal::Revoked]);
        }
    }
    let key = owned();
    let board = board(&[by_owner(1, |body| body.revoked = ids(&[key.leaf()]))]);
    assert_eq!(
        denials(&board, &KeyBuilder::owned(&holder(1))),
        NOTHING,
        "not those above"
    );
}

#[test]
fn a_status_key_reaches_links_below_a_mandate_and_nothing_else() {
    let key = mandated();
    for (index, link) in key.links().iter().enumerate() {
        let expected = |refusal| {
            if index == 0 {
                Vec::new()
            } else {
                Vec::from([refusal])
            }
        };
        let revoked = board(&[by_status(1, |body| body.revoked = ids(&[link.id]))]);
        assert_eq!(
            denials(&revoked, &key),
            expected(Refusal::Revoked),
            "link {index}"
        );
        let suspended = board(&[by_status(1, |body| body.suspended = ids(&[link.id]))]);
        assert_eq!(
            denials(&suspended, &key),
            expected(Refusal::Suspended),
            "link {index}"
        );
    }
    let key = owned();
    let all: Vec<_> = key.links().iter().map(|link| link.id).collect();
    let board = board(&[by_status(1, |body| {
        body.revoked = ids(&all);
        body.suspended = ids(&all);
    })]);
    assert_eq!(denials(&board, &key), NOTHING);
}

#[test]
fn what_is_revoked_stays_and_what_is_suspended_may_return() {
    let key = mandated();
    for is_owner in [true, false] {
        let sign = |seq, change: &dyn Fn(&mut Statement)| {
            if is_owner {
                by_owner(seq, change)
            } else {
                by_status(seq, change)
            }
        };
        let leaf = ids(&[key.leaf()]);
        let mut board = board(&[sign(1, &|body| body.suspended = leaf.clone())]);
        assert_eq!(denials(&board, &key), [Refusal::Suspended]);
        accept(&mut board, &sign(2, &|body| body.issued_at = NOW.plus(1))).unwrap();
        assert_eq!(denials(&board, &key), NOTHING);
        let both = sign(3, &|body| {
            body.issued_at = NOW.plus(2);
            body.revoked = leaf.clone();
            body.suspended = leaf.clone();
        });
        accept(&mut board, &both).unwrap();
        assert_eq!(
            denials(&board, &key),
            [Refusal::Revoked, Refusal::Suspended]
        );
        accept(&mut board, &sign(4, &|body| body.issued_at = NOW.plus(3))).unwrap();
        assert_eq!(denials(&board, &key), [Refusal::Revoked]);
        assert_eq!(board.revoked().collect::<Vec<_>>(), [key.leaf().short()]);
    }
}

#[test]
fn a_new_status_key_inherits_what_was_denied_and_the_old_one_has_its_last_word() {
    let key = mandated();
    let (second, _) = second_status();
    let mut board = board(&[by_status(9, |body| {
        body.revoked = ids(&[key.links()[2].id]);
        body.suspended = ids(&[key.leaf()]);
    })]);
    assert_eq!(
        denials(&board, &key),
        [Refusal::Revoked, Refusal::Suspended]
    );
    let first = signed(&second, 1, |body| {
        body.issued_at = NOW.plus(1);
        body.expires_at = Some(NOW.plus(60));
    });
    accept(&mut board, &first).unwrap();
    assert_eq!(
        denials(&board, &key),
        [Refusal::Revoked, Refusal::Suspended]
    );
    let last = by_status(10, |_| {});
    accept(&mut board, &last).unwrap();
    assert_eq!(denials(&board, &key), [Refusal::Revoked]);
}

#[test]
fn a_status_key_that_the_owner_ended_lifts_nothing_and_suspends_nothing() {
    let key = mandated();
    let (second, link) = second_status();
    let stolen_link = AnchorStore::from_links([&link[..]], vehicle(), &roots())
        .ids()
        .next()
        .unwrap();
    let honest = by_status(1, |body| body.suspended = ids(&[key.leaf()]));
    let stolen = signed(&second, 1, |body| {
        body.issued_at = NOW.plus(500);
        body.expires_at = Some(NOW.plus(100_000));
        body.suspended = ids(&[key.links()[1].id]);
    });
    let mut board = board(&[honest, stolen]);
    assert_eq!(denials(&board, &key), [Refusal::Suspended]);
    accept(
        &mut board,
        &by_owner(1, |body| body.revoked = ids(&[stolen_link])),
    )
    .unwrap();
    assert_eq!(
        denials(&board, &key),
        [Refusal::Suspended],
        "the honest one's"
    );
    assert_eq!(board.statement_age_s(true, NOW.plus(100)), Some(100));
    accept(&mut board, &by_status(2, |_| {})).unwrap();
    assert_eq!(denials(&board, &key), NOTHING);
}

#[test]
fn after_its_end_a_statement_is_not_fresh_and_still_denies() {
    let key = mandated();
    let board = board(&[by_status(1, |body| {
        body.revoked = ids(&[key.leaf()]);
        body.suspended = ids(&[key.leaf()]);
        body.expires_at = Some(NOW.plus(60));
    })]);
    assert_eq!(board.statement_age_s(true, NOW.plus(59)), Some(59));
    assert_eq!(board.statement_age_s(true, NOW.plus(60)), None);
    assert_eq!(
        denials(&board, &key),
        [Refusal::Revoked, Refusal::Suspended]
    );
}

#[test]
fn a_statement_is_not_fresh_beyond_its_status_keys_link() {
    let (second, _) = second_status();
    let board = board(&[signed(&second, 1, |body| {
        body.expires_at = Some(NOW.plus(10 * 86_400));
    })]);
    let end = window().until;
    assert_eq!(
        board.statement_age_s(true, Timestamp(end.0 - 1)),
        Some(86_399)
    );
    assert_eq!(board.statement_age_s(true, end), None);
}

#[test]
fn below_a_mandate_the_platforms_word_counts_and_elsewhere_the_owners_too() {
    let only_owner = board(&[by_owner(1, |_| {})]);
    assert_eq!(only_owner.statement_age_s(true, NOW.plus(9)), None);
    assert_eq!(only_owner.statement_age_s(false, NOW.plus(9)), Some(9));
    let only_platform = board(&[by_status(1, |_| {})]);
    assert_eq!(only_platform.statement_age_s(true, NOW.plus(9)), Some(9));
    assert_eq!(only_platform.statement_age_s(false, NOW.plus(9)), Some(9));
    let both = board(&[
        by_owner(1, |body| body.issued_at = NOW.plus(5)),
        by_status(1, |_| {}),
    ]);
    assert_eq!(both.statement_age_s(true, NOW.plus(9)), Some(9));
    assert_eq!(both.statement_age_s(false, NOW.plus(9)), Some(4));
    assert_eq!(StatusBoard::default().statement_age_s(false, NOW), None);
    assert_eq!(
        both.statement_age_s(false, Timestamp(0)),
        Some(0),
        "never negative"
    );
}

#[test]
fn a_platform_statement_is_fresh_only_with_the_owners_word_it_names() {
    let own = by_owner(5, |_| {});
    let named =
        |seq, id: ObjectId| by_status(1, |body| body.owner_statement = Some((seq, id.short())));
    let age = |statements: &[Vec<u8>]| board(statements).statement_age_s(true, NOW);
    let id = id_of(&own);
    assert_eq!(
        age(&[named(5, id)]),
        None,
        "the car has no word of the owner"
    );
    assert_eq!(age(&[named(5, id), own]), Some(0));
    assert_eq!(
        age(&[named(5, id), by_owner(4, |_| {})]),
        None,
        "an older one"
    );
    assert_eq!(
        age(&[named(5, id), by_owner(6, |_| {})]),
        Some(0),
        "a newer one"
    );
    let other = by_owner(5, |body| body.issued_at = NOW.plus(1));
    assert_eq!(
        age(&[named(5, id), other]),
        None,
        "another one of that number"
    );
    assert_eq!(age(&[by_status(1, |_| {})]), Some(0), "it names none");
    let mut forgotten = StatusBoard::with_known(5, 0, 0);
    accept(&mut forgotten, &named(5, id)).unwrap();
    assert_eq!(forgotten.statement_age_s(true, NOW), Some(0));
    let mut forgotten = StatusBoard::with_known(4, 0, 0);
    accept(&mut forgotten, &named(5, id)).unwrap();
    assert_eq!(forgotten.statement_age_s(true, NOW), None);
}
