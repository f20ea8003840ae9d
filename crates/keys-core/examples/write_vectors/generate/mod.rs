//! All vectors: what is in each file, and in which order.

mod authority;
mod boards;
mod cbor;
mod chains;
mod conditions;
mod documents;
mod edges;
mod endings;
mod exchanges;
mod frames;
mod group;
mod json;
mod limits;
mod messages;
mod narrowing;
mod objects;
mod policies;
mod scene;
mod shapes;
mod signatures;
mod signed;
mod standing;
mod statements;
mod times;
mod unsigned;
mod whereabouts;

/// The files: name and text.
pub(crate) fn files() -> Vec<(String, String)> {
    let groups = [
        chains::groups(),
        shapes::groups(),
        policies::groups(),
        messages::groups(),
        signatures::groups(),
        edges::groups(),
        authority::groups(),
        narrowing::groups(),
        times::groups(),
        statements::groups(),
        standing::groups(),
        conditions::groups(),
        limits::groups(),
        objects::groups(),
        documents::groups(),
        unsigned::groups(),
        frames::groups(),
        boards::groups(),
        whereabouts::groups(),
        exchanges::groups(),
        endings::groups(),
    ];
    groups
        .into_iter()
        .flatten()
        .map(group::Group::into_file)
        .collect()
}
