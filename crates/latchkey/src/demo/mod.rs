//! The whole story of a key, from sign-up to the record, with every claim checked on the way.
//!
//! The API runs in this process and is really stopped for the offline part; the gateways are
//! processes of their own. The host's device and the phones are those of `latchkey host` and
//! `latchkey phone`.

mod forgery;
mod gateway;
mod offline;
mod online;
mod record;
mod revoked;
mod sovereign;
mod steps;
mod world;

use std::net::SocketAddr;
use std::path::Path;

use self::gateway::GatewayProcess;
use self::steps::{Failed, Steps};
use self::world::Platform;
use crate::device::api::Api;
use crate::device::phone::Phone;
use crate::{output, up};

/// Any free port of this machine.
const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// What the parts of the story hand on to each other.
struct Story {
    platform: Platform,
    /// The gateway of the managed car.
    gateway: GatewayProcess,
    /// The host, signed in.
    host: Api,
    /// `veh_…` of the managed car.
    vehicle: String,
    /// The renter, whose key grants driving and one delegation.
    renter: Phone,
    renter_key: String,
    /// Whose booking begins tomorrow.
    tomorrow: Phone,
    /// Whose key ends in the middle of the story, and was extended before.
    short: Phone,
    short_key: String,
    short_ends: keys_core::time::Timestamp,
    codriver: Phone,
    /// Receipts of the managed car.
    receipts: Vec<Vec<u8>>,
    /// How often the managed car was told `done`.
    done: usize,
}

/// Walks the story; whether every check held. Nothing is left running, however it ends, and nothing
/// on the disk unless `keep` asks for it.
///
/// # Errors
/// Only if there is no scratch directory.
pub(crate) async fn run(keep: bool) -> anyhow::Result<bool> {
    let scratch = tempfile::Builder::new()
        .prefix("latchkey-demo-")
        .tempdir()?;
    let mut steps = Steps::new();
    let finished = tokio::select! {
        walked = walk(&mut steps, scratch.path()) => walked.is_ok(),
        interrupted = up::interrupted() => {
            interrupted?;
            false
        }
    };
    if keep {
        output::say(&format!("kept {}", scratch.keep().display()));
    } else {
        scratch.close()?;
    }
    Ok(steps.conclude(finished))
}

async fn walk(steps: &mut Steps, scratch: &Path) -> Result<(), Failed> {
    let mut story = online::begin(steps, scratch).await?;
    let walked = walk_on(steps, &mut story, scratch).await;
    // A story that broke off leaves no process and no open database either.
    let _ended = story.gateway.kill().await;
    story.platform.stop().await;
    walked
}

async fn walk_on(steps: &mut Steps, story: &mut Story, scratch: &Path) -> Result<(), Failed> {
    online::issue_and_unlock(steps, story).await?;
    offline::walk(steps, story).await?;
    revoked::walk(steps, story).await?;
    sovereign::walk(steps, story, scratch).await?;
    record::walk(steps, story).await
}
