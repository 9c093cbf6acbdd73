//! A stand-in node, packages made of shell scripts, and the real `ratchet-agent` as a process.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use proto::pb::agent_client::AgentClient;
use proto::transport::{self, Security, Timeouts};
use proto::wire::{
    self, CancelStep, Claimed, Execute, HaltsNow, Histories, Observe, RunHooks, SetHalt, TakeClaim, TakeOver,
    TakenOver,
};
use proto::*;

pub const OLD: &str = "7.4.2-54";
pub const NEW: &str = "7.4.6-22";
/// Nothing in these tests takes so long unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// `rladmin` of a node in good health.
pub const RLADMIN: &str = r#"case "$*" in
'status extra all') sed "s/@VERSION@/$(cat "$ROOT/version")/" "$ROOT/status" ;;
'cluster running_actions') echo 'No active tasks' ;;
*) echo "ERROR: invalid token '$1'"; exit 1 ;;
esac"#;

const STATUS: &str = include_str!("status.txt");

/// A directory that holds a stand-in installation and an agent's state.
pub struct Place {
    pub dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self::inside(tempfile::tempdir().unwrap())
    }

    pub fn inside(dir: tempfile::TempDir) -> Self {
        let place = Self { dir };
        place.program("rlcheck", "echo 'Running test: verify_services'; echo 'ALL TESTS PASSED.'");
        place.program("rladmin", RLADMIN);
        place.program(
            "supervisorctl",
            "echo \"$*\" >> \"$ROOT/restarts\"; echo \"$2: stopped\"; echo \"$2: started\"",
        );
        fs::write(place.path("root/version"), OLD).unwrap();
        fs::write(place.path("root/status"), STATUS).unwrap();
        place.configure("");
        place
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub fn program(&self, name: &str, script: &str) {
        let bin = self.path("root/opt/redislabs/bin");
        fs::create_dir_all(&bin).unwrap();
        let root = self.path("root").display().to_string();
        // Renamed over, because a program that is running cannot be written to.
        let fresh = bin.join(format!("{name}.fresh"));
        fs::write(&fresh, format!("#!/bin/sh\nROOT='{root}'\n{script}\n")).unwrap();
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(fresh, bin.join(name)).unwrap();
    }

    pub fn configure(&self, more: &str) {
        self.configure_with("listen = '127.0.0.1:0'\ninsecure_loopback = true", more);
    }

    /// Without the usual listener.
    pub fn configure_with(&self, first: &str, more: &str) {
        let (state, root) = (self.path("state"), self.path("root"));
        let text = format!(
            "{first}\nstate_dir = '{}'\n[redis_enterprise]\nroot = '{}'\n{more}",
            state.display(),
            root.display()
        );
        fs::write(self.path("agent.toml"), text).unwrap();
    }

    /// An archive whose `install.sh` is this script; `$ROOT` is the stand-in's root.
    pub fn package(&self, script: &str) -> Package {
        let root = self.path("root").display().to_string();
        let script = format!("#!/bin/sh\nROOT='{root}'\n{script}\n");
        let mut builder = tar::Builder::new(Vec::new());
        let deb = format!("redislabs_{NEW}~jammy_amd64.deb");
        for (name, bytes) in [("install.sh", script.as_bytes()), (deb.as_str(), b"deb")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, bytes).unwrap();
        }
        let bytes = builder.into_inner().unwrap();
        let sha256 = Sha256::of(&bytes);
        let file = self.path(&format!("{}.tar", sha256.short()));
        fs::write(&file, &bytes).unwrap();
        Package {
            sha256,
            version: NEW.parse().unwrap(),
            os: OsToken("jammy".to_owned()),
            arch: Arch::Amd64,
            size: Some(bytes.len() as u64),
            sources: vec![format!("file://{}", file.display())],
        }
    }
}

/// A running `ratchet-agent`. Killed when dropped.
pub struct Agent {
    process: Child,
    pub address: String,
}

impl Agent {
    pub fn start(place: &Place) -> Self {
        Self::start_program(place, Path::new(env!("CARGO_BIN_EXE_ratchet-agent")))
    }

    /// Of a program that lies in the place.
    pub fn start_program(place: &Place, program: &Path) -> Self {
        let mut process = Command::new(program)
            .arg("--config")
            .arg(place.path("agent.toml"))
            .env_remove("JOURNAL_STREAM")
            .env("NO_COLOR", "1")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the agent ended before it began").unwrap();
            let begun = ["listening address=", "connecting coordinators="];
            if let Some((_, rest)) = begun.iter().find_map(|word| line.split_once(word)) {
                break rest.split_whitespace().next().unwrap().to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(|line| eprintln!("agent: {}", line.unwrap_or_default())));
        Self { process, address }
    }

    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub fn terminate(mut self) -> std::process::ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.process.wait().unwrap()
    }

    pub fn driver(&self, epoch: u64) -> Driver {
        self.driver_of("r1", epoch)
    }

    pub fn driver_of(&self, run: &str, epoch: u64) -> Driver {
        let channel =
            transport::dial(&self.address, Role::Agent, &Security::InsecureLoopback, Timeouts::default())
                .unwrap();
        Driver::over(channel, run, epoch)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _dead = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// A coordinator as an agent sees one.
#[derive(Clone)]
pub struct Driver {
    client: AgentClient<tonic::transport::Channel>,
    pub authority: Authority,
}

pub type Events = tonic::Streaming<pb::StepEvent>;

impl Driver {
    pub fn over(channel: tonic::transport::Channel, run: &str, epoch: u64) -> Self {
        let authority = Authority { run: run.parse().unwrap(), epoch: Epoch(epoch) };
        Self { client: transport::agent_client(channel), authority }
    }

    /// Sets a halt of a source, or lifts it; the sources of the halts that are then in force.
    pub async fn set_halt(&mut self, source: &str, number: u64, on: bool) -> Result<Vec<String>, Failure> {
        let halt = on.then(|| Halt {
            by: "alice".to_owned(),
            why: "smoke".to_owned(),
            at: "2026-06-01T12:00:00Z".parse().unwrap(),
        });
        let asked = SetHalt { source: source.to_owned(), number, halt };
        let reply = self.client.set_halt(pb::SetHaltRequest::from(&asked)).await;
        let now = HaltsNow::try_from(reply.map_err(wire::failure_of)?.into_inner()).unwrap();
        Ok(now.halts.into_iter().map(|halt| halt.source).collect())
    }

    /// Gives the agent a signed catalogue; the serial that it keeps.
    pub async fn set_catalogue(&mut self, signed: &SignedCatalogue) -> Result<Option<u64>, Failure> {
        let reply = self.client.set_catalogue(pb::SetCatalogueRequest::from(signed)).await;
        let kept = wire::CatalogueKept::try_from(reply.map_err(wire::failure_of)?.into_inner());
        Ok(kept.unwrap().serial)
    }

    pub async fn claim(&mut self) -> Result<Claimed, Failure> {
        let asked = TakeClaim {
            run: self.authority.run.clone(),
            cluster: "orders".parse().unwrap(),
            epoch: self.authority.epoch,
            holder: format!("test at epoch {}", self.authority.epoch),
            expected_node: None,
        };
        let reply = self.client.claim(pb::ClaimRequest::from(&asked)).await;
        Ok(Claimed::try_from(reply.map_err(wire::failure_of)?.into_inner()).unwrap())
    }

    /// Takes over for the driver's own run, or to free the node.
    pub async fn take_over(
        &mut self,
        expected: Option<&str>,
        keep: bool,
        despite_install: bool,
    ) -> Result<TakenOver, Failure> {
        let asked = TakeOver {
            cluster: "orders".parse().unwrap(),
            node: Some(NodeUid(1)),
            expected: expected.map(|run| run.parse().unwrap()),
            epoch: self.authority.epoch,
            holder: format!("test at epoch {}", self.authority.epoch),
            run: keep.then(|| self.authority.run.clone()),
            despite_install,
        };
        let reply = self.client.take_over(pb::TakeOverRequest::from(&asked)).await;
        Ok(TakenOver::try_from(reply.map_err(wire::failure_of)?.into_inner()).unwrap())
    }

    pub async fn histories(&mut self, run: &str) -> Result<Vec<StepHistory>, Failure> {
        let asked = Histories { run: run.parse().unwrap() };
        let reply = self.client.histories(pb::HistoriesRequest::from(&asked)).await;
        Ok(reply.map_err(wire::failure_of)?.into_inner().try_into().unwrap())
    }

    pub async fn release(&mut self) -> Result<(), Failure> {
        let reply = self.client.release(pb::ReleaseRequest::from(&self.authority)).await;
        reply.map(drop).map_err(wire::failure_of)
    }

    pub async fn details(&mut self, facts: &[Fact]) -> Details {
        let asked = Observe { facts: facts.to_vec(), ..Observe::default() };
        let reply = self.client.observe(pb::ObserveRequest::from(&asked)).await.unwrap();
        NodeFacts::try_from(reply.into_inner()).unwrap().details
    }

    /// With the driver's authority where a run is named.
    pub async fn run_hooks(&mut self, call: HookCall) -> Result<Vec<HookOutcome>, Failure> {
        let authority = call.run.is_some().then(|| self.authority.clone());
        let asked = RunHooks { call, authority, deadline: PATIENCE };
        let reply = self.client.run_hooks(pb::RunHooksRequest::from(&asked)).await;
        Ok(reply.map_err(wire::failure_of)?.into_inner().try_into().unwrap())
    }

    pub async fn observe(&mut self) -> NodeFacts {
        let asked = Observe { run_rlcheck: true, ..Observe::default() };
        let reply = self.client.observe(pb::ObserveRequest::from(&asked)).await.unwrap();
        NodeFacts::try_from(reply.into_inner()).unwrap()
    }

    pub async fn cancel(&mut self, step: &str) -> Result<(), Failure> {
        let asked = CancelStep { authority: self.authority.clone(), step: step.parse().unwrap() };
        self.client.cancel(pb::CancelRequest::from(&asked)).await.map(drop).map_err(wire::failure_of)
    }

    pub async fn open(&mut self, step: &str, spec: &StepSpec, from_seq: u64) -> Result<Events, Failure> {
        self.ask(step, spec, from_seq, false).await
    }

    pub async fn join(&mut self, step: &str, spec: &StepSpec) -> Result<Events, Failure> {
        self.ask(step, spec, 1, true).await
    }

    async fn ask(
        &mut self,
        step: &str,
        spec: &StepSpec,
        from_seq: u64,
        only_join: bool,
    ) -> Result<Events, Failure> {
        let (authority, step) = (self.authority.clone(), step.parse().unwrap());
        let asked = Execute { authority, step, spec: spec.clone(), from_seq, only_join };
        let reply = self.client.execute(pb::ExecuteRequest::from(&asked)).await;
        Ok(reply.map_err(wire::failure_of)?.into_inner())
    }

    /// All events of a step to its end, numbered without a gap.
    pub async fn all(&mut self, step: &str, spec: &StepSpec) -> Vec<StepEvent> {
        let mut events = self.open(step, spec, 1).await.unwrap();
        let mut seen = Vec::new();
        while let Some(event) = next(&mut events).await {
            seen.push(event);
        }
        let numbers: Vec<u64> = seen.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, (1..=seen.len() as u64).collect::<Vec<_>>());
        seen
    }

    pub async fn outcome(&mut self, step: &str, spec: &StepSpec) -> StepOutcome {
        match self.all(step, spec).await.pop().map(|event| event.what) {
            Some(StepProgress::Finished(outcome)) => *outcome,
            other => panic!("{step} ended with {other:?}"),
        }
    }

    /// Fetches and unpacks a package, and makes the order to install it.
    pub async fn prepare(&mut self, package: &Package) -> InstallSpec {
        let fetch = StepSpec::Fetch { package: package.clone(), rate_limit: None };
        completed(self.outcome("fetch", &fetch).await);
        let unpack = StepSpec::Unpack { package: package.sha256, version: package.version };
        completed(self.outcome("unpack", &unpack).await);
        InstallSpec {
            unpacked_by: "unpack".parse().unwrap(),
            package: package.sha256,
            target: package.version,
            expected_installed: OLD.parse().unwrap(),
            expected_role: Some(NodeRole::Master),
            args: vec!["-y".to_owned()],
            deadline: None,
        }
    }
}

pub async fn next(events: &mut Events) -> Option<StepEvent> {
    let message = tokio::time::timeout(PATIENCE, events.message()).await.expect("no event in time");
    message.unwrap().map(|event| StepEvent::try_from(event).unwrap())
}

/// Waits until a line of output is told.
pub async fn until_output(events: &mut Events, wanted: &str) -> u64 {
    loop {
        let event = next(events).await.expect("the step ended too early");
        match event.what {
            StepProgress::Output(line) if line == wanted => return event.seq,
            StepProgress::Finished(outcome) => panic!("ended before `{wanted}`: {outcome:?}"),
            _ => {}
        }
    }
}

pub fn completed(outcome: StepOutcome) -> StepReport {
    match outcome {
        StepOutcome::Completed { report, .. } => report,
        other => panic!("{other:?}"),
    }
}

pub fn installed(outcome: StepOutcome) -> Installed {
    match completed(outcome) {
        StepReport::Install(installed) => installed,
        other => panic!("{other:?}"),
    }
}

pub fn failed(outcome: StepOutcome) -> Failure {
    match outcome {
        StepOutcome::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

pub fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap_or_default().lines().count()
}
