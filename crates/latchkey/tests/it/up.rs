//! `latchkey up`, `latchkey app create`, and the phone and host on the command line against it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::{latchkey, run, stderr, stdout};

/// A running system; stopped with it.
struct Up {
    child: Child,
    ready: Value,
}

impl Up {
    fn start(data: &Path, more: &[&str]) -> Self {
        let mut child = latchkey()
            .args([
                "up",
                "--json",
                "--listen",
                "127.0.0.1:0",
                "--gateway-listen",
                "127.0.0.1:0",
            ])
            .arg("--data")
            .arg(data)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("UTF-8");
        if line.is_empty() {
            let mut why = String::new();
            let mut errors = child.stderr.take().expect("a pipe");
            errors.read_to_string(&mut why).expect("UTF-8");
            panic!("no ready line: {why}");
        }
        let ready = serde_json::from_str(&line).expect("the first line is JSON");
        Self { child, ready }
    }

    fn text(&self, pointer: &str) -> &str {
        self.ready
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no {pointer} in {}", self.ready))
    }

    /// Asks it to stop, as Ctrl-C does, and waits.
    fn stop(mut self) {
        let process = self.child.id().to_string();
        let kill = std::process::Command::new("kill")
            .args(["-INT", &process])
            .status()
            .expect("kill runs");
        assert!(kill.success());
        assert!(self.child.wait().expect("it ends").success());
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Already gone after `stop`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_first_line_tells_addresses_and_sign_in_and_a_second_start_finds_its_data() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let data = scratch.path().join("data");
    let up = Up::start(&data, &[]);

    assert_eq!(up.ready["ready"], true);
    assert!(up.text("/api").starts_with("http://127.0.0.1:"));
    assert!(up.text("/gateway").starts_with("http://127.0.0.1:"));
    for field in [
        "client_id",
        "client_secret",
        "management_token",
        "webhook_id",
    ] {
        assert!(!up.text(&format!("/sandbox_app/{field}")).is_empty());
    }
    let redirects = up.ready["sandbox_app"]["redirect_uris"]
        .as_array()
        .expect("a list");
    assert!(redirects.contains(&Value::from("https://example.com/auth")));
    sandbox_file_is_private(&data);
    let (host, app) = (up.ready["host"].clone(), up.ready["sandbox_app"].clone());
    up.stop();

    let again = Up::start(&data, &[]);
    assert_eq!(
        (&again.ready["host"], &again.ready["sandbox_app"]),
        (&host, &app)
    );
    let email = again.text("/host/email").to_owned();
    let file = scratch.path().join("host.json").display().to_string();
    assert!(run(&["host", "init", "--file", &file], "").status.success());
    let signed_in = latchkey()
        .args([
            "host",
            "sign-in",
            "--file",
            &file,
            "--api",
            again.text("/api"),
        ])
        .args(["--email", &email])
        .env("LATCHKEY_PASSWORD", again.text("/host/password"))
        .output()
        .expect("it runs");
    assert!(signed_in.status.success(), "{}", stderr(&signed_in));
    again.stop();
}

#[cfg(unix)]
fn sandbox_file_is_private(data: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let file = std::fs::metadata(data.join("sandbox.json")).expect("it is there");
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

#[cfg(not(unix))]
fn sandbox_file_is_private(_data: &Path) {}

#[test]
fn an_application_is_made_beside_a_running_system_and_told_once() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let data = scratch.path().join("data");
    let up = Up::start(&data, &["--tls", "self"]);
    assert!(up.text("/api").starts_with("https://127.0.0.1:"));

    let data = data.display().to_string();
    let create = |uri: &str| {
        run(
            &[
                "app",
                "create",
                "--data",
                &data,
                "--redirect-uri",
                uri,
                "--json",
            ],
            "",
        )
    };
    let output = create("https://fleet.example/back");
    assert!(output.status.success(), "{}", stderr(&output));
    let app: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(app["redirect_uris"][0], "https://fleet.example/back");
    assert!(
        app["client_secret"]
            .as_str()
            .is_some_and(|secret| secret.len() > 30)
    );
    let refused = create("http://fleet.example/back");
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        stderr(&refused).contains("--redirect-uri"),
        "{}",
        stderr(&refused)
    );
    up.stop();
}

#[test]
fn seeding_is_refused_where_other_machines_could_reach_it() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let data = scratch.path().join("data").display().to_string();
    let output = run(
        &[
            "up",
            "--json",
            "--listen",
            "0.0.0.0:0",
            "--gateway-listen",
            "127.0.0.1:0",
            "--data",
            &data,
        ],
        "",
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--sandbox"), "{}", stderr(&output));
}

#[test]
fn a_taken_address_is_named_with_the_option_that_changes_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let data = scratch.path().join("data").display().to_string();
    let output = run(&["up", "--listen", &address, "--data", &data], "");
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert!(
        text.contains("--listen") && text.contains(&address),
        "{text}"
    );
}
