//! A run's news, joined again where it was when the connection to a served coordinator breaks.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use proto::wire::UNREACHABLE;
use proto::{Failure, FailureKind};
use tokio::time::{Instant, sleep};

use super::is_at_rest;
use crate::cli::client::{Answer, Client, WatchStream};
use crate::documents::WatchDocument;

/// How long to wait before asking a coordinator again that did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a served coordinator may be away: long enough for a restart or for a standby to take over.
const PATIENCE: Duration = Duration::from_secs(120);

/// What comes out of a feed.
pub(in crate::cli) enum Item {
    /// Something happened.
    News(Box<Answer<WatchDocument>>),
    /// The coordinator does not answer; it is asked again.
    Lost(Failure),
    /// There is no more to tell.
    Over,
}

/// A run's news.
pub(in crate::cli) struct Feed {
    client: Client,
    run: String,
    next_seq: u64,
    /// Whether the coordinator may come back: an embedded one cannot.
    patient: bool,
    stream: Option<WatchStream>,
    opening: Option<BoxFuture<'static, Result<WatchStream, Failure>>>,
    lost_at: Option<Instant>,
    at_rest: bool,
}

impl Feed {
    pub(in crate::cli) fn new(client: Client, run: &str, from: u64, patient: bool) -> Self {
        let run = run.to_owned();
        Self {
            client,
            run,
            next_seq: from,
            patient,
            stream: None,
            opening: None,
            lost_at: None,
            at_rest: false,
        }
    }

    /// The next item. May be dropped and called again at any time.
    pub(in crate::cli) async fn next(&mut self) -> Result<Item, Failure> {
        loop {
            match self.read().await {
                Ok(Some(news)) => return Ok(Item::News(Box::new(self.keep(news)))),
                Ok(None) if self.at_rest || !self.patient => return Ok(Item::Over),
                broken => {
                    let ended = || Failure::retry(UNREACHABLE, "the coordinator ended the stream");
                    if let Some(failure) = self.lose(broken.err().unwrap_or_else(ended))? {
                        return Ok(Item::Lost(failure));
                    }
                }
            }
        }
    }

    /// The stream that is being opened is kept: whoever drops this call must not open a second one with the
    /// next.
    async fn read(&mut self) -> Result<Option<Answer<WatchDocument>>, Failure> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let wait = if self.lost_at.is_some() { PAUSE } else { Duration::ZERO };
                let open = || open(self.client.clone(), self.run.clone(), self.next_seq, wait).boxed();
                let opened = self.opening.get_or_insert_with(open).await;
                self.opening = None;
                none.insert(opened?)
            }
        };
        stream.next().await
    }

    fn keep(&mut self, news: Answer<WatchDocument>) -> Answer<WatchDocument> {
        self.lost_at = None;
        self.at_rest = is_at_rest(news.document.run.state, self.patient);
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
            return Err(self.given_up(failure));
        }
        Ok(first.then_some(failure))
    }

    /// What to do where the stream itself was lost; of its own failures a coordinator says it.
    fn given_up(&self, failure: Failure) -> Failure {
        if failure.id != UNREACHABLE && failure.remedy.is_some() {
            return failure;
        }
        let remedy =
            format!("the run itself is not touched by this; follow it again: ratchet watch {}", self.run);
        Failure { remedy: Some(remedy), ..failure }
    }
}

async fn open(client: Client, run: String, from: u64, wait: Duration) -> Result<WatchStream, Failure> {
    sleep(wait).await;
    if !wait.is_zero() {
        client.find().await?;
    }
    client.watch(&run, from).await
}
