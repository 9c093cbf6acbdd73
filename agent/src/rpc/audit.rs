//! Who ordered what of this node: one line in the log for each call that changes something, also for one that is refused.

use proto::wire::failure_of;
use proto::{Caller, RunId, StepId, pb, transport};
use tonic::{Code, Request, Status};

/// A call that changes something, as it is written down.
#[derive(Debug)]
pub(super) struct Audit {
    call: &'static str,
    caller: Caller,
    run: String,
    step: String,
    told: bool,
}

/// What a request says of the run and the step that it is about.
pub(super) trait About {
    /// The run and the step, as they came.
    fn about(&self) -> (Option<&str>, Option<&str>);
}

fn run_of(authority: Option<&pb::Authority>) -> Option<&str> {
    authority.map(|authority| authority.run.as_str())
}

macro_rules! about {
    ($($request:ident: $name:ident => $run:expr, $step:expr;)*) => {$(
        impl About for pb::$request {
            fn about(&self) -> (Option<&str>, Option<&str>) {
                let $name = self;
                ($run, $step)
            }
        }
    )*};
}

about! {
    ClaimRequest: asked => Some(&asked.run), None;
    TakeOverRequest: asked => asked.run.as_deref(), None;
    ReleaseRequest: asked => run_of(asked.authority.as_ref()), None;
    ExecuteRequest: asked => run_of(asked.authority.as_ref()), Some(&asked.step);
    CancelRequest: asked => run_of(asked.authority.as_ref()), Some(&asked.step);
    RunHooksRequest: asked => run_of(asked.authority.as_ref()), None;
    SetHaltRequest: _asked => None, None;
    SetCatalogueRequest: _asked => None, None;
}

impl Audit {
    pub(super) fn of<T: About>(call: &'static str, request: &Request<T>) -> Self {
        let (run, step) = request.get_ref().about();
        // Only what is a name is repeated: a log is no place for whatever somebody sends.
        let run = run.filter(|run| run.parse::<RunId>().is_ok()).unwrap_or_default().to_owned();
        let step = step.filter(|step| step.parse::<StepId>().is_ok()).unwrap_or_default().to_owned();
        Self { call, caller: transport::caller(request), run, step, told: false }
    }

    /// Writes down what came of it.
    pub(super) fn told<T>(mut self, answer: Result<T, Status>) -> Result<T, Status> {
        self.told = true;
        let Self { call, caller, run, step, .. } = &self;
        match &answer {
            Ok(_) => tracing::info!(%caller, call, run, step, outcome = "done", "ordered"),
            Err(status) => {
                let outcome = outcome(status.code());
                let reason = failure_of(status.clone());
                tracing::warn!(%caller, call, run, step, outcome, %reason, "ordered");
            }
        }
        answer
    }
}

/// A caller that goes away in the middle of its call is not told what came of it; that it asked is written down.
impl Drop for Audit {
    fn drop(&mut self) {
        if !self.told {
            let Self { call, caller, run, step, .. } = self;
            tracing::warn!(%caller, call, run, step, outcome = "unheard", "ordered");
        }
    }
}

/// Whether it was refused, or could not be done.
fn outcome(code: Code) -> &'static str {
    match code {
        Code::Internal | Code::Unavailable | Code::Unknown => "failed",
        _ => "refused",
    }
}

#[cfg(test)]
mod tests;
