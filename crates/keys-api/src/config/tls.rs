//! Section `[tls]`.

use std::path::{Path, PathBuf};

use super::ConfigError;

/// Whether and how the API speaks TLS itself. Without any of it, it speaks plain HTTP, for loopback
/// and for a proxy in front.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// `LATCHKEY_TLS_CERTIFICATE`: PEM file with the server's certificate, those of the authorities
    /// between after it. Read at start.
    pub certificate: Option<PathBuf>,
    /// `LATCHKEY_TLS_KEY`: PEM file with the certificate's private key, not encrypted. Read at start.
    pub key: Option<PathBuf>,
    /// `LATCHKEY_TLS_SELF_SIGNED`: make and keep a certificate for this machine instead; clients are
    /// told to believe [`TlsConfig::self_signed_certificate`]. Default `false`.
    pub self_signed: bool,
    /// `LATCHKEY_TLS_DIRECTORY`: holds the certificate made and its key. Default `latchkey-data/tls`.
    pub directory: PathBuf,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            certificate: None,
            key: None,
            self_signed: false,
            directory: PathBuf::from("latchkey-data/tls"),
        }
    }
}

impl TlsConfig {
    /// Whether the API speaks TLS.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.self_signed || self.certificate.is_some()
    }

    /// Where the certificate made by `self_signed` is.
    #[must_use]
    pub fn self_signed_certificate(&self) -> PathBuf {
        self.directory.join("certificate.pem")
    }

    /// Where the key made by `self_signed` is.
    #[must_use]
    pub fn self_signed_key(&self) -> PathBuf {
        self.directory.join("key.pem")
    }

    /// The PEM file with the certificate served, if the API speaks TLS. A client that is given this
    /// file as its root reaches this server.
    #[must_use]
    pub fn served_certificate(&self) -> Option<PathBuf> {
        let made = || self.self_signed.then(|| self.self_signed_certificate());
        self.certificate.clone().or_else(made)
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let refuse = |field: &str, why: &str| Err(ConfigError::field(field, why));
        let is_empty = |path: &Option<PathBuf>| path.as_deref().is_some_and(empty);
        if is_empty(&self.certificate) {
            return refuse("tls.certificate", "must not be empty");
        }
        if is_empty(&self.key) {
            return refuse("tls.key", "must not be empty");
        }
        match (&self.certificate, &self.key) {
            (Some(_), None) => refuse(
                "tls.key",
                "must name the private key's file where `tls.certificate` is given",
            ),
            (None, Some(_)) => refuse(
                "tls.certificate",
                "must name the certificate's file where `tls.key` is given",
            ),
            (Some(_), Some(_)) if self.self_signed => refuse(
                "tls.self_signed",
                "must be false where `tls.certificate` and `tls.key` are given",
            ),
            _ if empty(&self.directory) => refuse("tls.directory", "must not be empty"),
            _ => Ok(()),
        }
    }
}

fn empty(path: &Path) -> bool {
    path.as_os_str().is_empty()
}
