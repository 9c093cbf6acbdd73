//! Names, versions, digests and other words that come in files, in messages and on the command line.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use coordinator::advisories::Builds;
use coordinator::checks::Acceptance;
use coordinator::config::WebhookUrl;
use coordinator::paths::VersionSpec;
use proto::{
    AgentMemory, AgentName, Arch, ClusterName, Fact, FleetName, Identity, PeerName, Release, ReleaseRange, Role, RolloutName,
    RunId, Sha256, StepId, Version,
};

use crate::{Target, expect, seeds};

const WORDS: &[&str] = &["spiffe://", "/agent/", "/coordinator/", ".", "-", ">=", "<", ", ", "=", "b5377446", "7.4.2-54", "https://", ":"];

pub(super) const TARGET: Target = Target::new(run, seeds).words(WORDS).longest(512).short_runs(20_000);

fn seeds() -> Vec<Vec<u8>> {
    seeds::texts(&[
        "7.4.2-54", "7.22", "7.4.x", ">=7.2, <7.8", "orders", "orders-20261126-033319-03cd.h0.n1.fetch.a1", "amd64", "cluster-policy",
        "b53774466f87daac20b112d0d11b57e7224c135ef10df06f40a014bdb7d4f911", "spiffe://prod/agent/db-1", "viewer", "disk=it is fine",
        "https://hooks.example/x?y", ">= 7.4.2-54 < 7.22.0-1", "8.0.2",
    ])
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    same_again::<Version>(&text);
    same_again::<Release>(&text);
    same_again::<ReleaseRange>(&text);
    same_again::<VersionSpec>(&text);
    same_again::<Sha256>(&text);
    same_again::<Arch>(&text);
    same_again::<Fact>(&text);
    same_again::<Role>(&text);
    names(&text);
    if let Ok(identity) = text.parse::<Identity>() {
        // One identity has one spelling: two would be two ways past a list of names.
        assert_eq!(identity.to_string(), text);
    }
    if let Ok(builds) = Builds::parse(&text) {
        assert!(Builds::parse(&builds.to_string()).is_ok_and(|again| again == builds), "{builds}");
    }
    let _accepted = text.parse::<Acceptance>();
    if let Ok(url) = text.parse::<WebhookUrl>() {
        assert!(url.to_string().len() <= 4 * text.len() + 64);
    }
}

/// Names become file names and units: nothing in them leads anywhere.
fn names(text: &str) {
    let harmless = |name: &str| !name.contains(['/', '\0', ' ', '\n']) && name != ".." && name == text;
    let known = [
        text.parse::<ClusterName>().map(String::from),
        text.parse::<RunId>().map(String::from),
        text.parse::<StepId>().map(String::from),
        text.parse::<RolloutName>().map(String::from),
        text.parse::<AgentName>().map(String::from),
        text.parse::<AgentMemory>().map(String::from),
        text.parse::<FleetName>().map(String::from),
        text.parse::<PeerName>().map(String::from),
    ];
    assert!(known.into_iter().flatten().all(|name| harmless(&name)), "{text}");
}

fn same_again<T: FromStr + Display + PartialEq + Debug>(text: &str)
where
    T::Err: Debug,
{
    if let Ok(value) = text.parse::<T>() {
        let rendered = value.to_string();
        assert_eq!(rendered.parse::<T>().unwrap_or_else(|error| panic!("{rendered}: {error:?}")), value);
    }
}
