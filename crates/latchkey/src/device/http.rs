//! An HTTP client with deadlines and bounded answers.

use std::time::Duration;

use anyhow::Context;

/// Longest answer that is read, bytes.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Names a PEM file with certificates to believe instead of the public ones, such as the one that
/// `latchkey up --tls self` makes.
const ROOT_CERTIFICATE: &str = "LATCHKEY_API_ROOT_CERTIFICATE";

/// A client that waits at most `deadline` for a whole answer.
pub(super) fn client(deadline: Duration) -> anyhow::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(deadline)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("latchkey/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = std::env::var_os(ROOT_CERTIFICATE) {
        let pem = std::fs::read(&path)
            .with_context(|| format!("{ROOT_CERTIFICATE} `{}`", path.display()))?;
        let roots = reqwest::Certificate::from_pem_bundle(&pem).context(ROOT_CERTIFICATE)?;
        builder = builder.tls_certs_only(roots);
    }
    Ok(builder.build()?)
}

/// Reads a whole answer; `None` if it is longer than anybody here sends.
pub(super) async fn body(
    mut response: reqwest::Response,
) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if body.len() + piece.len() > ANSWER_BYTES {
            return Ok(None);
        }
        body.extend_from_slice(&piece);
    }
    Ok(Some(body))
}
