//! One coordinator: a `ratchet serve` that can be killed, stopped and cut off from the database.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use proto::pb::LeaderRequest;
use proto::transport::{Security, Timeouts, coordinator_client, dial};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::proxy::Proxy;
use crate::schedule::Weather;

/// How long a coordinator may take to say who leads. One that is stopped never does.
const ANSWER: Duration = Duration::from_secs(2);

/// Who leads, as far as it matters here: a `ratchet.leader/1`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Leader {
    /// Whether it is the one that answered.
    pub leads: bool,
    /// The fencing number of its turn at leading.
    pub epoch: Option<u64>,
    /// Where it answers.
    pub address: Option<String>,
}

/// A coordinator. Killed when it is dropped.
#[derive(Debug)]
pub struct Coordinator {
    /// Where it answers, also after it was started again.
    pub address: SocketAddr,
    program: PathBuf,
    config: PathBuf,
    log: PathBuf,
    /// Its ways to the servers of the database.
    proxies: Vec<Proxy>,
    child: Option<Child>,
    paused: bool,
    cut: bool,
    /// The server whose machine is gone.
    lost: Option<usize>,
}

impl Coordinator {
    /// One that is to be started with this configuration.
    pub fn new(program: PathBuf, address: SocketAddr, config: PathBuf, proxies: Vec<Proxy>) -> Self {
        let log = config.with_extension("log");
        Self { address, program, config, log, proxies, child: None, paused: false, cut: false, lost: None }
    }

    /// Starts it. It ends with the thread that does this.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&mut self) -> Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(&self.program);
        command.arg("--config").arg(&self.config).arg("serve").env_remove("RATCHET_COORDINATOR");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        self.child = Some(command.spawn().context("`setpriv` cannot be started")?);
        self.paused = false;
        Ok(())
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// The system refuses.
    pub async fn kill(&mut self) -> Result<()> {
        match self.child.take() {
            Some(mut child) => Ok(child.kill().await?),
            None => Ok(()),
        }
    }

    /// `SIGSTOP`.
    pub fn pause(&mut self) {
        self.signal(Signal::STOP);
        self.paused = true;
    }

    /// `SIGCONT`.
    pub fn go_on(&mut self) {
        self.signal(Signal::CONT);
        self.paused = false;
    }

    /// Changes the weather on its ways to the database.
    pub fn cut(&mut self, weather: Weather) {
        let to_others = self.proxies.iter().enumerate().filter(|(server, _)| self.lost != Some(*server));
        to_others.for_each(|(_, proxy)| proxy.set(weather));
        self.cut = weather != Weather::Clear;
    }

    /// The machine of one server is gone for good, and nobody is told.
    pub fn lose(&mut self, server: usize) {
        self.proxies.iter().skip(server).take(1).for_each(|proxy| proxy.set(Weather::Silent));
        self.lost = Some(server);
    }

    /// Starts it again if it has ended by itself, as its service is; how it ended.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn supervise(&mut self) -> Result<Option<ExitStatus>> {
        let Some(status) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() else {
            return Ok(None);
        };
        self.start()?;
        Ok(Some(status))
    }

    /// What it has written to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_else(|error| error.to_string())
    }

    /// Whether it could lead: it is there and at work, and reaches the database, if there is one.
    pub fn is_whole(&self) -> bool {
        self.child.is_some() && !self.paused && !self.cut
    }

    /// Whom it says leads; `None` if it does not say.
    pub async fn leader(&self) -> Option<Leader> {
        let address = self.address.to_string();
        let channel =
            dial(&address, proto::Role::Coordinator, &Security::InsecureLoopback, Timeouts::default())
                .ok()?;
        let mut client = coordinator_client(channel);
        let answer = timeout(ANSWER, client.leader(LeaderRequest {})).await.ok()?.ok()?;
        serde_json::from_str(&answer.into_inner().json).ok()
    }

    fn signal(&self, signal: Signal) {
        let pid = self.child.as_ref().and_then(Child::id).and_then(|pid| pid.try_into().ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            // One that has ended by itself is found out when it is asked for something.
            let _ended = kill_process(pid, signal);
        }
    }
}
