//! Following a run in the foreground to its end, and what Ctrl-C means meanwhile.

pub(super) mod feed;
mod lines;
mod live;
mod progress;
mod view;
mod words;

use std::future::Future;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use proto::{Failure, RunId};
use tokio::time::{Instant, sleep_until};

use feed::{Feed, Item};
use view::View;
pub(super) use words::lost;

use super::client::{Answer, Client};
use super::context::Context;
use super::exit::INTERRUPTED;
use super::stops::Stop;
use super::{Exit, render};
use crate::documents::{RunDocument, RunState};

/// The number of a run's first event.
pub(super) const FIRST: u64 = 1;

/// How long a coordinator may go on telling after a run came to rest: claims are given back, the journal is
/// closed.
const SETTLE: Duration = Duration::from_secs(5);

/// From here on Ctrl-C does not end the process. To be called before anything is started.
pub(super) fn listen(context: &mut Context) -> Result<(), Failure> {
    context
        .stops
        .listen()
        .map_err(|error| Failure::bug("signals cannot be listened to").because(error.to_string()))
}

/// Waits for an answer; Ctrl-C leaves without it.
pub(super) async fn answered<T>(
    context: &mut Context,
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        biased;
        _ = context.stops.next() => {
            let remedy = "`ratchet runs` tells whether there is a run; `ratchet resume RUN` goes on with it";
            Err(Failure::operator(INTERRUPTED, "left before the coordinator answered", remedy))
        }
        answer = call => answer,
    }
}

/// The number after a run's last event.
pub(super) async fn end_of(client: &Client, run: &RunId) -> Result<u64, Failure> {
    let events = client.show(run.to_string(), true, false).await?.document.events.unwrap_or_default();
    Ok(events.iter().map(|event| event.seq + 1).max().unwrap_or(FIRST))
}

/// Follows a run that this command started or went on with. An embedded coordinator drives it: the first
/// Ctrl-C pauses the run, the second leaves. A served one drives it by itself: Ctrl-C only looks away.
pub(super) async fn driving(
    context: &mut Context,
    client: &Client,
    run: RunDocument,
    from: u64,
) -> Result<Exit, Failure> {
    let pauses = context.is_embedded();
    follow(context, client, run, from, pauses).await
}

/// Follows a run that somebody else drives: Ctrl-C only looks away.
pub(super) async fn looking_on(
    context: &mut Context,
    client: &Client,
    run: RunDocument,
) -> Result<Exit, Failure> {
    follow(context, client, run, FIRST, false).await
}

async fn follow(
    context: &mut Context,
    client: &Client,
    run: RunDocument,
    from: u64,
    pauses: bool,
) -> Result<Exit, Failure> {
    let feed = Feed::new(client.clone(), &run.id, from, !context.is_embedded());
    let view = View::new(&context.out);
    let mut following = Following { context, client, feed, view, run, pauses, pausing: None, asked: false };
    following.view.tick(&following.run);
    match following.follow_on().await? {
        Ending::Rest => following.finish().await,
        Ending::Left => following.leave(),
    }
}

/// Why following ended.
enum Ending {
    /// There is no more to tell.
    Rest,
    /// Somebody did not want to wait.
    Left,
}

struct Following<'a> {
    context: &'a mut Context,
    client: &'a Client,
    feed: Feed,
    view: View,
    run: RunDocument,
    pauses: bool,
    pausing: Option<BoxFuture<'static, Result<Answer<RunDocument>, Failure>>>,
    asked: bool,
}

impl Following<'_> {
    async fn follow_on(&mut self) -> Result<Ending, Failure> {
        let mut settled: Option<Instant> = None;
        loop {
            tokio::select! {
                item = self.feed.next() => match item? {
                    Item::News(news) => self.news(&news)?,
                    Item::Lost(failure) => self.view.note(&mut self.context.out, &lost(&failure)),
                    Item::Over => return Ok(Ending::Rest),
                },
                stop = self.context.stops.next() => {
                    if self.stop(stop) {
                        return Ok(Ending::Left);
                    }
                }
                paused = until_answered(&mut self.pausing) => self.paused(paused),
                () = self.view.due() => self.view.tick(&self.run),
                () = at(settled) => return Ok(Ending::Rest),
            }
            if settled.is_none() && is_at_rest(self.run.state, !self.context.is_embedded()) {
                settled = Some(Instant::now() + SETTLE);
            }
        }
    }

    fn news(&mut self, news: &Answer<crate::documents::WatchDocument>) -> Result<(), Failure> {
        self.run = news.document.run.clone();
        self.view.news(&mut self.context.out, news)
    }

    /// Whether to leave at once.
    fn stop(&mut self, stop: Stop) -> bool {
        if !self.pauses || self.asked || stop == Stop::Terminate {
            return true;
        }
        self.asked = true;
        let (client, run) = (self.client.clone(), self.run.id.clone());
        self.pausing = Some(async move { client.pause(run).await }.boxed());
        self.view.note(&mut self.context.out, &words::pausing(&self.run));
        false
    }

    fn paused(&mut self, answer: Result<Answer<RunDocument>, Failure>) {
        self.pausing = None;
        if let Err(failure) = answer {
            let text = format!("the run is not paused: {failure}; Ctrl-C again leaves it as it is");
            self.view.note(&mut self.context.out, &text);
        }
    }

    /// The last words: the run as the coordinator tells it when all is over.
    async fn finish(&mut self) -> Result<Exit, Failure> {
        self.view.clear();
        let answer = self.client.show(self.run.id.clone(), false, false).await?;
        self.context.out.answer(&answer, render::outcome)?;
        Ok(outcome(&answer.document))
    }

    fn leave(&mut self) -> Result<Exit, Failure> {
        self.view.clear();
        if self.context.out.is_json() {
            let json = serde_json::to_string(&self.run).map_err(|error| {
                Failure::bug("a run cannot be written as JSON").because(error.to_string())
            })?;
            self.context.out.json(&json)?;
        }
        self.context.out.tell(&words::left(&self.run, self.pauses));
        Ok(Exit::Resumable)
    }
}

/// Waits for an answer if one is to come, else for ever.
async fn until_answered<T>(call: &mut Option<BoxFuture<'static, T>>) -> T {
    match call {
        Some(call) => call.await,
        None => std::future::pending().await,
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// Whether nothing more happens by itself. What was interrupted is taken up by whoever leads, if somebody serves.
pub(super) fn is_at_rest(state: RunState, served: bool) -> bool {
    match state {
        RunState::Running => false,
        RunState::Interrupted => !served,
        RunState::Paused | RunState::Halted | RunState::Done | RunState::Aborted | RunState::Blocked => true,
    }
}

/// The exit that fits where a run was left. Only a run that is over can be a success.
pub(super) fn outcome(run: &RunDocument) -> Exit {
    match (run.state, Exit::of_code(run.exit_code)) {
        (RunState::Done | RunState::Aborted, exit) => exit,
        (RunState::Running, _) => Exit::Resumable,
        (_, Exit::Done) => Exit::Unexpected,
        (_, exit) => exit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    #[test]
    fn only_a_run_that_is_over_can_be_a_success() {
        let states = [
            (RunState::Running, Exit::Resumable),
            (RunState::Interrupted, Exit::Unexpected),
            (RunState::Paused, Exit::Unexpected),
            (RunState::Halted, Exit::Unexpected),
            (RunState::Blocked, Exit::Unexpected),
            (RunState::Done, Exit::Done),
            (RunState::Aborted, Exit::Done),
        ];
        for (state, exit) in states {
            assert_eq!(outcome(&RunDocument { state, exit_code: 0, ..sample::run() }), exit, "{state:?}");
        }
    }
}
