//! Running programs: a clean environment, no terminal, captured output, and an end for every one of them.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::BoxFuture;
use proto::ProgramFailure;
use proto::process::{self, Ending, Keep, Limits, SYSTEM_PATH};

use super::allowed::SYSTEM_DIRECTORIES;
use super::install_dirs::rooted;
pub use super::outcome::Output;
use super::outcome::failure;
use super::starts;

/// One start of a program of the closed list. Only [`super::Product`] makes one, out of an [`super::Action`].
#[derive(Clone, Debug)]
pub struct Call {
    /// Where the program may be, by absolute paths: the first that is there is run.
    candidates: Vec<PathBuf>,
    shown: String,
    args: Vec<String>,
    /// Directories in front of the system's path; some of the vendor's wrappers need their own (RS199887).
    path_first: Vec<PathBuf>,
    deadline: Duration,
}

impl Call {
    /// One of the product's own programs, in its own directory.
    pub(super) fn of_product(install_dir: &Path, name: &str, args: Vec<String>, deadline: Duration) -> Self {
        let program = install_dir.join("bin").join(name);
        let path_first = vec![install_dir.join("bin"), install_dir.join("sbin")];
        let shown = program.display().to_string();
        Self { candidates: vec![program], shown, args, path_first, deadline }
    }

    /// A program of the system: the root's own where it has one, as with all that is the machine's.
    pub(super) fn of_system(root: &Path, name: &str, args: Vec<String>, deadline: Duration) -> Self {
        let places = SYSTEM_DIRECTORIES.map(|directory| Path::new(directory).join(name));
        let own = places.iter().filter(|_| root != Path::new("/"));
        let own = own.map(|place| rooted(root, &place.to_string_lossy()));
        let candidates = own.chain(places.iter().cloned()).collect();
        Self { candidates, shown: name.to_owned(), args, path_first: Vec::new(), deadline }
    }

    /// The name of the program.
    pub fn name(&self) -> &str {
        self.candidates.first().and_then(|place| place.file_name()?.to_str()).unwrap_or_default()
    }

    /// Its arguments.
    pub fn args(&self) -> &[String] {
        &self.args
    }

    /// After this long it is killed, with everything it started.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The program and its arguments, for people.
    pub fn argv(&self) -> Vec<String> {
        std::iter::once(&self.shown).chain(&self.args).cloned().collect()
    }

    pub(super) fn candidates(&self) -> &[PathBuf] {
        &self.candidates
    }

    /// All of its `PATH`.
    pub(super) fn path(&self) -> String {
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

async fn run(call: Call, cap: usize) -> Result<Output, ProgramFailure> {
    let argv = call.argv();
    let command = match starts::of_list(&call) {
        Ok(command) => command,
        Err(error) => return Err(failure(argv, not_started(&error), "", "")),
    };
    let limits = Limits { time: call.deadline, stdout: cap, stderr: Keep::All(cap) };
    let ran = process::run(command, None, limits).await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&ran.stdout), text(&ran.stderr));
    let status = match ran.ending {
        Ending::Ended(status) => return Ok(Output { argv, status, stdout, stderr }),
        Ending::TooMuch => format!("it printed more than {cap} bytes and was killed"),
        Ending::NotStarted(error) => not_started(&error),
        Ending::Lost(error) => format!("its output could not be read: {error}"),
        Ending::Overdue => format!("no answer within {:?}; it was killed", call.deadline),
    };
    Err(failure(argv, status, &stdout, &stderr))
}

fn not_started(error: &io::Error) -> String {
    format!("could not be started: {error}")
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A call of what is not in the list.
    fn stand_in(program: &str, args: &[&str], deadline: Duration) -> Call {
        let (candidates, shown) = (vec![program.into()], program.to_owned());
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        Call { candidates, shown, args, path_first: Vec::new(), deadline }
    }

    async fn sh(script: &str, deadline: Duration, output_cap: usize) -> Result<Output, ProgramFailure> {
        SystemPrograms { output_cap }.run(stand_in("/bin/sh", &["-c", script], deadline)).await
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
        let missing = stand_in("/nonexistent/rladmin", &["status"], LONG);
        let failed = SystemPrograms::default().run(missing).await.unwrap_err();
        assert_eq!(failed.argv, ["/nonexistent/rladmin", "status"]);
        assert!(failed.status.contains("could not be started"), "{failed:?}");
        assert_eq!(sh(r"printf '\377ok'", LONG, 100).await.unwrap().stdout, "\u{fffd}ok");
    }
}
