//! A coordinator and the person beside it: asks again what was not answered, and tries again what is said to be worth it.

use std::collections::BTreeMap;
use std::time::Duration;

use agent::executor::Executor;
use agent::refusal::Refusal;
use proto::*;

use super::{Machine, Power};
use crate::common::{NEW, OLD};

/// Every upgrade here needs far fewer.
const MOST_TRIES: u32 = 100;

/// What a coordinator remembers while agents come and go.
#[derive(Debug, Default)]
pub struct Coordinator {
    /// How often each kind of step was tried under a new id.
    rounds: BTreeMap<StepKind, u32>,
    /// Installations of which nobody knows how they ended.
    pub interrupted: usize,
    /// Whether the node is upgraded, and is only to be given back.
    upgraded: bool,
}

impl Coordinator {
    /// Upgrades the node with an agent that starts now, and gives it back. What was done before is asked for again
    /// under the same ids.
    pub async fn upgrade(&mut self, machine: &Machine, power: &Power) {
        let mut agent = open(machine, power).await;
        if !self.upgraded {
            self.drive(&mut agent, machine).await;
            self.upgraded = true;
        }
        patiently(async || agent.release(authority()).await).await;
    }

    async fn drive(&mut self, agent: &mut Executor, machine: &Machine) {
        let claim = Claim {
            run: authority().run,
            cluster: "orders".parse().unwrap(),
            epoch: authority().epoch,
            holder: "test".to_owned(),
            since: jiff::Timestamp::UNIX_EPOCH,
        };
        patiently(async || agent.claim(claim.clone()).await).await;
        let fetch = StepSpec::Fetch { package: machine.package.clone(), rate_limit: None };
        self.until_completed(agent, &fetch).await;
        self.until_completed(agent, &StepSpec::Check).await;
        while !self.attempt(agent, machine).await {
            self.next_round(StepKind::Unpack);
            self.next_round(StepKind::Install);
            self.next_round(StepKind::Confirm);
        }
    }

    /// One attempt at the installation; whether the node is confirmed.
    async fn attempt(&mut self, agent: &mut Executor, machine: &Machine) -> bool {
        let (package, version) = (machine.package.sha256, machine.package.version);
        self.until_completed(agent, &StepSpec::Unpack { package, version }).await;
        let install = StepSpec::Install(InstallSpec {
            unpacked_by: self.id(StepKind::Unpack),
            package,
            target: version,
            expected_installed: OLD.parse().unwrap(),
            expected_role: Some(NodeRole::Master),
            args: vec!["-y".to_owned()],
            deadline: None,
        });
        match self.outcome(agent, &install).await {
            StepOutcome::Completed { .. } => {}
            StepOutcome::Interrupted(_) => self.interrupted += 1,
            // What failed has changed nothing.
            StepOutcome::Failed(failure) => {
                assert!(["disk-full", "not-started"].contains(&failure.id.as_str()), "{failure:?}");
                return false;
            }
            StepOutcome::Cancelled => panic!("nobody cancels"),
        }
        let target = NEW.parse().unwrap();
        let confirm = StepSpec::Confirm { target, deadline: Duration::from_secs(20) };
        match self.outcome(agent, &confirm).await {
            StepOutcome::Completed { .. } => true,
            StepOutcome::Failed(failure) if failure.id == "wrong-version" => false,
            other => panic!("{other:?}"),
        }
    }

    async fn until_completed(&mut self, agent: &mut Executor, spec: &StepSpec) {
        for _ in 0..MOST_TRIES {
            match self.outcome(agent, spec).await {
                StepOutcome::Completed { .. } => return,
                StepOutcome::Failed(failure) => assert_eq!(failure.id, "disk-full", "{failure:?}"),
                other => panic!("{other:?}"),
            }
            self.next_round(spec.kind());
        }
        panic!("{} never completes", spec.kind());
    }

    async fn outcome(&mut self, agent: &mut Executor, spec: &StepSpec) -> StepOutcome {
        let step = self.id(spec.kind());
        let history =
            patiently(async || agent.execute(authority(), step.clone(), spec.clone(), false).await).await;
        let mut news = history.subscribe();
        while !history.has_ended() {
            news.changed().await.unwrap();
        }
        match history.events(1, usize::MAX).pop().unwrap().what {
            StepProgress::Finished(outcome) => *outcome,
            other => panic!("{other:?} is no end"),
        }
    }

    fn id(&self, kind: StepKind) -> StepId {
        let round = self.rounds.get(&kind).copied().unwrap_or(1);
        StepId::of(&authority().run, 0, NodeUid(1), kind, round)
    }

    fn next_round(&mut self, kind: StepKind) {
        *self.rounds.entry(kind).or_insert(1) += 1;
    }
}

fn authority() -> Authority {
    Authority { run: "r1".parse().unwrap(), epoch: Epoch(1) }
}

/// Starts the agent until it comes up.
async fn open(machine: &Machine, power: &Power) -> Executor {
    for _ in 0..MOST_TRIES {
        match machine.open(power) {
            Ok(executor) => return executor,
            Err(error) => assert!(error.may_pass(), "{}", error.full()),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("the agent does not come up");
}

/// Asks until it is answered: a disk that takes nothing is no answer.
async fn patiently<T>(mut ask: impl AsyncFnMut() -> Result<T, Refusal>) -> T {
    for _ in 0..MOST_TRIES {
        match ask().await {
            Ok(answer) => return answer,
            Err(Refusal::State(error)) if error.may_pass() => {}
            Err(other) => panic!("{other}"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("it is never answered");
}
