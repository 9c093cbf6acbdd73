//! One server.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::installed::{self, PASSWORD, USER};
use crate::processes;
use crate::tls::Certificates;

/// How long a server may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// How often another port is tried when somebody else has taken the one that was free a moment before.
const PORTS: usize = 5;

/// What a server of a test needs. Nothing outlives the machine, so nothing waits for disks.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
fsync = off
full_page_writes = off
max_connections = 60
shared_buffers = 16MB
wal_level = replica
hot_standby = on
logging_collector = off
synchronous_commit = on
";

/// Passwords over TCP, none over the socket, which only the server's owner and root can reach.
const RULES: &str = "
local all,replication all trust
host all,replication all 127.0.0.1/32 scram-sha-256
";

/// A running server. Dropping it ends it and removes what it has written.
#[derive(Debug)]
pub struct Server {
    directory: TempDir,
    port: u16,
    postmaster: Option<Child>,
    certificates: Option<Certificates>,
}

impl Server {
    /// Starts one.
    ///
    /// # Errors
    /// PostgreSQL is not installed, or did not start.
    pub async fn start() -> Result<Self> {
        Self::made(None)?.up().await
    }

    /// Starts one that offers TLS, with a certificate for `localhost` and 127.0.0.1.
    ///
    /// # Errors
    /// PostgreSQL is not installed, or did not start.
    pub async fn start_with_tls() -> Result<Self> {
        Self::made(Some(&["localhost", "127.0.0.1"]))?.up().await
    }

    fn made(names: Option<&[&str]>) -> Result<Self> {
        let directory = installed::directory()?;
        let password = directory.path().join("password");
        fs::write(&password, PASSWORD)?;
        installed::give(&password)?;
        let mut server = Self { directory, port: 0, postmaster: None, certificates: None };
        let (pwfile, data) =
            (format!("--pwfile={}", password.display()), server.data().display().to_string());
        let fixed =
            ["-N", "-U", USER, "-E", "UTF8", "--locale=C", "-A", "scram-sha-256", "-D", &data, &pwfile];
        installed::run("initdb", &fixed)?;
        server.configure(SETTINGS)?;
        fs::write(server.data().join("pg_hba.conf"), RULES)?;
        if let Some(names) = names {
            let made = Certificates::write(&server.directory.path().join("tls"), names)?;
            server.configure(&format!(
                "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n",
                made.cert.display(),
                made.key.display()
            ))?;
            server.certificates = Some(made);
        }
        Ok(server)
    }

    /// A copy of this server that follows it. Not up yet.
    pub(crate) fn follower(&self) -> Result<Self> {
        let directory = installed::directory()?;
        let follower = Self { directory, port: 0, postmaster: None, certificates: self.certificates.clone() };
        let (host, port) = (self.directory.path().display().to_string(), self.port.to_string());
        let data = follower.data().display().to_string();
        let how = ["-X", "stream", "-c", "fast", "--no-sync", "-R", "-U", USER];
        installed::run("pg_basebackup", &[&how[..], &["-h", &host, "-p", &port, "-D", &data]].concat())?;
        Ok(follower)
    }

    /// Adds to the configuration; `reload` makes a server that is up read it.
    pub(crate) fn configure(&self, settings: &str) -> Result<()> {
        let mut file = OpenOptions::new().append(true).open(self.data().join("postgresql.conf"))?;
        Ok(file.write_all(settings.as_bytes())?)
    }

    pub(crate) fn reload(&self) -> Result<()> {
        installed::run("pg_ctl", &["reload".to_owned(), "-D".to_owned(), self.data().display().to_string()])
    }

    pub(crate) fn promote(&self) -> Result<()> {
        let data = self.data().display().to_string();
        installed::run("pg_ctl", &["promote", "-w", "-t", "30", "-D", &data])
    }

    /// Starts the server's processes and waits until it answers.
    pub(crate) async fn up(mut self) -> Result<Self> {
        for _ in 0..PORTS {
            self.port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            let log = OpenOptions::new().create(true).append(true).open(self.log())?;
            let mut command = installed::program("postgres")?;
            command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string(), "-k"]);
            command.arg(self.directory.path()).stdout(Stdio::null()).stderr(log);
            self.postmaster = Some(command.spawn().context("`setpriv` cannot be started")?);
            if self.answers().await? {
                return Ok(self);
            }
        }
        bail!("the server ended as soon as it was started:\n{}", fs::read_to_string(self.log())?)
    }

    /// Whether it came up; `false` if it ended instead.
    async fn answers(&mut self) -> Result<bool> {
        let started = Instant::now();
        let (host, port) = (self.directory.path().display().to_string(), self.port.to_string());
        while started.elapsed() < PATIENCE {
            if installed::run("pg_isready", &["-q", "-h", &host, "-p", &port]).is_ok() {
                return Ok(true);
            }
            let ended = self.postmaster.as_mut().map(Child::try_wait).transpose()?.flatten();
            if ended.is_some() {
                self.postmaster = None;
                return Ok(false);
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("the server does not answer:\n{}", fs::read_to_string(self.log())?)
    }

    /// Makes a database.
    ///
    /// # Errors
    /// The server refuses.
    pub fn create(&self, database: &str) -> Result<()> {
        let (host, port) = (self.directory.path().display().to_string(), self.port.to_string());
        installed::run("createdb", &["-h", &host, "-p", &port, "-U", USER, database])
    }

    /// Carries out statements in a database as its superuser.
    ///
    /// # Errors
    /// The server refuses one of them.
    pub fn sql(&self, database: &str, sql: &str) -> Result<()> {
        let (host, port) = (self.directory.path().display().to_string(), self.port.to_string());
        let fixed = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", &host, "-p", &port, "-U", USER];
        installed::run("psql", &[&fixed[..], &["-d", database, "-c", sql]].concat())
    }

    /// Where a database is reached over TCP.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it vouches for itself with, if it offers TLS.
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// Freezes all its processes: its peers see silence.
    pub fn pause(&self) {
        self.pid().into_iter().for_each(processes::freeze);
    }

    /// Lets them go on.
    pub fn resume(&self) {
        self.pid().into_iter().for_each(processes::thaw);
    }

    /// Kills all its processes, as the end of its machine would.
    pub fn kill(&mut self) {
        self.pid().into_iter().for_each(processes::kill);
        if let Some(mut postmaster) = self.postmaster.take() {
            // Whether it could be waited for or not, nothing is to be done about it.
            let _status = postmaster.wait();
        }
    }

    fn pid(&self) -> Option<u32> {
        self.postmaster.as_ref().map(Child::id)
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// The directory of its socket, which lets anybody in who can reach it.
    pub fn socket(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
