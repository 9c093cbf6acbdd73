//! Following a rollout in the foreground to its end, or until it stands still.

use std::time::Duration;

use proto::wire::UNREACHABLE;
use proto::{Failure, FailureKind};
use tokio::time::{Instant, sleep};

use crate::cli::client::{Answer, Client, RolloutStream};
use crate::cli::context::Context;
use crate::cli::{Exit, render};
use crate::documents::{RolloutDocument, RolloutRow, RolloutState, RolloutWatchDocument};

/// How long to wait before asking a coordinator again that did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a served coordinator may be away: long enough for a restart or for a standby to take over.
const PATIENCE: Duration = Duration::from_secs(120);

/// From here on Ctrl-C does not end the process.
pub(super) fn listen(context: &mut Context) -> Result<(), Failure> {
    context
        .stops
        .listen()
        .map_err(|error| Failure::bug("signals cannot be listened to").because(error.to_string()))
}

/// Follows a rollout. `carries_out` is the command that goes on with it where this process carries it out.
pub(super) async fn follow(
    context: &mut Context,
    client: &Client,
    document: RolloutDocument,
    carries_out: Option<String>,
) -> Result<Exit, Failure> {
    let name = document.brief.name.clone();
    let feed = Feed {
        client: client.clone(),
        name: name.clone(),
        next_seq: 1,
        patient: !context.is_embedded(),
        stream: None,
        lost_at: None,
        state: document.brief.state,
    };
    let mut following = Following { feed, told: String::new(), carries_out };
    if !following.until_rest(context).await? {
        return Ok(following.leave(context));
    }
    let answer = client.show_rollout(name).await?;
    let zone = context.out.zone().clone();
    context.out.answer(&answer, |document| render::rollout(document, &zone))?;
    Ok(exit(&answer.document.brief))
}

/// The exit that fits where a rollout was left. Only one that is done can be a success.
fn exit(row: &RolloutRow) -> Exit {
    match (row.state, Exit::of_code(row.exit_code)) {
        (RolloutState::Done, exit) => exit,
        (_, Exit::Done) => Exit::Unexpected,
        (_, exit) => exit,
    }
}

/// The exit that fits where a rollout is left to others: the file was taken, unless the rollout is over already.
pub(super) fn exit_detached(row: &RolloutRow) -> Exit {
    match row.state {
        RolloutState::Active | RolloutState::Paused | RolloutState::Halted => Exit::Done,
        RolloutState::Done | RolloutState::DoneWithFailures | RolloutState::Aborted => exit(row),
    }
}

struct Following {
    feed: Feed,
    /// What it waited for when that was told last.
    told: String,
    carries_out: Option<String>,
}

impl Following {
    /// Tells what happens until it stands still or is over; `false` if somebody did not want to wait.
    async fn until_rest(&mut self, context: &mut Context) -> Result<bool, Failure> {
        loop {
            tokio::select! {
                item = self.feed.next() => match item? {
                    Item::News(news) => self.news(context, &news)?,
                    Item::Lost(failure) => context.out.tell(&lost(&failure)),
                    Item::Over => return Ok(true),
                },
                _ = context.stops.next() => return Ok(false),
            }
        }
    }

    fn news(&mut self, context: &mut Context, news: &Answer<RolloutWatchDocument>) -> Result<(), Failure> {
        if context.out.is_json() {
            return context.out.json(&news.json);
        }
        let zone = context.out.zone().clone();
        for event in &news.document.events {
            context.out.tell(&render::rollout_event(event, &zone));
        }
        let waits = render::rollout_waits(&news.document.rollout, &zone);
        if waits != self.told {
            context.out.tell(waits.trim_end());
            self.told = waits;
        }
        Ok(())
    }

    fn leave(&self, context: &mut Context) -> Exit {
        let name = &self.feed.name;
        let text = match &self.carries_out {
            Some(command) => format!(
                "rollout {name} is interrupted: nothing more is started, and installs at work go on by themselves on \
                 their nodes. Go on with: {command}"
            ),
            None => format!(
                "rollout {name} goes on without this terminal; follow it again: ratchet rollout watch {name}"
            ),
        };
        context.out.tell(&text);
        Exit::Resumable
    }
}

fn lost(failure: &Failure) -> String {
    format!(
        "the coordinator does not answer, asking again ({failure}); the rollout does not depend on this terminal"
    )
}

enum Item {
    News(Box<Answer<RolloutWatchDocument>>),
    Lost(Failure),
    Over,
}

/// A rollout's news, joined again where it was when the connection to a served coordinator breaks.
struct Feed {
    client: Client,
    name: String,
    next_seq: u64,
    /// Whether the coordinator may come back: an embedded one cannot.
    patient: bool,
    stream: Option<RolloutStream>,
    lost_at: Option<Instant>,
    state: RolloutState,
}

impl Feed {
    /// The next item. May be dropped and called again at any time.
    async fn next(&mut self) -> Result<Item, Failure> {
        loop {
            match self.read().await {
                Ok(Some(news)) => return Ok(Item::News(Box::new(self.keep(news)))),
                Ok(None) if self.state != RolloutState::Active || !self.patient => return Ok(Item::Over),
                broken => {
                    let ended = || Failure::retry(UNREACHABLE, "the coordinator ended the stream");
                    if let Some(failure) = self.lose(broken.err().unwrap_or_else(ended))? {
                        return Ok(Item::Lost(failure));
                    }
                }
            }
        }
    }

    async fn read(&mut self) -> Result<Option<Answer<RolloutWatchDocument>>, Failure> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                if self.lost_at.is_some() {
                    sleep(PAUSE).await;
                    // Of several coordinators another one may lead by now.
                    self.client.find().await?;
                }
                none.insert(self.client.watch_rollout(&self.name, self.next_seq).await?)
            }
        };
        stream.next().await
    }

    fn keep(&mut self, news: Answer<RolloutWatchDocument>) -> Answer<RolloutWatchDocument> {
        self.lost_at = None;
        self.state = news.document.rollout.state;
        for event in &news.document.events {
            self.next_seq = self.next_seq.max(event.seq + 1);
        }
        news
    }

    /// Notes that the stream is lost. Gives the failure back the first time, so that it is told once.
    fn lose(&mut self, failure: Failure) -> Result<Option<Failure>, Failure> {
        self.stream = None;
        let first = self.lost_at.is_none();
        let since = *self.lost_at.get_or_insert_with(Instant::now);
        let may_come_back = self.patient && failure.kind == FailureKind::Retry;
        // Of several, another one takes over, however long that takes.
        if !may_come_back || (since.elapsed() > PATIENCE && !self.client.has_others()) {
            let remedy = format!("follow it again: ratchet rollout watch {}", self.name);
            return Err(Failure { remedy: failure.remedy.or(Some(remedy)), ..failure });
        }
        Ok(first.then_some(failure))
    }
}
