//! What a car and its back-end can do.

use keys_core::command::VehicleCommand;
use serde::Serialize;

use super::Declined;

/// The abilities of one car behind one connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capabilities {
    /// Maker, as the host would say it.
    pub brand: String,
    /// Model, as the host would say it.
    pub model: String,
    /// Names of the commands it can carry out, in ck1 order.
    pub commands: Vec<&'static str>,
    /// Names of the state fields it can report.
    pub reads: Vec<&'static str>,
    /// Whether a sleeping car can be woken from here.
    pub wakes: bool,
}

impl Capabilities {
    /// The abilities of a `brand` `model` that can carry out `commands` and report `reads`.
    #[must_use]
    pub fn new(
        brand: impl Into<String>,
        model: impl Into<String>,
        commands: impl IntoIterator<Item = VehicleCommand>,
        reads: Vec<&'static str>,
        wakes: bool,
    ) -> Self {
        let mut commands: Vec<VehicleCommand> = commands.into_iter().collect();
        commands.sort_by_key(|command| command.bit());
        commands.dedup();
        Self {
            brand: brand.into(),
            model: model.into(),
            commands: commands.iter().map(|command| command.as_str()).collect(),
            reads,
            wakes,
        }
    }

    /// Whether `command` can be carried out.
    #[must_use]
    pub fn supports(&self, command: VehicleCommand) -> bool {
        self.commands.contains(&command.as_str())
    }

    /// Refuses a command this car cannot carry out.
    ///
    /// # Errors
    /// [`Declined::Unsupported`] if `command` is not among the abilities.
    pub fn require(&self, command: VehicleCommand) -> Result<(), Declined> {
        if self.supports(command) {
            Ok(())
        } else {
            Err(Declined::Unsupported)
        }
    }
}
