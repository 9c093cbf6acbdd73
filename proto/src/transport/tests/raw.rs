//! Somebody who keeps none of the rules: any certificate, any version, any call.

use std::fs;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::server::NamedService;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Request, Status};

use super::super::configs::{ALPN, provider};
use super::super::gate::Gate;
use super::super::incoming::{Opening, open};
use super::super::keyring::Keyring;
use crate::transport::{Door, Limits, Timeouts, Tls, plain_server_builder};
use crate::{Caller, Failure};

/// Whoever gets through the gate to any call is answered with this and their name.
const REACHED: &str = "reached as ";

/// Every call of one service.
#[derive(Clone)]
pub(super) struct Echo<const COORDINATOR: bool>;

impl<const COORDINATOR: bool> NamedService for Echo<COORDINATOR> {
    const NAME: &'static str = if COORDINATOR { "ratchet.v1.Coordinator" } else { "ratchet.v1.Agent" };
}

impl<const COORDINATOR: bool> tower::Service<http::Request<Body>> for Echo<COORDINATOR> {
    type Response = http::Response<Body>;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let caller = request.extensions().get::<Caller>().expect("nobody passes without a caller");
        std::future::ready(Ok(Status::data_loss(format!("{REACHED}{caller}")).into_http()))
    }
}

/// Serves every call of a door's service on a free port.
pub(super) async fn serve_all(keyring: Option<Arc<Keyring>>, door: Door, limits: Limits) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let incoming = open(listener, keyring, Opening::of(door, limits)).unwrap();
    let mut server = plain_server_builder(Timeouts::default());
    let router = match door {
        Door::Agent => server.add_service(Gate::before(Echo::<false>)),
        Door::Coordinator => server.add_service(Gate::before(Echo::<true>)),
    };
    tokio::spawn(router.serve_with_incoming(incoming.clients));
    port
}

/// A client's TLS with any versions; without `own`, it shows no certificate.
pub(super) fn config(
    trusted: &Tls,
    own: Option<&Tls>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&trusted.ca).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let pem = fs::read(&own.cert).unwrap();
            let chain = CertificateDer::pem_slice_iter(&pem).map(Result::unwrap).collect();
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(&own.key).unwrap()).unwrap()
        }
    };
    config.alpn_protocols.push(ALPN.into());
    Arc::new(config)
}

/// A channel to a port of this machine that is `localhost` by its certificate.
pub(super) fn channel(port: u16, config: Arc<ClientConfig>) -> Channel {
    let connector = tower::service_fn(move |_: Uri| {
        let connector = TlsConnector::from(Arc::clone(&config));
        async move {
            let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
            let name = ServerName::try_from("localhost").unwrap();
            connector.connect(name, tcp).await.map(TokioIo::new)
        }
    });
    Endpoint::from_static("http://localhost").connect_with_connector_lazy(connector)
}

/// A client with TLS 1.3.
pub(super) fn client(port: u16, trusted: &Tls, own: Option<&Tls>) -> Channel {
    channel(port, config(trusted, own, &[&rustls::version::TLS13]))
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It came through, under this name.
    Reached(String),
    /// The gate refused it, with this failure's id.
    Denied(String),
    /// There was no connection.
    Cut,
}

/// Makes an empty call of that path.
pub(super) async fn call(channel: Channel, path: &str) -> Fate {
    fate(called(channel, path, MetadataMap::new()).await)
}

/// The same with metadata; the status of it.
pub(super) async fn called(channel: Channel, path: &str, metadata: MetadataMap) -> Status {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let mut request = Request::new(());
    *request.metadata_mut() = metadata;
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    client.unary(request, path.parse().unwrap(), codec).await.expect_err("nothing answers well")
}

pub(super) fn fate(status: Status) -> Fate {
    match status.code() {
        Code::DataLoss => {
            Fate::Reached(status.message().strip_prefix(REACHED).unwrap_or_default().to_owned())
        }
        Code::Unavailable | Code::Cancelled | Code::Unknown | Code::Internal => Fate::Cut,
        _ => Fate::Denied(failure(status).id),
    }
}

pub(super) fn failure(status: Status) -> Failure {
    crate::wire::failure_of(status)
}
