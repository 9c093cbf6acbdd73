//! Nothing that nobody else may know is in a log, a document, a journal, a notice or an error.

use std::fmt::Debug;
use std::path::Path;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use proto::Failure;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use tracing_subscriber::layer::SubscriberExt;

use super::drivers::told;
use super::logs::Capture;
use super::receiver::Listener;
use super::stage::Stage;
use crate::config::Config;
use crate::server::Core;
use crate::server::packages::Description;
use crate::store;

/// In every secret, and nowhere else.
const MARK: &str = "hunter2";

/// Everything that was told in some way.
#[derive(Default)]
struct Told(Vec<(String, String)>);

impl Told {
    fn text(&mut self, what: &str, text: impl Into<String>) {
        self.0.push((what.to_owned(), text.into()));
    }

    fn document(&mut self, what: &str, document: &(impl Serialize + Debug)) {
        self.text(what, serde_json::to_string(document).unwrap());
        self.text(what, format!("{document:?}"));
    }

    fn failure(&mut self, what: &str, failure: &Failure) {
        self.document(what, failure);
        self.text(what, failure.to_string());
    }

    fn has_no_mark(&self) {
        for (what, text) in &self.0 {
            assert!(!text.contains(MARK), "{what} tells it: {text}");
        }
    }
}

/// Everything in the store, column by column.
async fn everything_stored(stage: &Stage) -> String {
    let store = stage.store("ratchet.db").await;
    let mut all = String::new();
    for table in store.sql("SELECT name FROM sqlite_schema WHERE type = 'table'").await {
        let columns = store.sql(&format!("SELECT name FROM pragma_table_info('{table}')")).await;
        for column in columns {
            let rows = store.sql(&format!("SELECT CAST(coalesce({column}, '') AS TEXT) FROM {table}")).await;
            all.push_str(&rows.join("\n"));
        }
    }
    assert!(all.contains("step_intended"), "the journal is in it");
    all
}

/// A webhook whose URL and key are secret, on a stage where an upgrade works.
fn marked(listener: &Listener) -> Stage {
    let mut stage = Stage::new();
    stage.with_package();
    let key = stage.path("key");
    std::fs::write(&key, MARK).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    stage.more += &format!(
        "[[notify]]\nwebhook = \"http://u:{MARK}@{}/hook?token={MARK}\"\nsecret_file = \"{}\"\n",
        listener.at,
        key.display()
    );
    stage.agents.iter().for_each(|agent| agent.with(|state| state.works = true));
    stage
}

/// A whole upgrade; the run.
async fn upgraded(core: &Core) -> String {
    let plan = core.plan("orders", "7.8.2-34".parse().unwrap(), &[]).await.unwrap().plan.unwrap();
    let run = core.start(&serde_json::to_string(&plan).unwrap(), false, None, "ann").await.unwrap().id;
    let (_, failure) = told(core, &mut core.watching(run.parse().unwrap(), 1)).await;
    assert!(failure.is_none(), "{failure:?}");
    run
}

#[tokio::test]
async fn a_whole_run_tells_no_secret_to_anybody() {
    let capture = Capture::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(capture.clone()));
    let mut listener = Listener::start(&[503]).await;
    let stage = marked(&listener);
    let core = stage.core().await.telling_of_own_runs();
    core.notices.begin().await;
    let run = upgraded(&core).await;
    // It was refused once, which is logged and written down; then it is tried again.
    let mut all = Told::default();
    assert_eq!(listener.hears(1).await.len(), 1);
    all.text("a notice", listener.heard()[0].body.clone());
    all.text(
        "the headers of a notice",
        format!("{:?}", listener.heard()[0].headers.get("ratchet-signature")),
    );
    all.document("status", &core.status(&[]).await.unwrap());
    all.document("check", &core.check("orders", None, &[]).await.unwrap());
    all.document("package list", &core.list_packages().await.unwrap());
    all.document("show", &core.show(&run, true, true).await.unwrap());
    all.document("report", &core.report(&run).await.unwrap());
    all.document("verify", &core.verify(&run, None).await.unwrap());
    all.document("export", &core.export_run(&run).await.unwrap());
    all.document("runs", &core.runs().await.unwrap());
    all.document("why", &core.why(&run).await.unwrap());
    all.document("inventory", &core.inventory_document().await.unwrap());
    all.document("leader", &core.leader_document().await.unwrap());
    all.text("the coordinator", format!("{core:?}"));
    all.text("the store", everything_stored(&stage).await);
    let lines = capture.0.lock().unwrap().clone();
    assert!(!lines.is_empty());
    lines.iter().for_each(|line| all.text("the log", format!("{line:?}")));
    all.has_no_mark();
}

/// Also where it is wrong: whoever corrects a configuration has it before them, the log need not.
#[tokio::test]
async fn no_mistake_in_a_configuration_repeats_a_secret() {
    let digest = "ab".repeat(32);
    let package = |url: &str| {
        format!(
            "insecure_loopback = true\n[[package]]\nurl = \"{url}\"\nsha256 = \"{digest}\"\n\
             version = \"7.8.2-34\"\nos = \"jammy\"\narch = \"amd64\"\n"
        )
    };
    let wrong = [
        package(&format!("https://u:{MARK}@mirror/p.tar")),
        package(&format!("https://mirror/p.tar?X-Amz-Signature={MARK}")),
        package(&format!("ftp://u:{MARK}@mirror/p.tar")),
        package(&format!("https://u:{MARK}@mirror/p .tar")),
        format!("store = \"postgres://u:{MARK}@db/ratchet\n"),
        format!("store = \"postgres://u:{MARK}@db/ratchet\" x\n"),
        format!("store = \"postgres://u:{MARK}@db.example.com/ratchet\"\n"),
        format!("store = \"postgres://u@db.example.com/ratchet?password={MARK}\"\n"),
        format!("store = \"postgres://u:{MARK}@/\"\n"),
        format!("store = \"mysql://u:{MARK}@db/ratchet\"\n"),
        format!("store = [\"postgres://u:{MARK}@db/ratchet\"]\n"),
        format!("[[notify]]\nwebhook = \"ftp://hooks.example.com/{MARK}\"\n"),
        format!("[[notify]]\nwebhook = \"https://{MARK} x/\"\n"),
        format!("[[notify]]\nwebhook = [\"https://hooks.example.com/{MARK}\"]\n"),
        format!("[[notify]]\nwebhook = \"http://hooks.example.com/{MARK}\"\nformat = \"x\"\n"),
    ];
    let mut all = Told::default();
    for text in wrong {
        let error = Config::parse(&text, Path::new("ratchet.toml")).expect_err(&text);
        all.text(&text.replace(MARK, "…"), format!("{error:?}"));
        all.failure(&text.replace(MARK, "…"), &Failure::from(error));
    }
    all.has_no_mark();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_opened_keeps_its_password() {
    let mut all = Told::default();
    for location in [
        format!("postgres://u:{MARK}@127.0.0.1:1/ratchet"),
        format!("postgres://u@127.0.0.1:1/ratchet?password={MARK}"),
        format!("mysql://u:{MARK}@db/ratchet"),
    ] {
        let error = store::open(&location).await.unwrap_err();
        all.text("its debug", format!("{error:?}"));
        all.failure("the store", &Failure::from(error));
    }
    all.has_no_mark();
}

/// A mirror that sends everybody on to a URL that is signed for the moment.
async fn mirror() -> (String, AbortOnDropHandle<()>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    let signed = format!("/signed?X-Amz-Signature={MARK}");
    let router = Router::new()
        .route("/redislabs-7.8.2-34-jammy-amd64.tar", get(|| async move { Redirect::temporary(&signed) }))
        .route("/signed", get(|| async { StatusCode::FORBIDDEN }));
    let serving = tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
    (format!("http://{at}"), AbortOnDropHandle::new(serving))
}

#[tokio::test]
async fn a_package_is_not_added_with_a_secret_in_its_url() {
    let capture = Capture::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(capture.clone()));
    let stage = Stage::new();
    let core = stage.core().await;
    let (mirror, _serving) = mirror().await;
    let (host, name) = (mirror.trim_start_matches("http://"), "redislabs-7.8.2-34-jammy-amd64.tar");
    let mut all = Told::default();
    for (location, id) in [
        (format!("http://u:{MARK}@{host}/{name}"), "usage"),
        (format!("{mirror}/{name}?X-Amz-Signature={MARK}"), "usage"),
        (format!("{mirror}/{name}?part={MARK}"), "unreadable-package"),
        (format!("{mirror}/{name}"), "unreadable-package"),
    ] {
        let description = Description { location, ..Description::default() };
        let failure = core.add_package(description, "ann").await.unwrap_err();
        assert_eq!(failure.id, id, "{failure}");
        all.failure("package add", &failure);
    }
    capture.0.lock().unwrap().iter().for_each(|line| all.text("the log", format!("{line:?}")));
    assert_eq!(core.store().packages().await.unwrap(), []);
    all.has_no_mark();
}
