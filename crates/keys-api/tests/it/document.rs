//! The router and its document say the same.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::Value;

use crate::support::TestApp;

fn document() -> Value {
    serde_json::to_value(keys_api::router::document()).unwrap()
}

/// Method and path of every documented operation.
pub fn operations() -> Vec<(String, String)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let methods = ["get", "put", "post", "delete", "patch"];
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = methods.iter().filter(|method| item.get(**method).is_some());
            methods.map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect()
}

#[tokio::test]
async fn the_router_serves_exactly_the_documented_methods_of_each_path() {
    let test = TestApp::new().await;
    let paths: BTreeSet<String> = operations().into_iter().map(|(_, path)| path).collect();
    for path in paths {
        // No route serves TRACE, so the answer lists what the path does serve.
        let answer = test.call(Method::TRACE, &path).send().await;
        answer.is_problem(405, "method-not-allowed");
        let served: BTreeSet<&str> = answer
            .header("allow")
            .split(',')
            .map(str::trim)
            .filter(|method| *method != "HEAD")
            .collect();
        let all = operations();
        let documented: BTreeSet<&str> = all
            .iter()
            .filter(|(_, one)| *one == path)
            .map(|(method, _)| method.as_str())
            .collect();
        assert_eq!(served, documented, "{path}");
    }
}

#[test]
fn no_route_is_added_past_the_document() {
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut open = vec![sources];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                std::fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for past in [".route(", ".route_service(", ".nest_service(", ".nest("] {
            assert!(
                !text.contains(past),
                "{}: {past}…) is not in the document; use routes!()",
                path.display()
            );
        }
    }
}

#[tokio::test]
async fn the_document_is_served_as_openapi_3_1() {
    let test = TestApp::new().await;
    let answer = test.get("/openapi.json").send().await;
    assert_eq!(answer.status, 200);
    assert!(answer.body["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(answer.body, document());
    assert_eq!(test.get("/docs/").send().await.status, 200);
}

#[test]
fn every_operation_has_an_id_a_known_tag_and_described_responses() {
    let document = document();
    let tags: BTreeSet<&str> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    let mut ids = BTreeSet::new();
    for (method, path) in operations() {
        let operation = &document["paths"][&path][method.to_lowercase()];
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} is there twice");
        for tag in operation["tags"].as_array().unwrap() {
            assert!(
                tags.contains(tag.as_str().unwrap()),
                "{id}: unknown tag {tag}"
            );
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(
                response["description"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{id}: {status}"
            );
        }
        let takes_key = operation["parameters"].as_array().into_iter().flatten();
        let takes_key = takes_key
            .filter(|one| one["name"] == "idempotency-key")
            .count();
        assert_eq!(takes_key, usize::from(method == "POST"), "{id}");
    }
}

#[test]
fn every_reference_in_the_document_resolves() {
    fn walk(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                found.extend(
                    object
                        .get("$ref")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                );
                object.values().for_each(|value| walk(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = BTreeSet::new();
    walk(&document, &mut found);
    for reference in found {
        assert!(
            document
                .pointer(reference.trim_start_matches('#'))
                .is_some(),
            "{reference}"
        );
    }
}

#[test]
fn request_bodies_say_that_unknown_fields_are_refused() {
    let document = document();
    for name in ["SignUpBody", "RegisterVehicle", "UpdateVehicle"] {
        let schema = &document["components"]["schemas"][name];
        assert_eq!(schema["additionalProperties"], false, "{name}");
    }
    assert!(document["components"]["schemas"]["Vehicle"]["additionalProperties"].is_null());
}

#[test]
fn every_post_handler_takes_an_idempotency_ticket() {
    let routes = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes");
    let mut open = vec![routes];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                std::fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let posts = text
            .match_indices("#[utoipa::path(")
            .filter(|(at, mark)| text[at + mark.len()..].trim_start().starts_with("post"));
        for (at, _) in posts {
            let handler = &text[at..];
            let end = handler.find("\n}\n").unwrap_or(handler.len());
            assert!(
                handler[..end].contains("Idempotency"),
                "{} ignores Idempotency-Key",
                path.display()
            );
        }
    }
}
