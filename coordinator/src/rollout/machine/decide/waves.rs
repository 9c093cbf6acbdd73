//! Waves wait for approval, begin, soak, and make room for the next one; windows open and close.

use super::Due;
use crate::rollout::machine::{Phase, Soak, WaveStands};
use crate::rollout::{Event, WindowStands};

impl Due<'_> {
    /// Each change is told once.
    pub(super) fn flip_window(&mut self) {
        if self.rollout.phase != Phase::Active {
            return;
        }
        match (self.window, self.rollout.window_closed) {
            (WindowStands::Closed { opens_at }, None) => {
                self.append(Event::WindowClosed { opens_at });
            }
            (WindowStands::Open { closes_at }, Some(_)) => {
                self.append(Event::WindowOpened { closes_at });
            }
            (WindowStands::Closed { .. }, Some(_)) | (WindowStands::Open { .. }, None) => {}
        }
    }

    /// Goes as far as it can without starting anything: through waves that are through, to the one whose turn it is.
    pub(super) fn advance(&mut self) {
        while self.goes_on()
            && let Some(wave) = self.rollout.current_wave()
            && let Some(event) = self.of_wave(wave)
        {
            if !self.append(event) {
                return;
            }
        }
    }

    fn of_wave(&self, wave: usize) -> Option<Event> {
        let (stands, spec) = (self.rollout.waves.get(wave)?, self.rollout.spec.waves.get(wave)?);
        if stands.begun.is_none() {
            if !spec.approval || self.rollout.approved.contains(&wave) {
                return Some(Event::WaveBegun { wave });
            }
            let told = self.rollout.approval_wanted == Some(wave);
            return (!told).then_some(Event::ApprovalWanted { wave });
        }
        match stands.soak {
            Soak::NotYet if stands.settled() => {
                // Where nothing was changed there is nothing to watch.
                let upgraded = stands.clusters.values().any(|part| part.upgraded());
                let soak = jiff::SignedDuration::try_from(spec.soak).unwrap_or(jiff::SignedDuration::MAX);
                let end = self.now.checked_add(soak).unwrap_or(jiff::Timestamp::MAX);
                Some(Event::SoakBegun { wave, until: if upgraded { end } else { self.now } })
            }
            Soak::Soaking { since, until } if self.has_soaked(stands, since, until) => {
                Some(Event::Soaked { wave })
            }
            Soak::NotYet | Soak::Soaking { .. } | Soak::Over => None,
        }
    }

    /// A soak is over when its time is, and everything that was upgraded was seen to be well since then: a cluster that
    /// nobody could look at has not soaked.
    fn has_soaked(&self, wave: &WaveStands, since: jiff::Timestamp, until: jiff::Timestamp) -> bool {
        if until <= since {
            return true;
        }
        let well = |name| {
            let health = self.seen.health.get(name).filter(|health| health.at >= until);
            health.is_some_and(|health| health.problems.is_empty())
        };
        let upgraded = wave.clusters.iter().filter(|(_, part)| part.upgraded());
        self.now >= until && upgraded.into_iter().all(|(name, part)| part.unhealthy.is_none() && well(name))
    }
}
