//! Clusters that replicate with each other are never in flight together, whoever starts a run.

use std::collections::{BTreeMap, BTreeSet};

use proto::{ClusterName, Failure, RunId};

use crate::rollout::{PartnerSight, Partners, partners};
use crate::server::Core;

impl Core {
    /// Refuses a run of a cluster while one of a cluster that replicates with it, or that a rollout's file names as its
    /// partner, is not over.
    ///
    /// # Errors
    /// There is one, or it cannot be told whether there is.
    pub(in crate::server) async fn no_partner_in_flight(
        &self,
        cluster: &ClusterName,
        own: &PartnerSight,
    ) -> Result<(), Failure> {
        let mut in_flight = {
            let mut runs = self.rollouts.runs.lock().await;
            runs.refresh(self.store()).await?;
            runs.in_flight()
        };
        in_flight.remove(cluster);
        if in_flight.is_empty() {
            return Ok(());
        }
        let mut sights = self.sights_of(&in_flight).await;
        sights.insert(cluster.clone(), own.clone());
        let named = self.partners_named().await?;
        // Somebody who starts a run by hand knows more than agents that cannot tell: only what is told, or named, refuses it.
        let partners = partners(Some(&named), &sights);
        let partner = in_flight.iter().find(|(other, _)| together(&partners, cluster, other));
        partner.map_or(Ok(()), |(other, run)| Err(refused(cluster, other, run)))
    }

    /// The groups that the files of rollouts name, as long as those are not over.
    async fn partners_named(&self) -> Result<Vec<BTreeSet<ClusterName>>, Failure> {
        let specs = self.rollouts.books.lock().await.specs(self.store()).await?;
        Ok(specs.iter().flat_map(|spec| spec.partners.iter().flatten()).cloned().collect())
    }

    /// With whom these clusters replicate. Those that nobody has seen yet are looked at now.
    async fn sights_of(
        &self,
        in_flight: &BTreeMap<ClusterName, RunId>,
    ) -> BTreeMap<ClusterName, PartnerSight> {
        let mut sights = BTreeMap::new();
        for name in in_flight.keys() {
            let configured = self.config.clusters.iter().find(|configured| configured.name == *name);
            let sight = match (self.sighting(name), configured) {
                (Some(sighting), _) => sighting.partners,
                (None, Some(configured)) => self.look_at_partners(configured).await,
                (None, None) => {
                    let unclear = Some("it is not in the configuration any more".to_owned());
                    PartnerSight { unclear, ..PartnerSight::default() }
                }
            };
            sights.insert(name.clone(), sight);
        }
        sights
    }
}

/// Whether two clusters must not be in flight together.
pub(super) fn together(partners: &Partners, one: &ClusterName, other: &ClusterName) -> bool {
    let unclear = |name: &ClusterName| partners.unclear.contains(name);
    partners.pairs.contains(&(one.clone(), other.clone())) || (unclear(one) && unclear(other))
}

fn refused(cluster: &ClusterName, other: &ClusterName, run: &RunId) -> Failure {
    let message = format!(
        "{cluster} replicates with {other}, or a rollout's file says so, or it cannot be told that it does not"
    );
    let remedy = format!("ratchet watch {run}   # and start this one when that is over");
    Failure::operator("partner-in-flight", message, remedy)
        .because(format!("run {run} of {other} is not over; partners are upgraded one after the other"))
}
