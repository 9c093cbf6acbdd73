//! Real agents, as processes of their own.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long an agent may take until it listens.
const START: Duration = Duration::from_secs(30);

/// Why an agent does not run.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The system refused something.
    #[error("the agent with {config} cannot be started")]
    Io {
        /// Its configuration.
        config: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ended or stayed silent.
    #[error("the agent with {config} neither listens nor dials; it said: {said}")]
    Silent {
        /// Its configuration.
        config: PathBuf,
        /// Everything it said.
        said: String,
    },
}

/// A running agent. Killed when dropped; what outlives an agent outlives this, too.
#[derive(Debug)]
pub struct AgentProcess {
    child: Child,
    address: Option<SocketAddr>,
}

impl AgentProcess {
    /// Starts an agent and waits until it listens, or dials if it listens nowhere. Its log goes on into `log`.
    ///
    /// # Errors
    /// When it does neither in time.
    pub fn start(program: &Path, config: &Path, log: &Path) -> Result<Self, AgentError> {
        let failed = |source| AgentError::Io { config: config.to_owned(), source };
        let mut command = Command::new(program);
        command.arg("--config").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.env_remove("RUST_LOG").spawn().map_err(failed)?;
        let (heard, hears) = mpsc::channel();
        if let Some(stderr) = child.stderr.take() {
            let log = std::fs::OpenOptions::new().create(true).append(true).open(log).map_err(failed)?;
            std::thread::spawn(move || listen(stderr, log, &heard));
        }
        match hears.recv_timeout(START) {
            Ok(Ok(address)) => Ok(Self { child, address }),
            Ok(Err(said)) => Err(AgentError::Silent { config: config.to_owned(), said }),
            Err(_) => {
                child.kill().map_err(failed)?;
                Err(AgentError::Silent { config: config.to_owned(), said: "nothing in time".to_owned() })
            }
        }
    }

    /// Where it listens; `None` if it only dials.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(|_| ())
    }
}

impl Drop for AgentProcess {
    fn drop(&mut self) {
        // Ended already is as good as killed.
        if self.child.kill().is_ok() {
            let _reaped = self.child.wait();
        }
    }
}

/// Where an agent listens, or everything it said before it ended.
type Heard = Result<Option<SocketAddr>, String>;

/// Copies an agent's log, and tells the address it listens on, or that it dials, as soon as it says so.
fn listen(stderr: impl io::Read, mut log: impl io::Write, heard: &mpsc::Sender<Heard>) {
    let mut said = String::new();
    let mut told = false;
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        // A full disk must not stop the agent from being heard.
        let _written = writeln!(log, "{line}");
        if let Some(address) = begun(&line).filter(|_| !told) {
            told = true;
            let _heard = heard.send(Ok(address));
        }
        if !told {
            said = format!("{said}{line}\n");
        }
    }
    if !told {
        let _heard = heard.send(Err(said));
    }
}

/// Whether a line says that the agent has begun, and if so, where it listens.
fn begun(line: &str) -> Option<Option<SocketAddr>> {
    let dials = line.contains("connecting coordinators=").then_some(None);
    address_in(line).map(Some).or(dials)
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let rest = line.contains("listening").then(|| line.split("address=").nth(1))??;
    rest.split_whitespace().next()?.parse().ok()
}
