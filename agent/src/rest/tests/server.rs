//! A REST API for tests, over HTTP and HTTPS, that keeps what it was asked.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{ACCEPT, AUTHORIZATION, LOCATION};
use axum::response::{IntoResponse, Response};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::Rest;

/// What `Authorization` is for the user `viewer` with the password `hunter2`.
pub(crate) const CREDENTIAL: &str = "Basic dmlld2VyOmh1bnRlcjI=";
pub(crate) const PASSWORD: &str = "hunter2";

/// An answer: a status, and a body or, for a redirect, where it leads.
pub(crate) type Answers = BTreeMap<String, (u16, String)>;

/// A path that was asked for, and the credential that came along.
pub(crate) type Asked = (String, Option<String>);

/// A running server.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// On an address of this machine, with answers by path; all others are 404.
    pub(crate) async fn http(host: &str, answers: Answers) -> Self {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let router = server.router(answers);
        tokio::spawn(async { axum::serve(listener, router).await });
        server
    }

    /// The same with a certificate; the first of the chain is the server's own.
    pub(crate) async fn https(chain: &str, key: &str, answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let router = server.router(answers);
        let listener = Https { listener, acceptor: acceptor(chain, key) };
        tokio::spawn(async { axum::serve(listener, router).await });
        server
    }

    fn router(&self, answers: Answers) -> Router {
        let (seen, answers) = (Arc::clone(&self.seen), Arc::new(answers));
        Router::new().fallback(async move |request: Request| {
            let header = |name| request.headers().get(name)?.to_str().ok().map(str::to_owned);
            assert_eq!(
                (request.method().as_str(), header(ACCEPT).as_deref()),
                ("GET", Some("application/json"))
            );
            let path = request.uri().path().to_owned();
            seen.lock().unwrap().push((path.clone(), header(AUTHORIZATION)));
            answer(answers.get(&path).cloned())
        })
    }

    /// What it was asked.
    pub(crate) fn seen(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().clone()
    }

    /// `[rest]` for it, with files in a directory.
    pub(crate) fn rest(&self, scheme: &str, files: &Path, certificate: Option<&str>) -> Rest {
        let password_file = files.join("password");
        fs::write(&password_file, format!("{PASSWORD}\n")).unwrap();
        fs::set_permissions(&password_file, fs::Permissions::from_mode(0o600)).unwrap();
        let certificate = certificate.map(|pem| {
            fs::write(files.join("certificate.pem"), pem).unwrap();
            files.join("certificate.pem")
        });
        let url = format!("{scheme}://localhost:{}", self.address.port()).parse().unwrap();
        Rest { url, user: "viewer".to_owned(), password_file, certificate }
    }
}

fn answer(known: Option<(u16, String)>) -> Response {
    let Some((status, body)) = known else { return StatusCode::NOT_FOUND.into_response() };
    let status = StatusCode::from_u16(status).unwrap();
    if status.is_redirection() {
        (status, [(LOCATION, body)]).into_response()
    } else {
        (status, body).into_response()
    }
}

fn acceptor(chain: &str, key: &str) -> TlsAcceptor {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    // Whether the key is that of the certificate is for the client to see.
    let certified = CertifiedKey::new(chain, aws_lc_rs::sign::any_supported_type(&key).unwrap());
    let config = config.with_no_client_auth().with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    TlsAcceptor::from(Arc::new(config))
}

struct Https {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Https {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, peer) = self.listener.accept().await.unwrap();
            // A client that trusts nobody here breaks off.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A certificate for a name that is not this machine's, and its key.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// Signed by itself, as the product's own is.
pub(crate) fn self_signed() -> Pair {
    let key = KeyPair::generate().unwrap();
    let certificate = params().self_signed(&key).unwrap().pem();
    Pair { certificate, key: key.serialize_pem() }
}

/// Signed by somebody, who is an authority or only pretends to be one; first the signer's.
pub(crate) fn signed(by_authority: bool) -> (String, Pair) {
    let mut issuer = params();
    if by_authority {
        issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let issuer = CertifiedIssuer::self_signed(issuer, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = params().signed_by(&key, &issuer).unwrap().pem();
    (issuer.pem(), Pair { certificate, key: key.serialize_pem() })
}

fn params() -> CertificateParams {
    CertificateParams::new(vec!["cluster.example".to_owned()]).unwrap()
}
