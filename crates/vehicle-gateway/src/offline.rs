//! What is done with a gateway that does not run.

use std::io;
use std::sync::Arc;

use keys_core::signature::Signer as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Surroundings;
use crate::config::Config;
use crate::connector::Connectors;
use crate::gateway::{GatewayError, endpoint, open_core};
use crate::handler::Handler;
use crate::pairing::{Paired, Pairing, PairingError, Relay, pair_once};

/// Why a stopped gateway could not be paired.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PairOfflineError {
    /// It cannot be opened.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// It has no API to pair through.
    #[error("pairing goes through an API, and none is configured")]
    NoApi,
    /// The code ended without a pairing.
    #[error(transparent)]
    Pairing(#[from] PairingError),
    /// The code could not be shown.
    #[error("pairing code cannot be shown")]
    Show(#[source] io::Error),
}

/// Pairs the gateway in the data directory with one code, which `show` shows at the car.
///
/// A car that is paired already is paired anew: whoever can run this stands at it.
///
/// # Errors
/// [`PairOfflineError`]; the gateway is as it was then.
pub async fn pair(
    config: Config,
    show: impl Fn(&str) -> io::Result<()>,
) -> Result<Paired, PairOfflineError> {
    let endpoint = endpoint(&config)?.ok_or(PairOfflineError::NoApi)?;
    let relay = Relay::new(endpoint).map_err(GatewayError::from)?;
    let Surroundings { clock, random, .. } = Surroundings::default();
    let core = Arc::new(open_core(&config, clock, &random, Some(Connectors::default())).await?);
    let gateway_key = *core.key.verifying_key();
    let sink = Handler(core);
    let (shown, mut code) = watch::channel(None);
    let stop = CancellationToken::new();
    let pairing = Pairing {
        relay: &relay,
        gateway_key: &gateway_key,
        sink: &sink,
        random: &random,
        shown: &shown,
        stop: &stop,
    };
    let attempt = pair_once(&pairing);
    tokio::pin!(attempt);
    loop {
        tokio::select! {
            ended = &mut attempt => return Ok(ended?),
            Ok(()) = code.changed() => {
                let text = code.borrow_and_update().as_ref().map(|code: &keys_core::pairing::PairingCode| code.reveal().to_string());
                if let Some(text) = text {
                    show(&text).map_err(PairOfflineError::Show)?;
                }
            }
        }
    }
}
