//! Which certificates expire soon: this coordinator's, its authority's, and those of the agents it is connected with.

use proto::Role;
use proto::transport::{PeerExpiry, Security, peer_expiries};

use super::Core;
use crate::documents::expiring;

impl Core {
    /// In sentences; nothing where connections are plain.
    pub(super) async fn expiring(&self) -> Vec<String> {
        let Security::Tls(tls) = self.config.security.clone() else { return Vec::new() };
        let now = self.now();
        let files = [("cert", tls.cert.clone()), ("ca", tls.ca.clone())];
        let Ok(told) = tokio::task::spawn_blocking(move || tls.expiries()).await else { return Vec::new() };
        let own = files.into_iter().filter_map(|(key, file)| {
            let until = told.iter().find(|(name, _)| *name == key)?.1.as_ref().ok()?;
            expiring(&format!("the coordinator's `[tls] {key}`, {},", file.display()), *until, now)
        });
        let agents = peer_expiries(&self.config.security).into_iter();
        let agents = agents.filter(|peer| peer.identity.role == Role::Agent).filter_map(|peer| {
            let PeerExpiry { reached, identity, until } = peer;
            expiring(&format!("the certificate of agent {reached} ({identity})"), until, now)
        });
        let mut all: Vec<String> = own.chain(agents).collect();
        // Over two connections somebody is met twice.
        all.dedup();
        all
    }
}
