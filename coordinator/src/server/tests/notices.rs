//! News reaches whoever is to be told, at least once and under the same id, whatever dies or hangs.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::SignedDuration;
use proto::{Clock, Failure};
use serde_json::Value;
use tokio::net::TcpListener;

use super::drivers::told;
use super::receiver::{Heard, Listener};
use super::stage::{Stage, append, begun, id, noon};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::notify::{Secret, sign};
use crate::run::{Event, Halt, Request};
use crate::server::notices::{Notices, Reading};
use crate::store::{SqliteStore, Store};

/// A coordinator's notices on the usual store, with a clock that is put forward.
struct Telling {
    notices: Arc<Notices>,
    seconds: Arc<AtomicI64>,
    reading: Option<Reading>,
}

impl Telling {
    async fn new(stage: &Stage, tables: &str) -> Self {
        let config =
            Config::parse(&format!("insecure_loopback = true\n{tables}"), Path::new("r.toml")).unwrap();
        let seconds = Arc::new(AtomicI64::new(0));
        let passed = Arc::clone(&seconds);
        let now =
            move || noon().checked_add(SignedDuration::from_secs(passed.load(Ordering::SeqCst))).unwrap();
        let (store, clock) = (Arc::new(stage.store("ratchet.db").await), Clock::from_fn(Arc::new(now)));
        let notices = Notices::new(&config.notify, store, clock, Arc::new(Metrics::default()));
        Self { notices: Arc::new(notices), seconds, reading: None }
    }

    fn later(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn read(&mut self) {
        self.notices.read_all(&mut self.reading).await.unwrap();
    }

    /// Reads, then tries everything that is due once.
    async fn tell(&mut self) {
        self.read().await;
        self.notices.deliver_all_due().await.unwrap();
    }

    async fn pending(&self) -> usize {
        self.notices.pending().await.unwrap().len()
    }
}

fn halted() -> Event {
    let failure = Failure::operator("gate-shut", "the gate stayed shut", "repair");
    Event::Halted(Box::new(Halt { node: None, step: None, failure }))
}

/// A run that halts: the third event.
async fn halts(store: &SqliteStore, run: &str) {
    let lease = begun(store, "orders", run).await;
    append(store, &lease, run, halted()).await;
}

fn ids(heard: &[Heard]) -> Vec<String> {
    heard.iter().map(|heard| heard.headers["ratchet-notice-id"].to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_past_is_not_news_and_what_comes_after_is() {
    let (stage, listener) = (Stage::new(), Listener::start(&[]).await);
    let store = stage.store("ratchet.db").await;
    halts(&store, "r-old").await;
    let mut telling = Telling::new(&stage, &listener.table()).await;
    telling.tell().await;
    assert_eq!(ids(&listener.heard()), Vec::<String>::new(), "that was over before anybody was to be told");
    let lease = begun(&store, "billing", "r-new").await;
    append(&store, &lease, "r-new", halted()).await;
    telling.tell().await;
    assert_eq!(ids(&listener.heard()), ["run:r-new#3"]);
    let body: Value = serde_json::from_str(&listener.heard()[0].body).unwrap();
    assert_eq!((&body["schema"], &body["kind"]), (&"ratchet.notice/1".into(), &"halted".into()));
    assert_eq!((&body["subject"]["run"], &body["cluster"]), (&"r-new".into(), &"billing".into()));
    // Somebody goes on with the old one, and it halts again.
    let lease =
        store.acquire(&"orders".parse().unwrap(), "bob", crate::store::Acquire::IfFree).await.unwrap();
    append(&store, &lease, "r-old", Event::Requested { request: Request::Resume, by: "bob".to_owned() })
        .await;
    append(&store, &lease, "r-old", halted()).await;
    telling.tell().await;
    telling.tell().await;
    assert_eq!(ids(&listener.heard()), ["run:r-new#3", "run:r-old#5"]);
    assert_eq!(telling.pending().await, 0);
}

#[tokio::test]
async fn a_receiver_that_is_overburdened_gets_the_same_again_after_a_pause() {
    let (stage, listener) = (Stage::new(), Listener::start(&[503, 429]).await);
    let mut telling = Telling::new(&stage, &listener.table()).await;
    telling.tell().await;
    halts(&stage.store("ratchet.db").await, "r1").await;
    telling.tell().await;
    telling.tell().await;
    assert_eq!(listener.heard().len(), 1, "not at once again");
    telling.later(10);
    telling.tell().await;
    telling.later(20);
    telling.tell().await;
    assert_eq!(ids(&listener.heard()), ["run:r1#3"; 3]);
    assert_eq!(listener.heard()[0].body, listener.heard()[2].body);
    telling.later(3600);
    telling.tell().await;
    assert_eq!((listener.heard().len(), telling.pending().await), (3, 0), "delivered is delivered");
}

#[tokio::test]
async fn a_request_that_is_wrong_is_given_up_and_one_that_nobody_takes_after_a_day() {
    let (stage, listener) = (Stage::new(), Listener::start(&[404]).await);
    let store = stage.store("ratchet.db").await;
    let mut telling = Telling::new(&stage, &listener.table()).await;
    telling.tell().await;
    halts(&store, "r1").await;
    telling.tell().await;
    assert_eq!((listener.heard().len(), telling.pending().await), (1, 0), "404 will be 404 tomorrow");
    let mut nobody = Telling::new(&stage, "[[notify]]\nwebhook = \"http://127.0.0.1:1/\"\n").await;
    let lease = begun(&store, "billing", "r2").await;
    append(&store, &lease, "r2", halted()).await;
    nobody.tell().await;
    assert_eq!(nobody.pending().await, 1);
    nobody.later(24 * 3600);
    nobody.tell().await;
    assert_eq!(nobody.pending().await, 0);
}

#[tokio::test]
async fn a_coordinator_that_dies_before_it_has_told_leaves_it_to_the_next() {
    let (stage, listener) = (Stage::new(), Listener::start(&[]).await);
    let mut telling = Telling::new(&stage, &listener.table()).await;
    telling.tell().await;
    halts(&stage.store("ratchet.db").await, "r1").await;
    telling.read().await;
    drop(telling);
    assert_eq!(listener.heard().len(), 0);
    let mut next = Telling::new(&stage, &listener.table()).await;
    next.tell().await;
    assert_eq!(ids(&listener.heard()), ["run:r1#3"]);
}

#[tokio::test]
async fn one_that_hangs_holds_up_no_other() {
    let stage = Stage::new();
    let hangs = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut listener = Listener::start(&[]).await;
    let tables =
        format!("[[notify]]\nwebhook = \"http://{}/\"\n{}", hangs.local_addr().unwrap(), listener.table());
    let mut telling = Telling::new(&stage, &tables).await;
    telling.read().await;
    halts(&stage.store("ratchet.db").await, "r1").await;
    let notices = Arc::clone(&telling.notices);
    let telling_on = tokio::spawn(async move { notices.keep_telling().await });
    let (hanging, _) = hangs.accept().await.unwrap();
    assert_eq!(ids(&listener.hears(1).await), ["run:r1#3"], "while the other one has not answered");
    drop(hanging);
    telling_on.abort();
}

#[tokio::test]
async fn a_receiver_is_told_only_of_what_it_wants_and_can_see_who_it_comes_from() {
    let (stage, listener, other) = (Stage::new(), Listener::start(&[]).await, Listener::start(&[]).await);
    let secret = stage.path("secret");
    std::fs::write(&secret, "hush\n").unwrap();
    set_mode(&secret, 0o640);
    let tables = format!(
        "{}secret_file = \"{}\"\n{}on = [\"done\"]\n",
        listener.table(),
        secret.display(),
        other.table()
    );
    let mut telling = Telling::new(&stage, &tables).await;
    telling.tell().await;
    halts(&stage.store("ratchet.db").await, "r1").await;
    telling.tell().await;
    assert_eq!((listener.heard().len(), other.heard().len()), (1, 0));
    let heard = &listener.heard()[0];
    let expected = sign(&Secret::of_file(b"hush").unwrap(), noon(), heard.body.as_bytes());
    assert_eq!(heard.headers["ratchet-signature"].to_str().unwrap(), expected);
    assert!(!format!("{:?}", telling.notices).contains("hush"));
}

#[tokio::test]
async fn nothing_is_sent_unsigned_where_a_signature_is_wanted() {
    let (stage, listener) = (Stage::new(), Listener::start(&[]).await);
    let secret = stage.path("secret");
    let tables = format!("{}secret_file = \"{}\"\n", listener.table(), secret.display());
    let mut telling = Telling::new(&stage, &tables).await;
    telling.tell().await;
    halts(&stage.store("ratchet.db").await, "r1").await;
    for (contents, mode) in [(None, 0), (Some(""), 0o600), (Some("hush"), 0o644)] {
        if let Some(contents) = contents {
            std::fs::write(&secret, contents).unwrap();
            set_mode(&secret, mode);
        }
        telling.tell().await;
        telling.later(600);
        assert_eq!((listener.heard().len(), telling.pending().await), (0, 1), "{contents:?} {mode:o}");
    }
    let trouble = telling.notices.pending().await.unwrap()[0].trouble.clone().unwrap();
    assert!(trouble.contains("chmod o-rwx") && !trouble.contains("hush"), "{trouble}");
    set_mode(&secret, 0o600);
    telling.tell().await;
    assert_eq!((listener.heard().len(), telling.pending().await), (1, 0));
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

/// Whoever keeps the notice can tell later whether the journal is still the one that it was about.
#[tokio::test]
async fn a_notice_has_the_digest_of_the_event_that_it_is_about() {
    let (stage, listener) = (Stage::new(), Listener::start(&[]).await);
    let store = stage.store("ratchet.db").await;
    let mut telling = Telling::new(&stage, &listener.table()).await;
    telling.tell().await;
    let lease = begun(&store, "orders", "r1").await;
    append(&store, &lease, "r1", halted()).await;
    append(&store, &lease, "r1", Event::Requested { request: Request::Resume, by: "ann".to_owned() }).await;
    telling.tell().await;
    let told: Value = serde_json::from_str(&listener.heard()[0].body).unwrap();
    let stored = store.verbatim(&id("r1")).await.unwrap();
    assert_eq!(told["journal"]["seq"], 3);
    assert_eq!(told["journal"]["digest"], stored[2].chain);
}

#[tokio::test]
async fn a_program_finds_the_news_on_its_standard_input() {
    let stage = Stage::new();
    let (program, heard) = (stage.path("page"), stage.path("heard"));
    std::fs::write(
        &program,
        "#!/bin/sh\n[ -e \"$1\" ] || { : > \"$1\"; echo not now >&2; exit 3; }\nexec cat > \"$1\"\n",
    )
    .unwrap();
    set_mode(&program, 0o755);
    let tables = format!("[[notify]]\ncommand = [\"{}\", \"{}\"]\n", program.display(), heard.display());
    let mut telling = Telling::new(&stage, &tables).await;
    telling.tell().await;
    halts(&stage.store("ratchet.db").await, "r1").await;
    telling.tell().await;
    let trouble = telling.notices.pending().await.unwrap()[0].trouble.clone().unwrap();
    assert!(trouble.contains("exit status: 3") && trouble.contains("not now"), "{trouble}");
    telling.later(10);
    telling.tell().await;
    let told: Value = serde_json::from_str(&std::fs::read_to_string(&heard).unwrap()).unwrap();
    assert_eq!((&told["id"], telling.pending().await), (&"run:r1#3".into(), 0));
}

#[tokio::test]
async fn a_coordinator_inside_a_command_tells_of_its_own_run_before_it_ends() {
    let (mut stage, listener) = (Stage::new(), Listener::start(&[]).await);
    stage.more = listener.table();
    let core = stage.core().await.telling_of_own_runs();
    // An earlier command has told of an earlier run: this one's store has a past.
    core.notices.begin().await;
    drop(begun(&stage.store("ratchet.db").await, "orders", "r1").await);
    core.go_on_with_interrupted().await;
    let (_, failure) = told(&core, &mut core.watching(id("r1"), 1)).await;
    assert!(failure.is_none(), "{failure:?}");
    let heard = listener.heard();
    assert_eq!(heard.len(), 1, "whoever watches learns of the end only now");
    let body: Value = serde_json::from_str(&heard[0].body).unwrap();
    assert_eq!((&body["kind"], &body["exit"]), (&"blocked".into(), &3.into()));
}

#[tokio::test]
async fn whoever_leads_tells_of_it_and_nobody_else_does() {
    let (mut stage, listener) = (Stage::new(), Listener::start(&[]).await);
    stage.more = listener.table();
    let core = stage.core().await.telling_of_own_runs();
    core.notices.begin().await;
    let store = stage.store("ratchet.db").await;
    let lead = store.lead("leader", None, crate::store::Acquire::IfFree).await.unwrap();
    drop(begun(&store, "orders", "r1").await);
    core.go_on_with_interrupted().await;
    told(&core, &mut core.watching(id("r1"), 1)).await;
    assert_eq!(listener.heard().len(), 0);
    let mut listener = listener;
    let over = tokio_util::sync::CancellationToken::new();
    let duty = tokio::spawn(crate::server::notices::duty(Arc::new(core), Arc::new(lead), over.clone()));
    assert_eq!(listener.hears(1).await.len(), 1);
    over.cancel();
    duty.await.unwrap();
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_keeps_nobody_from_hearing_of_the_others() {
    let (stage, listener) = (Stage::new(), Listener::start(&[]).await);
    let store = stage.store("ratchet.db").await;
    let mut telling = Telling::new(&stage, &listener.table()).await;
    telling.tell().await;
    halts(&store, "r-newer").await;
    let lease = begun(&store, "billing", "r2").await;
    append(&store, &lease, "r2", halted()).await;
    store.sql("UPDATE event SET format = 99 WHERE run = 'r-newer'").await;
    telling.tell().await;
    assert_eq!(ids(&listener.heard()), ["run:r2#3"]);
}
