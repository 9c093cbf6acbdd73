//! From what happens in the model to the real event.

use coordinator::run::{Action, Breach, Event, Halt, Request, Run, decide};
use proto::{
    Checked, Exit, Failure, InstallSpec, Installed, InstalledVersion, NodeRole, Rlcheck, Setting, StepId,
    StepKind, StepOutcome, StepReport, StepSpec,
};

use crate::case::{Case, ORIGINAL, WANTED, noon, past_noon, uid};
use crate::words::{Ask, End, Happening, Order, Seen};

const WHO: &str = "somebody";

/// The real event of a happening, in a run.
pub fn event(case: &Case, run: &Run, what: Happening) -> Event {
    let setting = Setting::ReplicaHaGracePeriod;
    match what {
        Happening::Driving => Event::Driving { holder: WHO.to_owned() },
        Happening::Asked(ask) => Event::Requested { request: request(ask), by: WHO.to_owned() },
        Happening::Claimed(node, memory) => {
            let memory = format!("n{node}.{memory}").parse().ok();
            Event::Claimed { node: uid(node), memory }
        }
        Happening::ClaimRefused(node, why) => Event::ClaimRefused { node: uid(node), failure: why.failure() },
        Happening::Intended(order) => intended(case, run, order),
        Happening::Ended(order, end) => {
            let outcome = Box::new(outcome(case, order, end));
            Event::StepEnded { step: step(run, order), outcome }
        }
        Happening::NeverStarted(order) => Event::StepNeverStarted { step: step(run, order) },
        Happening::Judged(seen) => judged(case, run, seen),
        Happening::Breached => {
            let (subject, saw) = ("node".to_owned(), "status is DOWN".to_owned());
            Event::Breached { seen_at: noon(), breaches: vec![Breach { by: uid(0), subject, saw }] }
        }
        Happening::Recorded => Event::SettingRecorded { setting, original: ORIGINAL, wanted: WANTED },
        Happening::Restored => Event::SettingRestored { setting },
        Happening::Halted => match decide(run) {
            Action::Halt(halt) => Event::Halted(Box::new(halt)),
            _ => gave_up(None),
        },
        Happening::GaveUp(place) => gave_up(place),
        Happening::Paused => Event::Paused,
        Happening::Released(node, trouble) => {
            let trouble = trouble.then(|| Failure::retry("unreachable", "no answer"));
            Event::Released { node: uid(node), trouble }
        }
        Happening::Finished => match decide(run) {
            Action::End(end) => Event::Ended(end),
            _ => Event::Ended(coordinator::run::RunEnd::Done),
        },
    }
}

/// The real request.
pub fn request(ask: Ask) -> Request {
    match ask {
        Ask::Resume => Request::Resume,
        Ask::Retry => Request::Retry { node: None },
        Ask::Pause => Request::Pause,
        Ask::Abort => Request::Abort,
    }
}

fn step(run: &Run, order: Order) -> StepId {
    StepId::of(&run.id, order.hop.into(), uid(order.node), order.kind, order.number.into())
}

/// The intent that is due; mutations may intend what is not.
fn intended(case: &Case, run: &Run, order: Order) -> Event {
    let wanted = step(run, order);
    let due = match decide(run) {
        Action::Prepare(orders) => orders,
        Action::Execute(order) | Action::Rejoin(order) => vec![order],
        _ => Vec::new(),
    };
    let spec = match due.into_iter().find(|due| due.step == wanted) {
        Some(due) => due.spec,
        None => unasked(case, run, order),
    };
    Event::StepIntended { step: wanted, node: uid(order.node), hop: order.hop.into(), spec }
}

fn unasked(case: &Case, run: &Run, order: Order) -> StepSpec {
    let hop = usize::from(order.hop);
    let package = run.plan.hops[hop].turns[usize::from(order.node)].package;
    match order.kind {
        StepKind::Install => StepSpec::Install(InstallSpec {
            unpacked_by: StepId::of(&run.id, hop, uid(order.node), StepKind::Unpack, 1),
            package,
            target: case.versions[hop + 1],
            expected_installed: case.versions[usize::from(order.from)],
            expected_role: Some(if order.flag { NodeRole::Master } else { NodeRole::Replica }),
            args: Vec::new(),
            deadline: None,
        }),
        _ => StepSpec::Check,
    }
}

fn judged(case: &Case, run: &Run, seen: Seen) -> Event {
    let version = |place: u8| case.versions[usize::from(place)];
    match seen {
        Seen::Held | Seen::Contradicted => gave_up(None),
        Seen::Passed { hop, node, from, master, early } => Event::GatePassed {
            hop: hop.into(),
            node: uid(node),
            from: version(from),
            role: if node == master { NodeRole::Master } else { NodeRole::Replica },
            master: uid(master),
            observed_at: if early { noon() } else { past_noon() },
        },
        Seen::AtTarget { hop, node, version: at } => {
            Event::SeenAtTarget { hop: hop.into(), node: uid(node), version: version(at) }
        }
        Seen::Witnessed { hop, node, master } => Event::Witnessed {
            hop: hop.into(),
            node: uid(node),
            by: run.nodes.keys().copied().collect(),
            master: uid(master),
        },
    }
}

fn gave_up(place: Option<(u8, StepKind)>) -> Event {
    let failure = Failure::operator("gave-up", "the wait is over", "ratchet resume");
    let (node, step) = match place {
        Some((node, step)) => (Some(uid(node)), Some(step)),
        None => (None, None),
    };
    Event::Halted(Box::new(Halt { node, step, failure }))
}

fn outcome(case: &Case, order: Order, end: End) -> StepOutcome {
    match end {
        End::Completed => StepOutcome::Completed { report: report(case, order), warnings: Vec::new() },
        End::Failed(why) => StepOutcome::Failed(why.failure()),
        End::Interrupted => StepOutcome::Interrupted("a power cut".to_owned()),
    }
}

fn report(case: &Case, order: Order) -> StepReport {
    let rlcheck = Rlcheck { passed: true, tests: Vec::new(), failures: Vec::new() };
    let checked = Checked { rlcheck, view: proto::sample::healthy_view(1) };
    match order.kind {
        StepKind::Fetch => StepReport::Fetch { size: 1, source: String::new() },
        StepKind::Unpack => StepReport::Unpack { files: 1, size: 1, authenticity: Vec::new() },
        StepKind::Check => StepReport::Check(checked),
        StepKind::Install => StepReport::Install(Installed {
            exit: Exit::Code(0),
            took_ms: 1,
            log_says_complete: true,
            log_errors: Vec::new(),
            log_path: "/log".to_owned(),
        }),
        StepKind::Confirm => {
            let version = case.versions[usize::from(order.hop) + 1];
            StepReport::Confirm { installed: InstalledVersion { version, read_from: Vec::new() }, checked }
        }
        StepKind::Collect => StepReport::Collect { path: "/b".to_owned(), size: 1 },
        StepKind::Restart => StepReport::Restart,
        StepKind::Tune => StepReport::Tune { now: if order.flag { ORIGINAL } else { WANTED } },
    }
}
