//! Which car is simulated.

use keys_core::command::VehicleCommand;
use serde::Deserialize;

use crate::connector::Capabilities;

/// What drives the car; decides which gauges it has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Powertrain {
    /// Battery only: has a charge port and a charge gauge.
    #[default]
    Electric,
    /// Tank only: has a fuel gauge.
    Combustion,
    /// Both.
    PlugInHybrid,
}

impl Powertrain {
    /// Whether it can be charged.
    pub(crate) fn charges(self) -> bool {
        !matches!(self, Self::Combustion)
    }

    /// Whether it has a tank.
    pub(crate) fn burns(self) -> bool {
        !matches!(self, Self::Electric)
    }
}

/// Brand, model and habits of the simulated car.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Maker. Default `Latchkey`.
    pub brand: String,
    /// Model. Default `Simulated`.
    pub model: String,
    /// What drives it. Default electric.
    pub powertrain: Powertrain,
    /// How long a lock or lid takes to move, in ms. Default 40.
    pub act_ms: u32,
    /// How long it takes to wake, in ms. Default 800.
    pub wake_ms: u32,
    /// Distance driven, in km. Default 24000.
    pub odometer_km: u32,
    /// Names of commands it cannot carry out. Default none.
    pub without: Vec<String>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            brand: "Latchkey".into(),
            model: "Simulated".into(),
            powertrain: Powertrain::default(),
            act_ms: 40,
            wake_ms: 800,
            odometer_km: 24_000,
            without: Vec::new(),
        }
    }
}

impl Profile {
    /// What a car like this can do.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let can = |command: &VehicleCommand| {
            !self.without.iter().any(|name| name == command.as_str())
                && (*command != VehicleCommand::ChargePort || self.powertrain.charges())
        };
        let mut reads = vec![
            "locked",
            "open_doors",
            "open_windows",
            "driving_enabled",
            "ignition_on",
            "stationary",
            "speed_kmh",
            "position",
            "odometer_km",
        ];
        if self.powertrain.charges() {
            reads.extend(["charge_port_open", "charge_percent"]);
        }
        if self.powertrain.burns() {
            reads.push("fuel_percent");
        }
        let commands = VehicleCommand::ALL.into_iter().filter(can);
        Capabilities::new(
            self.brand.clone(),
            self.model.clone(),
            commands,
            reads,
            true,
        )
    }
}
