//! The "all OK" rule: what keeps a cluster from being healthy (fact sheet §3.5). Pure, and the same on both sides.

use crate::{ClusterView, Health, NodeUid};

/// One thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it is about, in the product's words: `node:2`, `redis:7`, `endpoint:3:1`, `db:3`, `cluster`.
    pub subject: String,
    /// What was seen.
    pub saw: String,
}

impl ClusterView {
    /// Everything that is not known to be good; empty only for a cluster in which nodes, shards, endpoints and
    /// databases were all shown and are all OK.
    ///
    /// "Do not proceed with the upgrade unless every shard, node and endpoint is OK" (fact sheet §3.5). A node that takes no
    /// shards counts, too: it may be in maintenance mode, which the in-place procedure wants off (fact sheet §3.6).
    pub fn problems(&self) -> Vec<Problem> {
        let idle = self.idle_nodes().map(|uid| {
            let saw = "takes no shards: it is in maintenance mode or quorum-only".to_owned();
            Problem { subject: uid.to_string(), saw }
        });
        self.faults().into_iter().chain(idle).collect()
    }

    /// Nodes that take no shards: quorum-only ones, and those in maintenance mode. The view alone cannot tell which.
    pub fn idle_nodes(&self) -> impl Iterator<Item = NodeUid> {
        self.nodes.iter().filter(|node| node.max_shards == Some(0)).map(|node| node.uid)
    }

    /// The problems apart from [`idle_nodes`](Self::idle_nodes), for whoever finds out otherwise what those are.
    pub fn faults(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut note = |subject: String, saw: String| problems.push(Problem { subject, saw });
        let mut expect = |subject: String, what: &str, health: &Health| {
            if !health.is_ok() {
                note(subject, format!("{what} {health}"));
            }
        };
        expect("cluster".to_owned(), "health is", &self.health);
        for node in &self.nodes {
            expect(node.uid.to_string(), "status is", &node.status);
        }
        for database in &self.databases {
            expect(format!("db:{}", database.uid), "status is", &database.status);
        }
        for endpoint in &self.endpoints {
            expect(endpoint.id.clone(), "watchdog status is", &endpoint.watchdog);
        }
        for shard in &self.shards {
            expect(shard.id.clone(), "status is", &shard.status);
            expect(shard.id.clone(), "watchdog status is", &shard.watchdog);
        }
        self.note_structure(&mut note);
        problems
    }

    /// What the rows taken together must satisfy: a table without rows is never "all OK".
    fn note_structure(&self, note: &mut impl FnMut(String, String)) {
        if self.nodes.is_empty() {
            note("cluster".to_owned(), "no node is listed".to_owned());
        } else if self.agreed_master().is_none() {
            note("cluster".to_owned(), "which node is the master is not clear".to_owned());
        }
        for node in self.nodes.iter().filter(|node| node.max_shards.is_none()) {
            let saw = "how many shards it may hold was not shown, so maintenance mode cannot be excluded";
            note(node.uid.to_string(), saw.to_owned());
        }
        for database in &self.databases {
            let subject = || format!("db:{}", database.uid);
            if let Some(state) = &database.exec_state {
                note(subject(), format!("a state machine is at work on it ({state})"));
            }
            if !self.shards.iter().any(|shard| shard.database == database.uid) {
                note(subject(), "none of its shards is listed".to_owned());
            }
            if !self.endpoints.iter().any(|endpoint| endpoint.database == database.uid) {
                note(subject(), "none of its endpoints is listed".to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::healthy_view;

    #[test]
    fn a_healthy_cluster_has_no_problems() {
        assert_eq!(healthy_view(3).problems(), []);
    }

    #[test]
    fn an_old_redis_version_is_healthy() {
        let mut view = healthy_view(3);
        view.shards[0].status = Health::OkWith("OLD REDIS VERSION".to_owned());
        assert_eq!(view.problems(), []);
    }

    #[test]
    fn every_single_spoiled_field_is_a_problem() {
        let bad = || Health::NotOk("LOADING".to_owned());
        type Spoil = fn(&mut ClusterView, Health);
        let spoil: [(&str, Spoil); 7] = [
            ("cluster", |view, bad| view.health = bad),
            ("node:2", |view, bad| view.nodes[1].status = bad),
            ("db:1", |view, bad| view.databases[0].status = bad),
            ("endpoint:1:1", |view, bad| view.endpoints[0].watchdog = bad),
            ("redis:1", |view, bad| view.shards[0].status = bad),
            ("redis:2", |view, bad| view.shards[1].watchdog = bad),
            ("node:3", |view, _| view.nodes[2].max_shards = Some(0)),
        ];
        for (subject, spoil) in spoil {
            for health in [bad(), Health::NotShown, Health::NotOk(String::new())] {
                let mut view = healthy_view(3);
                spoil(&mut view, health);
                let problems = view.problems();
                assert_eq!(problems.len(), 1, "{problems:?}");
                assert_eq!(problems[0].subject, subject);
            }
        }
    }

    #[test]
    fn a_node_that_takes_no_shards_is_a_problem_until_somebody_knows_better() {
        let mut view = healthy_view(3);
        view.nodes[2].max_shards = Some(0);
        assert_eq!(view.problems().len(), 1);
        assert_eq!(view.faults(), []);
        assert_eq!(view.idle_nodes().collect::<Vec<_>>(), [NodeUid(3)]);
    }

    #[test]
    fn missing_rows_are_problems() {
        let mut view = healthy_view(3);
        view.shards.clear();
        assert_eq!(view.problems().len(), 1);
        view.endpoints.clear();
        assert_eq!(view.problems().len(), 2);
        view.nodes.clear();
        assert_eq!(view.problems().len(), 3);
    }

    #[test]
    fn a_disputed_master_is_a_problem() {
        let mut view = healthy_view(3);
        view.master = Some(NodeUid(2));
        assert_eq!(view.problems()[0].subject, "cluster");
    }
}
