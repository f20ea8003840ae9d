//! TLS in front of the router: the certificate is read, or made, once at start.

mod self_signed;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keys_core::time::Timestamp;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, InconsistentKeys, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::Config;
use crate::random::Random;

/// How long a client may take over the handshake.
pub const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// Speaks TLS with clients; cheap to clone.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(…)")
    }
}

/// Why TLS cannot be spoken as configured.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("`{field}`: file `{file}` cannot be read")]
    Read {
        /// The field that names the file.
        field: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificate or key made here cannot be kept.
    #[error("`tls.directory`: file `{0}` cannot be written")]
    Write(PathBuf, #[source] io::Error),
    /// The certificate's file is something else.
    #[error(
        "`tls.certificate`: file `{0}` holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`); convert it"
    )]
    CertificateNotPem(PathBuf, #[source] pem::Error),
    /// The certificate cannot be served.
    #[error("`tls.certificate`: the first certificate in `{0}` cannot be used; get another one")]
    Certificate(PathBuf, #[source] rustls::Error),
    /// The certificate is over.
    #[error("`tls.certificate`: the certificate in `{0}` expired at {1}; renew it")]
    Expired(PathBuf, Timestamp),
    /// The certificate does not hold yet.
    #[error(
        "`tls.certificate`: the certificate in `{0}` holds from {1} only; wait, or set this machine's clock"
    )]
    NotYet(PathBuf, Timestamp),
    /// The key's file is something else.
    #[error(
        "`tls.key`: file `{0}` holds no private key in PEM (`-----BEGIN PRIVATE KEY-----`, not encrypted); convert or decrypt it"
    )]
    KeyNotPem(PathBuf, #[source] pem::Error),
    /// A key of a kind that is not spoken.
    #[error(
        "`tls.key`: the private key in `{0}` cannot be used; expected RSA of 2,048 bits and more, ECDSA P-256 or P-384, or Ed25519"
    )]
    Key(PathBuf, #[source] rustls::Error),
    /// The key belongs to another certificate.
    #[error(
        "`tls.key`: the private key in `{key}` does not belong to the first certificate in `{certificate}`; give the key it was requested with, and put the server's certificate first"
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The key made here earlier was damaged.
    #[error(
        "`tls.directory`: the key in `{0}` is damaged; delete it, and the next start makes another"
    )]
    MadeKey(PathBuf, #[source] rcgen::Error),
    /// No certificate could be made.
    #[error("`tls.self_signed`: no certificate could be made")]
    Make(#[source] rcgen::Error),
    /// The TLS library refused its own defaults.
    #[error("TLS could not be set up")]
    Setup(#[source] rustls::Error),
}

impl Tls {
    /// Reads the certificate and key of `config`, or makes them as it says; `None` if the API shall
    /// speak plain HTTP.
    ///
    /// # Errors
    /// [`TlsError`], naming the field and file at fault and what helps.
    pub fn open(
        config: &Config,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Option<Self>, TlsError> {
        let tls = &config.tls;
        let host = host_of(&config.origin());
        match (&tls.certificate, &tls.key) {
            (Some(certificate), Some(key)) => {
                Self::from_files(certificate, key, host.as_ref(), now).map(Some)
            }
            _ if tls.self_signed => {
                let names = self_signed::names(config.server.listen.ip(), host.as_ref());
                self_signed::make_or_keep(tls, &names, now, random)?;
                let certificate = tls.self_signed_certificate();
                Self::from_files(&certificate, &tls.self_signed_key(), None, now).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Reads and checks the configured files, if there are any; makes nothing.
    ///
    /// # Errors
    /// As [`Tls::open`].
    pub fn check_files(config: &Config, now: Timestamp) -> Result<bool, TlsError> {
        let (Some(certificate), Some(key)) = (&config.tls.certificate, &config.tls.key) else {
            return Ok(false);
        };
        certified(&ring::default_provider(), certificate, key, now).map(|_| true)
    }

    fn from_files(
        certificate: &Path,
        key: &Path,
        host: Option<&ServerName<'_>>,
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let certified = certified(&provider, certificate, key, now)?;
        if let (Some(host), Some(first)) = (host, certified.cert.first())
            && !is_for(first, host)
        {
            tracing::warn!(
                certificate = %certificate.display(),
                host = %host.to_str(),
                "the certificate is not for the host of `server.origin`; clients will refuse it there"
            );
        }
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(server))))
    }

    /// Shakes hands with a client, which has [`HANDSHAKE_DEADLINE`] for it.
    ///
    /// # Errors
    /// Whatever the client did wrong, or [`io::ErrorKind::TimedOut`].
    pub async fn handshake<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        tokio::time::timeout(HANDSHAKE_DEADLINE, self.0.accept(stream))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }
}

/// Reads a certificate with its key and checks that they belong together and hold now.
fn certified(
    provider: &CryptoProvider,
    certificate: &Path,
    key: &Path,
    now: Timestamp,
) -> Result<CertifiedKey, TlsError> {
    let chain = read_chain(certificate)?;
    let bytes = zeroize::Zeroizing::new(read("tls.key", key)?);
    let private = PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|error| TlsError::KeyNotPem(key.to_owned(), error))?;
    let signer = provider
        .key_provider
        .load_private_key(private)
        .map_err(|error| TlsError::Key(key.to_owned(), error))?;
    let refused = |error| TlsError::Certificate(certificate.to_owned(), error);
    let [first, ..] = chain.as_slice() else {
        return Err(TlsError::CertificateNotPem(
            certificate.to_owned(),
            pem::Error::NoItemsFound,
        ));
    };
    match time_fault(first, now).map_err(refused)? {
        Some(TimeFault::Expired(at)) => return Err(TlsError::Expired(certificate.to_owned(), at)),
        Some(TimeFault::NotYet(at)) => return Err(TlsError::NotYet(certificate.to_owned(), at)),
        None => {}
    }
    let certified = CertifiedKey::new(chain, signer);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(TlsError::Mismatch {
                certificate: certificate.to_owned(),
                key: key.to_owned(),
            })
        }
        Err(error) => Err(refused(error)),
    }
}

fn read_chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read("tls.certificate", file)?;
    CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::CertificateNotPem(file.to_owned(), error))
}

fn read(field: &'static str, file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|source| TlsError::Read {
        field,
        file: file.to_owned(),
        source,
    })
}

enum TimeFault {
    Expired(Timestamp),
    NotYet(Timestamp),
}

/// Whether `certificate` does not hold at `at`.
fn time_fault(
    certificate: &CertificateDer<'_>,
    at: Timestamp,
) -> Result<Option<TimeFault>, rustls::Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(at.0));
    // The times come before the search for an issuer, which finds none here and need not.
    let verdict = verify_server_cert_signed_by_trust_anchor(
        &parsed,
        &RootCertStore::empty(),
        &[],
        time,
        ring::default_provider()
            .signature_verification_algorithms
            .all,
    );
    let Err(rustls::Error::InvalidCertificate(fault)) = verdict else {
        return Ok(None);
    };
    Ok(match fault {
        CertificateError::Expired => Some(TimeFault::Expired(at)),
        CertificateError::ExpiredContext { not_after, .. } => {
            Some(TimeFault::Expired(Timestamp(not_after.as_secs())))
        }
        CertificateError::NotValidYet => Some(TimeFault::NotYet(at)),
        CertificateError::NotValidYetContext { not_before, .. } => {
            Some(TimeFault::NotYet(Timestamp(not_before.as_secs())))
        }
        _ => None,
    })
}

fn is_for(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    ParsedCertificate::try_from(certificate)
        .is_ok_and(|parsed| verify_server_name(&parsed, name).is_ok())
}

/// The host of an origin such as `https://[::1]:8443`.
fn host_of(origin: &str) -> Option<ServerName<'static>> {
    let (_, authority) = origin.split_once("://")?;
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => authority.split(':').next()?,
    };
    ServerName::try_from(host.to_owned()).ok()
}

#[cfg(test)]
mod tests;
