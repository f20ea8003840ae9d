//! Who takes part: the API, the cars, the host, and the phones.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use keys_api::{RunningServer, Server};
use keys_core::challenge::Challenge;
use keys_core::command::VehicleCommand;
use keys_core::envelope::Unverified;
use keys_core::refusal::Refusal;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::gateway::GatewayProcess;
use crate::clock;
use crate::device::api::{self, Api, ApiError, Problem};
use crate::device::car::Car;
use crate::device::phone::{CommandAnswer, InvitationLink, Phone};
use crate::device::random;

/// How often something that is about to change is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(50);
/// The same at a gateway, which gives a few challenges a second.
pub(super) const LOOK_AT_CAR: Duration = Duration::from_millis(250);
/// Longest time something may take to become so.
const PATIENCE: Duration = Duration::from_secs(20);

/// The API, which the story stops and starts again.
pub(super) struct Platform {
    directory: PathBuf,
    address: SocketAddr,
    server: Option<RunningServer>,
}

impl Platform {
    /// Starts it on a port of its own.
    pub(super) async fn start(directory: &Path) -> anyhow::Result<Self> {
        let mut platform = Self {
            directory: directory.to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            server: None,
        };
        platform.start_again().await?;
        Ok(platform)
    }

    /// Starts it where it was, on the data it had.
    pub(super) async fn start_again(&mut self) -> anyhow::Result<()> {
        let config = keys_api::Config::in_directory(&self.directory, self.address);
        let server = Server::start(config).await?;
        self.address = server.address();
        self.server = Some(server);
        Ok(())
    }

    /// Stops it.
    pub(super) async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }

    /// Where it is, or was.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its origin.
    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything the platform has, for whoever breaks into it.
    pub(super) fn app(&self) -> anyhow::Result<&keys_api::App> {
        Ok(self.server.as_ref().context("the API runs")?.app())
    }
}

/// Asks until it is so.
pub(super) async fn until<F>(
    what: &str,
    pause: Duration,
    mut ask: impl FnMut() -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<bool>>,
{
    let asking = async {
        while !ask().await? {
            tokio::time::sleep(pause).await;
        }
        Ok(())
    };
    timeout(PATIENCE, asking)
        .await
        .unwrap_or_else(|_| bail!("{what}: not so after {} s", PATIENCE.as_secs()))
}

/// Waits until the API says that the car's gateway is connected.
pub(super) async fn until_connected(api: &Api, vehicle: &str) -> anyhow::Result<()> {
    let path = format!("/v1/vehicles/{vehicle}/gateway");
    until("the gateway is connected", LOOK, || async {
        Ok(api.get(&path).await?["connected"] == true)
    })
    .await
}

async fn knows_the_time(car: &Car) -> anyhow::Result<bool> {
    let bytes = car.challenge(&random::bytes()?).await?;
    let challenge = Unverified::<Challenge>::decode(&bytes)?;
    Ok(challenge.unverified_body().clock.is_trusted())
}

/// Has the phone bring the car the time, if the API has not told it yet.
pub(super) async fn bring_time(phone: &Phone, car: &Car) -> anyhow::Result<()> {
    if !knows_the_time(car).await? {
        phone.carry(0, car).await?;
        phone.carry_time(0, car).await?;
        ensure!(knows_the_time(car).await?, "the car does not know the time");
    }
    Ok(())
}

/// Pairs in managed mode: the API is the owner's device.
pub(super) async fn pair(
    api: &Api,
    vehicle: &str,
    gateway: &GatewayProcess,
) -> anyhow::Result<Value> {
    let body = json!({ "code": gateway.pairing_code()? });
    let bundle = api
        .post(&format!("/v1/vehicles/{vehicle}/pair"), &body)
        .await?;
    until("the gateway is paired", LOOK, || async {
        Ok(gateway.car().health().await?["paired"] == true)
    })
    .await?;
    Ok(bundle)
}

/// A booking: a window in seconds from now, and what it gives.
pub(super) struct Booking<'a> {
    /// Start, seconds from now.
    pub(super) from_s: i64,
    /// End, seconds from now.
    pub(super) until_s: i64,
    /// Names of entitlements.
    pub(super) may: &'a [&'a str],
    /// Further delegations.
    pub(super) delegations: u8,
}

/// A time relative to now.
pub(super) fn at(seconds: i64) -> String {
    let now = clock::now();
    match u64::try_from(seconds) {
        Ok(ahead) => now.plus(ahead).to_string(),
        Err(_) => {
            keys_core::time::Timestamp(now.0.saturating_sub(seconds.unsigned_abs())).to_string()
        }
    }
}

/// Issues a key for a booking.
pub(super) async fn issue(
    api: &Api,
    vehicle: &str,
    booking: &Booking<'_>,
) -> Result<Value, ApiError> {
    let body = json!({
        "vehicle_id": vehicle,
        "valid_from": at(booking.from_s),
        "valid_until": at(booking.until_s),
        "entitlements": booking.may,
        "delegations": booking.delegations,
    });
    api.post("/v1/keys", &body).await
}

/// Makes an invitation for a key.
pub(super) async fn invite(
    api: &Api,
    key: &str,
) -> anyhow::Result<(InvitationLink, Option<String>)> {
    let path = format!("/v1/keys/{key}/invitations");
    let answer = api.post(&path, &json!({})).await?;
    let link = api::text(&answer, "url")?;
    let code = answer["activation_code"].as_str().map(str::to_owned);
    Ok((link.parse().map_err(anyhow::Error::msg)?, code))
}

/// Issues, invites and redeems in one go; the key's id.
pub(super) async fn hand_key(
    api: &Api,
    vehicle: &str,
    booking: &Booking<'_>,
    phone: &mut Phone,
) -> anyhow::Result<String> {
    let key = issue(api, vehicle, booking).await?;
    let id = api::text(&key, "id")?.to_owned();
    let (link, code) = invite(api, &id).await?;
    phone.redeem(&link, code.as_deref(), "demo phone").await?;
    Ok(id)
}

/// A command at the car.
pub(super) async fn at_car(
    phone: &Phone,
    key: usize,
    car: &Car,
    command: VehicleCommand,
) -> anyhow::Result<CommandAnswer> {
    phone.command_at(key, car, command, clock::now()).await
}

/// A command through the API.
pub(super) async fn online(
    phone: &Phone,
    key: usize,
    command: VehicleCommand,
) -> anyhow::Result<CommandAnswer> {
    phone.command_online(key, command, clock::now()).await
}

/// Holds if the car did it.
pub(super) fn expect_done(answer: &CommandAnswer) -> anyhow::Result<()> {
    ensure!(
        answer.is_done(),
        "expected done, got {} {:?}",
        answer.state,
        answer.reasons
    );
    ensure!(answer.receipt.is_some(), "expected a signed receipt");
    Ok(())
}

/// Holds if the car refused for this reason.
pub(super) fn expect_refused(answer: &CommandAnswer, reason: Refusal) -> anyhow::Result<()> {
    ensure!(
        answer.state == "refused" && answer.reasons.contains(&reason),
        "expected to be refused with {reason}, got {} {:?}",
        answer.state,
        answer.reasons
    );
    Ok(())
}

/// Holds if the API answered with this status.
pub(super) fn expect_problem<T>(
    answer: Result<T, ApiError>,
    status: u16,
) -> anyhow::Result<Problem> {
    match answer {
        Err(ApiError::Problem(problem)) if problem.status == status => Ok(*problem),
        Err(error) => Err(anyhow::Error::new(error).context(format!("expected status {status}"))),
        Ok(_) => bail!("expected status {status}, and it was taken"),
    }
}
