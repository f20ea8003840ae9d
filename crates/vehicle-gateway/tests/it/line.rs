//! The whole gateway on its line to an API, which is played here.

use futures_util::{SinkExt, StreamExt};
use keys_core::carried::{Carried, CarriedKind};
use keys_core::command::VehicleCommand;
use keys_core::entitlement::Entitlements;
use keys_core::envelope::{NO_REST, Sealed, Unverified};
use keys_core::handshake::{SyncHello, origin_hash};
use keys_core::journal::JournalHead;
use keys_core::receipt::{OutcomeCode, Receipt};
use keys_core::refusal::Refusal;
use keys_core::sync::SyncMessage;
use keys_core::testing::{self, NOW, holder};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Bench, LONG, key_for, presentation_over};

/// One connection of a gateway, as the API has it.
struct Api {
    socket: WebSocketStream<TcpStream>,
    /// Reports that came between answers.
    reports: Vec<(u64, Vec<u8>)>,
    heads: Vec<Vec<u8>>,
    states: Vec<String>,
}

impl Api {
    async fn accept(listener: &TcpListener, bench: &Bench, origin: &str) -> Self {
        let (stream, _) = timeout(LONG, listener.accept()).await.unwrap().unwrap();
        let socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        let mut api = Self {
            socket,
            reports: Vec::new(),
            heads: Vec::new(),
            states: Vec::new(),
        };
        let SyncMessage::Hello { client_nonce, .. } = api.receive().await else {
            panic!("no hello")
        };
        let server_nonce = [9; 16];
        api.send(SyncMessage::Welcome { server_nonce }).await;
        let SyncMessage::Auth { hello } = api.receive().await else {
            panic!("no proof")
        };
        Unverified::<SyncHello>::decode(&hello)
            .unwrap()
            .verify(
                &bench.gateway_key,
                [&client_nonce, &server_nonce, &origin_hash(origin)],
            )
            .unwrap();
        api.send(SyncMessage::Ready).await;
        api
    }

    async fn send(&mut self, message: SyncMessage) {
        self.socket
            .send(Message::Binary(message.encode().into()))
            .await
            .unwrap();
    }

    async fn receive(&mut self) -> SyncMessage {
        loop {
            let frame = timeout(LONG, self.socket.next())
                .await
                .unwrap()
                .unwrap()
                .unwrap();
            if let Message::Binary(bytes) = frame {
                return SyncMessage::decode(&bytes).unwrap();
            }
        }
    }

    /// The next frame that is an answer; the time is attested and news kept on the way.
    async fn answer(&mut self) -> SyncMessage {
        loop {
            match self.receive().await {
                SyncMessage::Ping { id, challenge } => {
                    let attestation = testing::attestation(NOW, &challenge).bytes;
                    self.send(SyncMessage::Time { id, attestation }).await;
                }
                SyncMessage::Report { index, receipt } => {
                    self.reports.push((index, receipt));
                    self.send(SyncMessage::ReportAck { index }).await;
                }
                SyncMessage::Head { head } => self.heads.push(head),
                SyncMessage::State { json } => self.states.push(json),
                other => return other,
            }
        }
    }

    async fn carry(&mut self, kind: CarriedKind, object: &Sealed) -> Option<Refusal> {
        let carried = Carried {
            kind,
            object: &object.bytes,
            challenge: None,
        }
        .encode();
        self.send(SyncMessage::Carry { id: 1, carried }).await;
        match self.answer().await {
            SyncMessage::Carried { id: 1, refusal, .. } => refusal,
            other => panic!("unexpected {other:?}"),
        }
    }

    async fn challenge(&mut self) -> Vec<u8> {
        self.send(SyncMessage::ChallengeRequest {
            id: 2,
            phone_nonce: None,
        })
        .await;
        match self.answer().await {
            SyncMessage::ChallengeReply { id: 2, reply } => reply.unwrap(),
            other => panic!("unexpected {other:?}"),
        }
    }

    async fn present(&mut self, presentation: Vec<u8>) -> (Result<Vec<u8>, Refusal>, bool) {
        self.send(SyncMessage::Present {
            id: 3,
            presentation,
        })
        .await;
        match self.answer().await {
            SyncMessage::PresentReply {
                id: 3,
                reply,
                repeated,
            } => (reply, repeated),
            other => panic!("unexpected {other:?}"),
        }
    }
}

fn receipt(bytes: &[u8], bench: &Bench) -> Receipt {
    Unverified::<Receipt>::decode(bytes)
        .unwrap()
        .verify(&bench.gateway_key, NO_REST)
        .unwrap()
        .into_body()
}

#[tokio::test]
async fn the_api_relays_carries_attests_and_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let mut bench = Bench::paired().await;
    bench.stop().await;
    bench.config.api = Some(origin.clone());
    bench.start().await.unwrap();
    let mut api = Api::accept(&listener, &bench, &origin).await;
    assert_eq!(
        api.carry(CarriedKind::Anchor, &testing::status_link())
            .await,
        None
    );
    // The first ping came before the status key was known; this is the next one.
    let handler = bench.running().sync_handler();
    let challenge = handler.time_challenge().await.unwrap();
    let attestation = testing::attestation(NOW, &challenge).bytes;
    handler.time(challenge, attestation).await.unwrap();
    drop(handler);

    let key = key_for(&holder(1), |_| {});
    let challenge = api.challenge().await;
    let unlock = presentation_over(&challenge, &key, &holder(1), VehicleCommand::Unlock, 1);
    let (reply, repeated) = api.present(unlock.clone()).await;
    let first = reply.unwrap();
    assert_eq!(
        (receipt(&first, &bench).outcome, repeated),
        (Some(OutcomeCode::Done), false)
    );
    assert_eq!(api.present(unlock).await, (Ok(first.clone()), true));

    // Without the right to be commanded from afar the same key opens nothing here.
    let near = key_for(&holder(2), |claims| {
        claims.policy.entitlements = Entitlements::UNLOCK;
    });
    let challenge = api.challenge().await;
    let (reply, _) = api
        .present(presentation_over(
            &challenge,
            &near,
            &holder(2),
            VehicleCommand::Unlock,
            2,
        ))
        .await;
    assert!(
        receipt(&reply.unwrap(), &bench)
            .reasons
            .contains(Refusal::NotEntitled)
    );
    assert_eq!(api.present(vec![1]).await.0, Err(Refusal::Malformed));

    let revoke = testing::statement(1, NOW, None, &[key.leaf().short()], &[]);
    assert_eq!(api.carry(CarriedKind::Statement, &revoke).await, None);
    let challenge = api.challenge().await;
    let (reply, _) = api
        .present(presentation_over(
            &challenge,
            &key,
            &holder(1),
            VehicleCommand::Unlock,
            3,
        ))
        .await;
    assert!(
        receipt(&reply.unwrap(), &bench)
            .reasons
            .contains(Refusal::Revoked)
    );

    // The receipts reach the API by themselves, in order, and leave the outbox.
    while api.reports.len() < 3 {
        api.carry(CarriedKind::Anchor, &testing::status_link())
            .await;
    }
    assert_eq!(
        api.reports
            .iter()
            .map(|(index, _)| *index)
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(api.reports[0].1, first);
    crate::support::eventually("the outbox is empty", || {
        bench.running().status()["receipts_waiting"] == 0
    })
    .await;
    let head = api.heads.last().unwrap();
    Unverified::<JournalHead>::decode(head)
        .unwrap()
        .verify(&bench.gateway_key, NO_REST)
        .unwrap();
    let state: serde_json::Value = serde_json::from_str(&api.states[0]).unwrap();
    assert_eq!(
        (state["reachable"].clone(), state["brand"].clone()),
        (true.into(), "Test".into())
    );
    bench.stop().await;
}

#[tokio::test]
async fn a_line_that_is_lost_comes_back_and_reports_what_happened_meanwhile() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let mut bench = Bench::ready().await;
    bench.stop().await;
    bench.config.api = Some(origin.clone());
    bench.start().await.unwrap();
    bench.attest(NOW).await.unwrap();
    let api = Api::accept(&listener, &bench, &origin).await;
    drop(api);
    bench
        .unlock(&key_for(&holder(1), |_| {}), &holder(1))
        .await
        .is_done();
    let mut api = Api::accept(&listener, &bench, &origin).await;
    while api.reports.is_empty() {
        api.carry(CarriedKind::Anchor, &testing::status_link())
            .await;
    }
    assert_eq!(
        receipt(&api.reports[0].1, &bench).outcome,
        Some(OutcomeCode::Done)
    );
    bench.stop().await;
}
