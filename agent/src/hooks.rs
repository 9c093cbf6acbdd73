//! The operator's own programs on this node, run when a coordinator asks for those of a point.

use proto::wire::RunHooks;
use proto::{HookOutcome, HookPoint, HookRunner, HookSide};

use crate::claims::ClaimRecord;
use crate::config::Config;
use crate::executor::Executor;
use crate::refusal::Refusal;

/// The hooks of this node; none where `[hooks]` names no directory.
#[derive(Clone, Debug)]
pub struct Hooks(Option<HookRunner>);

impl Hooks {
    /// Those that a configuration names.
    pub fn of(config: &Config) -> Self {
        let runner = |hooks: &crate::config::HooksConfig| {
            HookRunner::new(HookSide::Node, hooks.directory.clone(), hooks.deadline)
        };
        Self(config.hooks.as_ref().map(runner))
    }

    /// Runs those of a point to their ends; an agent that stops ends them.
    ///
    /// # Errors
    /// [`Refusal`]; then none was run.
    pub async fn run(&self, executor: &Executor, asked: &RunHooks) -> Result<Vec<HookOutcome>, Refusal> {
        let Some(runner) = &self.0 else { return Ok(Vec::new()) };
        may_run(&executor.claim_record(), asked)?;
        let running = runner.run(&asked.call, asked.deadline);
        executor.stopping().run_until_cancelled(running).await.ok_or(Refusal::Stopping)
    }
}

/// Before a plan there is no run. In a turn the run holds the node (promise P8). A run that stands still may not have
/// come to hold it, and one that is nearly over has given it back: it is enough that nobody else holds it, which is the
/// rule for giving it back.
fn may_run(record: &ClaimRecord, asked: &RunHooks) -> Result<(), Refusal> {
    let point = asked.call.point;
    let authority =
        asked.authority.as_ref().filter(|authority| asked.call.run.as_ref() == Some(&authority.run));
    match (point, authority) {
        (HookPoint::BeforePlan, None) if asked.call.run.is_none() && asked.authority.is_none() => Ok(()),
        (HookPoint::BeforeTurn | HookPoint::AfterTurn, Some(authority)) => record.check(authority),
        (HookPoint::OnHalt | HookPoint::AfterRun, Some(authority)) => record.release(authority).map(drop),
        (HookPoint::BeforePlan, _) | (_, None) => Err(Refusal::HooksOfWhichRun { point }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proto::{Authority, Claim, Epoch, HookCall};

    use super::*;

    fn authority(run: &str, epoch: u64) -> Authority {
        Authority { run: run.parse().unwrap(), epoch: Epoch(epoch) }
    }

    fn asked(point: HookPoint, run: Option<&str>, authority: Option<Authority>) -> RunHooks {
        let call = HookCall {
            point,
            cluster: "orders".parse().unwrap(),
            target: "7.8.2-34".parse().unwrap(),
            run: run.map(|run| run.parse().unwrap()),
            node: None,
            hop: None,
            halt: None,
            outcome: None,
        };
        RunHooks { call, authority, deadline: Duration::from_secs(1) }
    }

    fn held(run: &str, epoch: u64) -> ClaimRecord {
        let claim = Claim {
            run: run.parse().unwrap(),
            cluster: "orders".parse().unwrap(),
            epoch: Epoch(epoch),
            holder: "somebody".to_owned(),
            since: "2026-06-01T12:00:00Z".parse().unwrap(),
        };
        ClaimRecord::default().claim(claim).unwrap()
    }

    #[test]
    fn in_a_turn_the_run_must_hold_the_node_and_else_nobody_but_it() {
        use HookPoint::{AfterRun, AfterTurn, BeforePlan, BeforeTurn, OnHalt};
        let given_back = held("r1", 5).release(&authority("r1", 5)).unwrap();
        let may = |record: &ClaimRecord, point, epoch| {
            may_run(record, &asked(point, Some("r1"), Some(authority("r1", epoch)))).is_ok()
        };
        for (point, when_free) in [(BeforeTurn, false), (AfterTurn, false), (OnHalt, true), (AfterRun, true)]
        {
            assert!(may(&held("r1", 5), point, 5), "{point}");
            assert!(!may(&held("r1", 5), point, 4), "{point}: superseded");
            assert!(!may(&held("r2", 5), point, 5), "{point}: a foreign claim");
            assert!(!may(&held("r2", 5), point, 9), "{point}: a foreign claim, whatever the epoch");
            assert_eq!(may(&given_back, point, 5), when_free, "{point}");
            assert!(!may(&given_back, point, 4), "{point}: superseded");
        }
        assert!(may_run(&held("r2", 5), &asked(BeforePlan, None, None)).is_ok(), "a plan holds nothing");
    }

    #[test]
    fn a_run_that_is_not_shown_by_its_authority_runs_nothing() {
        for point in HookPoint::ALL {
            let other = Some(authority("r2", 5));
            for asked in [
                asked(point, Some("r1"), None),
                asked(point, Some("r1"), other.clone()),
                asked(point, None, other),
            ] {
                let refusal = may_run(&held("r2", 5), &asked).unwrap_err();
                assert!(matches!(refusal, Refusal::HooksOfWhichRun { .. }), "{point}: {refusal}");
            }
        }
        assert!(may_run(&held("r1", 5), &asked(HookPoint::BeforeTurn, None, None)).is_err());
    }
}
