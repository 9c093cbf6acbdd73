//! Processes of the bench and the tests: a real coordinator that is served, a fleet in a process of its own, and what
//! the system says of them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Lines, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

use crate::configuration::Listed;

/// Ticks of the CPU clock in a second, as Linux tells them to programs on every machine that matters here.
const TICKS: f64 = 100.0;

/// Between two tries whether a coordinator listens.
const KNOCK: Duration = Duration::from_millis(10);

/// What a process has used, by the system's books.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Resident memory now, in MiB.
    pub rss_mib: f64,
    /// The most it ever had.
    pub peak_mib: f64,
    /// CPU time until now, in seconds.
    pub cpu_s: f64,
    /// Open descriptors.
    pub descriptors: usize,
}

/// What a process has used until now.
///
/// # Errors
/// It is gone, or not ours.
pub fn usage(pid: u32) -> Result<Usage> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let mib = |key: &str| -> Result<f64> {
        let line =
            status.lines().find_map(|line| line.strip_prefix(key)).with_context(|| format!("no {key}"))?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024.0)
    };
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The program's name may have spaces; the numbers follow its last bracket, beginning with the third.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index - 3).and_then(|text| text.parse::<f64>().ok());
    let used = ticks(14).zip(ticks(15)).context("no CPU time")?;
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))?.count();
    Ok(Usage {
        rss_mib: mib("VmRSS:")?,
        peak_mib: mib("VmHWM:")?,
        cpu_s: (used.0 + used.1) / TICKS,
        descriptors,
    })
}

/// A port on loopback that nobody listens on: for a coordinator that has to come back where it was.
///
/// # Errors
/// There is none.
pub fn free_address() -> std::io::Result<SocketAddr> {
    // An address that nobody else uses, so that nobody takes the port meanwhile.
    let [high, low, ..] = std::process::id().to_le_bytes();
    TcpListener::bind((Ipv4Addr::new(127, 32, high, low), 0))?.local_addr()
}

/// A served coordinator. Killed when it is dropped.
#[derive(Debug)]
pub struct Served {
    child: Child,
    program: PathBuf,
    address: SocketAddr,
}

impl Served {
    /// Starts `ratchet serve` and waits until it answers at the address that its configuration names. It finds nothing of
    /// this process's environment that begins with `RATCHET`.
    ///
    /// # Errors
    /// It cannot be started, ends, or does not answer within a minute.
    pub async fn start(program: &Path, config: &Path, log: &Path, address: SocketAddr) -> Result<Self> {
        let log_file = File::options().create(true).append(true).open(log)?;
        let mut command = Command::new(program);
        command.arg("--config").arg(config).arg("serve").env_remove("RATCHET_COORDINATOR");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log_file).spawn()?;
        let mut served = Self { child, program: program.to_owned(), address };
        served.until_it_answers(log).await?;
        Ok(served)
    }

    async fn until_it_answers(&mut self, log: &Path) -> Result<()> {
        let patience = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(self.address).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the coordinator ended, {status}: {}", fs::read_to_string(log).unwrap_or_default());
            }
            ensure!(Instant::now() < patience, "the coordinator does not listen at {}", self.address);
            tokio::time::sleep(KNOCK).await;
        }
        Ok(())
    }

    /// The document that it answers a command of the command line with.
    ///
    /// # Errors
    /// The answer is none.
    pub fn ask(&self, config: &Path, verb: &str) -> Result<serde_json::Value> {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(config).arg("--coordinator").arg(self.address.to_string());
        let output = command.args(["-o", "json", verb]).stderr(Stdio::piped()).output()?;
        let said = || String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice(&output.stdout).with_context(said)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(&mut self) -> std::io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(|_| ())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Ended already is as good as killed.
        let _killed = self.kill();
    }
}

/// A part of the fleet in a process of its own. Ends when it is dropped.
#[derive(Debug)]
pub struct FleetProcess {
    child: Child,
    asks: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    /// Its clusters.
    pub clusters: Vec<Listed>,
}

impl FleetProcess {
    /// Starts `ratchet-fleet` with these arguments and waits until its agents are there.
    ///
    /// # Errors
    /// It cannot be started, or says something else than its clusters.
    pub fn start(program: &PathBuf, args: &[String]) -> Result<Self> {
        let mut command = Command::new(program);
        let mut child = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let asks = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().context("no stdout")?).lines();
        let first = answers.next().context("the fleet ended")??;
        Ok(Self { child, asks, answers, clusters: serde_json::from_str(&first)? })
    }

    /// Tells it something, and gives its answer.
    ///
    /// # Errors
    /// It is gone.
    pub fn ask(&mut self, line: &str) -> Result<serde_json::Value> {
        let asks = self.asks.as_mut().context("the fleet has ended")?;
        writeln!(asks, "{line}")?;
        Ok(serde_json::from_str(&self.answers.next().context("the fleet ended")??)?)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for FleetProcess {
    fn drop(&mut self) {
        drop(self.asks.take());
        // Ended already is as good as killed.
        if self.child.kill().is_ok() {
            let _reaped = self.child.wait();
        }
    }
}
