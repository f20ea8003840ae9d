//! Every object comes back as it was written, and has one encoding.

use keys_core::challenge::Seqs;
use keys_core::id::{BootEpoch, CommandId, Nonce, VehicleId};
use keys_core::journal::EntryKind;
use keys_core::pairing::{PairingCode, PairingSecret, answer, owner_confirm};
use keys_core::receipt::OutcomeCode;
use keys_core::refusal::Refusals;
use keys_core::signature::VerifyingKey;
use keys_core::statement::{IdList, id_list};

use super::*;

fn payload<T: Body>(body: &T) -> Vec<u8> {
    let mut writer = Writer::new();
    body.write(&mut writer);
    writer.into_bytes()
}

/// A signed object: its payload is read back, and so is the whole object, which its signer's key verifies.
fn comes_back<T: Body + Clone + PartialEq + std::fmt::Debug>(
    body: &T,
) -> Result<(), TestCaseError> {
    let bytes = payload(body);
    let mut reader = Reader::new(&bytes);
    let read = T::read(&mut reader);
    prop_assert_eq!(read.as_ref(), Ok(body));
    prop_assert!(reader.finish().is_ok());
    let (signer, other) = (testing::owner(), testing::gateway());
    let Ok(sealed) = seal(body, &signer, NO_REST) else {
        return Err(TestCaseError::fail("does not sign"));
    };
    let object = Unverified::<T>::decode(&sealed.bytes);
    prop_assert!(object.is_ok(), "{:?}", object.err());
    let object = object.expect("just tested");
    prop_assert_eq!(object.unverified_body(), body);
    prop_assert_eq!(object.id(NO_REST), sealed.id);
    prop_assert!(!object.is_signed_by(other.verifying_key(), NO_REST));
    prop_assert!(object.verify(signer.verifying_key(), NO_REST).is_ok());
    Ok(())
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..300, 0u64..1 << 53, Just((1 << 53) - 1)]
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![Just(NOW), (0u64..1 << 40).prop_map(Timestamp)]
}

fn car() -> impl Strategy<Value = VehicleId> {
    any::<[u8; 16]>().prop_map(VehicleId::from_bytes)
}

fn public_key() -> impl Strategy<Value = VerifyingKey> {
    (0u8..16).prop_map(|number| *holder(number).verifying_key())
}

fn command() -> impl Strategy<Value = VehicleCommand> {
    select(VehicleCommand::ALL.to_vec())
}

fn outcome() -> impl Strategy<Value = OutcomeCode> {
    (0u8..3).prop_map(|number| OutcomeCode::from_number(number).expect("three outcomes"))
}

fn refusal() -> impl Strategy<Value = Refusal> {
    select(Refusal::ALL.to_vec())
}

fn refusals() -> impl Strategy<Value = Refusals> {
    vec(refusal(), 0..6).prop_map(|reasons| reasons.into_iter().collect())
}

fn link_ids(least: usize) -> impl Strategy<Value = Vec<ObjectId>> {
    vec(any::<[u8; 32]>().prop_map(ObjectId), least..6)
}

fn origin() -> impl Strategy<Value = String> {
    vec(select(vec!["a", "ä", "日", "/", "0"]), 0..40).prop_map(|parts| parts.concat())
}

prop_compose! {
    fn seqs()(owner in number(), platform in number(), bundle in number()) -> Seqs {
        Seqs { owner, platform, bundle }
    }
}

prop_compose! {
    fn challenge()(
        (nonce, vehicle, share) in (any::<[u8; 16]>(), car(), any::<[u8; 32]>()),
        phone_nonce in option::of(any::<[u8; 16]>()),
        (lo, hi) in (time(), time()),
        boot_epoch in any::<[u8; 8]>(),
        (seqs, ttl_ms, boot_ms) in (seqs(), 0u64..300_001, number()),
        versions in vec(number(), 1..5),
        return_origin in option::of(origin()),
    ) -> Challenge {
        Challenge {
            nonce: Nonce(nonce),
            vehicle,
            phone_nonce,
            share,
            clock: ClockInterval { lo: lo.min(hi), hi: lo.max(hi) },
            boot_epoch: BootEpoch(boot_epoch),
            seqs,
            ttl_ms,
            versions: versions.into_iter().collect(),
            return_origin: return_origin.map(|origin| origin.parse().expect("short")),
            boot_ms,
        }
    }
}

prop_compose! {
    fn proof()(
        (command, phone_time, presence) in (command(), time(), 0u8..3),
        (share, command_id) in (option::of(any::<[u8; 32]>()), any::<[u8; 16]>()),
        later in 0u64..31,
        place in option::of((-900_000_000i64..900_000_001, -1_800_000_000i64..1_800_000_001)),
    ) -> Proof {
        Proof {
            command,
            phone_time,
            share,
            parameters: None,
            presence: Presence::from_number(presence).expect("three levels"),
            command_id: CommandId(command_id),
            not_after: phone_time.plus(later).min(Timestamp::UNKNOWN),
            position: place.and_then(|(lat, lon)| Point::new(lat, lon).ok()),
        }
    }
}

prop_compose! {
    fn receipt()(
        links in link_ids(1),
        (command, vehicle, command_id) in (command(), car(), any::<[u8; 16]>()),
        (allowed, reasons, outcome) in (any::<bool>(), refusals(), option::of(outcome())),
        (presentation, journal) in (any::<[u8; 32]>(), (number(), any::<[u8; 32]>())),
        (time, clock_trusted) in (time(), any::<bool>()),
        follows in option::of(any::<[u8; 32]>()),
    ) -> Receipt {
        Receipt {
            links: links.into_iter().collect(),
            command,
            vehicle,
            command_id: CommandId(command_id),
            allowed,
            reasons,
            outcome,
            presentation,
            journal,
            time,
            clock_trusted,
            follows: follows.map(ObjectId),
        }
    }
}

fn short_ids() -> impl Strategy<Value = IdList> {
    vec(any::<[u8; 16]>().prop_map(ShortId), 0..50).prop_map(|ids| id_list(ids).expect("few"))
}

prop_compose! {
    fn statement()(
        vehicle in car(),
        (expires_at, issued_at) in (option::of(time()), time()),
        (seq, least_generation) in (number(), number()),
        (revoked, suspended) in (short_ids(), short_ids()),
        owner in option::of((number(), any::<[u8; 16]>())),
    ) -> Statement {
        Statement {
            vehicle,
            expires_at,
            issued_at,
            seq,
            least_generation,
            revoked,
            owner_statement: owner.map(|(seq, id)| (seq, ShortId(id))),
            suspended,
        }
    }
}

prop_compose! {
    fn bundle()(
        (vehicle, issued_at) in (car(), time()),
        owner_keys in vec(public_key(), 1..5),
        (platform_root, gateway_key) in (option::of(public_key()), public_key()),
        (mandate_allowed, platform_operated) in any::<(bool, bool)>(),
        (seq, least_generation) in (number(), number()),
        page_origin in option::of(origin()),
    ) -> Bundle {
        Bundle {
            vehicle,
            issued_at,
            seq,
            owner_keys: owner_keys.into_iter().collect(),
            platform_root,
            gateway_key,
            mandate_allowed,
            least_generation,
            platform_operated,
            page_origin: page_origin.map(|path| format!("https://{path}")),
        }
    }
}

prop_compose! {
    fn entry()(
        (index, previous, kind, time) in (number(), any::<[u8; 32]>(), 0usize..5, time()),
        (clock_trusted, links) in (any::<bool>(), link_ids(0)),
        command_id in option::of(any::<[u8; 16]>()),
        (command, outcome, reasons) in (option::of(command()), option::of(outcome()), refusals()),
        presentation in option::of(any::<[u8; 32]>()),
        (note, count) in (option::of("[ -~]{0,128}"), option::of(number())),
    ) -> Entry {
        const KINDS: [EntryKind; 5] = [
            EntryKind::Intent, EntryKind::Outcome, EntryKind::Refusal, EntryKind::Trust, EntryKind::Boot,
        ];
        let mut entry = Entry::new(index, previous, KINDS[kind], time, clock_trusted);
        entry.links = links.into_iter().collect();
        entry.command_id = command_id.map(CommandId);
        entry.command = command;
        entry.outcome = outcome;
        entry.reasons = reasons;
        entry.presentation = presentation;
        entry.note = note;
        entry.count = count;
        entry
    }
}

fn reply() -> impl Strategy<Value = Result<Vec<u8>, Refusal>> {
    prop_oneof![bytes().prop_map(Ok), refusal().prop_map(Err)]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..300)
}

fn frame() -> impl Strategy<Value = SyncMessage> {
    let nonce = || any::<[u8; 16]>();
    prop_oneof![
        (car(), nonce(), vec(number(), 1..5)).prop_map(|(vehicle, client_nonce, versions)| {
            let versions = versions.into_iter().collect();
            SyncMessage::Hello {
                vehicle,
                client_nonce,
                versions,
            }
        }),
        nonce().prop_map(|server_nonce| SyncMessage::Welcome { server_nonce }),
        bytes().prop_map(|hello| SyncMessage::Auth { hello }),
        Just(SyncMessage::Ready),
        (number(), bytes()).prop_map(|(id, carried)| SyncMessage::Carry { id, carried }),
        (number(), option::of(refusal()), seqs())
            .prop_map(|(id, refusal, seqs)| SyncMessage::Carried { id, refusal, seqs }),
        (number(), option::of(nonce()))
            .prop_map(|(id, phone_nonce)| SyncMessage::ChallengeRequest { id, phone_nonce }),
        (number(), reply()).prop_map(|(id, reply)| SyncMessage::ChallengeReply { id, reply }),
        (number(), bytes())
            .prop_map(|(id, presentation)| SyncMessage::Present { id, presentation }),
        (number(), reply(), any::<bool>()).prop_map(|(id, reply, repeated)| {
            // Only a receipt can be that of an earlier presentation.
            let repeated = repeated && reply.is_ok();
            SyncMessage::PresentReply {
                id,
                reply,
                repeated,
            }
        }),
        (number(), bytes()).prop_map(|(id, challenge)| SyncMessage::Ping { id, challenge }),
        (number(), bytes()).prop_map(|(id, attestation)| SyncMessage::Time { id, attestation }),
        (number(), bytes()).prop_map(|(index, receipt)| SyncMessage::Report { index, receipt }),
        number().prop_map(|index| SyncMessage::ReportAck { index }),
        bytes().prop_map(|head| SyncMessage::Head { head }),
        origin().prop_map(|json| SyncMessage::State { json }),
    ]
}

proptest! {
    #![proptest_config(law())]

    #[test]
    fn any_link_comes_back_as_written(claims in link_claims(1), first in any::<bool>()) {
        let mut claims = claims;
        if !first {
            claims.vehicle = None;
        }
        let bytes = payload(&claims);
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(Claims::read(&mut reader), Ok(claims.clone()));
        prop_assert!(reader.finish().is_ok());
        prop_assert_eq!(payload(&claims), bytes);
    }

    #[test]
    fn a_challenge_comes_back_as_written(body in challenge()) {
        comes_back(&body)?;
    }

    #[test]
    fn a_proof_comes_back_as_written(body in proof()) {
        comes_back(&body)?;
    }

    #[test]
    fn a_receipt_comes_back_as_written(body in receipt()) {
        comes_back(&body)?;
    }

    #[test]
    fn a_statement_comes_back_as_written(body in statement()) {
        comes_back(&body)?;
    }

    #[test]
    fn a_bundle_comes_back_as_written(body in bundle()) {
        comes_back(&body)?;
    }

    #[test]
    fn a_time_attestation_comes_back_as_written(time in time()) {
        comes_back(&TimeAttestation { time })?;
    }

    #[test]
    fn a_journal_head_comes_back_as_written(index in number(), head in any::<[u8; 32]>(), vehicle in car(), time in time()) {
        comes_back(&JournalHead { index, head, vehicle, time })?;
    }

    #[test]
    fn a_sync_hello_comes_back_as_written(versions in vec(number(), 1..5), vehicle in car(), seqs in seqs()) {
        comes_back(&SyncHello { versions: versions.into_iter().collect(), vehicle, seqs })?;
    }

    #[test]
    fn a_journal_entry_comes_back_as_written(entry in entry()) {
        prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
    }

    #[test]
    fn a_frame_comes_back_as_written(frame in frame()) {
        prop_assert_eq!(SyncMessage::decode(&frame.encode()), Ok(frame));
    }

    #[test]
    fn a_carried_object_and_its_answer_come_back_as_written(
        kind in 0usize..5, object in bytes(), challenge in bytes(), refusal in option::of(refusal()),
    ) {
        const KINDS: [CarriedKind; 5] = [
            CarriedKind::Bundle, CarriedKind::Anchor, CarriedKind::Statement, CarriedKind::Time,
            CarriedKind::JournalAck,
        ];
        let kind = KINDS[kind];
        let challenge = (kind == CarriedKind::Time).then_some(&challenge[..]);
        let carried = Carried { kind, object: &object, challenge };
        let bytes = carried.encode();
        prop_assert_eq!(Carried::parse(&bytes), Ok(carried));
        prop_assert_eq!(parse_answer(&keys_core::carried::encode_answer(refusal)), Ok(refusal));
    }

    #[test]
    fn pairing_messages_come_back_as_written(
        nonces in any::<[[u8; 16]; 2]>(), secret in any::<[u8; 10]>(), vehicle in car(), bundle in bytes(),
        owner in public_key(),
    ) {
        let gateway = *testing::gateway().verifying_key();
        let offer = PairOffer { gateway_key: gateway, gateway_nonce: nonces[0] };
        prop_assert_eq!(PairOffer::decode(&offer.encode()), Ok(offer.clone()));
        let secret = PairingSecret::new(secret);
        let code = PairingCode::new(&gateway, secret.clone());
        let confirm = owner_confirm(&code, &offer, vehicle, &owner, nonces[1], &bundle).expect("fits");
        prop_assert_eq!(PairConfirm::decode(&confirm.encode()), Ok(confirm.clone()));
        let answer = answer(&secret, &offer, &confirm).expect("the same code");
        prop_assert_eq!(PairAnswer::decode(&answer.encode()), Ok(answer));
    }
}
