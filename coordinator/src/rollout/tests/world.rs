//! A small world: a rollout's journal, the runs it starts, the people around it. It checks every start.

use proto::{Epoch, Failure, RunId};

use super::*;
use crate::run::Request as RunRequest;

pub(super) struct World {
    pub records: Vec<Record>,
    pub seen: Seen,
    pub now: Timestamp,
    pub started: Vec<ClusterName>,
    pub sick: std::collections::BTreeSet<ClusterName>,
    state: Option<Rollout>,
    number: i64,
    fresh: u32,
}

impl World {
    /// The rollout is applied to these clusters, at noon.
    pub fn new(spec: &Spec, fleet: &[FleetCluster]) -> Self {
        let mut world = Self {
            records: Vec::new(),
            seen: Seen::default(),
            now: at("2026-10-24T12:00:00Z"),
            started: Vec::new(),
            sick: std::collections::BTreeSet::new(),
            state: None,
            number: 0,
            fresh: 0,
        };
        world.apply(spec, fleet).unwrap();
        world
    }

    pub fn apply(&mut self, spec: &Spec, fleet: &[FleetCluster]) -> Result<(), Illegal> {
        let (waves, by) = (select(spec, fleet).waves, "ann".to_owned());
        self.append(Event::Applied { spec: Box::new(spec.clone()), waves, by })
    }

    /// As a leader that was there from the beginning knows it.
    pub fn rollout(&self) -> Rollout {
        self.state.clone().unwrap()
    }

    /// As a leader knows it that has taken over.
    pub fn replayed(&self) -> Rollout {
        replay(&"q4".parse().unwrap(), &self.records).unwrap()
    }

    fn append(&mut self, event: Event) -> Result<(), Illegal> {
        let record = Record { seq: self.records.len() as u64 + 1, epoch: Epoch(1), at: self.now, event };
        self.state = Some(next(self.state.clone(), &record)?);
        self.records.push(record);
        Ok(())
    }

    pub fn ask(&mut self, request: Request) -> Result<(), Illegal> {
        self.number += 1;
        let (by, number) = ("ann".to_owned(), self.number);
        let asked = self.append(Event::Requested { request: request.clone(), by: by.clone(), number });
        if let Err(illegal) = &asked {
            let why = illegal.reason.clone();
            // Nobody asks anything of a rollout that is over.
            let _over = self.append(Event::Refused { request, by, number, why });
        }
        asked
    }

    /// Looks, decides and performs as much as a leader does before it dies; all of it if `None`.
    pub fn tick_until(&mut self, dies_after: Option<usize>) -> usize {
        let (rollout, fresh) = (self.rollout(), &mut self.fresh);
        let id = |cluster: &ClusterName| -> RunId {
            *fresh += 1;
            format!("{cluster}-{fresh}").parse().unwrap()
        };
        let actions = decide(&rollout, &self.seen, id, self.now);
        let count = actions.len();
        for action in actions.into_iter().take(dies_after.unwrap_or(usize::MAX)) {
            self.perform(action);
        }
        count
    }

    /// Goes on until nothing is due: that comes soon, for what was asked is not asked again.
    pub fn tick(&mut self) {
        let rounds = (0..5).take_while(|_| self.tick_until(None) > 0).count();
        assert!(rounds < 5, "it does not come to rest: {:#?}", self.records);
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Append(event) => {
                if let Event::Starting { cluster, .. } = &event {
                    self.may_start(cluster);
                }
                self.append(event).unwrap();
            }
            Action::Start { cluster, run } => self.create(cluster, run),
            Action::Hold { clusters, on: true } => self.seen.held.extend(clusters),
            Action::Hold { clusters, on: false } => self.seen.held.retain(|held| !clusters.contains(held)),
            Action::Ask { run, request } => {
                let run = self.seen.runs.get_mut(&run).unwrap();
                let flag = match request {
                    RunRequest::Pause => &mut run.pausing,
                    RunRequest::Abort => &mut run.aborting,
                    RunRequest::Resume | RunRequest::Retry { .. } => &mut run.resuming,
                    RunRequest::Acknowledge => panic!("nobody but a person acknowledges"),
                };
                assert!(!*flag, "{request:?} was asked already");
                *flag = true;
            }
        }
    }

    /// What must hold whenever a cluster is started (promises of the rollout).
    fn may_start(&mut self, cluster: &ClusterName) {
        let rollout = self.rollout();
        let own = rollout.parts().filter(|(_, _, part)| part.in_flight()).map(|(_, name, _)| name.clone());
        let busy: std::collections::BTreeSet<ClusterName> =
            own.chain(self.seen.in_flight.keys().cloned()).collect();
        assert!(!busy.contains(cluster), "{cluster} is in flight");
        let Partners { pairs, unclear, unseen } = &self.seen.partners;
        assert!(!unseen.contains(cluster) && busy.is_disjoint(unseen), "{cluster} beside {busy:?}");
        for other in &busy {
            assert!(!pairs.contains(&(cluster.clone(), other.clone())), "{cluster} beside {other}");
            assert!(!(unclear.contains(cluster) && unclear.contains(other)), "{cluster} beside {other}");
        }
        assert_eq!((&rollout.phase, &self.seen.fleet_halt), (&Phase::Active, &None));
        assert!(!rollout.pause_wanted && !rollout.abort_wanted && rollout.overspent().is_none());
        let (wave, _) = rollout.part(cluster).expect("a cluster that no wave names is never touched");
        assert!(rollout.waves[..wave].iter().all(|wave| wave.begun.is_some()));
        let spec = &rollout.spec;
        assert!(rollout.waves[wave].in_flight() < spec.waves[wave].at_once);
        assert!(rollout.in_flight() < spec.at_once);
        assert!(!spec.waves[wave].approval || rollout.approved.contains(&wave));
        spec.windows.admit(self.now, turn_takes(spec, cluster, &self.seen.turns).0).unwrap();
    }

    fn create(&mut self, cluster: ClusterName, run: RunId) {
        self.started.push(cluster.clone());
        let before = self.seen.in_flight.insert(cluster.clone(), run.clone());
        assert_eq!(before, None, "{cluster} has two runs");
        let seen = RunSeen {
            cluster,
            stands: RunStands::AtWork,
            events: 1,
            pausing: false,
            aborting: false,
            resuming: false,
            our_pause: false,
        };
        assert!(self.seen.runs.insert(run, seen).is_none(), "a run is started once");
    }

    /// The run of a cluster that was started last.
    pub fn run(&self, cluster: &str) -> RunId {
        let of_cluster = self.seen.runs.iter().filter(|(_, run)| run.cluster.as_str() == cluster);
        let number = |id: &RunId| id.as_str().rsplit('-').next().unwrap().parse::<u32>().unwrap();
        of_cluster.map(|(id, _)| id.clone()).max_by_key(number).unwrap()
    }

    /// Its journal grows, and leaves it so.
    pub fn set(&mut self, run: &RunId, stands: RunStands) {
        let seen = self.seen.runs.get_mut(run).unwrap();
        seen.events += 1;
        seen.our_pause = stands == RunStands::Paused && seen.pausing;
        (seen.pausing, seen.resuming) = (false, false);
        if matches!(stands, RunStands::Done | RunStands::Aborted | RunStands::Blocked(_)) {
            self.seen.in_flight.remove(&seen.cluster);
            seen.aborting = false;
        }
        seen.stands = stands;
    }

    pub fn set_of(&mut self, cluster: &str, stands: RunStands) {
        let run = self.run(cluster);
        self.set(&run, stands);
    }

    /// Runs take what was asked of them.
    pub fn take_requests(&mut self) {
        for run in self.seen.runs.keys().cloned().collect::<Vec<_>>() {
            let seen = &self.seen.runs[&run];
            match seen.stands {
                RunStands::Done | RunStands::Aborted | RunStands::Blocked(_) => {}
                _ if seen.aborting => self.set(&run, RunStands::Aborted),
                RunStands::AtWork if seen.pausing => self.set(&run, RunStands::Paused),
                RunStands::Paused | RunStands::OutsideWindow | RunStands::Halted(_) if seen.resuming => {
                    self.set(&run, RunStands::AtWork);
                }
                _ => {}
            }
        }
    }

    /// Time passes, and everybody is looked at.
    pub fn pass(&mut self, minutes: i64) {
        self.now += jiff::SignedDuration::from_mins(minutes);
        let clusters: Vec<ClusterName> = self.rollout().parts().map(|(_, name, _)| name.clone()).collect();
        for cluster in clusters {
            let problems = if self.sick.contains(&cluster) { vec!["down".to_owned()] } else { Vec::new() };
            self.seen.health.insert(cluster, Health { at: self.now, problems });
        }
    }

    /// All runs at work get done.
    pub fn work(&mut self) {
        self.take_requests();
        for run in self.seen.runs.keys().cloned().collect::<Vec<_>>() {
            if self.seen.runs[&run].stands == RunStands::AtWork {
                self.set(&run, RunStands::Done);
            }
        }
    }

    pub fn waits(&self) -> Waiting {
        waits_for(&self.rollout(), &self.seen, self.now)
    }

    pub fn kinds(&self) -> Vec<&'static str> {
        self.records.iter().map(|record| record.event.kind()).collect()
    }
}

pub(super) fn broken() -> RunStands {
    RunStands::Halted(Failure::operator("install-failed", "node:1 failed", "look at it"))
}
