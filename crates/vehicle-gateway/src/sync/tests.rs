//! The line against a small API in the same process, over real loopback sockets.

mod world;

use std::sync::atomic::Ordering;

use futures_util::{SinkExt, StreamExt};
use keys_core::carried::{Carried, CarriedKind};
use keys_core::refusal::Refusal;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use self::world::{SEQS, World, vehicle};
use super::*;

#[tokio::test]
async fn the_gateway_proves_its_key_and_says_what_it_holds() {
    let mut world = World::new(0).await;
    let mut peer = world.accept().await;
    let hello = peer.shake_hands(&world.origin).await.unwrap();
    assert_eq!((hello.vehicle, hello.seqs), (vehicle(), SEQS));
    peer.send(SyncMessage::Ready).await;
    world.wait_for(|state| *state == LineState::Ready).await;
}

#[tokio::test]
async fn a_proof_for_one_api_is_worth_nothing_at_another() {
    let world = World::new(0).await;
    let mut peer = world.accept().await;
    let proof = peer.shake_hands("https://elsewhere.example").await;
    assert_eq!(proof, Err(Refusal::BadSignature));
}

#[tokio::test]
async fn a_refused_gateway_says_so_and_dials_again() {
    let mut world = World::new(0).await;
    let mut peer = world.accept().await;
    peer.shake_hands(&world.origin).await.unwrap();
    let close = CloseFrame {
        code: 4401.into(),
        reason: "".into(),
    };
    peer.socket.close(Some(close)).await.unwrap();
    // The wait is none, so "waiting" may be gone again before anybody looks; the next dial is the proof.
    let _peer = world.ready().await;
    world.wait_for(|state| *state == LineState::Ready).await;
}

#[tokio::test]
async fn requests_are_answered_under_their_numbers() {
    let world = World::new(0).await;
    world.handler.decide.add_permits(1);
    let mut peer = world.ready().await;
    peer.send(SyncMessage::ChallengeRequest {
        id: 7,
        phone_nonce: Some([4; 16]),
    })
    .await;
    assert_eq!(
        peer.answer().await,
        SyncMessage::ChallengeReply {
            id: 7,
            reply: Ok(vec![4; 16])
        }
    );
    peer.send(SyncMessage::ChallengeRequest {
        id: 8,
        phone_nonce: None,
    })
    .await;
    let reply = Err(Refusal::RateLimited);
    assert_eq!(
        peer.answer().await,
        SyncMessage::ChallengeReply { id: 8, reply }
    );
    peer.send(SyncMessage::Present {
        id: 9,
        presentation: vec![1, 2],
    })
    .await;
    assert_eq!(
        peer.answer().await,
        SyncMessage::PresentReply {
            id: 9,
            reply: Ok(vec![1, 2]),
            repeated: true
        }
    );
    peer.send(SyncMessage::Carry {
        id: 10,
        carried: vec![],
    })
    .await;
    let refusal = Some(Refusal::Malformed);
    assert_eq!(
        peer.answer().await,
        SyncMessage::Carried {
            id: 10,
            refusal,
            seqs: SEQS
        }
    );
}

#[tokio::test]
async fn carried_objects_are_taken_in_the_order_they_were_sent() {
    let world = World::new(0).await;
    let mut peer = world.ready().await;
    for id in 1..=20 {
        peer.send(SyncMessage::Carry {
            id,
            carried: vec![u8::try_from(id).unwrap()],
        })
        .await;
    }
    for id in 1..=20 {
        assert_eq!(
            peer.answer().await,
            SyncMessage::Carried {
                id,
                refusal: None,
                seqs: SEQS
            }
        );
    }
    let expected: Vec<Vec<u8>> = (1..=20).map(|byte| vec![byte]).collect();
    assert_eq!(*world.handler.carried.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_challenge_is_answered_while_a_presentation_is_being_decided() {
    let world = World::new(0).await;
    let mut peer = world.ready().await;
    peer.send(SyncMessage::Present {
        id: 1,
        presentation: vec![],
    })
    .await;
    peer.send(SyncMessage::ChallengeRequest {
        id: 2,
        phone_nonce: Some([0; 16]),
    })
    .await;
    assert!(matches!(
        peer.answer().await,
        SyncMessage::ChallengeReply { id: 2, .. }
    ));
    world.handler.decide.add_permits(1);
    assert!(matches!(
        peer.answer().await,
        SyncMessage::PresentReply { id: 1, .. }
    ));
}

#[tokio::test]
async fn too_many_presentations_at_a_time_are_busy() {
    let world = World::new(0).await;
    let mut peer = world.ready().await;
    for id in 1..=17 {
        peer.send(SyncMessage::Present {
            id,
            presentation: vec![],
        })
        .await;
    }
    let busy = SyncMessage::PresentReply {
        id: 17,
        reply: Err(Refusal::Busy),
        repeated: false,
    };
    assert_eq!(peer.answer().await, busy);
}

#[tokio::test]
async fn a_presentation_that_has_begun_is_carried_through_when_the_line_goes() {
    let world = World::new(0).await;
    let mut peer = world.ready().await;
    peer.send(SyncMessage::Present {
        id: 1,
        presentation: vec![],
    })
    .await;
    peer.send(SyncMessage::ChallengeRequest {
        id: 2,
        phone_nonce: None,
    })
    .await;
    peer.answer().await;
    drop(peer);
    let mut peer = world.ready().await;
    let decided = world.handler.changed.notified();
    world.handler.decide.add_permits(1);
    decided.await;
    assert_eq!(world.handler.decided.load(Ordering::SeqCst), 1);
    peer.send(SyncMessage::ChallengeRequest {
        id: 3,
        phone_nonce: None,
    })
    .await;
    assert!(
        matches!(
            peer.answer().await,
            SyncMessage::ChallengeReply { id: 3, .. }
        ),
        "no answer of the old line"
    );
}

#[tokio::test]
async fn receipts_are_reported_in_order_and_again_until_they_are_acknowledged() {
    let world = World::new(40).await;
    let mut peer = world.ready().await;
    for expected in 1..=16 {
        let SyncMessage::Report { index, .. } = peer.answer().await else {
            panic!("a report is next")
        };
        assert_eq!(index, expected);
    }
    peer.send(SyncMessage::ReportAck { index: 10 }).await;
    for expected in 17..=26 {
        let SyncMessage::Report { index, .. } = peer.answer().await else {
            panic!("a report is next")
        };
        assert_eq!(index, expected);
    }
    drop(peer);

    let mut peer = world.ready().await;
    for expected in 11u64..=40 {
        let SyncMessage::Report { index, receipt } = peer.answer().await else {
            panic!("a report is next")
        };
        assert_eq!(
            (index, receipt),
            (expected, expected.to_le_bytes().to_vec())
        );
        peer.send(SyncMessage::ReportAck { index }).await;
    }
    world.outbox.0.lock().unwrap().insert(41, vec![41]);
    world.receipts.notify_one();
    assert_eq!(
        peer.answer().await,
        SyncMessage::Report {
            index: 41,
            receipt: vec![41]
        }
    );
    peer.send(SyncMessage::ReportAck { index: 41 }).await;
    // Frames are taken in order, so once this is answered the acknowledgements are done.
    peer.send(SyncMessage::Carry {
        id: 1,
        carried: vec![1],
    })
    .await;
    peer.answer().await;
    assert!(world.outbox.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_acknowledgement_of_what_was_not_sent_ends_the_line_and_forgets_nothing() {
    let world = World::new(1).await;
    let mut peer = world.ready().await;
    peer.send(SyncMessage::ReportAck { index: 2 }).await;
    peer.ends().await;
    assert_eq!(world.outbox.0.lock().unwrap().len(), 1);
    world.ready().await;
}

#[tokio::test]
async fn every_ping_has_a_fresh_challenge_and_only_its_own_answer_counts() {
    let world = World::new(0).await;
    let mut peer = world.ready().await;
    let Some(SyncMessage::Ping { id, challenge }) = peer.receive().await else {
        panic!("a ping is first")
    };
    peer.send(SyncMessage::Time {
        id: id + 1,
        attestation: vec![1],
    })
    .await;
    peer.send(SyncMessage::Time {
        id,
        attestation: vec![2],
    })
    .await;
    peer.send(SyncMessage::Time {
        id,
        attestation: vec![3],
    })
    .await;
    // The worker is in order, so once this is answered the times are done.
    peer.send(SyncMessage::Carry {
        id: 1,
        carried: vec![1],
    })
    .await;
    peer.answer().await;
    assert_eq!(
        *world.handler.times.lock().unwrap(),
        [(challenge.clone(), vec![2])]
    );

    tokio::time::pause();
    let Some(SyncMessage::Ping {
        challenge: next, ..
    }) = peer.receive().await
    else {
        panic!("a ping is next")
    };
    assert_ne!(challenge, next);
}

#[tokio::test]
async fn the_time_is_asked_for_soon_after_an_anchor_has_come_and_not_after_other_objects() {
    for (kind, soon) in [(CarriedKind::Anchor, true), (CarriedKind::Bundle, false)] {
        let world = World::new(0).await;
        let mut peer = world.ready().await;
        assert!(matches!(
            peer.receive().await,
            Some(SyncMessage::Ping { .. })
        ));
        // From here on time runs only while everybody waits.
        tokio::time::pause();
        let before = Instant::now();
        let carried = Carried {
            kind,
            object: &[1],
            challenge: None,
        };
        let carried = carried.encode();
        peer.send(SyncMessage::Carry { id: 1, carried }).await;
        while !matches!(peer.receive().await, Some(SyncMessage::Ping { .. })) {}
        assert_eq!(before.elapsed() < Duration::from_secs(10), soon, "{kind:?}");
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_silent_api_is_left_and_dialed_again() {
    let world = World::new(0).await;
    let mut peer = world.ready().await;
    assert!(matches!(
        peer.receive().await,
        Some(SyncMessage::Ping { .. })
    ));
    // With the clock paused, time runs as soon as everybody waits: a minute of silence takes none.
    tokio::time::pause();
    peer.ends().await;
    tokio::time::resume();
    world.ready().await;
}

#[tokio::test]
async fn head_and_state_are_told_at_once_and_when_they_change() {
    let world = World::new(0).await;
    world.head.send_replace(Some(vec![1]));
    let mut peer = world.ready().await;
    assert_eq!(peer.answer().await, SyncMessage::Head { head: vec![1] });
    world.car.send_replace(Some("{}".into()));
    assert_eq!(
        peer.answer().await,
        SyncMessage::State { json: "{}".into() }
    );
    world
        .car
        .send_replace(Some("x".repeat(keys_core::sync::STATE_BYTES + 1)));
    world.head.send_replace(Some(vec![2]));
    assert_eq!(
        peer.answer().await,
        SyncMessage::Head { head: vec![2] },
        "a state too long is left out"
    );
}

#[tokio::test]
async fn frames_that_have_no_place_end_the_line() {
    let world = World::new(0).await;
    let frames = [
        Message::binary(SyncMessage::Ready.encode()),
        Message::binary(vec![0xff]),
        Message::binary(vec![0; keys_core::sync::MAX_BYTES + 1]),
        Message::text("hello"),
    ];
    for frame in frames {
        let mut peer = world.ready().await;
        peer.socket.send(frame).await.unwrap();
        peer.ends().await;
    }
    world.ready().await;
}

#[tokio::test]
async fn a_stop_says_goodbye() {
    let mut world = World::new(0).await;
    let mut peer = world.ready().await;
    world.wait_for(|state| *state == LineState::Ready).await;
    world.stop.cancel();
    let closed = loop {
        match peer.socket.next().await {
            Some(Ok(Message::Close(_))) => break true,
            Some(Ok(_)) => {}
            Some(Err(_)) | None => break false,
        }
    };
    assert!(closed, "the connection ended without a close frame");
    drop(peer);
    world.running.await.unwrap();
    assert_eq!(*world.state.borrow(), LineState::Stopped);
}

#[tokio::test]
async fn a_stop_ends_a_dial_that_hangs() {
    let world = World::new(0).await;
    let (_held, _) = world.listener.accept().await.unwrap();
    world.stop.cancel();
    world.running.await.unwrap();
}

#[tokio::test]
async fn an_api_that_never_shakes_hands_is_left() {
    let world = World::new(0).await;
    let mut peer = world.accept().await;
    assert!(matches!(
        peer.receive().await,
        Some(SyncMessage::Hello { .. })
    ));
    tokio::time::pause();
    let paused_at = Instant::now();
    peer.ends().await;
    assert!(
        paused_at.elapsed() <= Duration::from_secs(12),
        "it is left after ten seconds"
    );
    tokio::time::resume();
    world.ready().await;
}
