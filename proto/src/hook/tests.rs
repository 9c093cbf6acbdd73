//! Attempts to get past a hook, to hang its caller, and to have something run that others wrote.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::*;

const LONG: Duration = Duration::from_secs(60);
/// Long enough for a shell to begin on a busy machine.
const SHORT: Duration = Duration::from_secs(2);

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap() };
        mode(place.directory.path(), 0o755);
        place
    }

    fn at(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    fn hook(&self, name: &str, script: &str) -> PathBuf {
        let point = self.at("before-turn");
        fs::create_dir_all(&point).unwrap();
        mode(&point, 0o755);
        let path = point.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        mode(&path, 0o755);
        path
    }

    fn runner(&self, each: Duration) -> HookRunner {
        HookRunner::new(HookSide::Node, self.directory.path().to_owned(), each)
    }

    async fn run(&self, each: Duration) -> Vec<HookOutcome> {
        self.runner(each).run(&call(), LONG).await
    }

    async fn run_one(&self, script: &str, each: Duration) -> HookOutcome {
        self.hook("10-only", script);
        let mut outcomes = self.run(each).await;
        assert_eq!(outcomes.len(), 1, "{outcomes:?}");
        outcomes.remove(0)
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn call() -> HookCall {
    HookCall {
        point: HookPoint::BeforeTurn,
        cluster: "orders".parse().unwrap(),
        target: "7.8.2-34".parse().unwrap(),
        run: Some("r1".parse().unwrap()),
        node: Some(HookNode { uid: NodeUid(2), agent: "n2:7443".to_owned() }),
        hop: Some(HookHop { from: "7.4.2-54".parse().unwrap(), to: "7.8.2-34".parse().unwrap() }),
        halt: None,
        outcome: None,
    }
}

fn names(outcomes: &[HookOutcome]) -> Vec<&str> {
    outcomes.iter().map(|outcome| outcome.name.as_str()).collect()
}

#[test]
fn what_a_hook_reads_is_a_contract() {
    let text = String::from_utf8(call().input(HookSide::Node).unwrap()).unwrap();
    assert_eq!(
        text,
        "{\"schema\":\"ratchet.hook/1\",\"side\":\"node\",\"point\":\"before-turn\",\"cluster\":\"orders\",\
         \"target\":\"7.8.2-34\",\"run\":\"r1\",\"node\":{\"uid\":2,\"agent\":\"n2:7443\"},\
         \"hop\":{\"from\":\"7.4.2-54\",\"to\":\"7.8.2-34\"}}\n"
    );
    for point in HookPoint::ALL {
        assert_eq!(serde_json::to_value(point).unwrap(), point.word(), "one word for both");
    }
}

#[tokio::test]
async fn hooks_run_in_the_order_of_their_names_with_the_call_on_stdin() {
    let place = Place::new();
    for name in ["20-b", "10-a", "30-c", ".hidden", "10-a~"] {
        let said = place.at("said").display().to_string();
        place.hook(name, &format!("echo $(basename \"$0\") >> {said}; cat >> {said}; pwd >> {said}"));
    }
    let outcomes = place.run(LONG).await;
    assert_eq!(names(&outcomes), ["10-a", "20-b", "30-c"]);
    assert!(outcomes.iter().all(|outcome| outcome.verdict == HookVerdict::Pass), "{outcomes:?}");
    let input = String::from_utf8(call().input(HookSide::Node).unwrap()).unwrap();
    let expected: String = ["10-a", "20-b", "30-c"].map(|name| format!("{name}\n{input}/\n")).concat();
    assert_eq!(fs::read_to_string(place.at("said")).unwrap(), expected);
}

#[tokio::test]
async fn the_environment_is_clean() {
    let outcome = Place::new().run_one("env >&2", LONG).await;
    let mut names: Vec<&str> =
        outcome.output_tail.iter().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    // The shell itself adds some.
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["LANG", "PATH", "TERM"]);
}

#[tokio::test]
async fn an_answer_and_an_exit_code_are_told_with_the_output() {
    let place = Place::new();
    let answer = r#"echo '{"verdict":"warn","message":"batch at 3","remedy":"wait"}'; echo detail >&2"#;
    let outcome = place.run_one(answer, LONG).await;
    assert_eq!((outcome.verdict, outcome.message.as_str()), (HookVerdict::Warn, "batch at 3"));
    assert_eq!(
        (outcome.remedy.as_deref(), outcome.output_tail.as_slice()),
        (Some("wait"), &["detail".to_owned()][..])
    );
    assert_eq!(
        (outcome.point, outcome.side, outcome.node),
        (HookPoint::BeforeTurn, HookSide::Node, Some(NodeUid(2)))
    );
    let outcome = place.run_one("echo looking; echo 'no room' >&2; exit 7", LONG).await;
    assert_eq!(outcome.verdict, HookVerdict::Block);
    assert_eq!(outcome.said(), "it ended with exit status 7; it printed: looking | no room");
    let outcome = place.run_one("kill -9 $$", LONG).await;
    assert_eq!(
        (outcome.verdict, outcome.message.as_str()),
        (HookVerdict::CannotTell, "it was killed by signal 9")
    );
}

/// Whether a process has ended; orphans may stay as zombies for as long as nobody reaps them.
async fn is_gone(pid: &str) -> bool {
    for _ in 0..1000 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        if stat.is_empty() || stat.contains(") Z ") {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn a_hanging_hook_is_killed_with_all_it_started() {
    let place = Place::new();
    let pid = place.at("pid");
    let script = format!("sleep 600 & echo $! > {}; echo half >&2; wait", pid.display());
    let outcome = place.run_one(&script, SHORT).await;
    assert_eq!(outcome.verdict, HookVerdict::CannotTell);
    assert_eq!(outcome.said(), "it had not ended after 2s and was killed; it printed: half");
    assert!(is_gone(&fs::read_to_string(pid).unwrap()).await, "what it started still runs");
}

#[tokio::test]
async fn something_left_behind_with_the_pipes_does_not_hold_the_caller() {
    let place = Place::new();
    let pid = place.at("pid");
    let began = Instant::now();
    let script = format!("sleep 600 & echo $! > {}; echo '{{\"verdict\":\"warn\"}}'", pid.display());
    let outcome = place.run_one(&script, LONG).await;
    assert_eq!(outcome.verdict, HookVerdict::Warn, "{outcome:?}");
    // In a session of its own it is not in the hook's group, and it ignores what it reads.
    let script = format!("setsid sh -c 'echo $$ > {}.own; exec sleep 600' & sleep 600", pid.display());
    let outcome = place.run_one(&script, SHORT).await;
    assert_eq!(outcome.verdict, HookVerdict::CannotTell);
    assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
    for file in [pid.clone(), pid.with_extension("own")] {
        let id = fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok());
        if let Some(id) = id.and_then(rustix::process::Pid::from_raw) {
            let _ended = rustix::process::kill_process(id, rustix::process::Signal::KILL);
        }
    }
}

#[tokio::test]
async fn endless_output_is_no_answer_and_a_long_trace_is_no_fault() {
    let place = Place::new();
    let outcome = place.run_one("yes", LONG).await;
    assert_eq!(outcome.verdict, HookVerdict::CannotTell);
    assert!(outcome.message.contains("more than 65536 bytes"), "{outcome:?}");
    assert!(outcome.output_tail.len() <= 20);
    let outcome = place.run_one("yes | head -n 500000 >&2; echo last >&2", LONG).await;
    assert_eq!((outcome.verdict, outcome.output_tail[19].as_str()), (HookVerdict::Pass, "last"));
}

#[tokio::test]
async fn a_hook_that_reads_nothing_is_not_waited_for() {
    let place = Place::new();
    place.hook("10-deaf", "exec <&-; exit 0");
    let mut call = call();
    let message = "x".repeat(1 << 20);
    call.halt = Some(HookHalt { id: "h".to_owned(), message, cause: None, remedy: None, node: None });
    let outcomes = place.runner(LONG).run(&call, LONG).await;
    assert_eq!(outcomes[0].verdict, HookVerdict::Pass, "{outcomes:?}");
}

#[tokio::test]
async fn what_others_could_have_written_is_named_and_not_run() {
    let place = Place::new();
    let ran = place.at("ran").display().to_string();
    let hook = |name: &str| place.hook(name, &format!("echo {name} >> {ran}"));
    mode(&hook("10-not-executable"), 0o644);
    mode(&hook("20-group"), 0o775);
    mode(&hook("30-everybody"), 0o757);
    fs::create_dir(place.at("before-turn/40-directory")).unwrap();
    symlink("/nonexistent", place.at("before-turn/50-dangling")).unwrap();
    hook("60-fine");
    let no_program = place.hook("70-no-program", "");
    fs::write(&no_program, "#!/nonexistent/sh\n").unwrap();
    let outcomes = place.run(LONG).await;
    let said: Vec<String> = outcomes
        .iter()
        .map(|outcome| format!("{}: {:?} {}", outcome.name, outcome.verdict, outcome.message))
        .collect();
    for (at, word) in [
        "is not executable",
        "can be written by its group or by everybody",
        "can be written by its group or by everybody",
        "is no file",
        "cannot be read",
        "Pass",
        "could not be started",
    ]
    .iter()
    .enumerate()
    {
        assert!(said[at].contains(word), "{said:?}");
        let unknown = outcomes[at].verdict == HookVerdict::CannotTell && outcomes[at].remedy.is_some();
        assert_eq!(unknown, *word != "Pass", "{said:?}");
    }
    assert_eq!(fs::read_to_string(&ran).unwrap(), "60-fine\n");
}

#[test]
fn what_belongs_to_somebody_else_is_not_run() {
    let place = Place::new();
    let own = rustix::process::geteuid().as_raw();
    let path = place.hook("10-theirs", "");
    // Only root can give a file away; anybody else looks with another's eyes.
    let eyes = if own == 0 {
        chown(&path, Some(54_321), None).unwrap();
        own
    } else {
        own + 1
    };
    match listing::entries(&place.at(""), HookPoint::BeforeTurn, eyes) {
        Ok(entries) => assert!(
            matches!(&entries[..], [listing::Entry::Unfit(unfit)] if unfit.reason.contains("belongs to user 54321")),
            "{entries:?}"
        ),
        Err(unfit) => assert!(unfit.reason.contains("belongs to user"), "{unfit:?}"),
    }
}

#[tokio::test]
async fn a_directory_that_is_missing_or_open_to_others_cannot_tell() {
    let place = Place::new();
    assert_eq!(place.run(LONG).await, [], "no directory for the point: nothing to run");
    place.hook("10-fine", "");
    mode(&place.at("before-turn"), 0o777);
    let outcomes = place.run(LONG).await;
    assert_eq!((names(&outcomes), outcomes[0].verdict), (vec!["before-turn"], HookVerdict::CannotTell));
    mode(&place.at("before-turn"), 0o755);
    mode(&place.at(""), 0o775);
    assert!(place.run(LONG).await[0].message.contains("can be written"));
    mode(&place.at(""), 0o755);
    assert_eq!(place.run(LONG).await[0].verdict, HookVerdict::Pass);
    let nowhere = HookRunner::new(HookSide::Coordinator, place.at("nowhere"), LONG);
    let outcomes = nowhere.run(&call(), LONG).await;
    assert_eq!((outcomes.len(), outcomes[0].verdict), (1, HookVerdict::CannotTell));
    assert!(outcomes[0].message.contains("nowhere cannot be read"), "{outcomes:?}");
    fs::remove_dir_all(place.at("before-turn")).unwrap();
    symlink("/nonexistent", place.at("before-turn")).unwrap();
    assert_eq!(place.run(LONG).await[0].verdict, HookVerdict::CannotTell, "a dangling link is not nothing");
}

#[tokio::test]
async fn all_hooks_together_end_in_time_and_those_left_say_so() {
    let place = Place::new();
    for name in ["10-slow", "20-slow", "30-slow"] {
        place.hook(name, "sleep 600");
    }
    let began = Instant::now();
    let outcomes = place.runner(LONG).run(&call(), SHORT).await;
    assert!(began.elapsed() < LONG);
    assert!(outcomes.iter().all(|outcome| outcome.verdict == HookVerdict::CannotTell), "{outcomes:?}");
    assert!(
        outcomes[0].message.contains("was killed") && outcomes[2].message.contains("was not run"),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn two_hooks_never_run_at_once() {
    let place = Place::new();
    let lock = place.at("lock").display().to_string();
    place.hook("10-alone", &format!("mkdir {lock} || exit 1; sleep 0.1; rmdir {lock}"));
    let (one, another) = (place.runner(LONG), call());
    let calls = (0..4).map(|_| {
        let (runner, call) = (one.clone(), another.clone());
        tokio::spawn(async move { runner.run(&call, LONG).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap()[0].verdict, HookVerdict::Pass);
    }
}

#[tokio::test]
async fn who_waits_for_the_hooks_of_another_call_does_not_wait_for_ever() {
    let place = Place::new();
    let begun = place.at("begun");
    place.hook("10-slow", &format!("echo > {}; sleep 600", begun.display()));
    let runner = place.runner(LONG);
    let first = tokio::spawn({
        let runner = runner.clone();
        async move { runner.run(&call(), LONG).await }
    });
    while !begun.exists() {
        tokio::task::yield_now().await;
    }
    let outcomes = runner.run(&call(), SHORT).await;
    assert!(outcomes[0].message.contains("hooks of another call"), "{outcomes:?}");
    first.abort();
}
