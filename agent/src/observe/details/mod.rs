//! Facts that are looked up only when they are asked for by name; one file for each source.

mod blocking;
mod certificates;
mod clock;
mod cluster_info;
mod database_info;
mod kernel;
mod links;
mod listeners;
mod modules;
mod node_info;
mod once;
mod orchestrator;
mod os_release;
mod packaging;
mod processes;
mod rest;
mod security_agents;
mod services;
#[cfg(test)]
mod tool_tests;
mod user;

use futures::future::join_all;
use proto::{ClusterView, Details, Fact, FactValue, NodeUid, Probe};

pub(super) use certificates::certificates_in;
pub(super) use once::Once;
pub(super) use packaging::{changed, names_one};
pub(super) use rest::read_document;

use crate::host::Product;
use crate::rest::Session;

/// What a fact may be looked up with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    /// The product.
    pub(super) product: &'a Product,
    /// Which node this is, where it is known.
    pub(super) node: Option<NodeUid>,
    /// The cluster as this node sees it, where it does.
    pub(super) view: Option<&'a ClusterView>,
    /// The product's REST API, where the operator gave a credential for it.
    pub(super) rest: Option<&'a Session<'a>>,
}

/// Looks all of them up at once. What cannot be had says why in its place.
pub(super) async fn details(look: &Look<'_>, once: &Once, asked: &[Fact]) -> Details {
    let answers = asked.iter().map(|fact| async { (*fact, answer(*fact, look, once).await) });
    Details(join_all(answers).await.into_iter().collect())
}

async fn answer(fact: Fact, look: &Look<'_>, once: &Once) -> Probe<FactValue> {
    match fact {
        Fact::Certificates => certificates::certificates(look).await,
        Fact::TimeSynchronised => clock::time_synchronised(look).await,
        Fact::ClusterInfo => cluster_info::cluster_info(look, once).await,
        Fact::DatabaseInfo => database_info::database_info(look).await,
        Fact::Fips => kernel::fips(look).await,
        Fact::CircularLinks => links::circular_links(look).await,
        Fact::Listeners => listeners::listeners(look).await,
        Fact::Modules => modules::modules(look, once).await,
        Fact::DatabaseModules => modules::database_modules(look, once).await,
        Fact::NodeInfo => node_info::node_info(look).await,
        Fact::Orchestrator => orchestrator::orchestrator(look).await,
        Fact::OsRelease => os_release::os_release(look).await,
        Fact::Repositories => packaging::repositories(look).await,
        Fact::LogrotateChanged => packaging::logrotate_changed(look).await,
        Fact::Cluster => rest::cluster(look).await,
        Fact::ClusterPolicy => rest::cluster_policy(look).await,
        Fact::Ldap => rest::ldap(look).await,
        Fact::Licence => rest::licence(look).await,
        Fact::Databases => rest::databases(look).await,
        Fact::ActiveActive => rest::active_active(look).await,
        Fact::Alerts => rest::alerts(look).await,
        Fact::Actions => rest::actions(look).await,
        Fact::HealthReport => rest::health_report(look).await,
        Fact::SecurityAgents => security_agents::security_agents(look).await,
        Fact::Services => services::services(look).await,
        Fact::EffectiveUser => user::effective_user(look).await,
        Fact::Root => user::root(look).await,
        Fact::Umask => user::umask(look).await,
    }
}
