//! The ids of checks and advisories: what they are about, and which of them a person may accept.

use proto::Failure;

use super::Core;
use crate::advisories::{Advisory, Builds, Judged};
use crate::checks::{self, Acceptance, Check, Severity};
use crate::documents::ExplainedRow;
use crate::paths::{Gate, Weight};

/// Hooks are accepted by the names of their files, which only those know who put them there.
const HOOK: &str = "hook:";

impl Core {
    /// Refuses what nobody can accept: an id that nothing has, and what a promise forbids.
    pub(super) fn acceptable(&self, accepted: &[Acceptance]) -> Result<(), Failure> {
        accepted.iter().try_for_each(|acceptance| {
            let id = acceptance.id.as_str();
            if id.starts_with(HOOK) {
                return Ok(());
            }
            let explained = self.explained(id).filter(|_| !self.is_rule(id)).ok_or_else(|| unknown(id))?;
            match explained.promise {
                Some(promise) => Err(promised(id, &promise)),
                None => Ok(()),
            }
        })
    }

    /// What a check, an advisory or a gate of the table is about, by its id or by a name that the vendor gives it, such as
    /// `RS196656`; `None` if there is none of that name.
    pub(super) fn explained(&self, id: &str) -> Option<ExplainedRow> {
        let check = checks::ALL.iter().find(|check| check.id == id).map(of_check);
        let advisory = || self.advisory(id).map(of_advisory);
        let gate = || self.world.table.gates().iter().find(|gate| gate.id == id).map(of_gate);
        check.or_else(advisory).or_else(gate)
    }

    fn advisory(&self, id: &str) -> Option<&Advisory> {
        let advisories = &self.world.advisories;
        let of_rule = |advisory: &&Advisory| advisory.rules.iter().any(|rule| rule == id);
        advisories.explain(id).or_else(|| advisories.all().iter().find(of_rule))
    }

    /// Whether it names a rule and is no id: findings are known by their ids only.
    fn is_rule(&self, id: &str) -> bool {
        checks::ALL.iter().all(|check| check.id != id)
            && self.world.table.gates().iter().all(|gate| gate.id != id)
            && self.world.advisories.explain(id).is_none()
    }
}

fn unknown(id: &str) -> Failure {
    let message = format!("`{id}` is no check or advisory, so it cannot be accepted");
    let remedy = "use the id in brackets behind a finding of `ratchet check CLUSTER --to V`";
    Failure::operator("unknown-check", message, remedy)
}

fn promised(id: &str, promise: &str) -> Failure {
    let message = format!("`{id}` keeps promise {promise} and cannot be accepted away");
    let remedy = format!("put right what it names; what it is about: ratchet why {id}");
    Failure::operator("invalid-acceptance", message, remedy)
}

fn of_check(check: &Check) -> ExplainedRow {
    ExplainedRow {
        kind: "check".to_owned(),
        id: check.id.to_owned(),
        title: check.title.to_owned(),
        severity: check.severity,
        promise: check.promise.map(str::to_owned),
        when: check.when.words().to_owned(),
        why: None,
        remedy: None,
        source: check.source.to_owned(),
    }
}

fn of_advisory(advisory: &Advisory) -> ExplainedRow {
    let by = match &advisory.judged {
        Judged::Here(_) => String::new(),
        Judged::ByChecks(ids) => format!("; judged by the check {}", ids.join(", ")),
        Judged::Never(reason) => format!("; never applies here: {reason}"),
    };
    let names = format!("{} ({})", advisory.title, advisory.rules.join(", "));
    ExplainedRow {
        kind: "advisory".to_owned(),
        id: advisory.id.clone(),
        title: if advisory.rules.is_empty() { advisory.title.clone() } else { names },
        severity: advisory.severity,
        promise: advisory.promise.clone(),
        when: format!("{}{by}", hops(advisory)),
        why: Some(advisory.why.clone()),
        remedy: Some(advisory.remedy.clone()),
        source: advisory.source.clone(),
    }
}

/// Which hops an advisory is about.
fn hops(advisory: &Advisory) -> String {
    let list = |builds: &[Builds]| match builds {
        [] => "any version".to_owned(),
        some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "),
    };
    let mut text = format!("upgrades from {} to {}", list(&advisory.installed), list(&advisory.target));
    if !advisory.fixed_in.is_empty() {
        let fixed: Vec<String> = advisory.fixed_in.iter().map(ToString::to_string).collect();
        text.push_str(&format!("; fixed in {}", fixed.join(", ")));
    }
    text
}

fn of_gate(gate: &Gate) -> ExplainedRow {
    ExplainedRow {
        kind: "gate".to_owned(),
        id: gate.id.clone(),
        title: gate.check.clone(),
        severity: match gate.weight {
            Weight::Info => Severity::Info,
            Weight::Warn => Severity::Warn,
            Weight::Block => Severity::Block,
        },
        promise: None,
        when: "before a plan; only a newer table of paths knows it, so nobody here can judge it".to_owned(),
        why: None,
        remedy: None,
        source: gate.source.clone(),
    }
}
