//! A schedule comes to pass: faults strike when they are due, and what they broke is mended in its time.

use std::time::Duration;

use anyhow::{Result, bail};
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use crate::coordinator::Coordinator;
use crate::schedule::{Fault, Schedule, Weather};
use crate::stand::{PRIMARY, Stand};
use crate::timeline::{Blow, History};

/// How long somebody to be struck is looked for. Where nobody leads, as after an earlier blow, one who could is struck.
const LOOKING: Duration = Duration::from_secs(3);

/// How long the service of a coordinator that ended by itself waits before it is started again, at most.
const SUPERVISED: Duration = Duration::from_millis(500);

/// What is due at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Strike(usize),
    Start(usize),
    Clear(usize),
    GoOn(usize),
    Promote,
}

/// A schedule that is coming to pass.
#[derive(Debug)]
pub struct Fate<'a> {
    schedule: &'a Schedule,
    due: Vec<(Instant, Due)>,
    /// What happened.
    pub history: History,
    /// The same for people, a line each.
    pub told: Vec<String>,
}

impl<'a> Fate<'a> {
    /// One that has not begun.
    pub fn of(schedule: &'a Schedule) -> Self {
        Self { schedule, due: Vec::new(), history: History::default(), told: Vec::new() }
    }

    /// Lets everything happen from now on, until all is mended.
    ///
    /// # Errors
    /// A process cannot be started or signalled, or the standby cannot be promoted.
    pub async fn come_to_pass(&mut self, stand: &mut Stand) -> Result<()> {
        self.plan_strike(0);
        while let Some((moment, due)) = self.next() {
            while Instant::now() < moment {
                sleep_until(moment.min(Instant::now() + SUPERVISED)).await;
                self.supervise(stand)?;
            }
            self.happen(due, stand).await?;
        }
        Ok(())
    }

    /// Coordinators that end by themselves are started again; that is told.
    ///
    /// # Errors
    /// One cannot be started.
    pub fn supervise(&mut self, stand: &mut Stand) -> Result<()> {
        for (number, coordinator) in stand.coordinators.iter_mut().enumerate() {
            if let Some(status) = coordinator.supervise()? {
                self.tell(format!("coordinator {number} ended by itself, {status}, and is started again"));
            }
        }
        Ok(())
    }

    /// What is due first.
    fn next(&mut self) -> Option<(Instant, Due)> {
        self.due.sort_by_key(|(moment, _)| *moment);
        if self.due.is_empty() { None } else { Some(self.due.remove(0)) }
    }

    fn plan_strike(&mut self, number: usize) {
        if let Some(planned) = self.schedule.faults.get(number) {
            self.later(planned.after, Due::Strike(number));
        }
    }

    fn later(&mut self, after: Duration, due: Due) {
        self.due.push((Instant::now() + after, due));
    }

    async fn happen(&mut self, due: Due, stand: &mut Stand) -> Result<()> {
        match due {
            Due::Strike(number) => {
                let fault = self.schedule.faults[number].fault;
                self.strike(fault, stand).await?;
                self.plan_strike(number + 1);
            }
            Due::Start(number) => {
                stand.coordinators[number].start()?;
                self.tell(format!("coordinator {number} is started again"));
            }
            Due::Clear(number) => {
                stand.coordinators[number].cut(Weather::Clear);
                self.tell(format!("coordinator {number} reaches the database again"));
            }
            Due::GoOn(number) => {
                stand.coordinators[number].go_on();
                self.tell(format!("coordinator {number} goes on"));
            }
            Due::Promote => {
                stand.pair.promote_standby()?;
                stand.writable = true;
                self.tell("the standby takes writes".to_owned());
            }
        }
        self.history.able(Timestamp::now(), stand.is_able());
        Ok(())
    }

    async fn strike(&mut self, fault: Fault, stand: &mut Stand) -> Result<()> {
        if let Fault::Failover { machine_gone, promoted_after } = fault {
            self.tell(format!("the database's primary dies: {fault:?}"));
            kill_primary(machine_gone, stand);
            self.later(promoted_after, Due::Promote);
            self.struck(fault, stand, false);
        } else if let Some((number, leads)) = self.victim(fault, stand).await {
            let mended = strike(fault, number, stand).await?;
            self.later(fault.lasts(), mended);
            self.struck(fault, stand, leads);
        }
        Ok(())
    }

    /// Who is struck: whoever leads, or where nobody does, one who could; and whether it leads.
    async fn victim(&mut self, fault: Fault, stand: &Stand) -> Option<(usize, bool)> {
        let leader = stand.leader_within(LOOKING).await;
        let could_lead = || stand.coordinators.iter().position(Coordinator::is_whole);
        let victim = leader.or_else(could_lead);
        self.tell(match (leader, victim) {
            (Some(number), _) => format!("coordinator {number}, which leads: {fault:?}"),
            (None, Some(number)) => format!("nobody leads; coordinator {number}, which could: {fault:?}"),
            (None, None) => format!("nobody is left to be struck: {fault:?}"),
        });
        victim.map(|number| (number, leader.is_some()))
    }

    fn struck(&mut self, fault: Fault, stand: &Stand, leader: bool) {
        let at = Timestamp::now();
        self.history.able(at, stand.is_able());
        let silences_until = leader.then(|| silent_until(fault, at));
        self.history.blows.push(Blow { kind: fault.kind(), at, silences_until });
    }

    fn tell(&mut self, what: String) {
        self.told.push(format!("{} {what}", Timestamp::now()));
    }
}

/// When one that was struck may act again under the epochs that it had.
fn silent_until(fault: Fault, at: Timestamp) -> Timestamp {
    match fault {
        Fault::Kill { .. } => Timestamp::MAX,
        Fault::Cut { .. } | Fault::Pause { .. } | Fault::Failover { .. } => at + fault.lasts(),
    }
}

fn kill_primary(machine_gone: bool, stand: &mut Stand) {
    if machine_gone {
        stand.coordinators.iter_mut().for_each(|coordinator| coordinator.lose(PRIMARY));
    }
    stand.pair.kill_primary();
    stand.writable = false;
}

/// Strikes a coordinator, and says what mends it.
async fn strike(fault: Fault, number: usize, stand: &mut Stand) -> Result<Due> {
    let coordinator = &mut stand.coordinators[number];
    match fault {
        Fault::Kill { .. } => {
            coordinator.kill().await?;
            Ok(Due::Start(number))
        }
        Fault::Cut { weather, .. } => {
            coordinator.cut(weather);
            Ok(Due::Clear(number))
        }
        Fault::Pause { .. } => {
            coordinator.pause();
            Ok(Due::GoOn(number))
        }
        Fault::Failover { .. } => bail!("a failover strikes the database"),
    }
}
