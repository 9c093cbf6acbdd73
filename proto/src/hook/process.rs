//! One hook as a process: a clean environment, a group of its own, its output, and an end at its deadline whatever it
//! leaves behind.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::judge::{Ending, MOST_OUTPUT};

const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long output is still awaited after a hook ended: its pipes may be held open by something it left behind.
const AFTER_EXIT: Duration = Duration::from_millis(500);

/// How a hook ended and what it printed.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) ending: Ending,
    pub(super) stdout: Vec<u8>,
    /// The end of it, if it is long.
    pub(super) stderr: Vec<u8>,
}

/// Why a started hook is not waited for any longer.
enum Broken {
    TooMuch,
    Io(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Runs a hook to its end, or to the end of its time.
pub(super) async fn run(program: &Path, input: &[u8], limit: Duration) -> Ran {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut child = match spawn(program).await {
        Ok(child) => child,
        Err(error) => return Ran { ending: Ending::NotStarted(error.to_string()), stdout, stderr },
    };
    let mut group = Group(child.id());
    let ended = timeout(limit, attend(&mut child, input, &mut stdout, &mut stderr)).await;
    let ending = match ended {
        Ok(Ok(status)) => {
            group.0 = None;
            return Ran { ending: of_status(status), stdout, stderr };
        }
        Ok(Err(Broken::TooMuch)) => Ending::TooMuch,
        Ok(Err(Broken::Io(error))) => Ending::Lost(error.to_string()),
        Err(_) => Ending::Overdue(limit),
    };
    group.kill();
    // A killed process ends at once; what cannot even be killed must not hold us.
    let _reaped = timeout(AFTER_EXIT, child.wait()).await;
    Ran { ending, stdout, stderr }
}

fn of_status(status: ExitStatus) -> Ending {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Exited(code),
        (None, Some(signal)) => Ending::Killed(format!("signal {signal}")),
        (None, None) => Ending::Lost(status.to_string()),
    }
}

/// Starts a hook. Its file may just be being written, which passes.
async fn spawn(program: &Path) -> io::Result<Child> {
    for _ in 0..20 {
        match command(program).spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            other => return other,
        }
    }
    command(program).spawn()
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", SYSTEM_PATH).env("LANG", "C").env("TERM", "dumb").current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    command
}

async fn attend(
    child: &mut Child,
    input: &[u8],
    out: &mut Vec<u8>,
    err: &mut Vec<u8>,
) -> Result<ExitStatus, Broken> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let talk =
        async { tokio::try_join!(feed(stdin, input), whole(stdout, out), end_of(stderr, err)).map(drop) };
    tokio::pin!(talk);
    let mut over = false;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            result = &mut talk, if !over => {
                result?;
                over = true;
            }
        }
    };
    if !over && let Ok(result) = timeout(AFTER_EXIT, talk).await {
        result?;
    }
    Ok(status)
}

/// A hook need not read what it is given.
async fn feed(stdin: Option<ChildStdin>, input: &[u8]) -> Result<(), Broken> {
    if let Some(mut stdin) = stdin {
        let _unread = stdin.write_all(input).await;
    }
    Ok(())
}

async fn whole(source: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) -> Result<(), Broken> {
    let Some(mut source) = source else { return Ok(()) };
    while source.read_buf(into).await? > 0 {
        if into.len() > MOST_OUTPUT {
            return Err(Broken::TooMuch);
        }
    }
    Ok(())
}

/// Keeps the end only: somebody may have traced a long script.
async fn end_of(source: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) -> Result<(), Broken> {
    let Some(mut source) = source else { return Ok(()) };
    while source.read_buf(into).await? > 0 {
        if into.len() > 2 * MOST_OUTPUT {
            into.drain(..into.len() - MOST_OUTPUT);
        }
    }
    Ok(())
}

/// The process group of a hook that has not ended; killed whole, also when its future is dropped.
struct Group(Option<u32>);

impl Group {
    fn kill(&mut self) {
        let id = self.0.take().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            // It may have ended in this very moment, which is what is wanted.
            let _ended = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
