//! The ledger of changed settings (promise P13): the original first, then the change.

use proto::{Setting, StepKind, StepSpec};

use super::{Verdict, active};
use crate::run::{Run, SideEffect, StepEntry};

pub(super) fn record_setting(run: &mut Run, setting: Setting, original: u64, wanted: u64) -> Verdict {
    active(run)?;
    if run.plan.settings.iter().all(|planned| planned.setting != setting) {
        return Err(format!("the plan does not change {setting}"));
    }
    if run.settings.contains_key(&setting) {
        return Err(format!("the original value of {setting} is known already"));
    }
    run.retries.remove(&None);
    run.settings.insert(setting, SideEffect { original, wanted, restored: false });
    Ok(())
}

pub(super) fn restore_setting(run: &mut Run, setting: Setting) -> Verdict {
    active(run)?;
    let effect = run.settings.get_mut(&setting).filter(|effect| effect.open());
    let effect = effect.ok_or_else(|| format!("{setting} is not changed"))?;
    let spec = StepSpec::Tune { setting, value: effect.original };
    let put_back =
        |entry: &StepEntry| entry.kind() == StepKind::Tune && entry.spec == spec && entry.completed();
    if !run.ledger.iter().any(|(_, entry)| put_back(entry)) {
        return Err(format!("no agent has put {setting} back"));
    }
    effect.restored = true;
    Ok(())
}
