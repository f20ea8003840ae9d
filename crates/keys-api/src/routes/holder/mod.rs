//! `/v1/holder`: what the session of one key may see and have relayed. It opens no car.

pub mod challenge;
pub mod command;
pub mod delegation;
pub mod json;
pub mod key;
pub mod receipts;
pub mod relinquish;
pub mod time;

use keys_core::refusal::Refusal;

use crate::http::{HolderCaller, Problem};
use crate::model::key::Key;
use crate::model::vehicle::Vehicle;
use crate::service::delegations::DelegationError;
use crate::service::key_changes;
use crate::state::App;
use crate::storage::{Conn, Tx, keys, vehicles};

impl From<DelegationError> for Problem {
    fn from(error: DelegationError) -> Self {
        let text = error.to_string();
        match error {
            DelegationError::Refused(refusal) => Self::invalid_field("/link", text)
                .with("reasons", vec![Refusal::code(refusal).to_owned()]),
            DelegationError::TooMany => {
                Self::conflict("too-many-delegations", "Too many co-drivers", text)
            }
            DelegationError::Storage(error) => error.into(),
        }
    }
}

/// The session's vehicle; 404 if it was removed.
async fn vehicle_of(db: &impl Conn, holder: &HolderCaller) -> Result<Vehicle, Problem> {
    vehicles::find_unscoped(db, holder.vehicle)
        .await?
        .ok_or_else(Problem::not_found)
}

/// The session's key and vehicle, for changing.
async fn key_of(app: &App, tx: &Tx, holder: &HolderCaller) -> Result<(Vehicle, Key), Problem> {
    let key = keys::find_unscoped(tx, holder.key)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(key_changes::with_vehicle(app, tx, key).await?)
}
