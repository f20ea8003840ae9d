//! A description as indented text.

use serde_json::Value;

/// Renders an object as `name: value` lines, two spaces further in at each level.
pub(crate) fn render(value: &Value) -> String {
    let mut out = String::new();
    write_fields(value, 0, &mut out);
    out
}

fn write_fields(value: &Value, depth: usize, out: &mut String) {
    let Some(fields) = value.as_object() else {
        return;
    };
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|(name, value)| (*name != "kind", is_nested(value)));
    for (name, value) in fields {
        write_field(&name.replace('_', " "), value, depth, out);
    }
}

/// Whether a value takes lines of its own.
fn is_nested(value: &Value) -> bool {
    value.is_object()
        || value
            .as_array()
            .is_some_and(|items| items.iter().any(Value::is_object))
}

fn write_field(name: &str, value: &Value, depth: usize, out: &mut String) {
    let margin = "  ".repeat(depth);
    match value {
        Value::Object(_) => {
            out.push_str(&format!("{margin}{name}\n"));
            write_fields(value, depth + 1, out);
        }
        Value::Array(items) if is_nested(value) => {
            for (index, item) in items.iter().enumerate() {
                let singular = name.strip_suffix('s').unwrap_or(name);
                write_field(&format!("{singular} {}", index + 1), item, depth, out);
            }
        }
        _ => out.push_str(&format!("{margin}{name}: {}\n", scalar(value))),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(scalar).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_kind_comes_first_and_levels_are_indented() {
        let value = json!({
            "links": [{ "grant_id": null, "may": ["unlock", "lock"] }],
            "kind": "key",
            "anchored": true,
        });
        assert_eq!(
            render(&value),
            "kind: key\nanchored: yes\nlink 1\n  grant id: –\n  may: unlock, lock\n"
        );
    }
}
