//! How an agent reaches its coordinator by itself: it dials, says who it is, and then serves on that connection.

use std::io;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::{Address, TransportError};
use super::connection::{Connection, Stream};
use super::preface::{self, Hello, Unwelcome};
use super::{Security, Tls};

/// Why a coordinator did not take an agent's connection.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// It cannot be dialled as the configuration is.
    #[error("it cannot be dialled")]
    Transport(#[from] TransportError),
    /// Nobody answered, or not in time, or nothing that could be understood.
    #[error("it does not answer")]
    Unreachable(#[source] io::Error),
    /// It sent the agent away.
    #[error("{}", .0.failure)]
    Refused(Box<Unwelcome>),
}

/// Whether an address can be dialled with such a security, without trying.
///
/// # Errors
/// An address that is none, or a plain connection that would leave the machine.
pub fn check_dial(address: &str, security: &Security) -> Result<(), TransportError> {
    let parsed = Address::parse(address)?;
    match security {
        Security::InsecureLoopback if !parsed.is_loopback() => {
            Err(TransportError::PlainAddress(address.to_owned()))
        }
        Security::InsecureLoopback | Security::Tls(_) => Ok(()),
    }
}

/// Offers an agent to the coordinator at `HOST:PORT`: dials it, says who the agent is, and gives the connection to serve
/// on when it is let in. Certificate files are read here.
///
/// # Errors
/// [`OfferError`]; also when all of it takes longer than `limit`.
pub async fn offer(
    address: &str,
    security: &Security,
    hello: &Hello,
    limit: Duration,
) -> Result<Connection, OfferError> {
    check_dial(address, security)?;
    let parsed = Address::parse(address)?;
    let late = || OfferError::Unreachable(io::ErrorKind::TimedOut.into());
    let offered = async {
        let mut connection = connect(&parsed, security).await?;
        introduce(&mut connection, hello).await?;
        Ok(connection)
    };
    tokio::time::timeout(limit, offered).await.unwrap_or_else(|_| Err(late()))
}

async fn connect(address: &Address, security: &Security) -> Result<Connection, OfferError> {
    let connector = match security {
        Security::InsecureLoopback => None,
        Security::Tls(tls) => Some(connector(tls, address)?),
    };
    let tcp = TcpStream::connect((address.host.as_str(), address.port)).await;
    let tcp = tcp.map_err(OfferError::Unreachable)?;
    tcp.set_nodelay(true).map_err(OfferError::Unreachable)?;
    let stream = match connector {
        None => Stream::Plain(tcp),
        Some((connector, name)) => {
            let tls = connector.connect(name, tcp).await.map_err(OfferError::Unreachable)?;
            Stream::Tls(Box::new(tls.into()))
        }
    };
    Ok(Connection::new(stream))
}

fn connector(tls: &Tls, address: &Address) -> Result<(TlsConnector, ServerName<'static>), TransportError> {
    let config = tls.read().map_err(TransportError::from)?.connecting(tls)?;
    let name = ServerName::try_from(address.host.clone()).map_err(|_| TransportError::Address {
        address: address.authority(),
        reason: "its host cannot be in a certificate",
    })?;
    Ok((TlsConnector::from(config), name))
}

async fn introduce(connection: &mut Connection, hello: &Hello) -> Result<(), OfferError> {
    let said = async {
        connection.write_all(&hello.text()?).await?;
        connection.flush().await?;
        let (line, rest) = preface::line(connection, Vec::new()).await?;
        // The coordinator may begin with HTTP/2 right behind its answer.
        connection.put_back(&rest);
        preface::answer(&line)
    };
    said.await.map_err(OfferError::Unreachable)?.map_err(|refused| OfferError::Refused(Box::new(refused)))
}
