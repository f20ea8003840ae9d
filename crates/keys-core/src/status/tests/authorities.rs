//! Whose statements are taken, and which.

use super::*;

#[test]
fn both_authorities_are_heard_and_a_statement_held_already_is_known() {
    let mut board = StatusBoard::default();
    let (own, platform) = (by_owner(3, |_| {}), by_status(8, |_| {}));
    let expected = Accepted::New(Authority::Owner, id_of(&own));
    assert_eq!(accept(&mut board, &own), Ok(expected));
    let expected = Accepted::New(Authority::Platform, id_of(&platform));
    assert_eq!(accept(&mut board, &platform), Ok(expected));
    assert_eq!(accept(&mut board, &own), Ok(Accepted::Known));
    assert_eq!(accept(&mut board, &platform), Ok(Accepted::Known));
    assert_eq!(
        (board.seq(Authority::Owner), board.seq(Authority::Platform)),
        (3, 8)
    );
    assert_eq!(board.newest(Authority::Owner).unwrap().id, id_of(&own));
    assert_eq!(board.time_floor(), NOW);
}

#[test]
fn what_one_signer_suspends_no_other_lifts() {
    let mut both = roots();
    both.owner_keys.push(*second_owner().verifying_key());
    let (second, _) = second_status();
    let until = Some(NOW.plus(3_600));
    let mut leaf = claims(&holder(1), window(), Entitlements::UNLOCK);
    leaf.grant_id = Some(GrantId([1; 8]));
    let key = KeyBuilder::mandated().then(leaf, &holder(1));
    let links = [status_link().bytes, second_status().1];
    let known = AnchorStore::from_links(links.iter().map(Vec::as_slice), vehicle(), &both);
    let suspended = |body: &mut Statement| body.suspended = id_list([key.leaf().short()]).unwrap();
    let later = |body: &mut Statement| body.issued_at = NOW.plus(60);
    let stories = [
        [
            by_owner(1, suspended),
            signed(&second_owner(), 7, later),
            by_owner(2, later),
        ],
        [
            by_status(1, suspended),
            signed(&second, 7, |body| {
                later(body);
                body.expires_at = until;
            }),
            by_status(2, later),
        ],
    ];
    let bytes = key.encode();
    let verified = UnverifiedKey::parse(&bytes)
        .unwrap()
        .verify(vehicle(), &roots(), &AnchorStore::default())
        .unwrap();
    for story in stories {
        let mut board = StatusBoard::default();
        let denied: Vec<bool> = story
            .iter()
            .map(|bytes| {
                let statement = Unverified::<Statement>::decode(bytes).unwrap();
                let clock = ClockInterval::exactly(NOW.plus(60));
                board
                    .accept(&statement, vehicle(), &both, &known, clock)
                    .unwrap();
                board.denials(&verified).contains(Refusal::Suspended)
            })
            .collect();
        assert_eq!(denied, [true, true, false]);
        assert_eq!(board.suspended().count(), 0);
    }
}

#[test]
fn a_statement_for_another_vehicle_is_refused() {
    let foreign = by_owner(1, |body| body.vehicle = other_vehicle());
    let refused = accept(&mut StatusBoard::default(), &foreign).unwrap_err();
    assert_eq!(refused, StatementRefusal::WrongVehicle);
    assert_eq!(refused.refusal(), Refusal::WrongVehicle);
}

#[test]
fn a_statement_of_nobody_known_here_is_refused() {
    let end = Some(NOW.plus(60));
    let unknown = StatementRefusal::Signature(Refusal::UnknownSigner);
    for bytes in [
        signed(&holder(1), 1, |_| {}),
        signed(&holder(1), 1, |body| body.expires_at = end),
        signed(&platform_root(), 1, |body| body.expires_at = end),
        signed(&issuer(), 1, |body| body.expires_at = end),
        signed(&second_owner(), 1, |_| {}),
        // Each authority in the form of the other.
        signed(&status(), 1, |_| {}),
        signed(&owner(), 1, |body| body.expires_at = end),
    ] {
        assert_eq!(accept(&mut StatusBoard::default(), &bytes), Err(unknown));
    }
    assert_eq!(unknown.refusal(), Refusal::UnknownSigner);
    let mut forged = by_owner(1, |_| {});
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let refused = accept(&mut StatusBoard::default(), &forged).unwrap_err();
    assert_eq!(refused.refusal(), Refusal::BadSignature);
}

#[test]
fn a_status_key_cannot_raise_the_generation_and_an_owner_can() {
    let raising = by_status(1, |body| body.least_generation = 1);
    let refused = accept(&mut StatusBoard::default(), &raising).unwrap_err();
    assert_eq!(refused, StatementRefusal::RaisesGeneration);
    assert_eq!(refused.refusal(), Refusal::Malformed);
    let mut board = board(&[by_owner(1, |body| body.least_generation = 4)]);
    assert_eq!(board.least_generation(), 4);
    accept(&mut board, &by_owner(2, |_| {})).unwrap();
    assert_eq!(board.least_generation(), 4, "it never falls");
    board.raise_generation(3);
    assert_eq!(board.least_generation(), 4);
    board.raise_generation(5);
    assert_eq!(board.least_generation(), 5);
}

#[test]
fn a_lower_number_is_a_rollback_and_an_equal_one_with_other_content_an_alarm() {
    for sign in [
        by_owner as fn(u64, fn(&mut Statement)) -> Vec<u8>,
        by_status,
    ] {
        let kept = sign(5, |_| {});
        let mut board = board(core::slice::from_ref(&kept));
        let refused = accept(&mut board, &sign(4, |_| {})).unwrap_err();
        assert_eq!(refused, StatementRefusal::Rollback);
        assert_eq!(refused.refusal(), Refusal::StatementTooOld);
        let other = sign(5, |body| body.issued_at = NOW.plus(1));
        let refused = accept(&mut board, &other).unwrap_err();
        assert_eq!(refused, StatementRefusal::Equivocation);
        assert_eq!(refused.refusal(), Refusal::Replayed);
        assert_eq!(
            accept(&mut board, &kept),
            Ok(Accepted::Known),
            "the first is kept"
        );
        assert!(accept(&mut board, &sign(6, |_| {})).is_ok());
    }
}

#[test]
fn a_board_that_forgot_its_statements_still_knows_their_numbers() {
    let mut board = StatusBoard::with_known(5, 9, 0);
    assert_eq!(
        (board.seq(Authority::Owner), board.seq(Authority::Platform)),
        (5, 9)
    );
    assert_eq!(StatusBoard::with_known(5, 9, 2).least_generation(), 2);
    let rollback = Err(StatementRefusal::Rollback);
    assert_eq!(accept(&mut board, &by_owner(4, |_| {})), rollback);
    assert_eq!(accept(&mut board, &by_status(8, |_| {})), rollback);
    assert!(accept(&mut board, &by_owner(5, |_| {})).is_ok());
}

#[test]
fn every_signer_counts_its_own_numbers() {
    let (second, _) = second_status();
    let mut board = board(&[by_status(100, |_| {})]);
    let first_of_new = signed(&second, 1, |body| body.expires_at = Some(NOW.plus(60)));
    assert!(accept(&mut board, &first_of_new).is_ok());
    assert!(accept(&mut board, &by_status(99, |_| {})).is_err());
}

#[test]
fn a_statement_lies_at_most_ten_minutes_ahead_of_a_trusted_clock() {
    for sign in [
        by_owner as fn(u64, fn(&mut Statement)) -> Vec<u8>,
        by_status,
    ] {
        let mut board = StatusBoard::default();
        let ahead = sign(3, |body| body.issued_at = NOW.plus(601));
        let refused = accept(&mut board, &ahead).unwrap_err();
        assert_eq!(refused, StatementRefusal::FromTheFuture);
        assert_eq!(refused.refusal(), Refusal::NotYetValid);
        let clock = ClockInterval {
            lo: Timestamp(NOW.0 - 50),
            hi: NOW.plus(1),
        };
        assert!(
            accept_at(&mut board.clone(), &ahead, clock).is_ok(),
            "hi counts"
        );
        for (seq, at) in [(1u64, 599), (2, 600)] {
            let near = match at {
                599 => sign(1, |body| body.issued_at = NOW.plus(599)),
                _ => sign(2, |body| body.issued_at = NOW.plus(600)),
            };
            assert!(accept(&mut board, &near).is_ok(), "{seq}");
        }
        let untrusted = ClockInterval::at_least(Timestamp(0));
        assert!(accept_at(&mut StatusBoard::default(), &ahead, untrusted).is_ok());
    }
}

/// Takes a platform statement of `NOW` under a status link of this window, first changed boards.
fn under_status_link(
    validity: Validity,
    generation: Option<u64>,
    clock: ClockInterval,
    own: impl FnOnce(ObjectId) -> Option<Vec<u8>>,
) -> Result<(), Refusal> {
    let mut claims = claims(&status(), validity, Entitlements::SIGN_STATUS);
    claims.policy.generation = generation;
    let link = KeyBuilder::first(&platform_root(), &claims, &status());
    let anchors = AnchorStore::from_links([&link.links()[0].bytes[..]], vehicle(), &roots());
    let mut board = StatusBoard::default();
    if let Some(bytes) = own(link.leaf()) {
        accept(&mut board, &bytes).unwrap();
    }
    let bytes = by_status(1, |_| {});
    let statement = Unverified::<Statement>::decode(&bytes).unwrap();
    board
        .accept(&statement, vehicle(), &roots(), &anchors, clock)
        .map(|_| ())
        .map_err(StatementRefusal::refusal)
}

#[test]
fn a_status_key_speaks_only_while_its_own_link_holds() {
    let now = ClockInterval::exactly(NOW);
    let lasts = |from: i64, until: i64| Validity {
        from: Timestamp(NOW.0.wrapping_add_signed(from)),
        until: Timestamp(NOW.0.wrapping_add_signed(until)),
    };
    let test = |validity, clock| under_status_link(validity, None, clock, |_| None);
    assert_eq!(test(lasts(0, 1), now), Ok(()));
    assert_eq!(test(lasts(-9, 0), now), Err(Refusal::Expired));
    assert_eq!(test(lasts(1, 9), now), Err(Refusal::NotYetValid));
    let wide = ClockInterval {
        lo: NOW,
        hi: NOW.plus(5),
    };
    assert_eq!(test(lasts(0, 5), wide), Err(Refusal::Expired));
    assert_eq!(test(lasts(0, 6), wide), Ok(()));
    // While the time is not known the floor and the statement's own time count.
    let unknown = ClockInterval::at_least(Timestamp(0));
    assert_eq!(test(lasts(0, 1), unknown), Ok(()));
    assert_eq!(test(lasts(-9, 0), unknown), Err(Refusal::Expired));
    assert_eq!(
        test(lasts(-9, 5), ClockInterval::at_least(NOW.plus(5))),
        Err(Refusal::Expired)
    );
}

#[test]
fn the_owner_ends_a_status_key_by_its_link_or_by_the_generation() {
    let now = ClockInterval::exactly(NOW);
    let revoked = under_status_link(window(), None, now, |link| {
        Some(by_owner(1, |body| body.revoked = ids(&[link])))
    });
    assert_eq!(revoked, Err(Refusal::Revoked));
    let raise = |_| Some(by_owner(1, |body| body.least_generation = 2));
    assert_eq!(
        under_status_link(window(), Some(1), now, raise),
        Err(Refusal::OldGeneration)
    );
    assert_eq!(under_status_link(window(), Some(2), now, raise), Ok(()));
}

#[test]
fn of_several_links_of_a_status_key_any_that_stands_will_do() {
    let renewed = claims(&status(), window(), Entitlements::SIGN_STATUS);
    let renewed = KeyBuilder::first(&platform_root(), &renewed, &status());
    let (old, new) = (status_link(), renewed.links()[0].clone());
    let anchors = AnchorStore::from_links([&old.bytes[..], &new.bytes], vehicle(), &roots());
    for (first, second) in [(old.id, new.id), (new.id, old.id)] {
        let mut board = board(&[by_owner(1, |body| body.revoked = ids(&[first]))]);
        let bytes = by_status(1, |_| {});
        let statement = Unverified::<Statement>::decode(&bytes).unwrap();
        let now = ClockInterval::exactly(NOW);
        board
            .accept(&statement, vehicle(), &roots(), &anchors, now)
            .unwrap();
        let held = board.newest(Authority::Platform).unwrap();
        assert_eq!(held.status_link.map(|(link, _)| link), Some(second));
    }
}

#[test]
fn of_several_links_that_stand_the_one_that_lasts_longest_counts() {
    let statement = by_status(1, |body| body.expires_at = Some(NOW.plus(20 * 86_400)));
    let statement = Unverified::<Statement>::decode(&statement).unwrap();
    let link = |from: u64, days: u64| {
        let validity = Validity {
            from: Timestamp(NOW.0 - from),
            until: NOW.plus(days * 86_400),
        };
        let claims = claims(&status(), validity, Entitlements::SIGN_STATUS);
        KeyBuilder::first(&platform_root(), &claims, &status())
    };
    // Anchors are looked through in the order of their ids: both orders are met.
    let mut shorter_first = Vec::new();
    for from in 0..12 {
        let (shorter, longer) = (link(from, 2), link(from, 9));
        let links = [&shorter.links()[0].bytes[..], &longer.links()[0].bytes];
        let anchors = AnchorStore::from_links(links, vehicle(), &roots());
        let mut board = StatusBoard::default();
        let now = ClockInterval::exactly(NOW);
        board
            .accept(&statement, vehicle(), &roots(), &anchors, now)
            .unwrap();
        let held = board.newest(Authority::Platform).unwrap();
        assert_eq!(held.status_link, Some((longer.leaf(), 0)));
        assert_eq!(held.fresh_until, NOW.plus(9 * 86_400));
        shorter_first.push(shorter.leaf() < longer.leaf());
    }
    assert!(shorter_first.contains(&true) && shorter_first.contains(&false));
}
