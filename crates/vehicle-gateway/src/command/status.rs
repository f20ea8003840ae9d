//! `vehicle-gateway status`.

use std::process::ExitCode;

use serde_json::Value;
use vehicle_gateway::{Config, status};

use super::print;

pub(super) fn run(config: &Config, json: bool) -> anyhow::Result<ExitCode> {
    let view = status::read(&config.data, config.journal_budget_bytes)?;
    if json {
        print(&view.to_string())?;
    } else {
        show(&view, "")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a JSON object as `name: value` lines, nested names joined by dots.
pub(super) fn show(view: &Value, prefix: &str) -> anyhow::Result<()> {
    match view {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = if prefix.is_empty() {
                    name.clone()
                } else {
                    format!("{prefix}.{name}")
                };
                show(value, &name)?;
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.iter().enumerate() {
                show(item, &format!("{prefix}.{index}"))?;
            }
        }
        Value::Null => {}
        Value::String(text) => print(&format!("{prefix}: {text}"))?,
        other => print(&format!("{prefix}: {other}"))?,
    }
    Ok(())
}
