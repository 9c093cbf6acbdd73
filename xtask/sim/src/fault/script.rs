//! The statements in force, and which of them fire at a moment.

use super::{Effect, InstallFault, Phase, Rule, Stage, When, Which, WorldFault};

/// The statements in force; it counts the installs that each of them has matched.
#[derive(Clone, Debug, Default)]
pub struct Script {
    rules: Vec<(Rule, u32)>,
}

impl Script {
    /// Adds statements; those for `now` are handed back to be carried out at once.
    pub fn add(&mut self, rules: Vec<Rule>) -> Vec<WorldFault> {
        let mut now = Vec::new();
        for rule in rules {
            match (rule.when.clone(), rule.effect.clone()) {
                (When::Now, Effect::World(fault)) => now.push(fault),
                _ => self.rules.push((rule, 0)),
            }
        }
        now
    }

    /// An install of this node begins: the statements about it, with the moment each of them fires at.
    pub fn install_begins(&mut self, uid: u32, is_master: bool) -> Vec<(Phase, Effect)> {
        let mut firing = Vec::new();
        for (rule, seen) in &mut self.rules {
            let When::Install { phase, which, nth } = rule.when else { continue };
            let about_it = match which {
                Which::Node(node) => node == uid,
                Which::Master => is_master,
                Which::Any => true,
            };
            if about_it {
                *seen += 1;
                if nth.is_none_or(|nth| nth == *seen) {
                    firing.push((phase, rule.effect.clone()));
                }
            }
        }
        firing
    }

    /// Who is to win the next election, if a statement says so; the latest one counts.
    pub fn elected(&self) -> Option<u32> {
        self.rules.iter().rev().find_map(|(rule, _)| match (&rule.when, &rule.effect) {
            (When::Election, Effect::World(WorldFault::MasterTo(uid))) => Some(*uid),
            _ => None,
        })
    }
}

impl InstallFault {
    /// The stage this fault interrupts, if it interrupts one.
    pub fn stage(&self) -> Option<Stage> {
        match self {
            Self::Abort { at, .. } | Self::Hang { at } | Self::Killed { at } | Self::Reboot { at, .. } => {
                Some(*at)
            }
            Self::DiskFull | Self::Exit(_) | Self::Version(_) | Self::Takes(_) | Self::ServicesStayDown => {
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::parse;

    #[test]
    fn nth_counts_only_matching_installs() {
        let mut script = Script::default();
        script.add(parse("on install of node 2 nth 2: abort\non install of master: exit 1").unwrap());
        assert!(script.install_begins(2, false).is_empty());
        assert_eq!(script.install_begins(1, true).len(), 1);
        assert_eq!(script.install_begins(2, false).len(), 1);
        assert!(script.install_begins(2, false).is_empty());
    }

    #[test]
    fn now_is_handed_back_and_elections_are_kept() {
        let mut script = Script::default();
        let now = script.add(parse("now: no tasks\non election: master to node 3").unwrap());
        assert_eq!(now, [WorldFault::NoTasks]);
        assert_eq!(script.elected(), Some(3));
    }
}
