//! How an agent reaches its coordinator by itself: it dials, says who it is, and then serves on that connection.

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::Security;
use super::address::{Address, TransportError};
use super::connection::{Connection, Stream};
use super::keyring::Keyring;
use super::peer::{Peer, Who};
use super::preface::{self, Hello, Unwelcome};
use super::reach::{self, Goal};
use crate::Role;

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
    match security {
        Security::InsecureLoopback => {
            let tcp = reach::connect(address).await.map_err(OfferError::Unreachable)?;
            let peer = Peer::new(Who::Local, tcp.peer_addr().ok(), 0);
            Ok(Connection::new(Stream::Plain(tcp), peer))
        }
        Security::Tls(tls) => {
            let keyring = Keyring::of(tls)?;
            keyring.fit(&[Role::Agent])?;
            let goal = Goal::new(address.clone(), keyring, Role::Coordinator)?;
            goal.reach().await.map_err(OfferError::Unreachable)
        }
    }
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
