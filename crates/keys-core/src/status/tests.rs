mod authorities;
mod denials;
mod memory;

use super::*;
use crate::entitlement::Entitlements;
use crate::envelope::seal;
use crate::id::GrantId;
use crate::key::UnverifiedKey;
use crate::signature::{Signer as _, SigningKey};
use crate::statement::id_list;
use crate::testing::{
    KeyBuilder, NOW, claims, holder, issuer, other_vehicle, owner, platform_root, roots,
    second_owner, status, status_link, vehicle, window,
};
use crate::time::Validity;

/// A statement by `signer` at `NOW`, changed.
fn signed(signer: &SigningKey, seq: u64, change: impl FnOnce(&mut Statement)) -> Vec<u8> {
    let mut body = Statement {
        vehicle: vehicle(),
        expires_at: None,
        issued_at: NOW,
        seq,
        least_generation: 0,
        revoked: Default::default(),
        owner_statement: None,
        suspended: Default::default(),
    };
    change(&mut body);
    seal(&body, signer, NO_REST).unwrap().bytes
}

fn by_owner(seq: u64, change: impl FnOnce(&mut Statement)) -> Vec<u8> {
    signed(&owner(), seq, change)
}

/// A platform statement, which ends after an hour unless changed.
fn by_status(seq: u64, change: impl FnOnce(&mut Statement)) -> Vec<u8> {
    signed(&status(), seq, |body| {
        body.expires_at = Some(NOW.plus(3_600));
        change(body);
    })
}

/// Another status key and the root's link to it.
fn second_status() -> (SigningKey, Vec<u8>) {
    let key = holder(0x70);
    let claims = claims(&key, window(), Entitlements::SIGN_STATUS);
    let link = KeyBuilder::first(&platform_root(), &claims, &key).links()[0]
        .bytes
        .clone();
    (key, link)
}

fn anchors() -> AnchorStore {
    let second = second_status().1;
    let links = [&status_link().bytes[..], &second];
    AnchorStore::from_links(links, vehicle(), &roots())
}

fn id_of(bytes: &[u8]) -> ObjectId {
    Unverified::<Statement>::decode(bytes).unwrap().id(NO_REST)
}

fn accept_at(
    board: &mut StatusBoard,
    bytes: &[u8],
    clock: ClockInterval,
) -> Result<Accepted, StatementRefusal> {
    let statement = Unverified::<Statement>::decode(bytes).unwrap();
    let before = board.clone();
    let accepted = board.accept(&statement, vehicle(), &roots(), &anchors(), clock);
    if !matches!(accepted, Ok(Accepted::New(..))) {
        assert_eq!(*board, before, "a statement not taken changes nothing");
    }
    // What is stored is what is held.
    assert_eq!(StatusBoard::decode(&board.encode()).as_ref(), Ok(&*board));
    accepted
}

fn accept(board: &mut StatusBoard, bytes: &[u8]) -> Result<Accepted, StatementRefusal> {
    accept_at(board, bytes, ClockInterval::exactly(NOW))
}

fn board(statements: &[Vec<u8>]) -> StatusBoard {
    let mut board = StatusBoard::default();
    for bytes in statements {
        let accepted = accept(&mut board, bytes).unwrap();
        assert!(matches!(accepted, Accepted::New(..)));
    }
    board
}

fn ids(ids: &[ObjectId]) -> crate::statement::IdList {
    id_list(ids.iter().map(ObjectId::short)).unwrap()
}

fn verified(key: &KeyBuilder) -> DigitalKey {
    UnverifiedKey::parse(&key.encode())
        .unwrap()
        .verify(vehicle(), &roots(), &AnchorStore::default())
        .unwrap()
}

/// Mandate, issuer, renter, co-driver.
fn mandated() -> KeyBuilder {
    let mut renter = claims(&holder(1), window(), Entitlements::UNLOCK);
    renter.grant_id = Some(GrantId([1; 8]));
    renter.policy.delegations = 1;
    let codriver = claims(&holder(2), window(), Entitlements::UNLOCK);
    KeyBuilder::mandated()
        .then(renter, &holder(1))
        .then(codriver, &holder(2))
}

/// Owner, renter, co-driver.
fn owned() -> KeyBuilder {
    let codriver = claims(&holder(2), window(), Entitlements::UNLOCK);
    KeyBuilder::owned(&holder(1)).then(codriver, &holder(2))
}

fn denials(board: &StatusBoard, key: &KeyBuilder) -> Vec<Refusal> {
    board.denials(&verified(key)).iter().collect()
}

const NOTHING: [Refusal; 0] = [];
