//! What may be linked into what.
//!
//! Read from `cargo tree` and `Cargo.lock`, offline. `deny.toml` says the same with reasons and
//! adds licenses; this runs wherever the tests run, without another tool.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One crate in a dependency tree, with the features it is built with.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    version: String,
    features: Vec<String>,
}

impl Crate {
    /// Reads a line `name vVERSION|feature,feature`, as [`tree`] asks for it.
    fn parse(line: &str) -> Self {
        let line = line.trim_end_matches(" (*)");
        let (package, features) = line.split_once('|').expect("a line of the asked format");
        let mut words = package.split_whitespace();
        let name = words.next().expect("a crate name").to_owned();
        let version = words
            .next()
            .and_then(|word| word.strip_prefix('v'))
            .unwrap_or_else(|| panic!("no version in `{line}`"))
            .to_owned();
        let features = features
            .split(',')
            .map(str::trim)
            .filter(|feature| !feature.is_empty())
            .map(str::to_owned)
            .collect();
        Self {
            name,
            version,
            features,
        }
    }
}

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("crates/latchkey is two levels below the workspace")
        .to_path_buf()
}

fn cargo_tree(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--offline", "--prefix", "none"])
        .args(arguments)
        .current_dir(workspace_root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo tree {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("cargo tree prints UTF-8")
}

/// Everything linked into what `selection` names, itself included.
fn tree(edges: &str, selection: &[&str]) -> BTreeSet<Crate> {
    let mut arguments = vec!["--edges", edges, "--format", "{p}|{f}"];
    arguments.extend_from_slice(selection);
    let text = cargo_tree(&arguments);
    let crates: BTreeSet<Crate> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(Crate::parse)
        .collect();
    assert!(crates.len() > 1, "cargo tree {selection:?} listed nothing");
    crates
}

/// `(name, version)` of every package in the lock file: all targets, all optional dependencies.
fn locked_packages() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(workspace_root().join("Cargo.lock")).expect("Cargo.lock");
    let value = |line: &str, field: &str| {
        line.strip_prefix(field)
            .and_then(|rest| rest.strip_prefix(" = \""))
            .and_then(|rest| rest.strip_suffix('"'))
            .map(str::to_owned)
    };
    let packages: Vec<_> = text
        .split("[[package]]")
        .filter_map(|block| {
            let name = block.lines().find_map(|line| value(line, "name"))?;
            let version = block.lines().find_map(|line| value(line, "version"))?;
            Some((name, version))
        })
        .collect();
    assert!(packages.len() > 100, "Cargo.lock could not be read");
    packages
}

fn is_older(version: &str, (major, minor): (u64, u64)) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u64>());
    let mut next = || numbers.next().and_then(Result::ok).expect("a version");
    (next(), next()) < (major, minor)
}

/// The crates of `found` whose name is in `banned`.
fn banned_among<'a>(found: &'a BTreeSet<Crate>, banned: &[&str]) -> Vec<&'a str> {
    found
        .iter()
        .map(|package| package.name.as_str())
        .filter(|name| banned.contains(name))
        .collect()
}

/// `openssl-probe` is not among them: it only knows where systems keep their root certificates.
const OTHER_TLS: [&str; 7] = [
    "openssl",
    "openssl-sys",
    "native-tls",
    "aws-lc-rs",
    "aws-lc-sys",
    "aws-lc-fips-sys",
    "boring-sys",
];

#[test]
fn ring_is_the_only_tls_provider_that_is_linked() {
    let linked = tree("normal", &["--workspace"]);

    assert_eq!(banned_among(&linked, &OTHER_TLS), [""; 0]);
    let rustls: Vec<_> = linked.iter().filter(|one| one.name == "rustls").collect();
    assert!(!rustls.is_empty(), "rustls is expected in the tree");
    for one in rustls {
        assert!(one.features.iter().any(|feature| feature == "ring"));
        assert!(
            !one.features.iter().any(|f| f.starts_with("aws")),
            "{one:?}"
        );
    }
}

#[test]
fn no_other_tls_library_is_in_the_lock_file_for_any_platform() {
    let found: Vec<_> = locked_packages()
        .into_iter()
        .filter(|(name, _)| OTHER_TLS.contains(&name.as_str()))
        .collect();

    assert_eq!(found, []);
}

#[test]
fn no_crate_brings_an_older_sqlx_and_with_it_an_older_sqlite() {
    let old: Vec<_> = locked_packages()
        .into_iter()
        .filter(|(name, _)| name == "sqlx" || name.starts_with("sqlx-"))
        .filter(|(_, version)| is_older(version, (0, 9)))
        .collect();
    let sqlite = locked_packages()
        .into_iter()
        .filter(|(name, _)| name == "libsqlite3-sys")
        .count();

    assert_eq!(old, []);
    assert_eq!(sqlite, 1, "SQLite is built once");
    let linked = tree("normal", &["--workspace"]);
    let sqlx: Vec<_> = linked.iter().filter(|one| one.name == "sqlx").collect();
    assert!(!sqlx.is_empty(), "sqlx is expected in the tree");
    assert!(sqlx.iter().all(|one| !is_older(&one.version, (0, 9))));
}

#[test]
fn the_gateway_needs_neither_the_api_nor_its_database() {
    let linked = tree("normal", &["--package", "vehicle-gateway"]);

    let platform = ["keys-api", "migrations", "latchkey", "libsqlite3-sys"];
    assert_eq!(banned_among(&linked, &platform), [""; 0]);
    let database: Vec<_> = linked
        .iter()
        .filter(|one| one.name.starts_with("sea-") || one.name.starts_with("sqlx"))
        .collect();
    assert!(database.is_empty(), "{database:?}");
    assert!(linked.iter().any(|one| one.name == "keys-core"));
}

#[test]
fn keys_core_can_reach_no_network_clock_or_randomness() {
    let linked = tree("normal", &["--package", "keys-core", "--all-features"]);

    let reaching = [
        "async-std",
        "fastrand",
        "getrandom",
        "hyper",
        "iana-time-zone", // chrono's `clock`
        "libc",
        "mio",
        "rand",
        "reqwest",
        "rustls",
        "smol",
        "socket2",
        "tokio",
        "web-time",
    ];
    assert_eq!(banned_among(&linked, &reaching), [""; 0]);
    let workspace = ["keys-api", "latchkey", "migrations", "vehicle-gateway"];
    assert_eq!(banned_among(&linked, &workspace), [""; 0]);
}

#[test]
fn keys_core_asks_no_dependency_for_the_standard_library() {
    let linked = tree(
        "normal,no-proc-macro",
        &["--package", "keys-core", "--all-features"],
    );

    let with_std: Vec<_> = linked
        .iter()
        .filter(|one| one.features.iter().any(|feature| feature == "std"))
        // Its `std` feature is on through phf and is empty: the crate is no_std either way.
        .filter(|one| one.name != "siphasher")
        .collect();
    assert!(with_std.is_empty(), "{with_std:?}");
}

#[test]
fn only_keys_core_signs_and_verifies() {
    for member in ["keys-api", "latchkey", "migrations", "vehicle-gateway"] {
        let direct = tree("normal", &["--package", member, "--depth", "1"]);

        let signing = ["ed25519", "ed25519-dalek", "signature"];
        assert_eq!(banned_among(&direct, &signing), [""; 0], "in {member}");
    }
}
