//! Running one program to its end: a clean environment, a group of its own, captured output, and an end at its deadline
//! whatever it leaves behind.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// Where programs of the system are looked for.
pub const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long output is still awaited after a program ended: its pipes may be held open by something it left behind.
const AFTER_EXIT: Duration = Duration::from_millis(500);

/// How long a program may take, and how much it may print.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// After this long it is killed, with everything in its group.
    pub time: Duration,
    /// Bytes of standard output; a program that prints more is killed, because half an answer is none.
    pub stdout: usize,
    /// What is kept of standard error.
    pub stderr: Keep,
}

/// What is kept of an output.
#[derive(Clone, Copy, Debug)]
pub enum Keep {
    /// All of it, up to so many bytes; a program that prints more is killed.
    All(usize),
    /// The end of it, at least so many bytes.
    End(usize),
}

/// How a program ended.
#[derive(Debug)]
pub enum Ending {
    /// By itself, or by a signal that was not ours.
    Ended(ExitStatus),
    /// It was killed when its time was up.
    Overdue,
    /// It was killed because it printed too much.
    TooMuch,
    /// It did not even start.
    NotStarted(io::Error),
    /// It was started, and cannot be followed.
    Lost(io::Error),
}

/// How a program ended and what it printed.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub ending: Ending,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// What was kept of its standard error.
    pub stderr: Vec<u8>,
}

/// A command with a clean environment, in `/`: `path` is all of its `PATH`.
pub fn clean(program: impl AsRef<std::ffi::OsStr>, path: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", path).env("LANG", "C").env("TERM", "dumb").current_dir("/");
    command
}

/// Runs a command to its end, or to the end of its time. With no input it finds its standard input closed.
pub async fn run(mut command: Command, input: Option<&[u8]>, limits: Limits) -> Ran {
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut child = match spawn(&mut command).await {
        Ok(child) => child,
        Err(error) => return Ran { ending: Ending::NotStarted(error), stdout, stderr },
    };
    let mut group = Group(child.id());
    let attended = attend(&mut child, input.unwrap_or_default(), limits, &mut stdout, &mut stderr);
    let ending = match timeout(limits.time, attended).await {
        Ok(Ok(status)) => {
            group.0 = None;
            return Ran { ending: Ending::Ended(status), stdout, stderr };
        }
        Ok(Err(Broken::TooMuch)) => Ending::TooMuch,
        Ok(Err(Broken::Io(error))) => Ending::Lost(error),
        Err(_) => Ending::Overdue,
    };
    group.kill();
    // A killed process ends at once; what cannot even be killed must not hold us.
    let _reaped = timeout(AFTER_EXIT, child.wait()).await;
    Ran { ending, stdout, stderr }
}

/// Starts a program. Its file may just be being written, which passes.
async fn spawn(command: &mut Command) -> io::Result<Child> {
    for _ in 0..20 {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            other => return other,
        }
    }
    command.spawn()
}

/// Why a started program is not waited for any longer.
enum Broken {
    TooMuch,
    Io(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

async fn attend(
    child: &mut Child,
    input: &[u8],
    limits: Limits,
    out: &mut Vec<u8>,
    err: &mut Vec<u8>,
) -> Result<ExitStatus, Broken> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (all, kept) = (Keep::All(limits.stdout), limits.stderr);
    let talk = async {
        tokio::try_join!(feed(stdin, input), drain(stdout, out, all), drain(stderr, err, kept)).map(drop)
    };
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

/// A program need not read what it is given.
async fn feed(stdin: Option<ChildStdin>, input: &[u8]) -> Result<(), Broken> {
    if let Some(mut stdin) = stdin {
        let _unread = stdin.write_all(input).await;
    }
    Ok(())
}

async fn drain(source: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>, keep: Keep) -> Result<(), Broken> {
    let Some(mut source) = source else { return Ok(()) };
    while source.read_buf(into).await? > 0 {
        match keep {
            Keep::All(most) if into.len() > most => return Err(Broken::TooMuch),
            Keep::End(least) if into.len() > 2 * least => drop(into.drain(..into.len() - least)),
            Keep::All(_) | Keep::End(_) => {}
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
            let _ended = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
