//! The fleet owner's signed catalogue: told at the plan, given to every agent before the steps that need it.

use std::fs;
use std::io::Cursor;

use minisign::KeyPair;
use proto::{Failure, OwnedCatalogue, OwnedPackage};

use super::drivers::told;
use super::stage::{Stage, begun, id, noon};
use crate::checks::{Finding, Verdict};
use crate::documents::{PlanOutcome, RunState};
use crate::server::Core;

/// A stage on which an upgrade is possible, whose coordinator has a signed catalogue.
struct Signed {
    stage: Stage,
    owner: KeyPair,
}

impl Signed {
    fn new() -> Self {
        let mut stage = Stage::new();
        stage.agents.iter().for_each(|agent| agent.with(|state| state.works = true));
        let owner = KeyPair::generate_unencrypted_keypair().unwrap();
        let (file, key) = (stage.path("c.toml"), owner.pk.to_base64());
        stage.more += &format!("[catalogue]\nfile = \"{}\"\nowner_keys = [\"{key}\"]\n", file.display());
        stage.with_package();
        let signed = Self { stage, owner };
        signed.write(1, 90, &["ab"]);
        signed
    }

    /// Signs a catalogue of packages that hold so many days.
    fn write(&self, serial: u64, days: i64, packages: &[&str]) {
        let row = |byte: &&str| OwnedPackage {
            version: "7.8.2-34".parse().unwrap(),
            os: proto::OsToken("jammy".to_owned()),
            arch: proto::Arch::Amd64,
            sha256: byte.repeat(32).parse().unwrap(),
            size: None,
        };
        let expires = noon() + jiff::SignedDuration::from_hours(24 * days);
        let rows = packages.iter().map(row).collect();
        let text = OwnedCatalogue::new(serial, expires, None, rows).unwrap().render().unwrap();
        let signature = minisign::sign(None, &self.owner.sk, Cursor::new(&text), None, None).unwrap();
        fs::write(self.stage.path("c.toml"), text).unwrap();
        fs::write(self.stage.path("c.toml.minisig"), signature.into_string()).unwrap();
    }

    async fn finding(&self, accepted: &str) -> (PlanOutcome, Finding) {
        let core = self.stage.core().await;
        let accepted: Vec<_> = Some(accepted)
            .filter(|text| !text.is_empty())
            .map(|text| text.parse().unwrap())
            .into_iter()
            .collect();
        let answer = core.plan("orders", "7.8.2-34".parse().unwrap(), &accepted).await.unwrap();
        let of_check = answer.findings.into_iter().find(|finding| finding.check == "signed-catalogue");
        (answer.outcome, of_check.unwrap())
    }
}

/// Drives the run to where it stands still; how that is, and why.
async fn driven(core: &Core) -> (RunState, String) {
    core.go_on_with_interrupted().await;
    let (news, failure) = told(core, &mut core.watching(id("r1"), 1)).await;
    assert!(failure.is_none(), "{failure:?}");
    let run = news.last().unwrap().run.clone();
    (run.state, run.halt.map(|halt| halt.error.id).unwrap_or_default())
}

#[tokio::test]
async fn a_plan_says_what_the_owner_does_not_allow() {
    let signed = Signed::new();
    let (outcome, finding) = signed.finding("").await;
    assert_eq!((outcome, finding.verdict), (PlanOutcome::Ready, Verdict::Pass), "{finding}");
    signed.write(2, 5, &["ab"]);
    assert_eq!(signed.finding("").await.1.verdict, Verdict::Warn, "it expires soon");
    for (what, spoil) in [
        ("does not allow", Box::new(|| signed.write(3, 90, &["cd"])) as Box<dyn Fn()>),
        ("expired", Box::new(|| signed.write(4, 0, &["ab"]))),
        ("pinned key", Box::new(|| fs::write(signed.stage.path("c.toml"), "schema = 1").unwrap())),
        ("cannot be read", Box::new(|| fs::remove_file(signed.stage.path("c.toml.minisig")).unwrap())),
    ] {
        spoil();
        let (outcome, finding) = signed.finding("").await;
        assert_eq!((outcome, finding.verdict), (PlanOutcome::Blocked, Verdict::Block), "{what}: {finding}");
        assert!(finding.saw.contains(what), "{finding}");
    }
    let (outcome, finding) = signed.finding("signed-catalogue=no node pins a key yet").await;
    assert_eq!(outcome, PlanOutcome::Ready, "a person may say so: the nodes decide for themselves");
    assert!(finding.accepted.is_some());
}

#[tokio::test]
async fn every_agent_is_given_the_catalogue_as_it_is_before_each_step_that_needs_it() {
    let signed = Signed::new();
    let store = signed.stage.store("ratchet.db").await;
    drop(begun(&store, "orders", "r1").await);
    let core = signed.stage.core().await;
    assert_eq!(driven(&core).await, (RunState::Done, String::new()));
    for agent in &signed.stage.agents {
        let given = agent.with(|state| state.catalogues.clone());
        let ordered: Vec<u32> = given.iter().map(|(orders, _)| *orders).collect();
        // Fetch is the first order, unpack the second, the check comes in between, install is the fourth.
        assert_eq!(ordered, [0, 1, 3]);
        let text = fs::read_to_string(signed.stage.path("c.toml")).unwrap();
        assert!(given.iter().all(|(_, catalogue)| catalogue.catalogue == text));
    }
}

#[tokio::test]
async fn an_agent_that_refuses_the_catalogue_stops_the_run_before_anything_is_ordered() {
    let signed = Signed::new();
    let refusal = Failure::operator("catalogue-refused", "this node does not take it", "sign a new one");
    signed.stage.agents[1].with(|state| state.catalogue_refused = Some(refusal.clone()));
    let store = signed.stage.store("ratchet.db").await;
    drop(begun(&store, "orders", "r1").await);
    let core = signed.stage.core().await;
    // Nothing was installed anywhere, so the run is over: it was blocked.
    assert_eq!(driven(&core).await, (RunState::Blocked, "catalogue-refused".to_owned()));
    assert_eq!(signed.stage.agents[1].orders(), 0);
}
