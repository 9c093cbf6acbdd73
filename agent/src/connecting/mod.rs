//! An agent that no port can be opened for: it dials its coordinator, and serves over that connection what it serves on
//! its own listener. It never gives up.

mod backoff;
mod route;
mod told;

use std::time::Duration;

use proto::transport::{Hello, OfferError, Security, offer, own_identity};
use proto::{AgentName, InvalidName};
use tokio::time::Instant;

use crate::config::Config;
use crate::executor::Executor;
use crate::failures::chain;
use crate::rpc;
use backoff::Backoff;
use route::Route;
use told::Told;

/// For a coordinator to take the connection. In a storm of agents most of it is waiting for one's turn.
const OFFER: Duration = Duration::from_secs(20);
/// A connection that lived as long was a good one: the next loss is news, and the pauses begin anew.
const GOOD: Duration = Duration::from_secs(60);

/// Where an agent dials, and as whom.
#[derive(Debug)]
pub struct Connecting {
    route: Route,
    security: Security,
    hello: Hello,
}

impl Connecting {
    /// What a configuration asks for; `None` if the agent is dialled only.
    ///
    /// # Errors
    /// No name was given, and neither a certificate nor the machine's host name has one that can be its name.
    pub fn of(config: &Config, executor: &Executor) -> Result<Option<Self>, InvalidName> {
        if config.connect.is_empty() {
            return Ok(None);
        }
        let name = match &config.name {
            Some(name) => name.clone(),
            // The only name under which a coordinator believes it.
            None => match own_identity(&config.security) {
                Some(own) => own.name.as_str().parse()?,
                None => host_name()?,
            },
        };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let hello = Hello { name, memory: executor.memory().clone(), version };
        let route = Route::through(config.connect.clone());
        Ok(Some(Self { route, security: config.security.clone(), hello }))
    }

    /// Stays connected until the executor is stopping.
    pub async fn stay(mut self, executor: Executor) {
        let stopping = executor.stopping();
        let (mut backoff, mut told) = (Backoff::default(), Told::default());
        while !stopping.is_cancelled() {
            let offered = self.offer(&mut told);
            let Some(connection) = stopping.run_until_cancelled(offered).await else { return };
            if let Some(connection) = connection {
                let began = Instant::now();
                if let Err(error) = rpc::serve_connection(connection, executor.clone()).await {
                    tracing::error!(error = chain(&error), "the coordinator's connection cannot be served");
                }
                told.lost(self.route.current());
                if began.elapsed() >= GOOD {
                    backoff = Backoff::default();
                }
            }
            let pause = backoff.pause(rand::random());
            stopping.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    /// One try at the address whose turn it is.
    async fn offer(&mut self, told: &mut Told) -> Option<proto::transport::Connection> {
        let address = self.route.current().to_owned();
        match offer(&address, &self.security, &self.hello, OFFER).await {
            Ok(connection) => {
                told.connected(&address, &self.hello.name);
                Some(connection)
            }
            Err(error) => {
                told.not_connected(&address, &error);
                match error {
                    OfferError::Refused(why) => self.route.sent_on(why.leader.as_deref()),
                    OfferError::Transport(_) | OfferError::Unreachable(_) => self.route.failed(),
                }
                None
            }
        }
    }
}

fn host_name() -> Result<AgentName, InvalidName> {
    rustix::system::uname().nodename().to_string_lossy().parse()
}
