//! The coordinator as a service: what the command line speaks to, in the same process or over the network.

mod archive;
mod core;
mod drivers;
mod expected;
mod ids;
mod journals;
mod look;
mod packages;
mod planning;
mod requests;
mod roster;
mod runs;
mod service;
mod takeover;
mod why;

use std::sync::Arc;

use proto::Failure;
use proto::transport::{self, Incoming, Timeouts, check_listen, coordinator_server, plain_server_builder};
use tokio::net::TcpListener;
use tonic::transport::Channel;

pub use self::core::Core;
use crate::config::{Config, DEFAULT_LISTEN};
use crate::failures::chain;
use roster::{Leads, welcome_all};
use service::Service;

/// Hosts a coordinator inside this process and gives the channel to it. Runs that it drives end with the process, and
/// can be resumed.
///
/// # Errors
/// The store cannot be opened.
pub async fn embedded(config: Config) -> Result<Channel, Failure> {
    Ok(in_process(Core::open(config).await?))
}

/// Serves a coordinator at the other end of a channel in this process. Needs a tokio runtime.
pub fn in_process(core: Core) -> Channel {
    let (channel, incoming) = transport::in_process();
    let server = tonic::transport::Server::builder()
        .add_service(coordinator_server(Service::new(Arc::new(core))))
        .serve_with_incoming(incoming);
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(error = chain(&error), "the embedded coordinator stopped");
        }
    });
    channel
}

/// Hosts a coordinator for others until the stop future ends. Runs that were left in the middle of their work, for
/// instance by the one before it, go on first.
///
/// # Errors
/// The store cannot be opened, the address cannot be listened on, or the certificates cannot be used.
pub async fn serve(config: Config, stop: impl Future<Output = ()> + Send) -> Result<(), Failure> {
    let address = config.listen.unwrap_or(DEFAULT_LISTEN);
    let security = config.security.clone();
    check_listen(address, &security).map_err(|error| unusable(&error))?;
    let core = Arc::new(Core::open(config).await?);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let remedy = "correct `listen` in ratchet.toml, or stop what listens there";
        Failure::operator("configuration", format!("{address} cannot be listened on"), remedy)
            .because(chain(&error))
    })?;
    let address = listener.local_addr().unwrap_or(address);
    let Incoming { clients, agents } =
        transport::incoming(listener, &security).map_err(|error| unusable(&error))?;
    tracing::info!(%address, "listening");
    let agents_door = Arc::clone(&core.world.agents);
    let leads: Leads = Arc::new(|| true);
    let welcoming = tokio::spawn(welcome_all(Arc::clone(&core), agents, leads));
    core.go_on_with_interrupted().await;
    crate::readiness::ready(&address);
    let served = plain_server_builder(Timeouts::default())
        .add_service(coordinator_server(Service::new(core)))
        .serve_with_incoming_shutdown(clients, stop)
        .await;
    welcoming.abort();
    // They find the next coordinator.
    agents_door.connected().let_go();
    served.map_err(|error| Failure::bug("the coordinator's service failed").because(chain(&error)))
}

fn unusable(error: &transport::TransportError) -> Failure {
    let remedy = "correct `[tls]`, `listen` or `insecure_loopback` in ratchet.toml";
    Failure::operator("configuration", "the coordinator cannot be served", remedy).because(chain(error))
}

#[cfg(test)]
mod tests;
