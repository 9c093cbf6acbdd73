//! The operator: plans, starts, and does what the tool itself says when the run stands still.

use std::sync::Arc;
use std::time::Duration;

use coordinator::documents::{Document, PlanDocument, PlanOutcome, RunDocument, RunState};
use proto::pb::coordinator_client::CoordinatorClient;
use proto::pb::{
    AbortRequest, Document as Sent, PauseRequest, PlanRequest, ResumeRequest, RetryRequest, ShowRequest,
    StartRequest, TakeOverClusterRequest,
};
use proto::wire::failure_of;
use proto::{Failure, RunId, Version};
use tonic::transport::Channel;
use tonic::{Response, Status};

use crate::headquarters::Headquarters;
use crate::history::History;
use crate::rng::Stream;
use crate::script::{Script, Whim};
use crate::slots::{self, Owner};
use crate::store::Truth;

/// Nobody waits longer than this for an answer of a coordinator.
const PATIENCE: Duration = Duration::from_secs(400);
/// Between two looks at a run that goes on.
const LOOK: Duration = Duration::from_secs(5);
/// After the world has healed every run has ended within this time, in virtual milliseconds (promise P12).
const ENOUGH: u64 = 3 * 3600 * 1000;
/// After the world has healed a run halts at most this often: everything that can fail does so once.
const HALTS: u32 = 12;

/// Who works with the tool.
#[derive(Debug)]
pub struct Operator {
    /// The coordinators, the one that is asked first.
    pub coordinators: Vec<Arc<Headquarters>>,
    /// What was written.
    pub truth: Arc<Truth>,
    /// What happens.
    pub history: History,
    /// What goes wrong.
    pub script: Script,
    /// The cluster's name.
    pub cluster: String,
    /// Where it is to go.
    pub target: Version,
    /// Mends by hand what no tool mends: called before a run is told to go on, once the world has healed.
    pub mend: Arc<dyn Mend>,
}

/// What a person does on the machines themselves.
pub trait Mend: std::fmt::Debug + Send + Sync {
    /// Starts services that are down on nodes where no installer is at work.
    fn mend(&self);
    /// Whether an installer is at work anywhere.
    fn is_installing(&self) -> bool;
}

impl Operator {
    /// Upgrades the cluster, to the end of the run.
    pub async fn upgrade(&self) -> Option<RunState> {
        let run = self.start().await?;
        let whims = tokio::spawn(whims(
            self.coordinators.clone(),
            self.script.clone(),
            run.clone(),
            self.history.clone(),
        ));
        let state = self.see_through(&run).await;
        whims.abort();
        state
    }

    fn note(&self, what: impl Into<String>) {
        self.history.note("operator", what);
    }

    fn is_healed(&self) -> bool {
        self.history.now() >= self.script.heals_at
    }

    /// Plans and starts until there is a run.
    async fn start(&self) -> Option<RunId> {
        loop {
            match self.try_start().await {
                Ok(()) => {}
                Err(failure) => self.note(format!("could not start: {}", told(&failure))),
            }
            // An answer that was lost may have been a yes.
            if let Some(listing) = self.truth.runs().last() {
                return Some(listing.id.clone());
            }
            if self.history.now() > self.script.heals_at + ENOUGH {
                self.history.violation("P12", "no run could be started");
                return None;
            }
            if self.is_healed() {
                self.mend.mend();
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn try_start(&self) -> Result<(), Failure> {
        let request =
            PlanRequest { cluster: self.cluster.clone(), to: self.target.to_string(), accepted: Vec::new() };
        let planned: PlanDocument = self.ask(|mut client| async move { client.plan(request).await }).await?;
        let plan = match (planned.outcome, planned.plan) {
            (PlanOutcome::Ready, Some(plan)) => plan,
            (_, _) => {
                let blocking = planned.findings.iter().filter(|finding| finding.verdict.blocks());
                let text: Vec<String> = blocking.map(ToString::to_string).collect();
                return Err(Failure::retry("not-planned", planned.summary).because(text.join("; ")));
            }
        };
        let plan_json = serde_json::to_string(&plan).map_err(|error| Failure::bug(error.to_string()))?;
        let request = StartRequest { plan_json, prepare_only: false };
        let started: RunDocument = self.ask(|mut client| async move { client.start(request).await }).await?;
        self.note(format!("started the run, which is {:?}", started.state));
        Ok(())
    }

    /// Follows a run and does what it says, until it is over.
    async fn see_through(&self, run: &RunId) -> Option<RunState> {
        let mut draws = Stream::of(self.script.seed, "operator");
        let (mut halts, mut again, mut before) = (0, 0, None);
        loop {
            if self.history.now() > self.script.heals_at + ENOUGH {
                self.history.violation("P12", "the run has not ended");
                return None;
            }
            let _news_or_time = tokio::time::timeout(LOOK, self.truth.news()).await;
            let request = ShowRequest { run: run.to_string(), events: false, agents: false };
            let shown: RunDocument =
                match self.ask(|mut client| async move { client.show(request).await }).await {
                    Ok(shown) => shown,
                    Err(failure) => {
                        self.note(format!("cannot see the run: {}", told(&failure)));
                        continue;
                    }
                };
            match shown.state {
                RunState::Running => continue,
                RunState::Done | RunState::Aborted | RunState::Blocked => return Some(shown.state),
                RunState::Interrupted | RunState::Paused => {}
                RunState::Halted if self.script.hasty || self.is_healed() => {}
                RunState::Halted => {
                    self.until_healed().await;
                    continue;
                }
            }
            if shown.halt.as_ref().is_some_and(|halt| halt.error.id == "contradiction") {
                self.until_no_installer_is_at_work().await;
            }
            if self.is_healed() {
                self.mend.mend();
                halts += u32::from(shown.state == RunState::Halted);
            }
            if halts > HALTS {
                let why =
                    shown.halt.as_ref().map(|halt| format!("{}: {:?}", halt.error.message, halt.error.cause));
                self.history
                    .violation("P12", format!("the run halts again and again: {}", why.unwrap_or_default()));
                return None;
            }
            // People wait a moment before they try the same again, and sometimes try something else.
            slots::wait(self.history.began(), Owner::World, draws.between(500, 4000)).await;
            let halt = shown.halt.as_ref().map(|halt| (halt.node, halt.step.clone()));
            again = if halt == before { again + 1 } else { 0 };
            before = halt;
            self.do_what_it_says(run, &shown, again).await;
        }
    }

    /// What the tool asks for when an agent has lost its memory: "make sure that no install.sh is at work".
    async fn until_no_installer_is_at_work(&self) {
        while self.mend.is_installing() {
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn until_healed(&self) {
        let left = self.script.heals_at.saturating_sub(self.history.now());
        slots::wait(self.history.began(), Owner::World, left).await;
    }

    /// What the tool offers first; when that has led to the same halt, what it offers next.
    async fn do_what_it_says(&self, run: &RunId, shown: &RunDocument, again: usize) {
        let offered: Vec<&str> =
            shown.next_commands.iter().filter_map(|command| command.split_whitespace().nth(1)).collect();
        let goes_on: Vec<&str> =
            offered.into_iter().filter(|verb| matches!(*verb, "resume" | "retry")).collect();
        let verb = goes_on.get(again % goes_on.len().max(1)).copied().unwrap_or("abort");
        let why = shown.halt.as_ref().map(|halt| format!(" ({})", halt.error.message)).unwrap_or_default();
        self.note(format!("{verb}, as the run is {:?}{why}", shown.state));
        let key = run.to_string();
        let done: Result<RunDocument, Failure> = match verb {
            "resume" => {
                self.ask(|mut client| async move {
                    client.resume(ResumeRequest { run: key, acknowledge: false }).await
                })
                .await
            }
            "retry" => {
                self.ask(
                    |mut client| async move { client.retry(RetryRequest { run: key, node: None }).await },
                )
                .await
            }
            _ => self.ask(|mut client| async move { client.abort(AbortRequest { run: key }).await }).await,
        };
        if let Err(failure) = done {
            self.note(format!("{verb} was refused: {}", told(&failure)));
        }
    }

    /// Gives back what a run that is over has left behind.
    pub async fn give_back(&self, run: &RunId) -> Result<(), Failure> {
        let key = run.to_string();
        let done: Result<RunDocument, Failure> =
            self.ask(|mut client| async move { client.abort(AbortRequest { run: key }).await }).await;
        done.map(|_| ())
    }

    async fn ask<D: Document, F: Future<Output = Result<Response<Sent>, Status>>>(
        &self,
        call: impl FnOnce(CoordinatorClient<Channel>) -> F,
    ) -> Result<D, Failure> {
        let (life, client) = self
            .coordinators
            .iter()
            .find_map(|coordinator| coordinator.client())
            .ok_or_else(|| Failure::retry("no-coordinator", "no coordinator is alive"))?;
        answer(&life, call(client)).await
    }
}

/// An answer of a coordinator, unless it dies or is silent for too long.
async fn answer<D: Document>(
    life: &crate::life::Life,
    call: impl Future<Output = Result<Response<Sent>, Status>>,
) -> Result<D, Failure> {
    let gone = || Failure::retry("no-coordinator", "the coordinator went away or did not answer");
    let answered = tokio::select! {
        biased;
        () = life.over() => return Err(gone()),
        answered = tokio::time::timeout(PATIENCE, call) => answered.map_err(|_| gone())?,
    };
    let sent = answered.map_err(failure_of)?.into_inner();
    serde_json::from_str(&sent.json).map_err(|error| Failure::bug(error.to_string()))
}

/// What the operator wants besides, at its time.
async fn whims(coordinators: Vec<Arc<Headquarters>>, script: Script, run: RunId, history: History) {
    let mut due = script.whims.clone();
    due.sort_by_key(|(at, _)| *at);
    for (at, whim) in due {
        slots::until(history.began(), Owner::World, at).await;
        let Some((life, mut client)) = coordinators.iter().find_map(|coordinator| coordinator.client())
        else {
            continue;
        };
        history.fault("whim", "operator", format!("{whim:?}"));
        let key = run.to_string();
        let done: Result<RunDocument, Failure> = match whim {
            Whim::Pause => answer(&life, client.pause(PauseRequest { run: key })).await,
            Whim::Abort => answer(&life, client.abort(AbortRequest { run: key })).await,
            Whim::Resume => {
                answer(&life, client.resume(ResumeRequest { run: key, acknowledge: false })).await
            }
        };
        if let Err(failure) = done {
            history.note("operator", format!("{whim:?} was refused: {}", told(&failure)));
        }
    }
}

/// Takes a cluster over with a coordinator, on a person's word.
pub async fn take_over(coordinator: &Headquarters, cluster: &str, history: &History) {
    let Some((life, mut client)) = coordinator.client() else { return };
    let request =
        TakeOverClusterRequest { cluster: cluster.to_owned(), consent: true, despite_install: false };
    let call = client.take_over_cluster(request);
    let answered = tokio::select! {
        biased;
        () = life.over() => return,
        answered = tokio::time::timeout(PATIENCE, call) => answered,
    };
    let told = match answered {
        Ok(Ok(document)) => document.into_inner().schema,
        Ok(Err(status)) => told(&failure_of(status)),
        Err(_) => "no answer".to_owned(),
    };
    history.note("operator", format!("took the cluster over with {}: {told}", coordinator.name()));
}

fn told(failure: &Failure) -> String {
    failure.to_string()
}
