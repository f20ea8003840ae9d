//! Any sequence of statements.

use super::*;

prop_compose! {
    fn said()(
        is_owner in any::<bool>(),
        seq in 0u64..6,
        at in 0u64..5,
        revoked in vec(0u8..5, 0..3),
        suspended in vec(0u8..5, 0..3),
        generation in 0u64..3,
    ) -> (SigningKey, Statement) {
        let ids = |ids: Vec<u8>| {
            keys_core::statement::id_list(ids.into_iter().map(|id| ShortId([id; 16]))).expect("few")
        };
        let statement = Statement {
            vehicle: vehicle(),
            expires_at: (!is_owner).then_some(NOW.plus(3_600)),
            issued_at: NOW.plus(at),
            seq,
            least_generation: if is_owner { generation } else { 0 },
            revoked: ids(revoked),
            owner_statement: None,
            suspended: ids(suspended),
        };
        let signer = if is_owner { testing::owner() } else { testing::status() };
        (signer, statement)
    }
}

proptest! {
    #![proptest_config(law())]

    #[test]
    fn whatever_is_said_numbers_rise_and_what_is_denied_stays(statements in vec(said(), 1..12)) {
        let link = testing::status_link().bytes;
        let anchors = AnchorStore::from_links([&link[..]], vehicle(), &roots());
        let mut board = StatusBoard::default();
        for (signer, statement) in statements {
            let sealed = seal(&statement, &signer, NO_REST).expect("signs");
            let decoded = Unverified::<Statement>::decode(&sealed.bytes).expect("a statement");
            let before = board.clone();
            let clock = ClockInterval::exactly(NOW);
            let accepted = board.accept(&decoded, vehicle(), &roots(), &anchors, clock);
            for authority in [Authority::Owner, Authority::Platform] {
                prop_assert!(board.seq(authority) >= before.seq(authority));
            }
            let now: Vec<ShortId> = board.revoked().collect();
            prop_assert!(before.revoked().all(|id| now.contains(&id)));
            if accepted.is_ok() {
                prop_assert!(statement.revoked.iter().all(|id| now.contains(id)));
            } else {
                prop_assert_eq!(&board, &before);
            }
            prop_assert!(board.least_generation() >= before.least_generation());
            prop_assert!(board.time_floor() >= before.time_floor());
            prop_assert_eq!(StatusBoard::decode(&board.encode()), Ok(board.clone()));
        }
    }
}
