//! The coordinator as a service: what the command line speaks to, in the same process or over the network.

mod archive;
mod core;
mod drivers;
mod enrolment;
mod expected;
mod expiring;
mod forwarding;
mod halts;
mod ids;
mod inventory;
mod journals;
mod leading;
mod look;
mod measuring;
mod notices;
mod open_runs;
mod packages;
mod planning;
mod requests;
mod rollouts;
mod roster;
mod runs;
mod service;
mod takeover;
mod taking_up;
mod verifying;
mod why;

use std::sync::Arc;

use proto::transport::{
    self, Door, Incoming, Security, Timeouts, check_listen, check_own, coordinator_server,
    plain_server_builder,
};
use proto::{Failure, Role, ours};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
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
/// The store cannot be opened, or the certificate is not a coordinator's.
pub async fn embedded(config: Config) -> Result<Channel, Failure> {
    check_own(&config.security, &[Role::Coordinator]).map_err(|error| no_coordinator(&error))?;
    Ok(in_process(Core::open(config).await?.telling_of_own_runs()))
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

/// Hosts a coordinator for others until the stop future ends. Of all that serve from one store one leads: it goes on with
/// runs that were left in the middle of their work, for instance by the one before it.
///
/// # Errors
/// The store cannot be opened, the address cannot be listened on, or the certificates cannot be used.
pub async fn serve(config: Config, stop: impl Future<Output = ()> + Send) -> Result<(), Failure> {
    let address = config.listen.unwrap_or(DEFAULT_LISTEN);
    let (security, advertise, limits) = (config.security.clone(), config.advertise.clone(), config.limits);
    check_listen(address, &security).map_err(|error| unusable(&error))?;
    check_own(&security, &[Role::Coordinator]).map_err(|error| unusable(&error))?;
    if let Security::Tls(tls) = &security
        && let Some(reason) = ours::readable_by_all(&tls.key)
    {
        tracing::warn!(reason, "the private key is no secret; make a new one");
    }
    let metrics = match config.metrics {
        Some(address) => Some(measuring::listen(address).await?),
        None => None,
    };
    let core = Core::open(config).await?;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let remedy = "correct `listen` in ratchet.toml, or stop what listens there";
        Failure::operator("configuration", format!("{address} cannot be listened on"), remedy)
            .because(chain(&error))
    })?;
    let address = listener.local_addr().unwrap_or(address);
    let incoming = transport::incoming_at(listener, &security, Door::Coordinator, limits)
        .map_err(|error| unusable(&error))?;
    tracing::info!(%address, "listening");
    crate::readiness::ready(&address);
    // Nobody reaches an address that means "all of mine".
    let reached = (!address.ip().is_unspecified()).then(|| address.to_string());
    let reached = advertise.or(reached);
    if reached.is_none() {
        tracing::warn!(
            "others cannot be told where this coordinator answers: set `advertise` in ratchet.toml"
        );
    }
    let core = Arc::new(core.serving(reached));
    let _told = metrics.map(|listener| {
        let core = Arc::clone(&core);
        AbortOnDropHandle::new(tokio::spawn(async move { core.tell_metrics(listener).await }))
    });
    serve_on(core, incoming, stop).await
}

/// Serves what arrives at a listener, and leads whenever nobody else does, until the stop future ends.
async fn serve_on(
    core: Arc<Core>,
    incoming: Incoming,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), Failure> {
    let Incoming { clients, agents } = incoming;
    let agents_door = Arc::clone(&core.world.agents);
    let leads: Leads = {
        let core = Arc::clone(&core);
        Arc::new(move || core.leading().is_some())
    };
    let welcoming = AbortOnDropHandle::new(tokio::spawn(welcome_all(Arc::clone(&core), agents, leads)));
    let closing = core.closing.clone();
    let leading = tokio::spawn(Arc::clone(&core).lead_in_turn(closing.clone()));
    let stopped = {
        let closing = closing.clone();
        async move {
            stop.await;
            // Whoever stands by takes over at once, and whoever watches goes on there.
            closing.cancel();
        }
    };
    let served = plain_server_builder(Timeouts::default())
        .add_service(coordinator_server(Service::new(core)))
        .serve_with_incoming_shutdown(clients, stopped)
        .await;
    closing.cancel();
    drop(welcoming);
    // They find the next coordinator.
    agents_door.connected().let_go();
    if let Err(error) = leading.await {
        tracing::error!(%error, "leading was cut off");
    }
    served.map_err(|error| Failure::bug("the coordinator's service failed").because(chain(&error)))
}

fn unusable(error: &transport::TransportError) -> Failure {
    let remedy = "correct `[tls]`, `listen` or `insecure_loopback` in ratchet.toml";
    Failure::operator("configuration", "the coordinator cannot be served", remedy).because(chain(error))
}

/// An embedded coordinator commands agents itself: with a certificate that agents do not obey it can do nothing.
fn no_coordinator(error: &transport::TransportError) -> Failure {
    let remedy = "name a coordinator's certificate in `[tls]`, or ask the coordinator that serves: --coordinator HOST:PORT";
    Failure::operator("configuration", "a coordinator cannot be hosted in this process", remedy)
        .because(chain(error))
}

#[cfg(test)]
mod tests;
