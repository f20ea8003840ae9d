//! Which kind of object some bytes are, and what it says.

use data_encoding::HEXLOWER;
use keys_core::attestation::TimeAttestation;
use keys_core::bundle::Bundle;
use keys_core::carried::{Carried, CarriedKind};
use keys_core::challenge::Challenge;
use keys_core::envelope::{Body, Envelope, NO_REST, Unverified};
use keys_core::handshake::SyncHello;
use keys_core::id::ObjectId;
use keys_core::journal::{Entry, JournalHead, entry_hash};
use keys_core::key::{UnverifiedKey, UnverifiedLink};
use keys_core::presentation::{Presentation, PresentedKey};
use keys_core::proof::Proof;
use keys_core::receipt::Receipt;
use keys_core::refusal::Refusal;
use keys_core::statement::{IdList, Statement};
use keys_core::time::{ClockInterval, Timestamp};
use serde_json::{Value, json};

use super::policy::{point, stated};

/// Describes an object of any kind, **without checking a signature**; `None` if it is of none.
pub(crate) fn describe(bytes: &[u8]) -> Option<Value> {
    type Read = fn(&[u8]) -> Option<Value>;
    let read: [Read; 13] = [
        |bytes| {
            UnverifiedKey::parse(bytes)
                .ok()
                .map(|key| describe_key(&key))
        },
        |bytes| signed(bytes, |link: &UnverifiedLink<'_>| describe_link(link, None)),
        |bytes| signed(bytes, |object| statement(object)),
        |bytes| signed(bytes, |object| bundle(object)),
        |bytes| signed(bytes, |object| challenge(object)),
        |bytes| signed(bytes, |object| proof(object.unverified_body())),
        |bytes| signed(bytes, |object| receipt(object)),
        |bytes| signed(bytes, |object| head(object)),
        |bytes| signed(bytes, |object| attestation(object.unverified_body())),
        |bytes| signed(bytes, |object| hello(object.unverified_body())),
        |bytes| Presentation::parse(bytes).ok().map(|it| presentation(&it)),
        |bytes| Carried::parse(bytes).ok().map(|it| carried(&it)),
        |bytes| Entry::decode(bytes).ok().map(|it| entry(&it, bytes)),
    ];
    read.iter().find_map(|read| read(bytes))
}

fn signed<'a, T: Body>(
    bytes: &'a [u8],
    describe: impl FnOnce(&Unverified<'a, T>) -> Value,
) -> Option<Value> {
    Unverified::decode(bytes)
        .ok()
        .map(|object| describe(&object))
}

fn describe_key(key: &UnverifiedKey<'_>) -> Value {
    let ids = key.unverified_ids();
    // An anchor has an id and no link.
    let carried = &ids[usize::from(key.anchor().is_some())..];
    let links: Vec<Value> = key
        .links()
        .zip(carried)
        .filter_map(|(link, id)| Some(describe_link(&link.ok()?, Some(*id))))
        .collect();
    json!({
        "kind": "key",
        "anchor": key.anchor().map(|id| id.to_string()),
        "links": links,
    })
}

fn describe_link(link: &UnverifiedLink<'_>, id: Option<ObjectId>) -> Value {
    let claims = link.unverified_body();
    let mut value = json!({
        "kind": "link",
        "id": id.map(|id| id.to_string()),
        "bytes": link.envelope().bytes().len(),
        "signer_hint": hint(link.envelope()),
        "vehicle": claims.vehicle.map(|id| id.to_string()),
        "valid_from": claims.validity.from.to_string(),
        "valid_until": claims.validity.until.to_string(),
        "grant_id": claims.grant_id.map(|id| id.to_string()),
        "holder_key": hex(&claims.holder),
        "booking_hash": claims.booking_hash.map(|hash| hex(&hash)),
        "policy": stated(&claims.policy),
    });
    if let (None, Some(fields)) = (id, value.as_object_mut()) {
        // Alone, a link does not say under which parent it was signed, so its id is not known.
        fields.remove("id");
    }
    value
}

fn statement(object: &Unverified<'_, Statement>) -> Value {
    let body = object.unverified_body();
    let by = if body.expires_at.is_some() {
        "a status key of the platform"
    } else {
        "an owner"
    };
    json!({
        "kind": "statement",
        "id": object.id(NO_REST).to_string(),
        "by": by,
        "signer_hint": hint(object.envelope()),
        "vehicle": body.vehicle.to_string(),
        "issued_at": body.issued_at.to_string(),
        "expires_at": body.expires_at.map(|time| time.to_string()),
        "seq": body.seq,
        "least_generation": body.least_generation,
        "revoked": ids(&body.revoked),
        "suspended": ids(&body.suspended),
        "newest_owner_statement": body.owner_statement.map(|(seq, id)| format!("{seq} {id}")),
    })
}

fn bundle(object: &Unverified<'_, Bundle>) -> Value {
    let body = object.unverified_body();
    let owner_keys: Vec<String> = body
        .owner_keys
        .iter()
        .map(|key| hex(key.as_bytes()))
        .collect();
    json!({
        "kind": "bundle",
        "id": object.id(NO_REST).to_string(),
        "signer_hint": hint(object.envelope()),
        "vehicle": body.vehicle.to_string(),
        "issued_at": body.issued_at.to_string(),
        "seq": body.seq,
        "owner_keys": owner_keys,
        "platform_root": body.platform_root.map(|key| hex(key.as_bytes())),
        "gateway_key": hex(body.gateway_key.as_bytes()),
        "mandate_allowed": body.mandate_allowed,
        "least_generation": body.least_generation,
        "platform_operated": body.platform_operated,
        "page_origin": body.page_origin,
    })
}

fn challenge(object: &Unverified<'_, Challenge>) -> Value {
    let body = object.unverified_body();
    json!({
        "kind": "challenge",
        "id": object.id(NO_REST).to_string(),
        "signer_hint": hint(object.envelope()),
        "vehicle": body.vehicle.to_string(),
        "nonce": body.nonce.to_string(),
        "phone_nonce": body.phone_nonce.map(|nonce| hex(&nonce)),
        "clock": clock(body.clock),
        "boot_epoch": body.boot_epoch.to_string(),
        "boot_ms": body.boot_ms,
        "ttl_ms": body.ttl_ms,
        "owner_seq": body.seqs.owner,
        "platform_seq": body.seqs.platform,
        "bundle_seq": body.seqs.bundle,
        "versions": body.versions.to_vec(),
        "return_origin": body.return_origin.as_deref(),
    })
}

fn proof(body: &Proof) -> Value {
    json!({
        "kind": "proof",
        "command": body.command.as_str(),
        "command_id": body.command_id.to_string(),
        "phone_time": body.phone_time.to_string(),
        "not_after": body.not_after.to_string(),
        "presence": body.presence.number(),
        "position": body.position.as_ref().map(point),
    })
}

fn receipt(object: &Unverified<'_, Receipt>) -> Value {
    let body = object.unverified_body();
    json!({
        "kind": "receipt",
        "id": object.id(NO_REST).to_string(),
        "signer_hint": hint(object.envelope()),
        "vehicle": body.vehicle.to_string(),
        "time": body.time.to_string(),
        "clock_trusted": body.clock_trusted,
        "command": body.command.as_str(),
        "command_id": body.command_id.to_string(),
        "decision": if body.allowed { "allowed" } else { "refused" },
        "reasons": body.reasons.iter().map(Refusal::code).collect::<Vec<_>>(),
        "outcome": body.outcome.map(|outcome| outcome.as_str()),
        "link_ids": body.links.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "presentation": hex(&body.presentation),
        "journal_index": body.journal.0,
        "journal_head": hex(&body.journal.1),
        "follows": body.follows.map(|id| id.to_string()),
    })
}

fn head(object: &Unverified<'_, JournalHead>) -> Value {
    let body = object.unverified_body();
    json!({
        "kind": "journal head",
        "signer_hint": hint(object.envelope()),
        "vehicle": body.vehicle.to_string(),
        "index": body.index,
        "head": hex(&body.head),
        "time": body.time.to_string(),
    })
}

fn attestation(body: &TimeAttestation) -> Value {
    json!({ "kind": "time attestation", "time": body.time.to_string() })
}

fn hello(body: &SyncHello) -> Value {
    json!({
        "kind": "gateway hello",
        "vehicle": body.vehicle.to_string(),
        "owner_seq": body.seqs.owner,
        "platform_seq": body.seqs.platform,
        "bundle_seq": body.seqs.bundle,
    })
}

fn presentation(it: &Presentation<'_>) -> Value {
    let key = match &it.key {
        PresentedKey::Whole(key) => describe_key(key),
        PresentedKey::Cached(id) => json!({ "kind": "cached key", "leaf": id.to_string() }),
    };
    json!({
        "kind": "presentation",
        "challenge": challenge(&it.challenge),
        "key": key,
        "proof": proof(it.proof.unverified_body()),
    })
}

fn carried(it: &Carried<'_>) -> Value {
    let kind = match it.kind {
        CarriedKind::Bundle => "bundle",
        CarriedKind::Anchor => "anchor",
        CarriedKind::Statement => "statement",
        CarriedKind::Time => "time attestation",
        CarriedKind::JournalAck => "journal acknowledgement",
    };
    json!({ "kind": "carried object", "carries": kind, "object": describe(it.object) })
}

/// A journal entry; `bytes` are its encoded form.
fn entry(entry: &Entry, bytes: &[u8]) -> Value {
    json!({
        "kind": "journal entry",
        "index": entry.index,
        "hash": hex(&entry_hash(bytes)),
        "previous": hex(&entry.previous),
        "about": entry.kind.as_str(),
        "time": entry.time.to_string(),
        "clock_trusted": entry.clock_trusted,
        "link_ids": entry.links.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "command": entry.command.map(|command| command.as_str()),
        "command_id": entry.command_id.map(|id| id.to_string()),
        "outcome": entry.outcome.map(|outcome| outcome.as_str()),
        "reasons": entry.reasons.iter().map(Refusal::code).collect::<Vec<_>>(),
        "note": entry.note,
        "count": entry.count,
    })
}

fn clock(clock: ClockInterval) -> String {
    if clock.hi >= Timestamp::UNKNOWN {
        format!("not before {}", clock.lo)
    } else {
        format!("{} to {}", clock.lo, clock.hi)
    }
}

fn ids(ids: &IdList) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn hint(envelope: &Envelope<'_>) -> Option<String> {
    envelope.hint().map(|hint| hint.to_string())
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}
