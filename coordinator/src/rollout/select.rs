//! Which clusters of the fleet are in which wave.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobMatcher;
use proto::ClusterName;

use super::{Selector, Spec};

/// A cluster of the fleet, as the configuration names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetCluster {
    /// Its name.
    pub name: ClusterName,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// What a rollout's file selects from the fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The clusters of each wave, by name.
    pub waves: Vec<Vec<ClusterName>>,
    /// Selectors that match nothing, as people are told.
    pub idle: Vec<String>,
    /// Clusters that no wave names: they are not touched.
    pub unselected: Vec<ClusterName>,
}

/// What the file selects from the fleet. A cluster is in the first wave that names it, and only there.
pub fn select(spec: &Spec, fleet: &[FleetCluster]) -> Selection {
    let mut left: BTreeMap<&ClusterName, &FleetCluster> =
        fleet.iter().map(|cluster| (&cluster.name, cluster)).collect();
    let mut selection = Selection::default();
    for wave in &spec.waves {
        let mut chosen: BTreeSet<ClusterName> = BTreeSet::new();
        for selector in &wave.clusters {
            let choose = Matcher::of(selector);
            if !fleet.iter().any(|cluster| choose.chooses(cluster)) {
                selection.idle.push(format!("wave {}: {}", wave.name, idle(selector)));
                continue;
            }
            chosen.extend(
                left.values().filter(|cluster| choose.chooses(cluster)).map(|cluster| cluster.name.clone()),
            );
        }
        left.retain(|name, _| !chosen.contains(*name));
        selection.waves.push(chosen.into_iter().collect());
    }
    selection.unselected = left.into_keys().cloned().collect();
    selection
}

/// A selector, made ready once for the whole fleet.
enum Matcher<'a> {
    Name(&'a ClusterName),
    /// `None` if the pattern is none: it chooses nothing.
    Glob(Option<GlobMatcher>),
    Labels(&'a BTreeMap<String, String>),
}

impl<'a> Matcher<'a> {
    fn of(selector: &'a Selector) -> Self {
        match selector {
            Selector::Name(name) => Self::Name(name),
            Selector::Glob(pattern) => {
                Self::Glob(globset::Glob::new(pattern).ok().map(|glob| glob.compile_matcher()))
            }
            Selector::Labels(labels) => Self::Labels(labels),
        }
    }

    fn chooses(&self, cluster: &FleetCluster) -> bool {
        match self {
            Self::Name(name) => cluster.name == **name,
            Self::Glob(glob) => glob.as_ref().is_some_and(|glob| glob.is_match(cluster.name.as_str())),
            Self::Labels(labels) => {
                !labels.is_empty()
                    && labels.iter().all(|(name, value)| cluster.labels.get(name) == Some(value))
            }
        }
    }
}

fn idle(selector: &Selector) -> String {
    match selector {
        Selector::Name(name) => format!("there is no cluster `{name}` in the configuration"),
        Selector::Glob(pattern) => format!("no cluster's name matches `{pattern}`"),
        Selector::Labels(labels) => {
            let told: Vec<String> =
                labels.iter().map(|(name, value)| format!("{name} = \"{value}\"")).collect();
            format!("no cluster has the labels {}", told.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::tests::{fleet, name, spec, wave};

    fn names(clusters: &[ClusterName]) -> Vec<&str> {
        clusters.iter().map(ClusterName::as_str).collect()
    }

    fn glob(pattern: &str) -> Selector {
        Selector::Glob(pattern.to_owned())
    }

    #[test]
    fn the_first_wave_that_names_a_cluster_has_it_and_what_none_names_is_left_alone() {
        let spec = spec(vec![
            wave("canary", vec![Selector::Name(name("b-eu")), Selector::Name(name("gone"))]),
            wave("eu", vec![glob("*-eu"), glob("{x,y}-*")]),
            wave("again", vec![Selector::Name(name("b-eu"))]),
        ]);
        let selection = select(&spec, &fleet(&["c-us", "b-eu", "a-eu"]));
        let waves: Vec<Vec<&str>> = selection.waves.iter().map(|wave| names(wave)).collect();
        assert_eq!(waves, [vec!["b-eu"], vec!["a-eu"], vec![]]);
        assert_eq!(names(&selection.unselected), ["c-us"]);
        assert_eq!(
            selection.idle,
            [
                "wave canary: there is no cluster `gone` in the configuration",
                "wave eu: no cluster's name matches `{x,y}-*`",
            ]
        );
    }

    #[test]
    fn all_labels_must_be_there_and_no_labels_are_no_selector() {
        let labels = |list: &[(&str, &str)]| -> BTreeMap<String, String> {
            list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let mut clusters = fleet(&["a", "b", "c"]);
        clusters[0].labels = labels(&[("env", "test"), ("tier", "1")]);
        clusters[1].labels = labels(&[("env", "test")]);
        let by = |wanted: &[(&str, &str)]| {
            let waves = vec![wave("w", vec![Selector::Labels(labels(wanted))])];
            names(&select(&spec(waves), &clusters).waves[0]).join(" ")
        };
        assert_eq!(by(&[("env", "test")]), "a b");
        assert_eq!(by(&[("env", "test"), ("tier", "1")]), "a");
        assert_eq!(by(&[("env", "prod")]), "");
        assert_eq!(by(&[]), "");
    }
}
