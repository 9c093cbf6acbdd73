//! Listening to a coordinator, and going on where it ended: with what the run names itself.

use lab::Told;
use serde_json::Value;

use super::turns::let_all_go;
use super::{CLUSTER, Campaign, TO};

/// More commands than that for one fault would be no way to go on.
const MOST: usize = 6;

/// What was given to go on.
#[derive(Clone, Debug)]
pub struct Given {
    pub command: String,
    /// What it was given for.
    pub halt: Value,
    /// The node that a person repaired first, with the package's installer.
    pub by_hand: Option<u32>,
}

impl Given {
    /// Whether a person ordered by it that a node be installed again.
    pub fn orders_install(&self, uid: u32) -> bool {
        self.by_hand == Some(uid) || (self.command.starts_with("ratchet retry ") && self.halt["node"] == uid)
    }
}

impl Campaign {
    /// Starts a verb that drives the run.
    pub(super) fn drive(&mut self, args: &[&str]) {
        self.driver = Some(self.lab.drive(args).unwrap());
    }

    /// Hears what the coordinator says next; false once it has ended.
    pub(super) fn hear(&mut self) -> bool {
        let Some(driver) = &mut self.driver else { return false };
        let news = driver.news().unwrap();
        let is_over = news.is_none();
        self.note(news.unwrap_or_default());
        !is_over
    }

    /// Hears what has been said already.
    pub(super) fn catch_up(&mut self) {
        let unheard = self.driver.as_mut().map(|driver| driver.unheard().unwrap());
        self.note(unheard.unwrap_or_default());
    }

    fn note(&mut self, events: Vec<Told>) {
        let run = self.driver.as_ref().and_then(|driver| driver.run()?["id"].as_str().map(str::to_owned));
        self.run = run.or(self.run.take());
        for event in &events {
            eprintln!("   {:>3} {} {:?} {}", event.seq, event.kind, event.node, event.text);
        }
        self.told.extend(events);
    }

    /// Hears until what was told is as wanted or the run is done; where it stops before, goes on as it says itself.
    pub(super) async fn until(&mut self, wanted: impl Fn(&[Told]) -> bool) {
        while !self.over && !wanted(&self.told) {
            if !self.hear() {
                self.go_on().await;
            }
        }
    }

    /// The coordinator has ended: the run is done, or it names the command to go on with.
    async fn go_on(&mut self) {
        let mut driver = self.driver.take().unwrap();
        let run = driver.run().cloned().unwrap_or_default();
        let (code, halt) = (driver.end().unwrap().code(), run["halt"].clone());
        let known = halt["error"]["message"].as_str().is_some_and(|cause| !cause.is_empty());
        match run["state"].as_str() {
            Some("done") => {
                assert_eq!(code, Some(0), "{run:#}");
                self.over = true;
            }
            Some("halted") if known => {
                assert_eq!(code, Some(4), "{run:#}");
                let given = self.way_on(&run, halt).await;
                eprintln!("   {}: {given:?}", given.halt["error"]);
                let words: Vec<&str> = given.command.split_whitespace().skip(1).collect();
                self.drive(&words);
                self.given.push(given);
            }
            Some("blocked") if known => {
                assert_eq!(code, Some(3), "{run:#}");
                let command = format!("ratchet upgrade {CLUSTER} --to {TO}");
                self.given.push(Given { command, halt, by_hand: None });
                // What keeps the turns waiting would keep the new run from being planned.
                let_all_go(&self.lab).await;
                Box::pin(self.begin()).await;
            }
            _ => panic!("{}: exit {code:?}: {run:#}", self.name),
        }
    }

    /// The first command that the run names and that has not been given for the same trouble. If there is none left, a
    /// person repairs the node, as the halt asks for.
    async fn way_on(&self, run: &Value, halt: Value) -> Given {
        let before = &self.given[self.given_before..];
        assert!(before.len() < MOST, "no end of it: {before:?}");
        let same = |given: &&Given| given.halt["error"]["id"] == halt["error"]["id"];
        let tried = |command: &str| before.iter().filter(same).any(|given| given.command == command);
        let named = run["next_commands"].as_array().cloned().unwrap_or_default();
        let mut named = named.iter().filter_map(Value::as_str).filter(|command| {
            command.starts_with("ratchet resume ") || command.starts_with("ratchet retry ")
        });
        if let Some(command) = named.clone().find(|command| !tried(command)) {
            return Given { command: command.to_owned(), halt, by_hand: None };
        }
        let command = named.next().unwrap_or_else(|| panic!("no way on: {run:#}")).to_owned();
        let uid = self.lab.uids().find(|uid| !self.lab.cluster.snapshot().nodes[uid].is_member());
        let uid = uid.unwrap_or_else(|| panic!("nothing to repair: {run:#}"));
        let target = self.lab.cluster.installs(uid).last().unwrap().target;
        self.lab.install_by_hand(uid, &format!("redislabs-{target}-jammy-amd64.tar")).unwrap();
        Given { command, halt, by_hand: Some(uid) }
    }
}
