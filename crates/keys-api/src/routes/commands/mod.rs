//! Commands as resources. The API relays a signed presentation and remembers its fate; it never
//! decides for the car.

pub mod challenge;
pub mod get;
pub mod json;
pub mod send;

use std::time::Duration;

use axum::http::StatusCode;
use keys_core::refusal::Refusal;

use self::json::CommandJson;
use crate::http::{Problem, Reply};
use crate::model::command::RelayedCommand;
use crate::model::id::CommandRowId;
use crate::relay::bells::Bell;
use crate::relay::hub::ChallengeError;
use crate::service::commands::CommandError;
use crate::state::App;
use crate::storage::commands;

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        let text = error.to_string();
        match error {
            CommandError::CommandIdUsed => {
                Self::conflict("command-id-used", "The command id was used", text)
                    .with("reasons", vec![Refusal::Replayed.code().to_owned()])
            }
            CommandError::Malformed(_) | CommandError::OtherVehicle => {
                Self::invalid_field("/presentation", text)
            }
            CommandError::OtherKey => Self::forbidden(text),
            CommandError::OwnerMustPresent => {
                Self::conflict("owner-must-sign", "The owner's device must do this", text)
            }
            CommandError::KeyStore(error) => Self::internal(&error),
            CommandError::Sign(error) => Self::internal(&error),
            CommandError::Storage(error) => error.into(),
        }
    }
}

impl From<ChallengeError> for Problem {
    fn from(error: ChallengeError) -> Self {
        match error {
            ChallengeError::Offline => Self::conflict(
                "gateway-offline",
                "The car's gateway is not connected",
                "try again later, or at the car over its local link",
            ),
            ChallengeError::Refused(Refusal::RateLimited) => Self::rate_limited(1),
            ChallengeError::Refused(refusal) => Self::new(
                StatusCode::CONFLICT,
                "gateway-refused",
                "The car's gateway gives no challenge",
                error.to_string(),
            )
            .with("reasons", vec![refusal.code().to_owned()]),
        }
    }
}

/// Waits until a command is answered, at most `wait`; then the command as it stands.
///
/// # Errors
/// The store's problem.
pub async fn settled(
    app: &App,
    id: CommandRowId,
    wait: Duration,
) -> Result<RelayedCommand, Problem> {
    let look = || async {
        let command = commands::find_unscoped(app.db.read(), id).await?;
        let command = command.ok_or_else(Problem::not_found)?;
        Ok::<_, Problem>(Some(command))
    };
    let answered = app
        .bells
        .wait(app, Bell::Command(id), wait, || async {
            let command = look().await?;
            let now = app.clock.now();
            Ok::<_, Problem>(command.filter(|command| command.state_at(now).is_answer()))
        })
        .await?;
    match answered {
        Some(command) => Ok(command),
        None => look().await?.ok_or_else(Problem::not_found),
    }
}

/// 200 for an answered command, 202 for one under way.
#[must_use]
pub fn reply(app: &App, command: RelayedCommand) -> Reply {
    let now = app.clock.now();
    let answered = command.state_at(now).is_answer();
    let json = CommandJson::new(command, now);
    if answered {
        Reply::ok(&json)
    } else {
        Reply::accepted(&json)
    }
}
