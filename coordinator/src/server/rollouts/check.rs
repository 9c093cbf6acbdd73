//! `rollout check`: the calendar of a rollout, and what is to be looked at before it is applied. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proto::{ClusterName, Failure};

use super::apply::{empty_waves, names, parsed};
use crate::config::ClusterConfig;
use crate::documents::{
    CheckedClusterRow, CheckedWaveRow, Document, OpeningRow, PartnersRow, RolloutCheckDocument,
    RolloutFindingRow, window_row,
};
use crate::rollout::{
    ForecastRow, Measured, Partners, Selection, Spec, forecast, partners, select, turn_takes,
};
use crate::server::Core;

/// How many windows are told.
const OPENINGS: usize = 10;

/// What a check is made of.
struct Checked<'a> {
    spec: &'a Spec,
    selection: &'a Selection,
    turns: &'a BTreeMap<ClusterName, usize>,
    measured: &'a Measured,
    rows: &'a [ForecastRow],
}

impl Core {
    /// What a rollout's file would do, and when.
    ///
    /// # Errors
    /// The file is wrong, or the store failed.
    pub(in crate::server) async fn check_rollout(&self, text: &str) -> Result<RolloutCheckDocument, Failure> {
        let spec = parsed(text)?;
        self.acceptable(&spec.accept)?;
        let selection = select(&spec, &self.fleet());
        self.look_at_unseen(&selection).await;
        let measured = self.turns_measured().await?;
        let partners = self.known_partners(&spec, &selection);
        let turns = self.turns(&selection);
        let now = self.now();
        let rows = forecast(&spec, &selection, &turns, &measured, &partners, now);
        let checked =
            Checked { spec: &spec, selection: &selection, turns: &turns, measured: &measured, rows: &rows };
        let ends = checked.ends();
        Ok(RolloutCheckDocument {
            schema: RolloutCheckDocument::SCHEMA.to_owned(),
            name: spec.name.to_string(),
            target: spec.target.to_string(),
            at: now,
            exists: self.store().rollouts().await?.contains(&spec.name),
            window: window_row(&spec.windows, now),
            openings: openings(&spec, now, ends),
            waves: checked.waves(),
            ends,
            partners: pairs(&partners),
            unclear: partners.unclear.iter().map(ToString::to_string).collect(),
            unselected: names(&selection.unselected),
            findings: self.rollout_findings(&spec, &selection).await?,
        })
    }

    async fn turns_measured(&self) -> Result<std::sync::Arc<Measured>, Failure> {
        let mut runs = self.rollouts.runs.lock().await;
        runs.refresh(self.store()).await?;
        Ok(runs.measured())
    }

    /// Clusters that nobody has seen yet are looked at now.
    async fn look_at_unseen(&self, selection: &Selection) {
        let named: BTreeSet<&ClusterName> = selection.waves.iter().flatten().collect();
        let unseen = |cluster: &&ClusterConfig| {
            named.contains(&cluster.name) && self.sighting(&cluster.name).is_none()
        };
        self.look_at_all(self.config.clusters.iter().filter(unseen).cloned().collect()).await;
    }

    fn known_partners(&self, spec: &Spec, selection: &Selection) -> Partners {
        let seen = selection.waves.iter().flatten();
        let sights = seen.filter_map(|name| Some((name.clone(), self.sighting(name)?.partners)));
        partners(spec.partners.as_deref(), &sights.collect())
    }

    /// How many turns each cluster takes: its nodes, once. A way over a stop takes more, which only a plan can tell.
    fn turns(&self, selection: &Selection) -> BTreeMap<ClusterName, usize> {
        let turns = |name: &ClusterName| {
            let seen = self.sighting(name).map(|sighting| sighting.nodes).filter(|nodes| *nodes > 0);
            let configured = self.config.clusters.iter().find(|cluster| cluster.name == *name);
            let agents = configured.map_or(1, |cluster| self.members(cluster).len());
            (name.clone(), seen.unwrap_or(agents))
        };
        selection.waves.iter().flatten().map(turns).collect()
    }

    async fn rollout_findings(
        &self,
        spec: &Spec,
        selection: &Selection,
    ) -> Result<Vec<RolloutFindingRow>, Failure> {
        let mut findings: Vec<RolloutFindingRow> = selection.idle.iter().map(|saw| idle(saw)).collect();
        let empty = empty_waves(spec, selection).into_iter();
        findings.extend(
            empty.map(|wave| idle(&format!("wave {wave} has no cluster: it cannot be applied like that"))),
        );
        let target = spec.target;
        if self.catalogue().await?.iter().all(|entry| entry.package.version != target) {
            findings.push(RolloutFindingRow {
                id: "no-package".to_owned(),
                cluster: None,
                saw: format!("there is no package of {target} in the catalogue"),
                remedy: "ratchet package add FILE_OR_URL".to_owned(),
            });
        }
        for name in selection.waves.iter().flatten() {
            findings.extend(self.cluster_findings(spec, name).await?);
        }
        Ok(findings)
    }

    async fn cluster_findings(
        &self,
        spec: &Spec,
        name: &ClusterName,
    ) -> Result<Vec<RolloutFindingRow>, Failure> {
        let finding = |id: &str, saw: String, remedy: String| RolloutFindingRow {
            id: id.to_owned(),
            cluster: Some(name.to_string()),
            saw,
            remedy,
        };
        let mut findings = Vec::new();
        let Some(sighting) = self.sighting(name) else { return Ok(findings) };
        if !sighting.problems.is_empty() {
            let saw = sighting.problems.join("; ");
            findings.push(finding("not-healthy", saw, format!("ratchet status {name}")));
        }
        match sighting.version {
            Some(version) if version == spec.target => {
                let saw = format!("every node is at {version} already");
                findings.push(finding("nothing-to-do", saw, "nothing: it is passed over".to_owned()));
            }
            Some(version) if version > spec.target => {
                let saw = format!("it is at {version}, above the target");
                findings.push(finding("above-target", saw, "take it out of the file".to_owned()));
            }
            _ => {}
        }
        let run = self.rollouts.runs.lock().await.in_flight().remove(name);
        if let Some(run) = run {
            let saw = format!("its run {run} is not over; the rollout waits for that");
            findings.push(finding("run-open", saw, format!("ratchet why {run}")));
        }
        Ok(findings)
    }
}

impl Checked<'_> {
    /// When all of it would be over; `None` if that is not within the forecast.
    fn ends(&self) -> Option<Timestamp> {
        let clusters: usize = self.selection.waves.iter().map(Vec::len).sum();
        self.rows.iter().map(|row| row.ends).max().filter(|_| self.rows.len() == clusters)
    }

    fn waves(&self) -> Vec<CheckedWaveRow> {
        let rows: BTreeMap<&ClusterName, &ForecastRow> =
            self.rows.iter().map(|row| (&row.cluster, row)).collect();
        let wave = |(wave, clusters): (&crate::rollout::Wave, &Vec<ClusterName>)| CheckedWaveRow {
            name: wave.name.clone(),
            approval: wave.approval,
            soak_seconds: wave.soak.as_secs(),
            clusters: clusters.iter().map(|name| self.cluster(name, rows.get(name).copied())).collect(),
        };
        self.spec.waves.iter().zip(&self.selection.waves).map(wave).collect()
    }

    fn cluster(&self, name: &ClusterName, row: Option<&ForecastRow>) -> CheckedClusterRow {
        let (takes, from) = turn_takes(self.spec, name, self.measured);
        CheckedClusterRow {
            name: name.to_string(),
            turns: self.turns.get(name).copied().unwrap_or(1),
            turn_seconds: takes.as_secs(),
            measured: from.to_owned(),
            begins: row.map(|row| row.begins),
            ends: row.map(|row| row.ends),
        }
    }
}

fn idle(saw: &str) -> RolloutFindingRow {
    RolloutFindingRow {
        id: "selects-nothing".to_owned(),
        cluster: None,
        saw: saw.to_owned(),
        remedy: "correct it, or take it out; `ratchet status` lists the clusters".to_owned(),
    }
}

/// The windows until the rollout would end, whole; the next ones if that is not known.
fn openings(spec: &Spec, now: Timestamp, ends: Option<Timestamp>) -> Vec<OpeningRow> {
    if spec.windows.always() {
        return Vec::new();
    }
    let year = jiff::SignedDuration::from_hours(365 * 24);
    let ahead = now.checked_add(year).unwrap_or(Timestamp::MAX);
    let last = ends.unwrap_or(ahead);
    // One that does not close within the year is told as far as it matters.
    let whole = |until: Timestamp| if until < ahead { until } else { last };
    let openings = spec.windows.openings(now, ahead).into_iter();
    let wanted = openings.filter(|(from, _)| *from < last).take(OPENINGS);
    wanted.map(|(from, until)| OpeningRow { from, until: whole(until) }).collect()
}

/// Each pair once.
fn pairs(partners: &Partners) -> Vec<PartnersRow> {
    let once = partners.pairs.iter().filter(|(one, other)| one < other);
    once.map(|(one, other)| PartnersRow { one: one.to_string(), other: other.to_string() }).collect()
}
