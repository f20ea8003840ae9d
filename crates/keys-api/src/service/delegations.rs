//! Co-drivers: a holder's phone signs the next link with no server; when somebody is online, the link
//! is reported here so that the owner sees the tree.

use keys_core::anchors::AnchorStore;
use keys_core::envelope::Sealed;
use keys_core::key::{UnverifiedKey, UnverifiedLink, append_link};
use keys_core::refusal::Refusal;
use serde_json::json;

use super::anchors::stored_link;
use super::trust;
use crate::model::key::Key;
use crate::model::statement::{LinkKind, StoredLink};
use crate::model::vehicle::Vehicle;
use crate::outbox::{self, EventKind};
use crate::state::App;
use crate::storage::{StorageError, StorageErrorKind, Tx, links};

/// Co-drivers' links kept for one key.
const MOST: usize = 64;

/// Why a reported link was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DelegationError {
    /// It is not below this key, or does not hold.
    #[error("the link does not hold below this key: {0}")]
    Refused(Refusal),
    /// So many are reported already.
    #[error("a key keeps at most 64 reported links")]
    TooMany,
    /// The store failed.
    #[error("could not store the link")]
    Storage(#[from] StorageError),
}

impl AsRef<StorageErrorKind> for DelegationError {
    fn as_ref(&self) -> &StorageErrorKind {
        match self {
            Self::Storage(error) => error.as_ref(),
            _ => &StorageErrorKind::Other,
        }
    }
}

/// Takes a link that this key's holder, or a delegate of theirs, signed.
///
/// # Errors
/// [`DelegationError`]
pub async fn report(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &Key,
    link: Vec<u8>,
    label: Option<String>,
) -> Result<StoredLink, DelegationError> {
    let now = app.clock.now();
    let chain = key
        .chain
        .as_deref()
        .ok_or(DelegationError::Refused(Refusal::UnknownSigner))?;
    let trust = trust::load(app, tx, vehicle, now).await?;
    let known = links::of_keys(tx, [key.id], LinkKind::Delegation).await?;
    // Links of an extended key keep working, and co-drivers may hang below them.
    let mut parents = own_chains(tx, key, chain).await?;
    grow(&mut parents, &known);
    let mut refusal = Refusal::BadSignature;
    for parent in &parents {
        let verified = append_link(parent, &link)
            .map_err(|error| error.refusal())
            .and_then(|longer| {
                UnverifiedKey::parse(&longer)?
                    .verify(trust.vehicle, &trust.roots, &AnchorStore::default())
                    .map(|key| (key.leaf(), key.links().clone()))
            });
        match verified {
            Ok((leaf, path)) => {
                if let Some(same) = known.iter().find(|same| same.id == leaf) {
                    return Ok(same.clone());
                }
                if known.len() >= MOST {
                    return Err(DelegationError::TooMany);
                }
                let claims = UnverifiedLink::decode(&link)
                    .map_err(|error| DelegationError::Refused(error.refusal()))?
                    .unverified_body()
                    .clone();
                let parent = path.iter().rev().nth(1).copied();
                let sealed = Sealed {
                    bytes: link,
                    id: leaf,
                };
                let kind = LinkKind::Delegation;
                let mut stored = stored_link(vehicle, kind, &claims, parent, sealed, now);
                stored.key = Some(key.id);
                stored.label = label;
                links::insert(tx, &stored).await?;
                let about = (Some(key.account), key.vehicle);
                let body = json!({"link": stored.id.to_string()});
                outbox::enqueue(app, tx, EventKind::DelegationReported, about, &key.id, body)
                    .await?;
                return Ok(stored);
            }
            Err(Refusal::BadSignature) => {}
            Err(other) => refusal = other,
        }
    }
    Err(DelegationError::Refused(refusal))
}

/// The whole key for each of its own links: the newest as stored, older ones rebuilt on the same path.
async fn own_chains(tx: &Tx, key: &Key, newest: &[u8]) -> Result<Vec<Vec<u8>>, StorageError> {
    let mut chains = vec![newest.to_vec()];
    for link in links::of_keys(tx, [key.id], LinkKind::Key).await? {
        if Some(link.id) == key.leaf {
            continue;
        }
        let mut path = vec![link.bytes.clone()];
        let mut parent = link.parent;
        while let Some(id) = parent {
            let Some(above) = links::find(tx, id).await? else {
                break;
            };
            parent = above.parent;
            path.insert(0, above.bytes);
        }
        let rest: Vec<&[u8]> = path.iter().skip(1).map(Vec::as_slice).collect();
        if let Some(first) = path.first() {
            chains.push(keys_core::key::encode_key(
                keys_core::key::First::Link(first),
                &rest,
            ));
        }
    }
    Ok(chains)
}

/// Adds the keys of known delegates below the chains at hand; parents were stored before children.
fn grow(chains: &mut Vec<Vec<u8>>, known: &[StoredLink]) {
    for link in known {
        let longer = chains.iter().find_map(|chain| {
            let parsed = UnverifiedKey::parse(chain).ok()?;
            let leaf = parsed.unverified_ids().last().copied();
            (leaf == link.parent).then(|| append_link(chain, &link.bytes).ok())?
        });
        chains.extend(longer);
    }
}
