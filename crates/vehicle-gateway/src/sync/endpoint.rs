//! Which API to dial, and whom to believe on the way.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_tungstenite::Connector;

use super::trust;

/// How long a connection may take to be made, TLS included.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The API a gateway works with: an `https` origin, or an `http` one on loopback.
#[derive(Debug, Clone)]
pub struct ApiEndpoint {
    url: Url,
    roots: Option<Vec<CertificateDer<'static>>>,
}

/// Why an endpoint cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The text is no origin.
    #[error(
        "API address must be an origin such as `https://keys.example`, with nothing after the port"
    )]
    NotAnOrigin,
    /// Plain HTTP to another machine.
    #[error("API address must be `https`; `http` is for loopback only")]
    NotEncrypted,
    /// The certificates cannot be read.
    #[error("certificates of the API's authority could not be read, expected PEM")]
    Certificates(#[source] rustls::pki_types::pem::Error),
    /// A certificate cannot be made use of.
    #[error("a certificate of the API's authority is not usable")]
    Authority(#[source] rustls::Error),
    /// The HTTP client could not be made.
    #[error("HTTP client could not be made")]
    Client(#[source] reqwest::Error),
}

impl ApiEndpoint {
    /// Reads an origin. With `authority`, PEM, only what those certificates issued is believed, and
    /// each of them itself, when the API shows it as its own.
    ///
    /// # Errors
    /// [`EndpointError`] if it is no origin, not encrypted, or the certificates cannot be read.
    pub fn parse(origin: &str, authority: Option<&[u8]>) -> Result<Self, EndpointError> {
        let url = Url::parse(origin).map_err(|_| EndpointError::NotAnOrigin)?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if !bare || url.host_str().is_none() {
            return Err(EndpointError::NotAnOrigin);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(EndpointError::NotEncrypted),
            _ => return Err(EndpointError::NotAnOrigin),
        }
        let roots = authority.map(certificates).transpose()?;
        Ok(Self { url, roots })
    }

    /// The origin as browsers write it: what the handshake is bound to.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The address of `path` under the origin.
    #[must_use]
    pub fn http_url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// The address of the WebSocket at `path`.
    #[must_use]
    pub fn socket_url(&self, path: &str) -> String {
        // "http…" becomes "ws…".
        format!("ws{}{path}", &self.origin()["http".len()..])
    }

    /// A client that follows no redirect, waits at most `timeout`, and believes whom this endpoint believes.
    ///
    /// # Errors
    /// [`EndpointError::Authority`] if a certificate is not usable, [`EndpointError::Client`] if TLS
    /// cannot be set up.
    pub fn http_client(&self, timeout: Duration) -> Result<reqwest::Client, EndpointError> {
        use_ring();
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .https_only(self.url.scheme() == "https");
        if is_loopback(&self.url) {
            builder = builder.no_proxy();
        }
        if let Some(roots) = &self.roots {
            let config = trust::believe(roots).map_err(EndpointError::Authority)?;
            builder = builder.tls_backend_preconfigured(config);
        }
        builder.build().map_err(EndpointError::Client)
    }

    /// How the WebSocket is secured.
    ///
    /// # Errors
    /// [`EndpointError::Authority`] if a certificate is not usable.
    pub(crate) fn connector(&self) -> Result<Option<Connector>, EndpointError> {
        use_ring();
        if self.url.scheme() == "http" {
            return Ok(Some(Connector::Plain));
        }
        let Some(certificates) = &self.roots else {
            return Ok(None);
        };
        let config = trust::believe(certificates).map_err(EndpointError::Authority)?;
        Ok(Some(Connector::Rustls(Arc::new(config))))
    }
}

/// Makes ring the TLS provider of the process; only the first call has an effect.
fn use_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, EndpointError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(EndpointError::Certificates)?;
    if certificates.is_empty() {
        return Err(EndpointError::Certificates(
            rustls::pki_types::pem::Error::NoItemsFound,
        ));
    }
    Ok(certificates)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_as_browsers_write_it() {
        for (text, origin, socket) in [
            (
                "https://Keys.Example",
                "https://keys.example",
                "wss://keys.example/s",
            ),
            (
                "https://keys.example:443/",
                "https://keys.example",
                "wss://keys.example/s",
            ),
            (
                "https://keys.example:8443",
                "https://keys.example:8443",
                "wss://keys.example:8443/s",
            ),
            (
                "http://127.0.0.1:8080",
                "http://127.0.0.1:8080",
                "ws://127.0.0.1:8080/s",
            ),
            (
                "http://[::1]:8080",
                "http://[::1]:8080",
                "ws://[::1]:8080/s",
            ),
        ] {
            let endpoint = ApiEndpoint::parse(text, None).unwrap();
            assert_eq!(endpoint.origin(), origin);
            assert_eq!(endpoint.socket_url("/s"), socket);
        }
    }

    #[test]
    fn anything_but_an_encrypted_origin_is_refused() {
        for text in [
            "keys.example",
            "ftp://keys.example",
            "https://a:b@keys.example",
            "https://keys.example/v1",
            "https://keys.example?x",
        ] {
            assert!(
                matches!(
                    ApiEndpoint::parse(text, None),
                    Err(EndpointError::NotAnOrigin)
                ),
                "{text}"
            );
        }
        let plain = ApiEndpoint::parse("http://keys.example", None);
        assert!(matches!(plain, Err(EndpointError::NotEncrypted)));
        assert!(ApiEndpoint::parse("https://keys.example", Some(b"no pem")).is_err());
    }
}
