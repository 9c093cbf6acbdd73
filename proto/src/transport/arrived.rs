//! An agent that has dialled, as the coordinator holds it: the roles turn, and the coordinator asks.

use std::io;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tonic::transport::{Channel, Endpoint, Uri};

use super::connection::{Connection, Gone};
use super::peer::Who;
use super::preface::{Hello, Unwelcome, WELCOME};
use super::{Timeouts, dial, gate};
use crate::{AgentName, Failure, Role};

/// How long an agent may take to read one line.
const PATIENCE: Duration = Duration::from_secs(10);
/// Requests that may wait for one agent's connection.
const WAITING: usize = 32;

/// An agent that has said who it is, and waits for an answer.
#[derive(Debug)]
pub struct Arrived {
    /// Who it is.
    pub hello: Hello,
    pub(super) connection: Connection,
}

impl Arrived {
    /// Where it comes from.
    pub fn peer(&self) -> Option<std::net::SocketAddr> {
        self.connection.peer()
    }

    /// Whether its certificate says what it says: an agent of this fleet, under this very name. A coordinator believes an
    /// agent only for its own node.
    ///
    /// # Errors
    /// It is somebody else, or has no certificate.
    pub fn is_who_it_says(&self) -> Result<(), Failure> {
        let named = &self.hello.name;
        match self.connection.who().who() {
            Who::Local => Ok(()),
            Who::Known(known) => {
                let identity = &known.holder.identity;
                if let Some(cut) = known.cut() {
                    return Err(gate::outdated(identity, &cut));
                }
                let is_agent = identity.role == Role::Agent && identity.fleet == known.own;
                match is_agent && identity.name.as_str() == named.as_str() {
                    true => Ok(()),
                    false => Err(not_its_name(named, &format!("its certificate is that of {identity}"))),
                }
            }
            Who::Anonymous => Err(not_its_name(named, "it shows no certificate")),
            Who::Stranger(why) => Err(not_its_name(named, why)),
        }
    }

    /// Lets it in: from now on it answers at the other end of the channel, until the connection is gone. Nothing ever
    /// dials again through this channel.
    ///
    /// # Errors
    /// The agent is gone.
    pub async fn welcome(mut self, timeouts: Timeouts) -> io::Result<(Channel, Gone)> {
        within(self.connection.write_all(WELCOME)).await?;
        within(self.connection.flush()).await?;
        let gone = self.connection.gone();
        let only = Mutex::new(Some(self.connection));
        let connector = tower::service_fn(move |_: Uri| {
            let connection = only.lock().unwrap_or_else(PoisonError::into_inner).take();
            let lost = || io::Error::new(io::ErrorKind::NotConnected, "the agent's connection is gone");
            std::future::ready(connection.map(TokioIo::new).ok_or_else(lost))
        });
        let endpoint =
            dial::with_limits(Endpoint::from_static("http://agent"), timeouts).buffer_size(WAITING);
        // At once, and not when it is first used: the pings that notice a lost agent come with HTTP/2.
        let channel = endpoint.connect_with_connector(connector).await.map_err(io::Error::other)?;
        Ok((channel, gone))
    }

    /// Sends it away, and says why.
    ///
    /// # Errors
    /// The agent is gone.
    pub async fn refuse(mut self, why: &Unwelcome) -> io::Result<()> {
        within(self.connection.write_all(&why.text()?)).await?;
        within(self.connection.shutdown()).await
    }
}

fn not_its_name(named: &AgentName, why: &str) -> Failure {
    let message = format!("the agent that calls itself {named} has no certificate for this name");
    let remedy = format!(
        "set `name` in its agent.toml to the name in its certificate, or have one issued: ratchet pki issue agent {named}"
    );
    Failure::operator("wrong-name", message, remedy).because(why)
}

async fn within<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
