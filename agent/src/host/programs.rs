//! Running programs: a clean environment, no terminal, captured output, and an end for every one of them.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures::future::BoxFuture;
use proto::ProgramFailure;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

pub use super::outcome::Output;
use super::outcome::failure;

const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long output is still awaited after a program ended: its pipes may be held open by something it left behind.
const AFTER_EXIT: Duration = Duration::from_millis(500);

/// A program to run.
#[derive(Clone, Debug)]
pub struct Call {
    /// The program: an absolute path, or a name to be found on the system's own path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Directories in front of the system's path; some of the vendor's wrappers need their own (RS199887).
    pub path_first: Vec<PathBuf>,
    /// After this long it is killed, with everything it started.
    pub deadline: Duration,
}

impl Call {
    /// A call without directories of its own.
    pub fn new(program: impl Into<PathBuf>, args: &[&str], deadline: Duration) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { program: program.into(), args, path_first: Vec::new(), deadline }
    }

    /// The program and its arguments, for people.
    pub fn argv(&self) -> Vec<String> {
        let program = self.program.display().to_string();
        std::iter::once(program).chain(self.args.iter().cloned()).collect()
    }

    fn path(&self) -> String {
        let own = self.path_first.iter().map(|directory| directory.display().to_string());
        own.chain([SYSTEM_PATH.to_owned()]).collect::<Vec<_>>().join(":")
    }
}

/// Whoever can run programs: the system, or a script in a test.
pub trait Programs: fmt::Debug + Send + Sync {
    /// Runs a program to its end. A program that ends by itself is an [`Output`] whatever its status.
    ///
    /// # Errors
    /// When it could not be started, was killed at its deadline, or printed more than can be kept.
    fn run(&self, call: Call) -> BoxFuture<'_, Result<Output, ProgramFailure>>;
}

/// Real processes.
#[derive(Clone, Copy, Debug)]
pub struct SystemPrograms {
    /// Bytes of each of the two outputs that are kept; a program that prints more is killed, because half an answer is none.
    pub output_cap: usize,
}

impl Default for SystemPrograms {
    fn default() -> Self {
        Self { output_cap: 16 << 20 }
    }
}

impl Programs for SystemPrograms {
    fn run(&self, call: Call) -> BoxFuture<'_, Result<Output, ProgramFailure>> {
        Box::pin(run(call, self.output_cap))
    }
}

/// Why a started program has no output that could be used.
enum Broken {
    TooMuch,
    Io(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

async fn run(call: Call, cap: usize) -> Result<Output, ProgramFailure> {
    let argv = call.argv();
    let spawned = spawn(&call).await;
    let mut child =
        spawned.map_err(|error| failure(argv.clone(), format!("could not be started: {error}"), "", ""))?;
    let mut group = Group(child.id());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let ended = tokio::time::timeout(call.deadline, collect(&mut child, &mut out, &mut err, cap)).await;
    let (stdout, stderr) =
        (String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned());
    let status = match ended {
        Ok(Ok(status)) => {
            group.0 = None;
            return Ok(Output { argv, status, stdout, stderr });
        }
        Ok(Err(Broken::TooMuch)) => format!("it printed more than {cap} bytes and was killed"),
        Ok(Err(Broken::Io(error))) => format!("its output could not be read: {error}"),
        Err(_) => format!("no answer within {:?}; it was killed", call.deadline),
    };
    group.kill();
    // A killed process ends at once; what cannot even be killed must not hold the agent.
    let _ = tokio::time::timeout(AFTER_EXIT, child.wait()).await;
    Err(failure(argv, status, &stdout, &stderr))
}

/// Starts the program. During an upgrade its file may just be being written, which passes.
async fn spawn(call: &Call) -> io::Result<Child> {
    for _ in 0..20 {
        match command(call).spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            other => return other,
        }
    }
    command(call).spawn()
}

fn command(call: &Call) -> Command {
    let mut command = Command::new(&call.program);
    command.args(&call.args).env_clear().env("PATH", call.path());
    command.env("TERM", "dumb").env("LANG", "C").env("HOME", "/root").current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    command
}

async fn collect(
    child: &mut Child,
    out: &mut Vec<u8>,
    err: &mut Vec<u8>,
    cap: usize,
) -> Result<ExitStatus, Broken> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let reading = async { tokio::try_join!(drain(stdout, out, cap), drain(stderr, err, cap)).map(drop) };
    tokio::pin!(reading);
    let mut read_all = false;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            result = &mut reading, if !read_all => {
                result?;
                read_all = true;
            }
        }
    };
    if !read_all && let Ok(result) = tokio::time::timeout(AFTER_EXIT, reading).await {
        result?;
    }
    Ok(status)
}

async fn drain(source: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>, cap: usize) -> Result<(), Broken> {
    let Some(mut source) = source else { return Ok(()) };
    while source.read_buf(into).await? > 0 {
        if into.len() > cap {
            return Err(Broken::TooMuch);
        }
    }
    Ok(())
}

/// The process group of a program that has not ended; killed whole, also when its future is dropped.
struct Group(Option<u32>);

impl Group {
    fn kill(&mut self) {
        let id = self.0.take().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            // It may have ended in this very moment, which is what is wanted.
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    async fn sh(script: &str, deadline: Duration, output_cap: usize) -> Result<Output, ProgramFailure> {
        SystemPrograms { output_cap }.run(Call::new("/bin/sh", &["-c", script], deadline)).await
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn the_environment_is_clean_and_stdin_is_closed() {
        let output = sh("env; cat; echo bad >&2; exit 3", LONG, 1 << 20).await.unwrap();
        let names: Vec<&str> =
            output.stdout.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        assert!(output.stdout.contains("TERM=dumb\n") && output.stdout.contains("LANG=C\n"), "{output:?}");
        assert!(!names.contains(&"CARGO_MANIFEST_DIR") && !names.contains(&"USER"), "{names:?}");
        assert_eq!(output.failure().status, "exit status: 3");
        assert_eq!(output.failure().tail.last().unwrap(), "bad");
    }

    #[tokio::test]
    async fn a_hanging_program_dies_with_its_children_and_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let pids = directory.path().join("pids");
        let script = format!("sleep 600 & echo $! > {0}; echo half; wait", pids.display());
        let failed = sh(&script, Duration::from_secs(2), 1 << 20).await.unwrap_err();
        assert!(failed.status.contains("no answer within 2s"), "{failed:?}");
        assert_eq!(failed.argv[0], "/bin/sh");
        assert_eq!(failed.tail, ["half"]);
        let child: i32 = std::fs::read_to_string(pids).unwrap().trim().parse().unwrap();
        assert!(is_gone(child).await, "process {child} still runs");
    }

    /// Whether a process has ended; orphans may stay as zombies for as long as nobody reaps them.
    async fn is_gone(pid: i32) -> bool {
        for _ in 0..100 {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            if stat.is_empty() || stat.contains(") Z ") {
                return true;
            }
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    #[tokio::test]
    async fn endless_output_is_no_answer() {
        let started = Instant::now();
        let failed = sh("yes", LONG, 10_000).await.unwrap_err();
        assert!(failed.status.contains("more than 10000 bytes"), "{failed:?}");
        assert!(failed.tail.len() <= 20 && started.elapsed() < LONG);
    }

    #[tokio::test]
    async fn something_left_behind_does_not_hold_the_answer() {
        let directory = tempfile::tempdir().unwrap();
        let pids = directory.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; echo done", pids.display());
        let output = sh(&script, LONG, 1 << 20).await.unwrap();
        assert_eq!(output.stdout, "done\n");
        let left: i32 = std::fs::read_to_string(pids).unwrap().trim().parse().unwrap();
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(left).unwrap(),
            rustix::process::Signal::KILL,
        )
        .unwrap();
    }

    #[tokio::test]
    async fn a_missing_program_and_odd_bytes() {
        let missing = Call::new("/nonexistent/rladmin", &["status"], LONG);
        let failed = SystemPrograms::default().run(missing).await.unwrap_err();
        assert_eq!(failed.argv, ["/nonexistent/rladmin", "status"]);
        assert!(failed.status.contains("could not be started"), "{failed:?}");
        assert_eq!(sh(r"printf '\377ok'", LONG, 100).await.unwrap().stdout, "\u{fffd}ok");
    }
}
