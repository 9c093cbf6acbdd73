//! Where an agent belongs that connects by itself. Pure.

use std::collections::BTreeMap;

use globset::{Glob, GlobSet, GlobSetBuilder};
use proto::{AgentName, ClusterName};

use crate::config::ClusterConfig;

/// Where an agent belongs, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum Place {
    /// `agents` of a cluster names it.
    Named(ClusterName),
    /// An operator has put it there.
    Assigned(ClusterName),
    /// `connecting` of one cluster fits its name.
    Ruled(ClusterName),
    /// An operator has taken it out.
    TakenOut,
    /// `connecting` of several clusters fits its name.
    Contested(Vec<ClusterName>),
    /// Nobody says anything.
    Nowhere,
}

impl Place {
    /// The cluster it belongs to.
    pub(in crate::server) fn cluster(&self) -> Option<&ClusterName> {
        match self {
            Self::Named(cluster) | Self::Assigned(cluster) | Self::Ruled(cluster) => Some(cluster),
            Self::TakenOut | Self::Contested(_) | Self::Nowhere => None,
        }
    }

    /// Who says so, or why it belongs nowhere; part of a sentence.
    pub(in crate::server) fn reason(&self) -> String {
        match self {
            Self::Named(_) => "`agents` in ratchet.toml names it".to_owned(),
            Self::Assigned(_) => "an operator has put it there".to_owned(),
            Self::Ruled(_) => "`connecting` in ratchet.toml fits its name".to_owned(),
            Self::TakenOut => "an operator has taken it out".to_owned(),
            Self::Contested(clusters) => {
                let clusters: Vec<&str> = clusters.iter().map(ClusterName::as_str).collect();
                format!("`connecting` of several clusters fits its name: {}", clusters.join(", "))
            }
            Self::Nowhere => "no `connecting` in ratchet.toml fits its name".to_owned(),
        }
    }
}

/// What the configuration says about agents that connect.
#[derive(Debug)]
pub(in crate::server) struct Rules {
    clusters: Vec<ClusterName>,
    named: BTreeMap<AgentName, ClusterName>,
    patterns: GlobSet,
    /// Whose each pattern is.
    owners: Vec<ClusterName>,
}

impl Rules {
    /// Those of a configuration.
    ///
    /// # Errors
    /// A pattern that the configuration's reader should have refused.
    pub(super) fn of(clusters: &[ClusterConfig]) -> Result<Self, globset::Error> {
        let (mut patterns, mut owners, mut named) = (GlobSetBuilder::new(), Vec::new(), BTreeMap::new());
        for cluster in clusters {
            for pattern in &cluster.connecting {
                patterns.add(Glob::new(pattern)?);
                owners.push(cluster.name.clone());
            }
            let names = cluster.agents.iter().filter_map(|agent| agent.strip_prefix('@')?.parse().ok());
            named.extend(names.map(|name| (name, cluster.name.clone())));
        }
        let clusters = clusters.iter().map(|cluster| cluster.name.clone()).collect();
        Ok(Self { clusters, named, patterns: patterns.build()?, owners })
    }

    /// Where an agent belongs: by the file's very words, else by an operator's (`assigned`, to a cluster or to none),
    /// else by a rule. A cluster that is not configured any more is none.
    pub(super) fn place(&self, name: &AgentName, assigned: Option<&Option<ClusterName>>) -> Place {
        if let Some(cluster) = self.named.get(name) {
            return Place::Named(cluster.clone());
        }
        match assigned {
            Some(None) => return Place::TakenOut,
            Some(Some(cluster)) if self.clusters.contains(cluster) => {
                return Place::Assigned(cluster.clone());
            }
            Some(Some(_)) => return Place::Nowhere,
            None => {}
        }
        let mut owners: Vec<ClusterName> =
            self.patterns.matches(name.as_str()).into_iter().map(|at| self.owners[at].clone()).collect();
        owners.sort();
        owners.dedup();
        match owners.len() {
            0 => Place::Nowhere,
            1 => Place::Ruled(owners.remove(0)),
            _ => Place::Contested(owners),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(name: &str, agents: &[&str], connecting: &[&str]) -> ClusterConfig {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        ClusterConfig {
            name: name.parse().unwrap(),
            agents: owned(agents),
            labels: BTreeMap::new(),
            connecting: owned(connecting),
        }
    }

    #[test]
    fn the_files_words_beat_an_operators_and_those_beat_rules() {
        let rules = Rules::of(&[
            cluster("orders", &["@special", "10.0.0.1:7443"], &["orders-*", "o?"]),
            cluster("carts", &[], &["carts-*", "*-shared"]),
        ])
        .unwrap();
        let name = |text: &str| text.parse::<ClusterName>().unwrap();
        let (orders, carts) = (name("orders"), name("carts"));
        let gone = Some(name("gone"));
        for (agent, assigned, expected) in [
            ("special", None, Place::Named(orders.clone())),
            ("special", Some(&Some(carts.clone())), Place::Named(orders.clone())),
            ("orders-1", None, Place::Ruled(orders.clone())),
            ("o1", None, Place::Ruled(orders.clone())),
            ("orders-1", Some(&Some(carts.clone())), Place::Assigned(carts.clone())),
            ("orders-1", Some(&None), Place::TakenOut),
            ("orders-1", Some(&gone), Place::Nowhere),
            ("orders-shared", None, Place::Contested(vec![carts.clone(), orders.clone()])),
            ("orders-shared", Some(&Some(orders.clone())), Place::Assigned(orders.clone())),
            ("stray", None, Place::Nowhere),
            ("Orders-1", None, Place::Nowhere),
        ] {
            assert_eq!(rules.place(&agent.parse().unwrap(), assigned), expected, "{agent} {assigned:?}");
        }
    }
}
