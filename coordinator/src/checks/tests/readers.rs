//! Every fact that can be asked for by name is missed by whoever reads it.

use proto::{Fact, Probe};

use super::{Verdict, World, worst};

/// Who misses a fact that no agent tells, or why no check does.
enum Reader {
    /// These checks stop passing when one node does not tell it.
    OfNode(&'static [&'static str]),
    /// These checks stop passing when nobody tells it.
    OfCluster(&'static [&'static str]),
    /// It is asked for by others.
    Other(&'static str),
}

use Reader::{OfCluster, OfNode, Other};

/// Every fact has its reader here: a new one without does not compile.
fn reader(fact: Fact) -> Reader {
    match fact {
        Fact::Listeners => OfNode(&["port-53"]),
        Fact::EffectiveUser | Fact::Root | Fact::Umask => OfNode(&["privileges"]),
        Fact::Repositories => OfNode(&["dependencies"]),
        Fact::SecurityAgents => OfNode(&["security-agents"]),
        Fact::TimeSynchronised => OfNode(&["time-sync"]),
        Fact::Orchestrator => OfNode(&["managed-elsewhere"]),
        Fact::Certificates => OfNode(&["certificates"]),
        Fact::LogrotateChanged => OfNode(&["logrotate"]),
        Fact::Services => OfNode(&["services"]),
        Fact::Licence => OfCluster(&["licence"]),
        Fact::Databases => OfCluster(&["backup", "auto-upgrade"]),
        Fact::ActiveActive => OfCluster(&["active-active-order"]),
        Fact::Alerts => OfCluster(&["alerts"]),
        Fact::Actions => OfCluster(&["background-work"]),
        Fact::HealthReport => OfCluster(&["maintenance", "certificates"]),
        Fact::Fips => {
            Other("os-support, on Red Hat Enterprise Linux 9 alone: see `fips_mode_is_a_platform_of_its_own`")
        }
        Fact::NodeInfo => {
            Other("maintenance, of a node that takes no shards; the watch over foreign changes")
        }
        Fact::ClusterInfo | Fact::ClusterPolicy => {
            Other("replica-ha and redis-upgrade-policy: two sources of the same; advisories")
        }
        Fact::DatabaseInfo => Other("the watch over foreign changes"),
        Fact::OsRelease | Fact::CircularLinks | Fact::Modules | Fact::DatabaseModules => Other("advisories"),
        Fact::Cluster | Fact::Ldap => Other("advisories"),
    }
}

#[test]
fn every_fact_is_missed_by_whoever_reads_it() {
    let mut missed = 0;
    for fact in Fact::ALL {
        let (checks, agents) = match reader(*fact) {
            OfNode(checks) => (checks, 1..2),
            OfCluster(checks) => (checks, 0..3),
            Other(reason) => {
                assert!(!reason.is_empty());
                continue;
            }
        };
        assert!(!checks.is_empty(), "{fact}");
        for gone in [None, Some(Probe::Unknown("gone".to_owned()))] {
            let mut world = World::new();
            for index in agents.clone() {
                let details = &mut world.snapshot.facts(index).details.0;
                match &gone {
                    Some(unknown) => drop(details.insert(*fact, unknown.clone())),
                    None => drop(details.remove(fact)),
                }
            }
            let findings = world.preflight();
            for check in checks {
                assert_ne!(worst(&findings, check).verdict, Verdict::Pass, "{check} does not miss {fact}");
                missed += 1;
            }
        }
    }
    assert!(missed > 30);
}

/// The facts two checks read from either of two places: gone from both, they are missed.
#[test]
fn a_fact_with_two_sources_is_missed_when_both_are_gone() {
    let mut world = World::new();
    world.every_agent(|facts| facts.settings.clear());
    world.forget(Fact::ClusterInfo);
    assert_eq!(worst(&world.preflight(), "replica-ha").verdict, Verdict::Pass);
    world.forget(Fact::ClusterPolicy);
    assert_ne!(worst(&world.preflight(), "replica-ha").verdict, Verdict::Pass);
}
