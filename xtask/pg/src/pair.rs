//! A primary and its synchronous standby.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::installed::{PASSWORD, USER};
use crate::server::Server;

/// Each commit waits for the standby, whoever that is.
const SYNCHRONOUS: &str = "synchronous_standby_names = '*'\n";

/// What fails unless a standby confirms commits at this moment.
const CONFIRMED: &str =
    "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum'))
    THEN RAISE 'no synchronous standby'; END IF; END $$";

/// A primary whose commits wait for its standby: what is acknowledged is on both.
#[derive(Debug)]
pub struct Pair {
    primary: Server,
    standby: Server,
}

impl Pair {
    /// Starts both, and waits until commits are on both.
    ///
    /// # Errors
    /// PostgreSQL is not installed, or one of them did not start.
    pub async fn start() -> Result<Self> {
        let primary = Server::start().await?;
        let standby = primary.follower()?.up().await?;
        primary.configure(SYNCHRONOUS)?;
        primary.reload()?;
        let started = Instant::now();
        while primary.sql("postgres", CONFIRMED).is_err() {
            ensure!(started.elapsed() < Duration::from_secs(60), "the standby does not confirm commits");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Self { primary, standby })
    }

    /// Where a database is reached, with both hosts.
    pub fn url(&self, database: &str) -> String {
        let (one, other) = (self.primary.port(), self.standby.port());
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{one},127.0.0.1:{other}/{database}")
    }

    /// Makes a database, on both.
    ///
    /// # Errors
    /// The primary refuses.
    pub fn create(&self, database: &str) -> Result<()> {
        self.primary.create(database)
    }

    /// The one that was the primary when the pair was started.
    pub fn primary(&self) -> &Server {
        &self.primary
    }

    /// The other one.
    pub fn standby(&self) -> &Server {
        &self.standby
    }

    /// Kills the primary, as the end of its machine would.
    pub fn kill_primary(&mut self) {
        self.primary.kill();
    }

    /// Makes the standby take writes, with no standby of its own.
    ///
    /// # Errors
    /// It refuses.
    pub fn promote_standby(&self) -> Result<()> {
        self.standby.promote()
    }
}
