//! One schedule from its beginning to its verdict.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fleet::Fleet;
use proto::ClusterName;
use serde::{Deserialize, Serialize};

use crate::ask::Ratchet;
use crate::coordinator::Leader;
use crate::fate::Fate;
use crate::judge::{self, Run};
use crate::schedule::Schedule;
use crate::stand::{NODES, Stand, TO};
use crate::timeline::{History, Resume};

/// How long an upgrade may take to be planned and started.
const START: Duration = Duration::from_secs(60);

/// How long a run may take after everything is mended.
const RUN: Duration = Duration::from_secs(180);

/// How long a question to coordinators that are well may take.
const QUESTION: Duration = Duration::from_secs(30);

/// Between two looks at who leads.
const LOOK: Duration = Duration::from_millis(200);

/// What came of a schedule.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// Promises that were broken, and everything else that must not be.
    pub violations: Vec<String>,
    /// How long runs stood still.
    pub resumes: Vec<Resume>,
    /// What was broken, and when.
    pub history: History,
    /// The same for people.
    pub told: Vec<String>,
    /// How long all of it took, in seconds.
    pub seconds: f64,
}

/// What `upgrade --detach` answers, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Started {
    id: String,
}

/// Lets a schedule come to pass and judges what came of it. Files are written to this directory. Whatever keeps it from
/// being judged is a violation, too.
pub async fn of(schedule: &Schedule, program: &Path, place: &Path) -> Verdict {
    let began = Instant::now();
    let mut verdict = Verdict::default();
    if let Err(error) = judged(schedule, program, place, &mut verdict).await {
        verdict.violations.push(format!("it could not be judged: {error:#}"));
    }
    verdict.seconds = began.elapsed().as_secs_f64();
    verdict
}

async fn judged(schedule: &Schedule, program: &Path, place: &Path, verdict: &mut Verdict) -> Result<()> {
    write(place, "schedule.json", schedule)?;
    let mut stand = Stand::set_up(schedule, program, place).await?;
    let mut fate = Fate::of(schedule);
    let played = play(schedule, &mut stand, &mut fate, verdict).await;
    (verdict.history, verdict.told) = (fate.history, fate.told);
    stand.keep_logs(place)?;
    judge(&stand, &played?, place, verdict).await
}

/// Runs and faults, until the runs are over and everything is mended. The runs' ids.
async fn play(
    schedule: &Schedule,
    stand: &mut Stand,
    fate: &mut Fate<'_>,
    verdict: &mut Verdict,
) -> Result<Vec<String>> {
    let runs = start(&stand.ratchet, &clusters(&stand.fleet)).await?;
    let end = |run: &String| tokio::spawn(end(stand.ratchet.clone(), run.clone(), schedule.lasts()));
    let ends: Vec<_> = runs.iter().map(end).collect();
    fate.come_to_pass(stand).await?;
    for end in ends {
        verdict.violations.extend(end.await?);
        fate.supervise(stand)?;
    }
    verdict.violations.extend(agreement(stand).await);
    Ok(runs)
}

/// Starts an upgrade of each cluster; the runs' ids.
async fn start(ratchet: &Ratchet, fleet: &[ClusterName]) -> Result<Vec<String>> {
    let to = TO.to_string();
    let mut starting = tokio::task::JoinSet::new();
    for cluster in fleet {
        let (ratchet, cluster, to) = (ratchet.clone(), cluster.to_string(), to.clone());
        starting.spawn(async move {
            let upgrade = ["upgrade", &cluster, "--to", &to, "--yes", "--detach"];
            ratchet.document::<Started>(&upgrade, START).await
        });
    }
    let started: Result<Vec<Started>> = starting.join_all().await.into_iter().collect();
    Ok(started?.into_iter().map(|run| run.id).collect())
}

/// Waits until a run is over as a script does; what is wrong with the answer.
async fn end(ratchet: Ratchet, run: String, faults_last: Duration) -> Option<String> {
    let patience = faults_last + RUN;
    let span = format!("{}s", patience.as_secs());
    match ratchet.ask(&["wait", &run, "--timeout", &span], patience + QUESTION).await {
        Ok(said) if said.code == 0 => None,
        Ok(said) => Some(format!("`ratchet wait {run}` ended with {}: {} {}", said.code, said.out, said.err)),
        Err(error) => Some(format!("{error:#}")),
    }
}

/// When everything is mended, all coordinators answer and name the same leader; what is wrong if they do not.
async fn agreement(stand: &Stand) -> Option<String> {
    let until = Instant::now() + QUESTION;
    loop {
        let mut answers = Vec::new();
        for coordinator in &stand.coordinators {
            answers.push(coordinator.leader().await);
        }
        if agree(&answers) {
            return None;
        }
        if Instant::now() > until {
            return Some(format!(
                "all is mended, and the coordinators do not agree on who leads: {answers:?}"
            ));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether all have answered, name the same turn at leading, and one says that it is its own.
fn agree(answers: &[Option<Leader>]) -> bool {
    let turn = |answer: &Option<Leader>| answer.as_ref().map(|leader| (leader.epoch, leader.address.clone()));
    let first = answers.first().and_then(turn).filter(|(epoch, _)| epoch.is_some());
    let leads = answers.iter().flatten().filter(|answer| answer.leads).count();
    first.is_some() && answers.iter().all(|answer| turn(answer) == first) && leads == 1
}

async fn judge(stand: &Stand, runs: &[String], place: &Path, verdict: &mut Verdict) -> Result<()> {
    let (ledger, seen) = (stand.fleet.ledger().entries(), stand.fleet.ledger().violations());
    write(place, "ledger.json", &ledger)?;
    verdict.violations.extend(judge::on_nodes(&ledger, &seen, &clusters(&stand.fleet), NODES));
    let mut works = Vec::new();
    for id in runs {
        let run: Run = stand.ratchet.document(&["show", id, "--events"], QUESTION).await?;
        write(place, &format!("{id}.json"), &run)?;
        verdict.violations.extend(run.violations());
        works.push(run.work(&ledger));
    }
    if works.is_empty() {
        bail!("there were no runs");
    }
    verdict.resumes = verdict.history.resumes(&works);
    verdict.violations.extend(judge::too_slow(&verdict.resumes));
    Ok(())
}

fn clusters(fleet: &Fleet) -> Vec<ClusterName> {
    fleet.clusters().iter().map(|cluster| cluster.name.clone()).collect()
}

fn write(place: &Path, name: &str, what: &impl Serialize) -> Result<()> {
    let path = place.join(name);
    let text = serde_json::to_string_pretty(what)?;
    std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinators_agree_if_all_answer_and_one_leads() {
        let answer = |leads, epoch: u64| {
            Some(Leader { leads, epoch: Some(epoch), address: Some("127.0.0.1:7444".to_owned()) })
        };
        assert!(agree(&[answer(false, 2), answer(true, 2)]));
        assert!(!agree(&[answer(false, 2), answer(false, 2)]), "nobody leads");
        assert!(!agree(&[answer(true, 2), answer(true, 2)]), "two lead");
        assert!(!agree(&[answer(false, 1), answer(true, 2)]), "one is behind");
        assert!(!agree(&[None, answer(true, 2)]) && !agree(&[]), "one does not answer");
    }
}
