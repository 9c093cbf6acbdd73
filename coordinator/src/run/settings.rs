//! Finding out what a setting is before it is changed (promise P13).

use proto::{Failure, Setting, StepKind};

use super::driver::Driving;
use super::retrying::Patience;
use super::side_effects::is_enough;
use super::{Event, Halt, Run, Wait};
use crate::snapshot::Snapshot;

impl Driving {
    /// Looks until all agents that answer agree on what a setting is, and writes it down.
    pub(super) async fn record(&self, setting: Setting) -> Result<(), Failure> {
        let run = self.journal.state().await;
        let planned = run.plan.settings.iter().find(|planned| planned.setting == setting);
        let wanted =
            planned.ok_or_else(|| Failure::bug(format!("the plan does not change {setting}")))?.wanted;
        let limit = run.deadlines.of(Wait::Setting);
        let mut patience = Patience::new(&self.world.clock, Wait::Setting, limit).settling();
        loop {
            let snapshot = self.look(&run).await?;
            let cause = match agreed(&snapshot, setting) {
                Ok(original) => {
                    let wanted = if is_enough(setting, original, wanted) { original } else { wanted };
                    return self.journal.append(Event::SettingRecorded { setting, original, wanted }).await;
                }
                Err(cause) => cause,
            };
            if patience.is_over() {
                return self.halt(unreadable(&run, setting, cause)).await;
            }
            self.minding_requests(self.pause_for_retry(&mut patience, cause)).await??;
            if self.journal.stop_wanted().await {
                return Ok(());
            }
        }
    }
}

/// The value that every agent that answers has read.
fn agreed(snapshot: &Snapshot, setting: Setting) -> Result<u64, String> {
    let mut agreed = None;
    for witness in snapshot.witnesses() {
        let probe = witness.facts.settings.get(&setting);
        let value = probe.ok_or_else(|| format!("the agent of {} does not read {setting}", witness.uid))?;
        let value = *value.as_result().map_err(|reason| format!("{}: {reason}", witness.uid))?;
        match agreed {
            Some(other) if other != value => {
                return Err(format!("{} reads {value}, another node {other}", witness.uid));
            }
            _ => agreed = Some(value),
        }
    }
    agreed.ok_or_else(|| "no agent answers".to_owned())
}

fn unreadable(run: &Run, setting: Setting, cause: String) -> Halt {
    let message = format!("what {setting} is cannot be read, so it cannot be put back and is not changed");
    let remedy = format!(
        "put right what is named here, then: ratchet resume {0}; or: ratchet abort {0}, and take the setting out of \
         [settings] in ratchet.toml",
        run.id
    );
    let failure = Failure::operator("setting-unreadable", message, remedy).because(cause);
    Halt { node: None, step: Some(StepKind::Tune), failure }
}
