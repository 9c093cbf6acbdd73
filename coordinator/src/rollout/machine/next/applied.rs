//! A file is applied: for the first time, or once more because it has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use proto::ClusterName;

use super::Verdict;
use crate::rollout::machine::{ClusterPart, ClusterStands, Phase, Rollout, Soak, WaveStands};
use crate::rollout::{Event, Record, Spec};

pub(super) fn begin(record: &Record) -> Result<Rollout, String> {
    let Event::Applied { spec, waves, by } = &record.event else {
        return Err("the first event of a rollout is `applied`".to_owned());
    };
    if record.seq != 1 {
        return Err("an event before it is missing".to_owned());
    }
    well_formed(spec, waves)?;
    Ok(Rollout {
        name: spec.name.clone(),
        spec: Arc::new((**spec).clone()),
        waves: waves.iter().map(|clusters| fresh(clusters, record.at)).collect(),
        phase: Phase::Active,
        approved: BTreeSet::new(),
        approval_wanted: None,
        window_closed: None,
        pause_wanted: false,
        resume_wanted: false,
        abort_wanted: false,
        told: 0,
        by: by.clone(),
        created_at: record.at,
        updated_at: record.at,
        since: record.at,
        seq: record.seq,
    })
}

fn fresh(clusters: &[ClusterName], at: Timestamp) -> WaveStands {
    let clusters = clusters.iter().map(|name| (name.clone(), ClusterPart::waiting(at))).collect();
    WaveStands { begun: None, soak: Soak::NotYet, clusters }
}

fn well_formed(spec: &Spec, waves: &[Vec<ClusterName>]) -> Verdict {
    if spec.waves.is_empty() || spec.waves.len() != waves.len() {
        return Err("it does not say for each of its waves which clusters are in it".to_owned());
    }
    let mut seen = BTreeSet::new();
    match waves.iter().flatten().find(|cluster| !seen.insert(*cluster)) {
        Some(cluster) => Err(format!("{cluster} is in it twice")),
        None => Ok(()),
    }
}

/// What is in flight or settled stays so, in its wave; what waits goes where the file now says.
pub(super) fn again(
    rollout: &mut Rollout,
    spec: &Spec,
    waves: &[Vec<ClusterName>],
    at: Timestamp,
) -> Verdict {
    well_formed(spec, waves)?;
    may_change(rollout, spec)?;
    let names: Vec<BTreeSet<&ClusterName>> = waves.iter().map(|wave| wave.iter().collect()).collect();
    forget_approvals(rollout, spec, &names);
    let old = std::mem::take(&mut rollout.waves);
    let mut new: Vec<WaveStands> = waves.iter().map(|clusters| fresh(clusters, at)).collect();
    for (wave, before) in new.iter_mut().zip(&old) {
        (wave.begun, wave.soak) = (before.begun, before.soak);
    }
    keep_started(old, &mut new);
    for wave in new.iter_mut().filter(|wave| !wave.settled()) {
        wave.soak = Soak::NotYet;
    }
    rollout.waves = new;
    rollout.spec = Arc::new(spec.clone());
    Ok(())
}

fn may_change(rollout: &Rollout, spec: &Spec) -> Verdict {
    let before = &rollout.spec;
    if spec.name != rollout.name {
        return Err(format!("it is rollout {}, not {}", spec.name, rollout.name));
    }
    let started = rollout.parts().any(|(_, _, part)| part.stands != ClusterStands::Waiting);
    if spec.target != before.target && started {
        return Err(format!(
            "clusters were started on their way to {}; to upgrade to {}, abort this rollout and give the new one \
             another name",
            before.target, spec.target
        ));
    }
    let begun = rollout.waves.iter().zip(&before.waves).filter(|(wave, _)| wave.begun.is_some());
    for (place, (_, wave)) in begun.enumerate() {
        if spec.waves.get(place).is_none_or(|now| now.name != wave.name) {
            let name = &wave.name;
            return Err(format!("wave {name} has begun and must stay wave number {} of the file", place + 1));
        }
    }
    Ok(())
}

/// An approval is for the wave as it was: of one that has not begun and is another now it is asked for again.
fn forget_approvals(rollout: &mut Rollout, spec: &Spec, names: &[BTreeSet<&ClusterName>]) {
    let same = |wave: &usize| {
        let before = rollout.waves.get(*wave);
        before.is_some_and(|before| {
            before.begun.is_some()
                || (rollout.spec.waves.get(*wave) == spec.waves.get(*wave)
                    && names.get(*wave) == Some(&before.clusters.keys().collect()))
        })
    };
    let approved = rollout.approved.iter().copied().filter(same).collect();
    let wanted = rollout.approval_wanted.filter(same);
    (rollout.approved, rollout.approval_wanted) = (approved, wanted);
}

fn keep_started(old: Vec<WaveStands>, new: &mut [WaveStands]) {
    let started = |(_, part): &(ClusterName, ClusterPart)| part.stands != ClusterStands::Waiting;
    for (place, wave) in old.into_iter().enumerate() {
        let parts: BTreeMap<ClusterName, ClusterPart> = wave.clusters.into_iter().filter(started).collect();
        for (name, part) in parts {
            new.iter_mut().for_each(|wave| drop(wave.clusters.remove(&name)));
            if let Some(wave) = new.get_mut(place) {
                wave.clusters.insert(name, part);
            }
        }
    }
}
