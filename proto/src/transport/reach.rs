//! Reaching somebody with TLS: nothing is said to them before they are known to be who they should be.

use std::io;
use std::sync::Arc;

use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::{Address, TransportError};
use super::connection::{Connection, End, Stream};
use super::holder::{Holder, holder};
use super::keyring::{Keyring, Loaded};
use super::limits::Limits;
use super::live::{How, Met, Registered};
use super::peer::{Known, Peer, Who};
use super::words;
use crate::Role;

/// Whom to reach, and with what.
#[derive(Clone, Debug)]
pub(super) struct Goal {
    pub(super) address: Address,
    pub(super) name: ServerName<'static>,
    pub(super) keyring: Arc<Keyring>,
    /// What they must be.
    pub(super) whom: Role,
}

impl Goal {
    pub(super) fn new(address: Address, keyring: Arc<Keyring>, whom: Role) -> Result<Self, TransportError> {
        let name = server_name(&address)?;
        Ok(Self { address, name, keyring, whom })
    }

    /// A connection to them, and to nobody else.
    pub(super) async fn reach(&self) -> io::Result<Connection> {
        // Not what was read when the way was set up: certificates are renewed meanwhile.
        let loaded = self.keyring.fresh();
        if let Some(mistake) = self.keyring.expired(&loaded) {
            return Err(io::Error::other(mistake.to_string()));
        }
        let tcp = connect(&self.address).await?;
        let address = tcp.peer_addr().ok();
        let connector = TlsConnector::from(Arc::clone(&loaded.configs.client));
        let tls = connector.connect(self.name.clone(), tcp).await;
        let tls = tls.map_err(|error| words::told(error, &self.keyring))?;
        let chain = chain(tls.get_ref().1.peer_certificates());
        let holder = self.believed(&chain, &loaded)?;
        let how = How::Dialled(self.address.authority(), self.name.clone());
        let registered = self.keyring.register(Met { holder: holder.clone(), chain, how }, &loaded);
        let who = known(holder, &loaded, &self.keyring, &registered);
        // Where the other side asks over this connection, this side is an agent.
        let peer = Peer::new(Who::Known(who), address, Limits::AGENT.requests_per_second);
        let connection = Connection::new(Stream::Tls(Box::new(tls.into())), peer);
        Ok(connection.until(cut(registered, ())).with_words(Arc::clone(&self.keyring)))
    }

    /// Whoever they are, they must be of this fleet, and what was expected.
    fn believed(&self, chain: &[CertificateDer<'_>], loaded: &Loaded) -> io::Result<Holder> {
        let place = self.address.authority();
        let refused = |why: String| {
            let text = format!("the certificate of {place} is not one to believe: {why}");
            io::Error::new(io::ErrorKind::PermissionDenied, text)
        };
        let holder = holder(chain, &self.keyring.tls.names).map_err(|error| refused(error.to_string()))?;
        let (theirs, own) = (&holder.identity, &loaded.own.identity);
        if theirs.fleet != own.fleet {
            return Err(refused(format!(
                "it is that of {theirs}, and this side is of the fleet {}",
                own.fleet
            )));
        }
        if theirs.role != self.whom {
            return Err(refused(format!(
                "it is that of {theirs}, and the role expected there is {}",
                self.whom
            )));
        }
        Ok(holder)
    }
}

/// The name that the certificate at an address must have.
pub(super) fn server_name(address: &Address) -> Result<ServerName<'static>, TransportError> {
    ServerName::try_from(address.host.clone()).map_err(|_| TransportError::Address {
        address: address.authority(),
        reason: "its host cannot be in a certificate",
    })
}

pub(super) async fn connect(address: &Address) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect((address.host.as_str(), address.port)).await?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

/// What was shown in a handshake, to be kept.
pub(super) fn chain(shown: Option<&[CertificateDer<'_>]>) -> Vec<CertificateDer<'static>> {
    shown.unwrap_or_default().iter().map(|certificate| certificate.clone().into_owned()).collect()
}

pub(super) fn known(holder: Holder, loaded: &Loaded, keyring: &Keyring, registered: &Registered) -> Known {
    Known {
        holder,
        own: loaded.own.identity.fleet.clone(),
        standing: Arc::clone(&registered.standing),
        clock: keyring.clock.clone(),
    }
}

/// The end of a connection whose certificate does not count any more. `held` is kept for as long as the connection.
pub(super) fn cut<T: Send + Sync + 'static>(mut registered: Registered, held: T) -> End {
    Box::pin(async move {
        let _held = held;
        let cut = match registered.cut.take() {
            Some(cut) => cut.await.ok(),
            None => None,
        };
        match cut {
            Some(cut) => cut.to_string(),
            // Nobody looks after it any more.
            None => std::future::pending().await,
        }
    })
}
