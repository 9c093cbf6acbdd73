//! One life of a process or a machine. What has died has no effect any more, even where its tasks are still polled.

use std::io;

use tokio_util::sync::CancellationToken;

/// One life. Clones are the same life.
#[derive(Clone, Debug, Default)]
pub struct Life {
    over: CancellationToken,
}

impl Life {
    /// A life that has just begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// A life that ends with this one, or before it.
    pub fn child(&self) -> Self {
        Self { over: self.over.child_token() }
    }

    /// Ends it, from any thread.
    pub fn end(&self) {
        self.over.cancel();
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.over.is_cancelled()
    }

    /// Resolves when it is over.
    pub async fn over(&self) {
        self.over.cancelled().await;
    }

    /// For a door of the process: a dead process never gets an answer.
    pub async fn hang_if_over(&self) {
        if self.is_over() {
            std::future::pending::<()>().await;
        }
    }

    /// Lets something happen while it lives; for ever pending once it is over.
    pub async fn while_alive<T>(&self, work: impl Future<Output = T>) -> T {
        match self.over.run_until_cancelled(work).await {
            Some(done) => done,
            None => std::future::pending().await,
        }
    }

    /// For a blocking door of the process: an error once it is over.
    pub fn check(&self) -> io::Result<()> {
        if self.is_over() { Err(io::Error::other("this process is dead")) } else { Ok(()) }
    }
}
