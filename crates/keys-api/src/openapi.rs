//! The OpenAPI 3.1 document: what every operation has in common is said once, here.

use serde_json::Value;
use utoipa::OpenApi;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{
    AdditionalProperties, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::http::problem::{FieldErrorDocument, MEDIA_TYPE, ProblemDocument};
use crate::http::time::Rfc3339;

/// `?limit=` and `?cursor=`, as every list takes them.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "only its description is used; `PageQuery` reads the values"
)]
pub struct PageParams {
    /// Entries on a page; 20 if absent.
    #[param(minimum = 1, maximum = 100, required = false)]
    limit: u64,
    /// A `next_cursor` of the same list.
    #[param(required = false)]
    cursor: String,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Latchkey API",
        description = "Digital car keys. Bytes are base64url without padding, times RFC 3339 in UTC. Every error is an \
            RFC 9457 problem; every answer carries `x-request-id`. Every POST takes an `Idempotency-Key`.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    components(schemas(ProblemDocument, FieldErrorDocument, Rfc3339)),
    tags(
        (name = "accounts", description = "Signing up and in, sessions, API tokens."),
        (name = "vehicles", description = "An owner's vehicles."),
        (name = "pairings", description = "A gateway and an owner's device come to trust each other."),
        (name = "trust", description = "Whom a car believes: bundle, mandate, statements."),
        (name = "keys", description = "Digital keys, from their promise to their end."),
        (name = "invitations", description = "The one-time offer of a key."),
        (name = "holder", description = "What the holder of one key may see and have relayed."),
        (name = "commands", description = "Commands on their way to a car, which decides about them."),
        (name = "receipts", description = "The gateways' signed answers."),
        (name = "gateways", description = "The checkers beside the cars."),
        (name = "operation", description = "Whether the service is well, and this document.")
    )
)]
struct Base;

/// The document before any operation is in it.
#[must_use]
pub fn base() -> utoipa::openapi::OpenApi {
    let mut document = Base::openapi();
    let components = document.components.get_or_insert_default();
    let bearer = |format: &str, description: &str| {
        let http = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format(format);
        SecurityScheme::Http(http.description(Some(description)).build())
    };
    components.add_security_scheme(
        "owner",
        bearer("lks_… or lkt_…", "An account's session or API token."),
    );
    components.add_security_scheme(
        "holder",
        bearer("lkh_…", "A holder session, limited to one key."),
    );
    document
}

/// Adds to every operation what they share: problems, the request id, the Idempotency-Key.
#[must_use]
pub fn finish(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    for item in document.paths.paths.values_mut() {
        for (method, operation) in operations(item) {
            if method == "post" {
                operation
                    .parameters
                    .get_or_insert_default()
                    .push(RefOr::T(idempotency_key()));
            }
            add_problems(method, operation);
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response {
                    add_request_id(response);
                }
            }
        }
    }
    close_request_bodies(&mut document);
    document
}

/// Says of every object in a request body what [`crate::http::fields`] does: unknown fields are
/// refused.
fn close_request_bodies(document: &mut utoipa::openapi::OpenApi) {
    let items = document.paths.paths.values_mut();
    let bodies = items
        .flat_map(operations)
        .filter_map(|(_, operation)| operation.request_body.as_ref());
    let mut open: Vec<String> = bodies.flat_map(references).collect();
    let Some(components) = document.components.as_mut() else {
        return;
    };
    while let Some(name) = open.pop() {
        let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(&name) else {
            continue;
        };
        let closed = Some(Box::new(AdditionalProperties::FreeForm(false)));
        if object.properties.is_empty() || object.additional_properties == closed {
            continue;
        }
        object.additional_properties = closed;
        open.extend(references(&*object));
    }
}

/// The names of all schemas that a part of the document refers to.
fn references(part: &impl serde::Serialize) -> Vec<String> {
    fn walk(value: &Value, names: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                let name = object
                    .get("$ref")
                    .and_then(Value::as_str)
                    .and_then(|path| path.rsplit('/').next());
                names.extend(name.map(str::to_owned));
                object.values().for_each(|value| walk(value, names));
            }
            Value::Array(values) => values.iter().for_each(|value| walk(value, names)),
            _ => {}
        }
    }
    let mut names = Vec::new();
    walk(&serde_json::to_value(part).unwrap_or_default(), &mut names);
    names
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem {
        get,
        put,
        post,
        delete,
        patch,
        ..
    } = item;
    [
        ("get", get),
        ("put", put),
        ("post", post),
        ("delete", delete),
        ("patch", patch),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

fn add_problems(method: &str, operation: &mut Operation) {
    let guarded = operation.security.is_some();
    let (writes, body) = (method != "get", operation.request_body.is_some());
    let (path, query) = (
        takes(operation, &ParameterIn::Path),
        takes(operation, &ParameterIn::Query),
    );
    let signs_in = matches!(operation.operation_id.as_deref(), Some("sign_in"));
    let problems = [
        (400, "The request cannot be read.", true),
        (
            401,
            "No valid token, or wrong credentials.",
            guarded || signs_in,
        ),
        (403, "A token of the wrong kind.", guarded),
        (404, "There is none, or none the caller may know of.", path),
        (408, "The body took longer than 30 s to arrive.", writes),
        (
            409,
            "The state of things forbids it, or the first request with this Idempotency-Key is still at work.",
            writes,
        ),
        (413, "The body is over 64 KiB.", writes),
        (415, "The body is not `application/json`.", body),
        (
            422,
            "Some fields do not hold; each is named.",
            writes || query,
        ),
        (429, "Too many requests; see `retry-after`.", true),
        (500, "Something failed here.", true),
        (503, "Busy or stopping; see `retry-after`.", true),
    ];
    for (status, description, applies) in problems {
        let responses = &mut operation.responses.responses;
        if applies && !responses.contains_key(&status.to_string()) {
            responses.insert(status.to_string(), RefOr::T(problem(description)));
        }
    }
}

fn takes(operation: &Operation, place: &ParameterIn) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|one| matches!(one, RefOr::T(one) if one.parameter_in == *place))
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content(MEDIA_TYPE, content)
        .build()
}

fn add_request_id(response: &mut Response) {
    let header = HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String)));
    let header = header
        .description(Some("Names this request in logs and problems."))
        .build();
    response
        .headers
        .insert("x-request-id".to_owned(), RefOr::T(header));
}

fn idempotency_key() -> utoipa::openapi::path::Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
        .min_length(Some(1))
        .max_length(Some(255));
    ParameterBuilder::new()
        .name("idempotency-key")
        .parameter_in(ParameterIn::Header)
        .required(utoipa::openapi::Required::False)
        .description(Some(
            "A fresh random text per request. A repeat within 24 h gets the first answer.",
        ))
        .schema(Some(schema))
        .build()
}
