//! Getting an archive: sources in order, resumed where it broke, kept only if it is the one that was named (P10).

use std::path::Path;
use std::time::Duration;

use proto::{Failure, HeldPackage, Package};
use reqwest::{Client, redirect};
use tokio::time::Instant;

use super::part::{Pace, Part, Received};
use super::source::{self, SourceError};
use super::store::Packages;
use crate::durable::StateError;
use crate::executor::Reporter;
use crate::failures::chain;

/// Room that must be left on the file system besides the archive.
const MARGIN: u64 = 64 << 20;

/// How long a download is tried.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The first pause; every further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// Given up when nothing new has come for this long.
    pub gives_up_after: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            gives_up_after: Duration::from_secs(600),
        }
    }
}

/// An archive that was got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Its size in bytes.
    pub size: u64,
    /// The source it came from.
    pub source: String,
}

/// Gets archives.
#[derive(Clone, Debug)]
pub struct Fetcher {
    /// Or why there is none, for instance on a machine without certificates of any authority: files need no client.
    client: Result<Client, String>,
    patience: Patience,
}

/// What became of one try.
enum Try {
    Transient(String),
    Permanent(Box<Failure>),
    /// No other source can help either.
    Hopeless(Box<Failure>),
}

impl From<StateError> for Try {
    fn from(error: StateError) -> Self {
        Self::Hopeless(error.into())
    }
}

impl Fetcher {
    /// A fetcher with its own connections. There is no time limit on a whole download, but one on silence.
    pub fn new(patience: Patience) -> Self {
        let policy = redirect::Policy::custom(|attempt| {
            let leaves_tls = attempt.previous().last().is_some_and(|url| url.scheme() == "https")
                && attempt.url().scheme() != "https";
            if leaves_tls || attempt.previous().len() > 5 {
                attempt.error("it redirects from https to http, or too often")
            } else {
                attempt.follow()
            }
        });
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(30))
            .redirect(policy)
            .build()
            .map_err(|error| chain(&error));
        Self { client, patience }
    }

    /// Gets an archive and keeps it; the caller holds its lock.
    ///
    /// # Errors
    /// A [`Failure`] when no source has it, or when nothing new has come for too long.
    pub async fn fetch(
        &self,
        packages: &Packages,
        package: &Package,
        rate_limit: Option<u64>,
        report: &Reporter,
    ) -> Result<Fetched, Box<Failure>> {
        let pace = Pace::new(rate_limit);
        let mut job = Job { fetcher: self, packages, package, report, pace, furthest: 0, refused: None };
        let mut sources: Vec<&str> = package.sources.iter().map(String::as_str).collect();
        let mut wait = Wait::new(self.patience);
        loop {
            let furthest = job.furthest;
            let cause = match job.try_all(&mut sources).await? {
                Round::Got(fetched) => return Ok(fetched),
                Round::NoneLeft => return Err(job.refused.unwrap_or_else(|| no_source(package))),
                Round::Again(cause) => cause,
            };
            let Some((pause, left)) = wait.next(job.furthest > furthest) else {
                return Err(gave_up(package, cause));
            };
            report.retry(cause, pause, left).await;
            tokio::time::sleep(pause).await;
        }
    }
}

/// What asking every source once came to.
enum Round {
    Got(Fetched),
    NoneLeft,
    Again(String),
}

/// Pauses that grow until something new comes.
struct Wait {
    patience: Patience,
    pause: Duration,
    news_at: Instant,
}

impl Wait {
    fn new(patience: Patience) -> Self {
        Self { patience, pause: patience.first_pause, news_at: Instant::now() }
    }

    /// The next pause and how long it is tried still; `None` to give up.
    fn next(&mut self, news: bool) -> Option<(Duration, Duration)> {
        if news {
            *self = Self::new(self.patience);
        }
        let left = self.patience.gives_up_after.checked_sub(self.news_at.elapsed())?;
        let pause = self.pause;
        self.pause = (pause * 2).min(self.patience.longest_pause);
        Some((pause, left))
    }
}

/// One package being got.
struct Job<'a> {
    fetcher: &'a Fetcher,
    packages: &'a Packages,
    package: &'a Package,
    report: &'a Reporter,
    pace: Pace,
    /// The most bytes that were ever held: only more than that is news.
    furthest: u64,
    /// What a person should see if no source is left.
    refused: Option<Box<Failure>>,
}

impl Job<'_> {
    /// Asks every source once, in order; those that will never have it are not asked again.
    async fn try_all(&mut self, sources: &mut Vec<&str>) -> Result<Round, Box<Failure>> {
        let (mut again, mut cause) = (Vec::new(), String::new());
        for source in std::mem::take(sources) {
            match self.try_source(source).await {
                Ok(size) => return Ok(Round::Got(Fetched { size, source: source.to_owned() })),
                Err(Try::Hopeless(failure)) => return Err(failure),
                Err(Try::Permanent(failure)) => self.refused = Some(worse(self.refused.take(), failure)),
                Err(Try::Transient(text)) => {
                    cause = format!("{source}: {text}");
                    again.push(source);
                }
            }
        }
        *sources = again;
        Ok(if sources.is_empty() { Round::NoneLeft } else { Round::Again(cause) })
    }

    async fn try_source(&mut self, source: &str) -> Result<u64, Try> {
        let mut part = self.resume(source).await?;
        let resumed = part.length() > 0;
        if !part.is_whole() {
            self.receive(source, &mut part).await?;
        }
        let actual = part.digest();
        if actual != self.package.sha256 {
            part.remove()?;
            if resumed {
                return Err(Try::Transient("what was continued does not fit; starting over".to_owned()));
            }
            return Err(Try::Permanent(mismatch(self.package, source, &format!("its SHA-256 is {actual}"))));
        }
        self.keep(&part)?;
        Ok(part.length())
    }

    async fn resume(&self, source: &str) -> Result<Part, Try> {
        let (path, source) = (self.packages.part(&self.package.sha256), source.to_owned());
        let resumed = tokio::task::spawn_blocking(move || Part::resume(&path, &source)).await;
        let part = resumed.map_err(|error| Try::Transient(error.to_string()))??;
        if self.package.size.is_some_and(|size| part.length() > size) {
            part.remove()?;
            return Err(Try::Transient("more was kept than the archive has; starting over".to_owned()));
        }
        Ok(part)
    }

    async fn receive(&mut self, source: &str, part: &mut Part) -> Result<(), Try> {
        let opened = source::open(&self.fetcher.client, source, part.kept()).await;
        let body = match opened {
            Ok(body) => body,
            Err(SourceError::Transient(cause)) => return Err(Try::Transient(cause)),
            Err(SourceError::Stale(cause)) => {
                part.remove()?;
                return Err(Try::Transient(cause));
            }
            Err(SourceError::Permanent(cause)) => return Err(Try::Permanent(refused(source, cause))),
        };
        let (total, expected) = (body.origin.total, self.package.size);
        if let (Some(total), Some(expected)) = (total, expected)
            && total != expected
        {
            return Err(Try::Permanent(mismatch(self.package, source, &format!("it has {total} bytes"))));
        }
        let whole = expected.or(total);
        self.refuse_without_room(whole.unwrap_or(0).saturating_sub(body.start))?;
        let received = part.receive(self.packages.disk(), body, expected, &mut self.pace, self.report).await;
        self.furthest = self.furthest.max(part.length());
        match received? {
            Received::All if whole.is_some_and(|whole| part.length() < whole) => {
                Err(Try::Transient(format!("it ended after {} bytes", part.length())))
            }
            Received::All => Ok(()),
            Received::Cut(cause) => Err(Try::Transient(cause)),
            Received::TooMany => {
                part.remove()?;
                Err(Try::Permanent(mismatch(self.package, source, "it sends more bytes")))
            }
        }
    }

    fn refuse_without_room(&self, needed: u64) -> Result<(), Try> {
        let dir = self.packages.dir();
        let room = rustix::fs::statvfs(&dir).map_err(|error| {
            Try::Hopeless(StateError::io("measure the room in", &dir)(error.into()).into())
        })?;
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        let needed = needed.saturating_add(MARGIN);
        if free >= needed { Ok(()) } else { Err(Try::Hopeless(disk_full(&dir, needed, free))) }
    }

    fn keep(&self, part: &Part) -> Result<(), StateError> {
        let Package { sha256, version, .. } = self.package;
        self.packages.keep(&HeldPackage { sha256: *sha256, size: part.length(), version: *version })?;
        part.remove_note()
    }
}

/// Of two failures, the one that a person should see: wrong bytes before everything else, else the first.
fn worse(first: Option<Box<Failure>>, second: Box<Failure>) -> Box<Failure> {
    match first {
        Some(first) if first.id == DIGEST_MISMATCH || second.id != DIGEST_MISMATCH => first,
        _ => second,
    }
}

const DIGEST_MISMATCH: &str = "digest-mismatch";

fn mismatch(package: &Package, source: &str, actual: &str) -> Box<Failure> {
    let size = package.size.map(|size| format!(" and {size} bytes")).unwrap_or_default();
    let message = format!("{source} is not the package of the plan ({package})");
    let cause = format!("the plan names SHA-256 {}{size}, but {actual}", package.sha256);
    let remedy = "compare the package's SHA-256 with the vendor's, then correct the source or the catalogue";
    Box::new(Failure::operator(DIGEST_MISMATCH, message, remedy).because(cause))
}

fn refused(source: &str, cause: String) -> Box<Failure> {
    let remedy = "correct the package's sources in the catalogue, or make it available there";
    Box::new(Failure::operator("source-refused", format!("{source} cannot be had"), remedy).because(cause))
}

fn gave_up(package: &Package, cause: String) -> Box<Failure> {
    Box::new(Failure::retry("fetch-failed", format!("{package} could not be fetched")).because(cause))
}

fn no_source(package: &Package) -> Box<Failure> {
    let remedy = "add a source with `ratchet package add`";
    Box::new(Failure::operator("no-source", format!("{package} has no source"), remedy))
}

fn disk_full(dir: &Path, needed: u64, free: u64) -> Box<Failure> {
    let message = format!("{} has {free} bytes free, and {needed} are needed", dir.display());
    Box::new(Failure::operator("disk-full", message, "make room on that file system"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_until_there_is_news_and_silence_ends_it() {
        let patience = Patience {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(3),
            gives_up_after: Duration::from_secs(10),
        };
        let mut wait = Wait::new(patience);
        let mut pauses = Vec::new();
        for news in [false, false, false, true, false] {
            let (pause, left) = wait.next(news).unwrap();
            assert!(left <= patience.gives_up_after);
            pauses.push(pause.as_secs());
            tokio::time::advance(pause).await;
        }
        assert_eq!(pauses, [1, 2, 3, 1, 2]);
        tokio::time::advance(Duration::from_secs(8)).await;
        assert!(wait.next(false).is_none());
    }
}
