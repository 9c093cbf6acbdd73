//! The rollout halts, pauses, goes on, is aborted, and ends.

use proto::Failure;

use super::Due;
use crate::rollout::machine::busy::over;
use crate::rollout::machine::{ClusterStands, Phase};
use crate::rollout::{Action, Event, HaltWhy, Outcome, RolloutEnd, RunStands};
use crate::run::Request as RunRequest;

impl Due<'_> {
    /// A halt of the fleet comes before everything, also before a person's word to go on: on its lift a person resumes.
    pub(super) fn stop(&mut self) {
        let halted = matches!(self.rollout.phase, Phase::Halted(_));
        let spent = matches!(self.rollout.phase, Phase::Halted(HaltWhy::BudgetSpent { .. }));
        let (resumed, overspent) = (self.rollout.resume_wanted, self.rollout.overspent().is_some());
        match &self.seen.fleet_halt {
            Some(why) if !halted || resumed => {
                self.append(Event::Halted(Box::new(HaltWhy::Fleet { why: why.clone() })));
            }
            None if overspent && (!spent || resumed) => self.halt_for_budget(),
            None if resumed => {
                self.append(Event::Resumed);
            }
            Some(_) | None => {}
        }
        self.pause();
    }

    fn halt_for_budget(&mut self) {
        let Some(wave) = self.rollout.overspent() else { return };
        let parts = self.rollout.parts().filter(|(of, _, _)| wave.is_none_or(|wave| wave == *of));
        let failures = parts.filter_map(|(_, name, part)| match &part.stands {
            ClusterStands::Settled { outcome: Outcome::Failed(failure), .. } => {
                Some((part.since, name, failure))
            }
            _ => None,
        });
        let Some((_, cluster, failure)) = failures.max_by_key(|(since, name, _)| (*since, *name)) else {
            return;
        };
        let why = HaltWhy::BudgetSpent { cluster: cluster.clone(), wave, failure: failure.clone() };
        self.append(Event::Halted(Box::new(why)));
    }

    /// Asks runs at work to pause, and says so when none is at work any more. One that a person has set to work again by
    /// hand since is left at work.
    fn pause(&mut self) {
        if !self.rollout.pause_wanted {
            return;
        }
        let at_work: Vec<_> = self
            .rollout
            .parts()
            .filter(|(_, _, part)| part.in_flight() && part.taken_up.is_none())
            .filter_map(|(_, _, part)| Some((part.run()?, self.seen.runs.get(part.run()?)?)))
            .filter(|(_, run)| run.stands == RunStands::AtWork)
            .collect();
        let asks: Vec<Action> = at_work
            .iter()
            .filter(|(_, run)| !run.pausing && !run.aborting)
            .map(|(id, _)| Action::Ask { run: (*id).clone(), request: RunRequest::Pause })
            .collect();
        let still = at_work.is_empty();
        self.actions.extend(asks);
        if still {
            self.append(Event::Paused);
        }
    }

    /// Every run that is not over is asked once; one that was never created will not be.
    pub(super) fn abort(&mut self) {
        let mut never = Vec::new();
        for (_, name, part) in self.rollout.parts() {
            let Some(run) = part.run() else { continue };
            match self.seen.runs.get(run) {
                None if part.in_flight() => never.push((name.clone(), run.clone())),
                Some(seen) if !over(&seen.stands) && !seen.aborting => {
                    self.actions.push(Action::Ask { run: run.clone(), request: RunRequest::Abort });
                }
                None | Some(_) => {}
            }
        }
        for (cluster, run) in never {
            let message = format!("{cluster} was not begun: the rollout was aborted");
            let failure = Failure::operator("rollout-aborted", message, "nothing was changed on it");
            self.append(Event::Settled { cluster, run: Some(run), outcome: Outcome::Failed(failure) });
        }
    }

    pub(super) fn end(&mut self) {
        let rollout = &self.rollout;
        if !self.seen.held.is_empty() {
            return;
        }
        let end = if rollout.abort_wanted {
            let live = |run: &proto::RunId| self.seen.runs.get(run).is_some_and(|run| !over(&run.stands));
            let any = rollout.parts().any(|(_, _, part)| part.in_flight() || part.run().is_some_and(live));
            (!any).then_some(RolloutEnd::Aborted)
        } else if rollout.current_wave().is_none() && self.goes_on() {
            let failed = rollout.failures() > 0;
            Some(if failed { RolloutEnd::DoneWithFailures } else { RolloutEnd::Done })
        } else {
            None
        };
        if let Some(end) = end {
            self.append(Event::Ended(end));
        }
    }
}
