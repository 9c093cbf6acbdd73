//! A night over forty clusters: a canary, three waves, a window that closes in the middle, two clusters that fail, and a
//! coordinator that is killed ten times. It ends as the file says (promises P1, P2, P6, P7, P8; partners; budgets).

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;
mod night;

use std::collections::BTreeMap;

use fleet::Deed;
use night::{AT_ONCE, FAILING, Night, PAIRS, Rules, UNNAMED, selected, wave_of};

const KILLS: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn within_the_budget_the_night_ends_with_all_others_upgraded() {
    let rules = Rules { budget: 2, window: true };
    let mut night = Night::new(rules).await;
    night.apply();
    night.killed_at_random(KILLS).await;
    let end = night.until_it_stands().await;
    assert_eq!(end["state"], "done_with_failures", "seed {}: {end:#}", night.seed);
    assert_eq!(night.clusters_that(&end, "failed"), FAILING);
    for name in selected() {
        let expected = if FAILING.contains(&name.as_str()) { [1, 0, 0] } else { [1; 3] };
        assert_eq!(night.set.installs(&name), expected, "{name}, seed {}", night.seed);
    }
    night.breaks_nothing();
    night.touched_nobody_else();
    night.began_nothing_while_the_window_was_shut();
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_budget_it_stands_still_until_a_person_goes_on_with_it() {
    let rules = Rules { budget: 1, window: false };
    let mut night = Night::new(rules).await;
    night.apply();
    night.killed_at_random(KILLS).await;
    let halted = night.until_it_stands().await;
    assert_eq!(halted["state"], "halted", "seed {}: {halted:#}", night.seed);
    assert_eq!(night.clusters_that(&halted, "failed"), FAILING);
    for name in night.clusters_that(&halted, "waiting") {
        assert_eq!(night.set.installs(&name), [0; 3], "{name} was to wait, seed {}", night.seed);
    }
    let later = selected().into_iter().filter(|name| wave_of(name) > 1);
    later.for_each(|name| assert_eq!(night.set.installs(&name), [0; 3], "{name} is of a later wave"));
    night.heal_and_go_on();
    let end = night.until_it_stands().await;
    assert_eq!(end["state"], "done", "seed {}: {end:#}", night.seed);
    for name in selected() {
        let expected = if FAILING.contains(&name.as_str()) { [2, 1, 1] } else { [1; 3] };
        assert_eq!(night.set.installs(&name), expected, "{name}, seed {}", night.seed);
    }
    night.breaks_nothing();
    night.touched_nobody_else();
}

/// From the first to the last line of each cluster in the ledger.
type Spans = BTreeMap<String, (usize, usize)>;

impl Night {
    /// The ledger found nothing, there is one run for each cluster, and everything was begun in the order of the file.
    fn breaks_nothing(&self) {
        self.set.breaks_nothing();
        let mut spans = Spans::new();
        let mut runs: BTreeMap<String, String> = BTreeMap::new();
        for (at, entry) in self.set.fleet.ledger().entries().iter().enumerate() {
            let cluster = entry.cluster.to_string();
            let run = runs.entry(cluster.clone()).or_insert_with(|| entry.run.to_string());
            assert_eq!(*run, entry.run.to_string(), "{cluster} has had two runs, seed {}", self.seed);
            spans.entry(cluster).or_insert((at, at)).1 = at;
        }
        self.kept_partners_apart(&spans);
        self.kept_to_its_waves(&spans);
        self.never_too_many_at_once(&spans);
    }

    fn kept_partners_apart(&self, spans: &Spans) {
        for (one, other) in PAIRS {
            let (one, other) = (spans[&night::name(one)], spans[&night::name(other)]);
            let apart = one.1 < other.0 || other.1 < one.0;
            assert!(apart, "partners were in flight together, seed {}", self.seed);
        }
    }

    /// No wave began before the one before it was over.
    fn kept_to_its_waves(&self, spans: &Spans) {
        for (cluster, (_, ended)) in spans {
            let next = spans.iter().filter(|(other, _)| wave_of(other) > wave_of(cluster));
            let early = next.into_iter().find(|(_, (began, _))| began < ended);
            assert!(early.is_none(), "{early:?} began before {cluster} was over, seed {}", self.seed);
        }
    }

    /// Clusters that failed do not count: the others go on beside them.
    fn never_too_many_at_once(&self, spans: &Spans) {
        let counted = || spans.iter().filter(|(cluster, _)| !FAILING.contains(&cluster.as_str()));
        for (cluster, (at, _)) in counted() {
            let beside = counted().filter(|(_, (began, ended))| began <= at && at <= ended).count();
            assert!(beside <= AT_ONCE, "{beside} at once when {cluster} began, seed {}", self.seed);
        }
    }

    fn touched_nobody_else(&self) {
        for cluster in UNNAMED {
            assert_eq!(self.set.installs(&night::name(cluster)), [0; 3], "nobody named it");
        }
    }

    /// Something was upgraded before the window closed, nothing began while it was shut, and the rest came later.
    fn began_nothing_while_the_window_was_shut(&self) {
        let (closes, opens) = self.shut.unwrap();
        let entries = self.set.fleet.ledger().entries();
        let begun: Vec<_> = entries.iter().filter(|entry| entry.deed == Deed::Began).collect();
        let before = begun.iter().filter(|entry| entry.at < closes).count();
        println!("{before} of {} installations began before the window closed", begun.len());
        let meanwhile = begun.iter().find(|entry| entry.at >= closes && entry.at < opens);
        assert!(meanwhile.is_none(), "{meanwhile:#?}, shut from {closes} to {opens}, seed {}", self.seed);
        assert!(before > 0, "nothing began before {closes}: it proves nothing");
        assert!(before < begun.len(), "all was over before {closes}: it proves nothing");
    }
}
