//! The sandbox's cars, and pairing them with gateways in the same process.

use keys_core::command::VehicleCommand;
use keys_core::entitlement::Entitlements;
use keys_core::limits;
use keys_core::pairing::PairingCode;

use crate::model::id::{AccountId, VehicleId};
use crate::model::vehicle::{Vehicle, VehicleDetails};
use crate::service::mandates::{self, MandateError, MandateTerms};
use crate::service::pairing::{self, PairingError};
use crate::service::vehicles;
use crate::state::App;
use crate::storage::StorageError;

/// Name, maker, model, year of each.
const CARS: [(&str, &str, &str, u16); 3] = [
    ("Blue Leaf", "Nissan", "Leaf", 2021),
    ("Red Clio", "Renault", "Clio", 2022),
    ("Grey Model 3", "Tesla", "Model 3", 2023),
];
/// As pages propose.
const MANDATE_S: u64 = 90 * 86_400;
const LONGEST_KEY_S: u64 = 30 * 86_400;

/// Why the cars were not made or paired. What was committed before stays.
#[derive(Debug, thiserror::Error)]
pub enum CarsError {
    /// The mandate was refused.
    #[error("could not sign the mandate")]
    Mandate(#[from] MandateError),
    /// Pairing did not go through.
    #[error("could not pair the car")]
    Pairing(#[from] PairingError),
    /// The store failed.
    #[error("could not store the cars")]
    Storage(#[from] StorageError),
}

/// Registers three cars of different makers for `account`, managed by the platform, each with a
/// mandate, in one transaction.
///
/// # Errors
/// [`CarsError`]
pub async fn cars(app: &App, account: AccountId) -> Result<Vec<Vehicle>, CarsError> {
    let tx = app.db.begin().await?;
    let mut made = Vec::with_capacity(CARS.len());
    for (name, brand, model, year) in CARS {
        let details = VehicleDetails {
            name: name.to_owned(),
            brand: Some(brand.to_owned()),
            model: Some(model.to_owned()),
            year: Some(year),
            vin: None,
            time_zone: chrono_tz::UTC,
        };
        let (vehicle, _) = vehicles::register(app, &tx, account, details, None).await?;
        mandates::sign(app, &tx, &vehicle, terms(app)).await?;
        made.push(vehicle);
    }
    tx.commit().await.map_err(StorageError::from)?;
    Ok(made)
}

fn terms(app: &App) -> MandateTerms {
    let entitlements = VehicleCommand::ALL
        .iter()
        .fold(Entitlements::REMOTE, |all, command| {
            all | command.entitlement()
        });
    MandateTerms {
        entitlements,
        max_duration_s: LONGEST_KEY_S,
        outage_limit_s: keys_core::policy::DEFAULT_OUTAGE_LIMIT_S,
        delegations: limits::DEPTH,
        grace_s: keys_core::policy::LONGEST_GRACE_S,
        valid_until: app.clock.now().plus(MANDATE_S),
    }
}

/// Pairs a managed car with the gateway that shows `code`, by the same road as the API's own route: the
/// gateway must be offering itself to the relay.
///
/// # Errors
/// [`CarsError::Pairing`]
pub async fn pair(
    app: &App,
    account: AccountId,
    vehicle: VehicleId,
    code: &PairingCode,
) -> Result<(), CarsError> {
    let paired = pairing::pair_managed(app, account, vehicle, code).await?;
    app.db
        .retry(|| async {
            let tx = app.db.begin().await?;
            pairing::store_managed(app, &tx, &paired).await?;
            tx.commit().await.map_err(StorageError::from)?;
            Ok::<_, PairingError>(())
        })
        .await?;
    app.hub.wake(vehicle);
    Ok(())
}
