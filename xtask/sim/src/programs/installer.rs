//! `install.sh`'s helper: everything of it that needs the cluster.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::installer_checks::{Arguments, PackageInfo, answer_in, parse_arguments, questions, refusal};
use crate::fault::Stage;
use crate::roots::{self, Marker};
use crate::wire::{self, Directive, InstallFacts, Reply, Request, WireError};

/// Go on.
pub const GO: u8 = 0;
/// End; why has been printed.
pub const ABORT: u8 = 1;
/// Die by SIGKILL.
pub const KILL: u8 = 137;
/// Replacing the files fails for want of space.
pub const DISK_FULL: u8 = 28;

/// One run of `install.sh`.
#[derive(Debug)]
pub struct Run {
    root: PathBuf,
    marker: Marker,
    pid: u32,
}

impl Run {
    /// The run whose outermost shell has this process id, on the node with this root.
    pub fn new(root: &Path, pid: u32) -> std::io::Result<Self> {
        Ok(Self { root: root.to_owned(), marker: roots::marker(root)?, pid })
    }

    /// Counts the start; checks arguments, cluster and answers. `umask` is the shell's.
    pub async fn begin(&self, package: &PackageInfo, umask: u32, args: Vec<String>) -> Result<u8, WireError> {
        let (uid, pid, target) = (self.marker.uid, self.pid, package.version);
        let request = Request::InstallBegin { uid, pid, target, args: args.clone() };
        let Reply::Facts(facts) = self.ask(&request).await? else { return Err(WireError::Closed) };
        let arguments = match parse_arguments(&args, target) {
            Ok(arguments) => arguments,
            Err(error) => return Ok(abort(&format!("Error: {error}"))),
        };
        if arguments.help {
            log('.', "Usage: install.sh [-y] [-c <answer file>] [--help]");
            return Ok(ABORT);
        }
        log('.', "Checking prerequisites");
        let code = self.reach(Stage::Checks).await?;
        if code != GO {
            return Ok(code);
        }
        let installed = roots::version_on_disk(&self.root).unwrap_or(target);
        if let Some(reason) = refusal(package, installed, umask, &facts) {
            return Ok(abort(&reason));
        }
        log('!', &format!("Upgrading from version {installed} to {target}"));
        Ok(ask_all(&arguments, package, &facts))
    }

    /// Tells the server what comes next and does as it says. A version to write goes to standard output, log lines of this
    /// stage to standard error, so that the shell can tell them apart.
    pub async fn reach(&self, stage: Stage) -> Result<u8, WireError> {
        let request = Request::InstallReach { uid: self.marker.uid, pid: self.pid, stage };
        Ok(match self.directive(&request).await? {
            Directive::Go | Directive::Exit(_) => GO,
            Directive::Write(version) => {
                emit(&version.to_string());
                GO
            }
            Directive::DiskFull => {
                log_error("Error: write failed: No space left on device");
                DISK_FULL
            }
            Directive::Abort => {
                log_error("Error: Upgrade aborted.");
                ABORT
            }
            Directive::Kill => KILL,
        })
    }

    /// The exit status of the whole script.
    pub async fn end(&self) -> Result<u8, WireError> {
        match self.directive(&Request::InstallEnd { uid: self.marker.uid, pid: self.pid }).await? {
            Directive::Exit(code) => Ok(code),
            _ => Err(WireError::Closed),
        }
    }

    async fn directive(&self, request: &Request) -> Result<Directive, WireError> {
        match self.ask(request).await? {
            Reply::Directive(directive) => Ok(directive),
            _ => Err(WireError::Closed),
        }
    }

    async fn ask(&self, request: &Request) -> Result<Reply, WireError> {
        wire::call(&self.marker.socket, request).await
    }
}

/// Asks every question: of `-y`, of the answer file, of standard input, in this order.
fn ask_all(arguments: &Arguments, package: &PackageInfo, facts: &InstallFacts) -> u8 {
    let file = match arguments.answers.as_deref().map(std::fs::read_to_string) {
        Some(Err(error)) => return abort(&format!("Error: cannot read the answer file: {error}")),
        Some(Ok(text)) => text,
        None => String::new(),
    };
    for question in questions(package.version, facts) {
        let from_file = question.key.and_then(|key| answer_in(&file, key));
        let answer = if arguments.yes { Some(true) } else { from_file.or_else(read_answer) };
        let shown = match answer {
            Some(true) => "Y",
            Some(false) => "N",
            None => "",
        };
        log('?', &format!("{} [Y/N]? {shown}", question.text));
        match answer {
            None => return abort("Error: no answer. Upgrade aborted."),
            Some(false) if question.needs_yes => return abort("Upgrade aborted."),
            Some(_) => {}
        }
    }
    GO
}

/// One line of standard input; none at its end.
fn read_answer() -> Option<bool> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).ok().filter(|count| *count > 0)?;
    match line.trim() {
        "Y" | "y" | "yes" => Some(true),
        "N" | "n" | "no" => Some(false),
        _ => None,
    }
}

fn abort(reason: &str) -> u8 {
    log('x', reason);
    ABORT
}

fn stamp(tag: char, text: &str) -> String {
    format!("{} [{tag}] {text}", jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S%.3f"))
}

fn emit(line: &str) {
    println!("{line}");
}

fn log(tag: char, text: &str) {
    emit(&stamp(tag, text));
}

fn log_error(text: &str) {
    eprintln!("{}", stamp('x', text));
}
