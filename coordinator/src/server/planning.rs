//! `plan` and `Start`: from what is wanted to a run.

use jiff::Timestamp;
use proto::wire::Observe;
use proto::{ClusterName, Epoch, Fact, Failure, RunId, Version};

use super::Core;
use crate::checks::{Acceptance, Finding, Verdict};
use crate::documents::{Document, PlanDocument, PlanOutcome, RunDocument};
use crate::failures::chain;
use crate::plan::{Plan, Planned, PlannedSetting, Wanted, differences, make_plan};
use crate::rollout::{self, PartnerSight};
use crate::run::{Event, Request, Wait};
use crate::store::{Acquire, Lease};

/// What came out of planning, with when the cluster was looked at.
pub(super) struct PlannedAt {
    pub(super) at: Timestamp,
    pub(super) planned: Planned,
    /// Whom the cluster says that it replicates with.
    pub(super) partners: PartnerSight,
    /// The agent that has obeyed the highest epoch, and that epoch.
    obeyed: Option<(String, Epoch)>,
}

impl PlannedAt {
    pub(super) fn findings(&self) -> &[Finding] {
        match &self.planned {
            Planned::Plan(plan) => &plan.findings,
            Planned::NothingToDo { findings, .. } | Planned::Blocked { findings } => findings,
        }
    }

    /// A driver below an epoch that an agent has obeyed is obeyed by nobody: this store is a new one, an old copy, or not
    /// the one that drove the cluster last.
    pub(super) fn above_the_agents(&self, cluster: &ClusterName, epoch: Epoch) -> Result<(), Failure> {
        match &self.obeyed {
            Some((agent, obeyed)) if epoch <= *obeyed => {
                let message = format!(
                    "agent {agent} obeys epoch {obeyed} of {cluster}; this store would drive at {epoch}"
                );
                let cause =
                    "the cluster was driven last from another store, or from this one before it was put back";
                let remedy = format!("ratchet takeover {cluster}");
                Err(Failure::operator("takeover-needed", message, remedy).because(cause))
            }
            _ => Ok(()),
        }
    }
}

/// A run that is to be created.
pub(super) struct Wish {
    pub(super) plan: Plan,
    pub(super) prepare_only: bool,
    /// Who wants it.
    pub(super) by: String,
}

impl Core {
    /// Looks at a cluster and plans its upgrade.
    pub(super) async fn planned(
        &self,
        cluster: &str,
        to: Version,
        accepted: &[Acceptance],
    ) -> Result<PlannedAt, Failure> {
        self.acceptable(accepted)?;
        let catalogue = self.catalogue().await?;
        let mut sources: Vec<String> =
            catalogue.iter().flat_map(|entry| entry.package.sources.clone()).collect();
        sources.sort();
        sources.dedup();
        let snapshot = self
            .observe(
                self.cluster(cluster)?,
                Observe { run_rlcheck: true, sources, facts: Fact::ALL.to_vec() },
            )
            .await;
        let settings: Vec<PlannedSetting> = self
            .config
            .settings
            .iter()
            .map(|(setting, wanted)| PlannedSetting { setting: *setting, wanted: *wanted })
            .collect();
        let within = self.config.deadlines.of(Wait::Hook);
        let hooks = self.world.hooks.before_plan(&self.world.agents, &snapshot, to, within).await;
        let planned = make_plan(&Wanted {
            snapshot: &snapshot,
            target: to,
            catalogue: &catalogue,
            signed: self.world.signed.word().as_ref(),
            table: &self.world.table,
            advisories: &self.world.advisories,
            settings: &settings,
            accepted,
            hooks: &hooks,
            now: snapshot.at,
        });
        let epochs = snapshot.answered().map(|(agent, facts)| (agent.to_owned(), facts.highest_epoch));
        let obeyed = epochs.max_by_key(|(_, epoch)| *epoch);
        Ok(PlannedAt { at: snapshot.at, planned, partners: rollout::sight(&snapshot), obeyed })
    }

    pub(super) async fn plan(
        &self,
        cluster: &str,
        to: Version,
        accepted: &[Acceptance],
    ) -> Result<PlanDocument, Failure> {
        let planned = self.planned(cluster, to, accepted).await?;
        if let Planned::Plan(plan) = &planned.planned {
            let latest = self.store().latest_driver(&plan.cluster).await?;
            let next = latest.map(|latest| latest.epoch).unwrap_or_default().0.saturating_add(1);
            planned.above_the_agents(&plan.cluster, Epoch(next))?;
        }
        let findings = planned.findings().to_vec();
        let expected = match &planned.planned {
            Planned::Plan(plan) => self.expected(plan).await?,
            Planned::NothingToDo { .. } | Planned::Blocked { .. } => None,
        };
        let document = |outcome, plan: Option<Plan>, digest, summary| PlanDocument {
            schema: PlanDocument::SCHEMA.to_owned(),
            cluster: cluster.to_owned(),
            outcome,
            plan,
            digest,
            findings: findings.clone(),
            summary,
            expected,
        };
        Ok(match planned.planned {
            Planned::Plan(plan) => {
                let digest = digest(&plan)?;
                let turns: usize = plan.hops.iter().map(|hop| hop.turns.len()).sum();
                let hops = plan.hops.len();
                let summary = format!(
                    "{cluster} to {to}: {turns} {} in {hops} {}",
                    plural(turns, "turn"),
                    plural(hops, "hop")
                );
                document(PlanOutcome::Ready, Some(*plan), Some(digest), summary)
            }
            Planned::NothingToDo { version, .. } => {
                let summary = format!("nothing to do: every node of {cluster} is at {version}");
                document(PlanOutcome::NothingToDo, None, None, summary)
            }
            Planned::Blocked { .. } => {
                document(PlanOutcome::Blocked, None, None, blocked_summary(cluster, to, &findings))
            }
        })
    }

    /// Creates a run of a plan, under this id if one is given, and drives it in the background. The same request twice is
    /// the same run.
    pub(super) async fn start(
        &self,
        plan_json: &str,
        prepare_only: bool,
        id: Option<RunId>,
        by: &str,
    ) -> Result<RunDocument, Failure> {
        let plan: Plan = serde_json::from_str(plan_json).map_err(|error| {
            let remedy = "make a new one: ratchet plan CLUSTER --to V --save FILE";
            Failure::operator("usage", "the plan cannot be read", remedy).because(error.to_string())
        })?;
        let cluster = plan.cluster.clone();
        if let Some(started) = self.started_already(&plan, prepare_only, id.as_ref()).await? {
            return self.show(started.as_str(), false, false).await;
        }
        self.not_halted().await?;
        let lease = self.store().acquire(&cluster, &crate::identity::holder(), Acquire::IfFree).await?;
        let partners = self.still_true(&plan, lease.epoch).await?;
        let id = id.unwrap_or_else(|| run_id(&cluster, self.now()));
        self.create(lease, &id, Wish { plan, prepare_only, by: by.to_owned() }, partners).await?;
        self.show(id.as_str(), false, false).await
    }

    /// The run that was started by the same request before: under the same id, or of the very same plan. Another one of
    /// that cluster that is not over stands in the way.
    async fn started_already(
        &self,
        plan: &Plan,
        prepare_only: bool,
        id: Option<&RunId>,
    ) -> Result<Option<RunId>, Failure> {
        if let Some(id) = id
            && self.store().runs().await?.iter().any(|listing| listing.id == *id)
        {
            return Ok(Some(id.clone()));
        }
        let Some(open) = self.open_run(&plan.cluster).await? else { return Ok(None) };
        let same = open.prepare_only == prepare_only && digest(&open.plan)? == digest(plan)?;
        if same && id.is_none() {
            return Ok(Some(open.id));
        }
        let remedy = format!("ratchet resume {0}   # or: ratchet abort {0}", open.id);
        let message = format!("run {} of {} is not over", open.id, plan.cluster);
        Err(Failure::operator("blocked", message, remedy))
    }

    /// Creates a run and drives it in the background, unless one of a cluster that replicates with this one is not over.
    pub(super) async fn create(
        &self,
        lease: Lease,
        id: &RunId,
        wish: Wish,
        partners: PartnerSight,
    ) -> Result<(), Failure> {
        // One after the other, so that of two partners the second one sees the first.
        let _one = self.rollouts.creating().await;
        let cluster = lease.cluster.clone();
        self.no_partner_in_flight(&cluster, &partners).await?;
        let Wish { plan, prepare_only, by } = wish;
        let deadlines = self.config.deadlines;
        let created = Event::Created { plan: Box::new(plan), prepare_only, deadlines, by };
        self.store().create(&lease, id, self.now(), &created).await?;
        // Another process may have done the same at the same moment: then both see each other now, and neither goes on.
        let first = match self.no_partner_in_flight(&cluster, &partners).await {
            Ok(()) => Vec::new(),
            Err(failure) => vec![Event::Requested { request: Request::Abort, by: failure.to_string() }],
        };
        self.spawn(lease, id.clone(), first).await.map(|_| ())
    }

    /// A plan is carried out only on the cluster it was made for, as that cluster is now: checked once more under the
    /// lease, so that what was true when it was made is true when it is begun.
    async fn still_true(&self, plan: &Plan, epoch: Epoch) -> Result<PartnerSight, Failure> {
        let stale = |why: String| {
            let remedy = format!(
                "ratchet plan {} --to {} --save FILE   # and look at it again",
                plan.cluster, plan.target
            );
            Failure::operator("stale-plan", "the plan no longer fits the cluster", remedy).because(why)
        };
        let now = self.planned(plan.cluster.as_str(), plan.target, &plan.accepted).await?;
        now.above_the_agents(&plan.cluster, epoch)?;
        let partners = now.partners;
        match now.planned {
            Planned::Plan(now) => match differences(plan, &now).as_slice() {
                [] => Ok(partners),
                found => Err(stale(found.join("; "))),
            },
            Planned::NothingToDo { version, .. } => Err(stale(format!("every node is at {version} already"))),
            Planned::Blocked { findings } => {
                let blocking = findings.iter().filter(|finding| finding.blocks());
                Err(stale(blocking.map(ToString::to_string).collect::<Vec<_>>().join("; ")))
            }
        }
    }
}

fn digest(plan: &Plan) -> Result<String, Failure> {
    plan.digest()
        .map(|digest| digest.to_string())
        .map_err(|error| Failure::bug("the plan cannot be written down").because(chain(&error)))
}

/// A fresh id for a run.
pub(super) fn run_id(cluster: &ClusterName, at: Timestamp) -> RunId {
    // The last bits of a UUID of version 7 are random.
    let [.., high, low] = *uuid::Uuid::now_v7().as_bytes();
    RunId::begun(cluster, at, u16::from_be_bytes([high, low]))
}

fn blocked_summary(cluster: &str, to: Version, findings: &[Finding]) -> String {
    let count = |verdict: Verdict| {
        findings.iter().filter(|finding| finding.blocks() && finding.verdict == verdict).count()
    };
    let parts = [(count(Verdict::Block), "in the way"), (count(Verdict::CannotTell), "not known")];
    let some = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    format!("{cluster} cannot be upgraded to {to} now: {}", some.collect::<Vec<_>>().join(", "))
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}
