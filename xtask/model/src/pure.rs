//! The real machine of a run and the real judgements, asked once for each question.
//!
//! A state of the model does not hold a run but its fingerprint: runs are few, states are many.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use coordinator::plan::Plan;
use coordinator::run::{
    Action, GateVerdict, Phase, Record, Run, RunEnd, StepOrder, decide, judge_gate, judge_watch,
    judge_witness, next, replay,
};
use proto::{Epoch, Failure, NodeRole, StepId, StepSpec};

use crate::case::{Case, ORIGINAL, past_noon, place, uid};
use crate::events::event;
use crate::fingerprint::Fingerprint;
use crate::look::Look;
use crate::table::Answers;
use crate::words::{Due, Happening, Order, Seen, Stands};

/// Names a run as its journal left it.
pub type Key = u64;

/// How many runs are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All, by what they are: the same run is known again.
    All,
    /// Those in use: for one long history, in which no run comes again.
    Live,
}

/// The pure functions of the coordinator, with what they have answered.
#[derive(Debug)]
pub struct Pure {
    /// What is upgraded.
    pub case: Case,
    keep: Keep,
    no_plan: Arc<Plan>,
    runs: Answers<Key, Arc<Run>>,
    nexts: Answers<(Key, u8, Happening), Option<Key>>,
    dues: Answers<(Key, u8), (Due, Stands)>,
    judged: Answers<(Key, u64, u8), Seen>,
    /// From which run, by what, a run came to be; of one long history only.
    came_from: Answers<Key, (Key, u8, Happening)>,
    serial: AtomicU64,
}

impl Pure {
    /// Nothing has been asked yet.
    ///
    /// # Errors
    /// The case cannot begin.
    pub fn new(case: Case, keep: Keep) -> Result<(Self, Key), Failure> {
        let first = replay(&case.run, std::slice::from_ref(&case.created))
            .map_err(|illegal| Failure::bug(illegal.to_string()))?;
        let no_plan = Arc::new(Plan { nodes: Vec::new(), hops: Vec::new(), ..(*first.plan).clone() });
        let pure = Self {
            case,
            keep,
            no_plan,
            runs: Answers::default(),
            nexts: Answers::default(),
            dues: Answers::default(),
            judged: Answers::default(),
            came_from: Answers::default(),
            serial: AtomicU64::new(1),
        };
        let key = pure.name(first);
        Ok((pure, key))
    }

    /// How many different runs there are.
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// The run of a name.
    ///
    /// # Panics
    /// The name was never given.
    pub fn run(&self, key: Key) -> Arc<Run> {
        self.runs.get(&key).unwrap_or_else(|| panic!("run {key:x} has been forgotten"))
    }

    fn name(&self, mut run: Run) -> Key {
        let key = match self.keep {
            Keep::All => {
                let plan = mem::replace(&mut run.plan, Arc::clone(&self.no_plan));
                let key = Fingerprint::of_text(&run);
                run.plan = plan;
                key
            }
            Keep::Live => self.serial.fetch_add(1, Ordering::Relaxed),
        };
        self.runs.note(key, Arc::new(run));
        key
    }

    /// Forgets all runs but these.
    pub fn keep(&self, live: &[Key]) {
        self.runs.keep(|key| live.contains(key));
        // What they lead to is forgotten as well.
        self.nexts.keep(|_| false);
        self.dues.keep(|(key, _)| live.contains(key));
        self.judged.keep(|(key, ..)| live.contains(key));
    }

    /// The real `next`: the run after an event, or `None` if it is illegal.
    pub fn next(&self, key: Key, epoch: u8, what: Happening) -> Option<Key> {
        self.nexts.ask((key, epoch, what), || {
            let after = self.name(self.record(key, epoch, what, 0).1.ok()?);
            if self.keep == Keep::Live {
                self.came_from.note(after, (key, epoch, what));
            }
            Some(after)
        })
    }

    /// The whole journal of a run, in one long history: the real records, from `created` on.
    ///
    /// # Errors
    /// An event that was legal is not legal any more.
    pub fn journal(&self, key: Key) -> Result<Vec<Record>, String> {
        let mut line = Vec::new();
        let mut at = key;
        while let Some((before, epoch, what)) = self.came_from.get(&at) {
            line.push((epoch, what));
            at = before;
        }
        let mut records = vec![self.case.created.clone()];
        let mut run = replay(&self.case.run, &records).map_err(|illegal| illegal.to_string())?;
        for (seq, (epoch, what)) in (2..).zip(line.into_iter().rev()) {
            let event = event(&self.case, &run, what);
            let record = Record { seq, epoch: Epoch(epoch.into()), at: past_noon(), event };
            run = next(run, &record).map_err(|illegal| illegal.to_string())?;
            records.push(record);
        }
        Ok(records)
    }

    /// The run that a journal leaves.
    ///
    /// # Errors
    /// The journal cannot be.
    pub fn replayed(&self, records: &[Record]) -> Result<Run, String> {
        replay(&self.case.run, records).map_err(|illegal| illegal.to_string())
    }

    /// The record of an event, and what the real `next` makes of it.
    pub fn record(&self, key: Key, epoch: u8, what: Happening, seq: u64) -> (Record, Result<Run, String>) {
        let run = self.run(key);
        let event = event(&self.case, &run, what);
        let record = Record { seq, epoch: Epoch(epoch.into()), at: past_noon(), event };
        let after = next((*run).clone(), &record).map_err(|illegal| illegal.to_string());
        (record, after)
    }

    /// The real `decide`, in small. Of steps that go side by side, `which` says whose turn it is to be sent.
    pub fn due(&self, key: Key, which: u8) -> (Due, Stands) {
        self.dues.ask((key, which), || {
            let run = self.run(key);
            (self.small(decide(&run), which), stands(&run.phase))
        })
    }

    /// Where a run stands.
    pub fn stands(&self, key: Key) -> Stands {
        self.due(key, 0).1
    }

    fn small(&self, action: Action, which: u8) -> Due {
        match action {
            Action::Claim(node) => Due::Claim(place(node)),
            Action::Prepare(orders) => match orders.get(usize::from(which) % orders.len().max(1)) {
                Some(order) => Due::Step(self.order(order, false), order.new),
                None => Due::Stand,
            },
            Action::Execute(order) => Due::Step(self.order(&order, false), order.new),
            Action::Rejoin(order) => Due::Step(self.order(&order, true), order.new),
            Action::Gate { hop } => Due::Gate(small(hop)),
            Action::Witness { hop, node } => Due::Witness(small(hop), place(node)),
            Action::Record(_) => Due::Record,
            Action::Restored(_) => Due::Restored,
            Action::Halt(_) => Due::Halt,
            Action::Pause => Due::Pause,
            Action::Release(node) => Due::Release(place(node)),
            Action::End(_) => Due::End,
            Action::Stand => Due::Stand,
        }
    }

    /// A real order, in small.
    pub fn order(&self, order: &StepOrder, join: bool) -> Order {
        let (from, flag) = match &order.spec {
            StepSpec::Install(spec) => {
                let from = self.version(spec.expected_installed);
                (from, spec.expected_role == Some(NodeRole::Master))
            }
            StepSpec::Tune { value, .. } => (0, *value == ORIGINAL),
            _ => (0, false),
        };
        let number = order.step.as_str().rsplit_once(".a").and_then(|(_, number)| number.parse().ok());
        Order {
            kind: order.spec.kind(),
            node: place(order.node),
            hop: small(order.hop),
            number: number.unwrap_or(u8::MAX),
            from,
            flag,
            join,
        }
    }

    /// The place of a version on the way.
    pub fn version(&self, version: proto::Version) -> u8 {
        self.case.versions.iter().position(|known| *known == version).map_or(u8::MAX, small)
    }

    /// The real `judge_gate` on a look at the cluster. `code` stands for the look.
    pub fn gate(&self, key: Key, hop: u8, code: Option<u64>, look: impl FnOnce() -> Look) -> Seen {
        self.judge((key, code, 0), || {
            let snapshot = look().snapshot(&self.case);
            let (run, hop) = (self.run(key), usize::from(hop));
            match judge_gate(&run, hop, &snapshot, &self.case.table, past_noon()) {
                GateVerdict::Clear(event) => self.seen(&event),
                GateVerdict::Held(_) => Seen::Held,
                GateVerdict::Contradicted(_) => Seen::Contradicted,
            }
        })
    }

    /// Why the real `judge_gate` holds back, for people.
    pub fn why_held(&self, key: Key, hop: u8, look: &Look) -> String {
        let snapshot = look.snapshot(&self.case);
        format!(
            "{:?}",
            judge_gate(&self.run(key), usize::from(hop), &snapshot, &self.case.table, past_noon())
        )
    }

    /// The real `judge_witness` on a look at the cluster.
    pub fn witness(&self, key: Key, place: (u8, u8), code: Option<u64>, look: impl FnOnce() -> Look) -> Seen {
        let (hop, node) = place;
        self.judge((key, code, 1), || {
            let snapshot = look().snapshot(&self.case);
            match judge_witness(&self.run(key), usize::from(hop), uid(node), &snapshot) {
                Ok(event) => self.seen(&event),
                Err(_) => Seen::Held,
            }
        })
    }

    /// Whether the real `judge_watch` sees a breach.
    pub fn breach(&self, key: Key, code: Option<u64>, look: impl FnOnce() -> Look) -> bool {
        let seen = self.judge((key, code, 2), || {
            let snapshot = look().snapshot(&self.case);
            match judge_watch(&self.run(key), &snapshot).is_empty() {
                true => Seen::Held,
                false => Seen::Contradicted,
            }
        });
        seen == Seen::Contradicted
    }

    fn judge(&self, (key, code, what): (Key, Option<u64>, u8), find: impl FnOnce() -> Seen) -> Seen {
        match code {
            Some(code) => self.judged.ask((key, code, what), find),
            None => find(),
        }
    }

    fn seen(&self, event: &coordinator::run::Event) -> Seen {
        use coordinator::run::Event;
        match event {
            Event::GatePassed { hop, node, from, master, .. } => Seen::Passed {
                hop: small(*hop),
                node: place(*node),
                from: self.version(*from),
                master: place(*master),
                early: false,
            },
            Event::SeenAtTarget { hop, node, version } => {
                Seen::AtTarget { hop: small(*hop), node: place(*node), version: self.version(*version) }
            }
            Event::Witnessed { hop, node, master, .. } => {
                Seen::Witnessed { hop: small(*hop), node: place(*node), master: place(*master) }
            }
            other => unreachable!("a judgement does not say `{}`", other.kind()),
        }
    }

    /// Whether the journal has an install in flight, by the step's id.
    pub fn has_in_flight(&self, key: Key, order: Order) -> bool {
        let run = self.run(key);
        let step = StepId::of(&run.id, order.hop.into(), uid(order.node), order.kind, order.number.into());
        run.ledger.get(&step).is_some_and(|entry| entry.in_flight())
    }

    /// The install that the journal has in flight, if there is one.
    pub fn in_flight(&self, key: Key) -> Option<Order> {
        let run = self.run(key);
        let (step, entry) = run.install_in_flight()?;
        let (node, hop, spec) = (entry.node, entry.hop, entry.spec.clone());
        Some(self.order(&StepOrder { step: step.clone(), node, hop, spec, new: false }, true))
    }
}

fn small(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn stands(phase: &Phase) -> Stands {
    match phase {
        Phase::Active => Stands::Active,
        Phase::Paused => Stands::Paused,
        Phase::Halted(_) => Stands::Halted,
        Phase::Ended(RunEnd::Done) => Stands::Done,
        Phase::Ended(RunEnd::Aborted | RunEnd::Blocked(_)) => Stands::GivenUp,
    }
}
