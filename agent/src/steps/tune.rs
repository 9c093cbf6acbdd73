//! `rladmin tune cluster`, for settings that a run changes and puts back (fact sheet §3.8, §7). Needed and done are one
//! question: has the setting the value?

use proto::{Failure, Setting, StepReport};

use super::{Done, StepContext, Stop};

pub(super) async fn run(context: &StepContext, setting: Setting, value: u64) -> Result<Done, Stop> {
    let node = &context.door.node;
    if node.setting(setting).await? != value {
        node.tune(setting, value).await?;
        let now = node.setting(setting).await?;
        if now != value {
            return Err(not_taken(setting, value, now).into());
        }
    }
    Ok(Done::new(StepReport::Tune { now: value }))
}

fn not_taken(setting: Setting, value: u64, now: u64) -> Failure {
    let message = format!("{setting} was set to {value}, and `rladmin info cluster` says {now}");
    let remedy =
        format!("find out who else changes it, then `rladmin tune cluster {setting} {value}` by hand");
    Failure::operator("setting-not-taken", message, remedy)
}
