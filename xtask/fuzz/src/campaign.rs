//! Giving each target its time under libFuzzer.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, anyhow};
use fuzz::Target;

use crate::Args;
use crate::figures::Figures;

/// The most memory that a target may take, in MiB: far more than any reader needs for inputs of this length, and far less
/// than what one would take that believes a length it was told.
const MOST_MEMORY_MIB: u32 = 512;
/// The longest that one input may take, in seconds. A thousand times what the slowest takes.
const LONGEST_RUN_SECONDS: u32 = 10;

/// Tries all targets, so many at once, and gives their figures in the targets' order.
pub fn run(args: &Args, targets: &[&'static Target]) -> Result<Vec<Figures>> {
    let jobs = args.jobs.clamp(1, targets.len().max(1));
    let seconds = (args.minutes * 60.0 * jobs as f64 / targets.len() as f64).ceil().max(1.0) as u64;
    let waiting: Mutex<VecDeque<&Target>> = Mutex::new(targets.iter().copied().collect());
    let done = Mutex::new(Vec::new());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(target) = next() {
                    let figures = one(args, target, seconds);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((target.name, figures));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(name, _)| targets.iter().position(|target| target.name == *name));
    done.into_iter().map(|(_, figures)| figures).collect()
}

fn one(args: &Args, target: &Target, seconds: u64) -> Result<Figures> {
    let place = Place::make(&args.directory, target)?;
    let log = File::create(&place.log).with_context(|| format!("cannot write {}", place.log.display()))?;
    eprintln!("{}: {seconds} s, log in {}", target.name, place.log.display());
    let mut command = command(args, target, &place, seconds);
    // It says everything on its standard error.
    let status = command.stdout(log.try_clone()?).stderr(log).status();
    let status = status.with_context(|| format!("{} cannot be started", args.program.display()))?;
    let printed = String::from_utf8_lossy(&fs::read(&place.log)?).into_owned();
    let mut figures = Figures::read(target.name, &printed);
    figures.findings = files(&place.findings)?;
    if !status.success() {
        figures.ended = Some(format!("{status}; see {}", place.log.display()));
    }
    Ok(figures)
}

fn command(args: &Args, target: &Target, place: &Place, seconds: u64) -> Command {
    let mut command = Command::new(&args.program);
    command.env("RATCHET_FUZZ_TARGET", target.name).env("RUST_BACKTRACE", "0");
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-rss_limit_mb={MOST_MEMORY_MIB}"));
    command.arg(format!("-timeout={LONGEST_RUN_SECONDS}"));
    command.arg(format!("-max_len={}", target.longest));
    command.arg(format!("-artifact_prefix={}/", place.findings.display()));
    command.args(["-print_final_stats=1", "-use_value_profile=1", "-reload=0"]);
    if !target.words.is_empty() {
        command.arg(format!("-dict={}", place.dictionary.display()));
    }
    command.args([&place.corpus, &place.seeds]);
    command
}

/// Where the files of a target are.
struct Place {
    corpus: PathBuf,
    seeds: PathBuf,
    findings: PathBuf,
    dictionary: PathBuf,
    log: PathBuf,
}

impl Place {
    /// Makes the directories, and writes seeds and words anew.
    fn make(below: &Path, target: &Target) -> Result<Self> {
        let at = |kind: &str| below.join(kind).join(target.name);
        let place = Self {
            corpus: at("corpus"),
            seeds: at("seeds"),
            findings: at("findings"),
            dictionary: at("words"),
            log: at("logs"),
        };
        for file in [&place.dictionary, &place.log] {
            let directory = file.parent().ok_or_else(|| anyhow!("{} is no file", file.display()))?;
            fs::create_dir_all(directory)?;
        }
        for directory in [&place.corpus, &place.seeds, &place.findings] {
            fs::create_dir_all(directory)?;
        }
        fs::write(&place.dictionary, target.dictionary())?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(place.seeds.join(number.to_string()), seed)?;
        }
        Ok(place)
    }
}

/// The files in a directory, sorted. What was found before and is still there counts: nobody has dealt with it.
fn files(directory: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        files.push(entry?.path().display().to_string());
    }
    // What was only slow is told in the log, and is no finding.
    files.retain(|file| !file.contains("/slow-unit-"));
    files.sort();
    Ok(files)
}
