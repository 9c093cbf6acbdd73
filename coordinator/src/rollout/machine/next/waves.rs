//! Waves wait for approval, begin, and soak.

use jiff::Timestamp;

use super::Verdict;
use crate::rollout::machine::{Phase, Rollout, Soak, WaveStands};

pub(super) fn want_approval(rollout: &mut Rollout, wave: usize) -> Verdict {
    comes_now(rollout, wave)?;
    if !rollout.spec.waves.get(wave).is_some_and(|wave| wave.approval) {
        return Err("nobody needs to approve it".to_owned());
    }
    rollout.approval_wanted = Some(wave);
    Ok(())
}

pub(super) fn begin(rollout: &mut Rollout, wave: usize, at: Timestamp) -> Verdict {
    comes_now(rollout, wave)?;
    if rollout.spec.waves.get(wave).is_some_and(|wave| wave.approval) && !rollout.approved.contains(&wave) {
        return Err("nobody has approved it".to_owned());
    }
    get(rollout, wave)?.begun = Some(at);
    Ok(())
}

/// A wave comes when all before it have soaked.
fn comes_now(rollout: &Rollout, wave: usize) -> Verdict {
    if rollout.phase != Phase::Active {
        return Err("the rollout stands still".to_owned());
    }
    if rollout.current_wave() != Some(wave) || rollout.waves.get(wave).is_none_or(|wave| wave.begun.is_some())
    {
        return Err(format!("wave number {} does not come now", wave + 1));
    }
    Ok(())
}

pub(super) fn soak(rollout: &mut Rollout, wave: usize, since: Timestamp, until: Timestamp) -> Verdict {
    let wave = get(rollout, wave)?;
    if wave.begun.is_none() || !wave.settled() || wave.soak != Soak::NotYet {
        return Err("the rollout is not through with its clusters".to_owned());
    }
    wave.soak = Soak::Soaking { since, until };
    Ok(())
}

pub(super) fn soaked(rollout: &mut Rollout, wave: usize) -> Verdict {
    let wave = get(rollout, wave)?;
    if !matches!(wave.soak, Soak::Soaking { .. }) {
        return Err("it does not soak".to_owned());
    }
    wave.soak = Soak::Over;
    Ok(())
}

fn get(rollout: &mut Rollout, wave: usize) -> Result<&mut WaveStands, String> {
    rollout.waves.get_mut(wave).ok_or_else(|| format!("there is no wave number {}", wave + 1))
}
