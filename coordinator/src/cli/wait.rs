//! `ratchet wait RUN|ROLLOUT [--timeout SPAN]`: for scripts, which want one answer at the end.

use std::time::Duration;

use jiff::SignedDuration;
use proto::{Failure, FailureKind, RunId};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};

use super::client::{Answer, Client};
use super::context::Context;
use super::exit::TIMEOUT;
use super::{Exit, follow, render};
use crate::documents::{Document, RunDocument};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// Arguments of `wait`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run, as in `ratchet runs`, or the name of a rollout
    #[arg(value_name = "RUN|ROLLOUT")]
    subject: RunId,
    /// Wait no longer than this: 90s, 10m, "1h 30m"
    #[arg(long, value_name = "SPAN", value_parser = span)]
    timeout: Option<Duration>,
}

fn span(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(parsed).map_err(|_| "it is negative".to_owned())
}

/// A rollout, as far as somebody who waits for it cares.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RolloutStands {
    name: String,
    /// `active`, `paused`, `halted`, `done`, `done_with_failures` or `aborted`.
    state: String,
    #[serde(default)]
    waits_for: String,
    #[serde(default)]
    commands: Vec<String>,
    #[serde(default)]
    waves: Vec<WaveStands>,
}

/// A wave, as far as that goes.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct WaveStands {
    state: String,
}

impl RolloutStands {
    /// Whether nothing more happens until a person acts, or ever.
    fn is_at_rest(&self) -> bool {
        self.state != "active" || self.wants_approval()
    }

    fn wants_approval(&self) -> bool {
        self.waves.iter().any(|wave| wave.state == "wants_approval")
    }

    /// In words, with what can be done.
    fn told(&self) -> String {
        let why = Some(&self.waits_for).filter(|why| !why.is_empty()).map(|why| format!("  {why}\n"));
        let lines = self.commands.iter().map(|command| format!("  → {command}\n"));
        let lines: String = why.into_iter().chain(lines).collect();
        format!("{}: {}\n{lines}", self.name, self.state.replace('_', " "))
    }

    /// A state that this build does not know is never a success.
    fn exit(&self) -> Exit {
        match self.state.as_str() {
            "done" => Exit::Done,
            "done_with_failures" | "halted" | "aborted" => Exit::Failed,
            "paused" => Exit::Resumable,
            "active" if self.wants_approval() => Exit::Resumable,
            _ => Exit::Unexpected,
        }
    }
}

impl Document for RolloutStands {
    const SCHEMA: &'static str = "ratchet.rollout/1";
}

/// What is waited for.
enum Subject {
    Run(String),
    Rollout(String),
}

/// How it stands.
enum Stands {
    Run(Box<Answer<RunDocument>>),
    Rollout(Answer<RolloutStands>),
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let client = context.client().await?;
        let subject = self.resolved(&client).await?;
        let until = self.timeout.map(|timeout| Instant::now() + timeout);
        let served = !context.is_embedded();
        let mut lost = false;
        loop {
            match look(&client, &subject).await {
                Ok(stands) if is_at_rest(&stands, served) => return told(context, &stands),
                Ok(_) => lost = false,
                Err(failure) if served && failure.kind == FailureKind::Retry => {
                    if !std::mem::replace(&mut lost, true) {
                        context.out.tell(&follow::lost(&failure));
                    }
                }
                Err(failure) => return Err(failure),
            }
            let next = Instant::now() + LOOK;
            match until {
                Some(until) if until <= Instant::now() => return Err(self.timed_out()),
                Some(until) => sleep_until(next.min(until)).await,
                None => sleep_until(next).await,
            }
        }
    }

    /// A run by its whole id, else a rollout, else a run by the beginning of its id.
    async fn resolved(&self, client: &Client) -> Result<Subject, Failure> {
        let name = self.subject.to_string();
        let run = client.show(name.clone(), false, false).await;
        match &run {
            Ok(run) if run.document.id == name => return Ok(Subject::Run(name)),
            Ok(_) => {}
            Err(failure) if failure.id == "no-such-run" || failure.id == "ambiguous-run" => {}
            Err(failure) => return Err(failure.clone()),
        }
        match client.rollout_stands(name.clone()).await {
            Ok(_) => Ok(Subject::Rollout(name)),
            // Whether there is such a rollout is not known then.
            Err(failure) if failure.kind == FailureKind::Retry => Err(failure),
            // What was said of the run is what a person who meant a run wants to read.
            Err(_) => run.map(|run| Subject::Run(run.document.id)),
        }
    }

    fn timed_out(&self) -> Failure {
        let message = format!("{} is still under way; it goes on without this command", self.subject);
        Failure::operator(TIMEOUT, message, format!("ratchet wait {}", self.subject))
    }
}

async fn look(client: &Client, subject: &Subject) -> Result<Stands, Failure> {
    match subject {
        Subject::Run(run) => Ok(Stands::Run(Box::new(client.show(run.clone(), false, false).await?))),
        Subject::Rollout(rollout) => Ok(Stands::Rollout(client.rollout_stands(rollout.clone()).await?)),
    }
}

fn is_at_rest(stands: &Stands, served: bool) -> bool {
    match stands {
        Stands::Run(run) => follow::is_at_rest(run.document.state, served),
        Stands::Rollout(rollout) => rollout.document.is_at_rest(),
    }
}

fn told(context: &mut Context, stands: &Stands) -> Result<Exit, Failure> {
    match stands {
        Stands::Run(run) => {
            context.out.answer(run, render::outcome)?;
            Ok(follow::outcome(&run.document))
        }
        Stands::Rollout(rollout) => {
            context.out.answer(rollout, RolloutStands::told)?;
            Ok(rollout.document.exit())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(state: &str, wave: &str) -> RolloutStands {
        let json = format!(
            r#"{{"name":"q4","state":"{state}","waits_for":"it","commands":["a","b"],"waves":[{{"state":"{wave}"}}]}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_rollout_has_the_exits_of_the_contract() {
        for (state, code) in
            [("done", 0), ("done_with_failures", 4), ("halted", 4), ("aborted", 4), ("paused", 5), ("odd", 1)]
        {
            let rollout = rollout(state, "active");
            assert_eq!((rollout.is_at_rest(), rollout.exit().code()), (true, code), "{state}");
        }
        assert!(!rollout("active", "active").is_at_rest());
    }

    #[test]
    fn a_rollout_that_wants_an_approval_is_a_persons() {
        let rollout = rollout("active", "wants_approval");
        assert_eq!((rollout.is_at_rest(), rollout.exit().code()), (true, 5));
        assert_eq!(rollout.told(), "q4: active\n  it\n  → a\n  → b\n");
    }

    #[test]
    fn spans_are_read_as_in_the_configuration() {
        assert_eq!(span("1h 30m"), Ok(Duration::from_secs(5400)));
        assert!(span("-5s").is_err() && span("soon").is_err());
    }
}
