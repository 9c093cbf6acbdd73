//! The unfinished download: its bytes, where they came from, and their running hash.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use proto::Sha256;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWriteExt, BufWriter};
use tokio::time::Instant;

use super::hash::{self, Running};
use super::source::{Body, Origin};
use crate::durable::{self, Disk, StateError};
use crate::executor::Reporter;

/// How the bytes of one try ended.
#[derive(Debug)]
pub(super) enum Received {
    /// The source says that this was all.
    All,
    /// More bytes came than there may be.
    TooMany,
    /// The stream broke.
    Cut(String),
}

/// A `.part` file and the note beside it.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    hash: Running,
    length: u64,
    origin: Option<Origin>,
}

impl Part {
    /// What is kept of an earlier try from this source; bytes from anywhere else are dropped. Blocks: it hashes them.
    pub(super) fn resume(path: &Path, source: &str) -> Result<Self, StateError> {
        let empty = Self { path: path.to_owned(), hash: Running::default(), length: 0, origin: None };
        let origin = durable::read_json::<Origin>(&note(path)).ok().flatten();
        let Some(origin) = origin.filter(|origin| origin.source == source) else {
            empty.remove()?;
            return Ok(empty);
        };
        let Ok(meta) = std::fs::metadata(path) else { return Ok(empty) };
        let hash = hash::hash_prefix(path, Some(meta.len())).map_err(StateError::io("read", path))?;
        Ok(Self { hash, length: meta.len(), origin: Some(origin), ..empty })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// What is kept, for asking the source to go on from there.
    pub(super) fn kept(&self) -> Option<(&Origin, u64)> {
        self.origin.as_ref().map(|origin| (origin, self.length))
    }

    /// Whether all bytes were here before.
    pub(super) fn is_whole(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.total == Some(self.length) && self.length > 0)
    }

    pub(super) fn digest(&self) -> Sha256 {
        self.hash.clone().finish()
    }

    pub(super) fn remove(&self) -> Result<(), StateError> {
        durable::remove(&self.path)?;
        durable::remove(&note(&self.path))
    }

    /// Forgets the note: the bytes are proven and will be renamed.
    pub(super) fn remove_note(&self) -> Result<(), StateError> {
        durable::remove(&note(&self.path))
    }

    /// Writes what a source sends, to its end or until it breaks; what came is kept either way.
    pub(super) async fn receive(
        &mut self,
        disk: &Disk,
        mut body: Body,
        limit: Option<u64>,
        pace: &mut Pace,
        report: &Reporter,
    ) -> Result<Received, StateError> {
        let mut file = self.writer(disk, body.start, &body.origin).await?;
        let total = body.origin.total.or(limit);
        let failed = |error| StateError::io("write", &self.path)(error);
        let ended = loop {
            let chunk = match body.bytes.next().await {
                None => break Received::All,
                Some(Err(cause)) => break Received::Cut(cause),
                Some(Ok(chunk)) => chunk,
            };
            if limit.is_some_and(|limit| self.length + chunk.len() as u64 > limit) {
                break Received::TooMany;
            }
            file.write_all(&chunk).await.map_err(failed)?;
            self.hash.update(&chunk);
            self.length += chunk.len() as u64;
            report.moved("downloading", self.length, total).await;
            pace.after(chunk.len() as u64).await;
        };
        file.flush().await.map_err(failed)?;
        file.get_ref().sync_all().await.map_err(failed)?;
        Ok(ended)
    }

    async fn writer(
        &mut self,
        disk: &Disk,
        start: u64,
        origin: &Origin,
    ) -> Result<BufWriter<File>, StateError> {
        if start == 0 {
            (self.hash, self.length) = (Running::default(), 0);
        }
        disk.write_json(&note(&self.path), origin)?;
        self.origin = Some(origin.clone());
        let opened = self.open(start).await;
        opened.map(|file| BufWriter::with_capacity(1 << 20, file)).map_err(StateError::io("open", &self.path))
    }

    async fn open(&self, start: u64) -> io::Result<File> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path).await?;
        file.set_len(start).await?;
        Ok(file)
    }
}

fn note(path: &Path) -> PathBuf {
    path.with_extension("part.json")
}

/// Keeps a download at or below so many bytes a second.
#[derive(Debug)]
pub(super) struct Pace {
    bytes_per_second: Option<u64>,
    began: Instant,
    bytes: u64,
}

impl Pace {
    pub(super) fn new(bytes_per_second: Option<u64>) -> Self {
        Self { bytes_per_second: bytes_per_second.filter(|&rate| rate > 0), began: Instant::now(), bytes: 0 }
    }

    async fn after(&mut self, bytes: u64) {
        let Some(rate) = self.bytes_per_second else { return };
        self.bytes += bytes;
        let due = Duration::from_secs_f64(self.bytes as f64 / rate as f64);
        tokio::time::sleep_until(self.began + due).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pace_is_kept() {
        let (mut pace, began) = (Pace::new(Some(1000)), Instant::now());
        for _ in 0..10 {
            pace.after(500).await;
        }
        assert_eq!(began.elapsed().as_secs(), 5);
        Pace::new(None).after(1 << 40).await;
        assert_eq!(began.elapsed().as_secs(), 5);
    }
}
