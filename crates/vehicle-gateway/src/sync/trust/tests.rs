use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::*;
use crate::sync::ApiEndpoint;
use crate::sync::socket::Socket;

/// 2026-11-23 08:00 UTC.
const NOW: u64 = 1_795_420_800;

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn self_signed(params: &CertificateParams) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().clone()
}

/// Whether a gateway that was given `given` believes `shown` to be the API at `keys.example`.
fn believed(
    given: &CertificateDer<'static>,
    shown: &CertificateDer<'_>,
    now: u64,
) -> Result<(), Error> {
    let mut roots = RootCertStore::empty();
    roots.add(given.clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let given = Given {
        certificates: vec![given.clone()],
        authorities: authorities.build().unwrap(),
    };
    let name = ServerName::try_from("keys.example").unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
    given
        .verify_server_cert(shown, &[], &name, &[], now)
        .map(drop)
}

#[test]
fn a_given_certificate_is_believed_whatever_its_name_and_kind() {
    for params in [
        params("keys.example"),
        params("other.example"),
        authority("keys.example"),
        authority("other.example"),
    ] {
        let given = self_signed(&params);
        assert_eq!(believed(&given, &given, NOW), Ok(()));
    }
}

#[test]
fn a_given_certificate_is_not_believed_outside_its_times() {
    for params in [
        params("keys.example"),
        params("other.example"),
        authority("other.example"),
    ] {
        let given = self_signed(&params);
        for wrong in [NOW - 365 * 24 * 3600, NOW + 365 * 24 * 3600] {
            assert!(believed(&given, &given, wrong).is_err());
        }
    }
}

#[test]
fn another_certificate_is_not_believed() {
    for params in [params("keys.example"), authority("keys.example")] {
        let (given, shown) = (self_signed(&params), self_signed(&params));
        assert!(believed(&given, &shown, NOW).is_err());
    }
}

#[test]
fn what_a_given_authority_issued_is_believed_for_its_name_only() {
    let key = KeyPair::generate().unwrap();
    let issuer = CertifiedIssuer::self_signed(authority("authority.example"), key).unwrap();
    let issued = |name: &str| {
        let key = KeyPair::generate().unwrap();
        params(name).signed_by(&key, &issuer).unwrap().der().clone()
    };
    assert_eq!(believed(issuer.der(), &issued("keys.example"), NOW), Ok(()));
    assert!(believed(issuer.der(), &issued("other.example"), NOW).is_err());
}

/// An API stand-in with a certificate of its own, and that certificate in PEM.
async fn api() -> (TcpListener, TlsAcceptor, String) {
    let mut params = CertificateParams::new(["other.example".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (
        listener,
        TlsAcceptor::from(Arc::new(server)),
        certificate.pem(),
    )
}

fn endpoint(listener: &TcpListener, pem: &str) -> ApiEndpoint {
    let origin = format!("https://{}", listener.local_addr().unwrap());
    ApiEndpoint::parse(&origin, Some(pem.as_bytes())).unwrap()
}

async fn accept(
    listener: &TcpListener,
    tls: &TlsAcceptor,
) -> std::io::Result<TlsStream<TcpStream>> {
    let (stream, _) = listener.accept().await.unwrap();
    tls.accept(stream).await
}

#[tokio::test]
async fn the_socket_and_the_relay_reach_an_api_whose_certificate_was_given() {
    let (listener, tls, pem) = api().await;
    let endpoint = endpoint(&listener, &pem);

    let serving = async {
        let stream = accept(&listener, &tls).await.unwrap();
        tokio_tungstenite::accept_async(stream).await.unwrap()
    };
    let (dialed, _api) = tokio::join!(Socket::dial(&endpoint), serving);
    assert!(dialed.is_ok());

    let client = endpoint.http_client(Duration::from_secs(10)).unwrap();
    let serving = async {
        let mut stream = accept(&listener, &tls).await.unwrap();
        let mut request = [0; 1024];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
    };
    let asking = client.get(endpoint.http_url("/health")).send();
    let (answer, ()) = tokio::join!(asking, serving);
    assert_eq!(answer.unwrap().status(), 204);
}

#[tokio::test]
async fn neither_talks_to_an_api_with_another_certificate() {
    let (listener, tls, _) = api().await;
    let (_, _, other) = api().await;
    let endpoint = endpoint(&listener, &other);

    let (dialed, accepted) = tokio::join!(Socket::dial(&endpoint), accept(&listener, &tls));
    assert!(dialed.is_err() && accepted.is_err());

    let client = endpoint.http_client(Duration::from_secs(10)).unwrap();
    let asking = client.get(endpoint.http_url("/health")).send();
    let (answer, accepted) = tokio::join!(asking, accept(&listener, &tls));
    assert!(answer.is_err() && accepted.is_err());
}
