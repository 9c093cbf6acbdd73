//! What only PostgreSQL can do: seats that expire, servers that refuse, TLS.

use std::time::{Duration, Instant};

use pg::{PASSWORD, Pair, Server};

use super::*;

/// A database of a test's own.
pub(super) struct Database {
    pub(super) url: String,
}

impl Database {
    pub(super) fn of(server: &Server, name: &str) -> Self {
        let name = short(name);
        server.create(&name).unwrap();
        Self { url: server.url(&name) }
    }

    pub(super) fn of_pair(pair: &Pair, name: &str) -> Self {
        let name = short(name);
        pair.create(&name).unwrap();
        Self { url: pair.url(&name) }
    }

    pub(super) async fn store(&self) -> PostgresStore {
        PostgresStore::open(&self.url).await.unwrap()
    }
}

/// Names of databases have 63 bytes at most.
fn short(name: &str) -> String {
    name.chars().take(60).collect()
}

#[async_trait::async_trait]
impl Opens for Database {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.store().await)
    }
}

async fn server(test: &str) -> Option<Server> {
    if !pg::available(test) {
        return None;
    }
    Some(Server::start().await.unwrap())
}

const EXPIRE: &str = "UPDATE seat SET expires_at = clock_timestamp() - interval '1 second' RETURNING key";

/// What becomes of a process that was stopped for longer than its seats last.
#[tokio::test]
async fn an_expired_lease_is_taken_over_and_its_holder_is_fenced() {
    let Some(server) = server("an_expired_lease_is_taken_over").await else { return };
    let database = Database::of(&server, "fleet");
    let (frozen, other) = (database.store().await, database.store().await);
    let old = frozen.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    frozen.create(&old, &run("r1"), at(), &event(1)).await.unwrap();
    let refused = other.acquire(&cluster("orders"), "bob", Acquire::IfFree).await.unwrap_err();
    assert!(matches!(refused, StoreError::Held { .. }), "{refused}");
    assert_eq!(other.sql(EXPIRE).await, ["orders"]);
    let new = loop {
        match other.acquire(&cluster("orders"), "bob", Acquire::IfFree).await {
            // The holder lives: it may have renewed in between.
            Err(StoreError::Held { .. }) => drop(other.sql(EXPIRE).await),
            taken => break taken.unwrap(),
        }
    };
    assert_eq!(new.epoch, Epoch(2));
    let fenced = frozen.append(&old, &run("r1"), 2, at(), &event(2)).await.unwrap_err();
    let bob = LatestDriver { epoch: Epoch(2), holder: "bob".to_owned() };
    assert!(matches!(&fenced, StoreError::Fenced { latest: Some(by), .. } if *by == bob), "{fenced:?}");
    other.append(&new, &run("r1"), 2, at(), &event(3)).await.unwrap();
    assert_eq!(frozen.journal(&run("r1"), 1).await.unwrap().len(), 2);
}

/// A seat outlives its term as long as its holder lives, and not for long after that.
#[tokio::test]
async fn a_seat_is_renewed_and_expires_with_its_holder() {
    let Some(server) = server("a_seat_is_renewed_and_expires_with_its_holder").await else { return };
    let database = Database::of(&server, "fleet");
    let (holder, other) = (database.store().await, database.store().await);
    let lease = holder.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    const TERM: &str = "UPDATE seat SET expires_at = clock_timestamp() + interval '2 seconds' RETURNING key";
    const LEFT: &str = "SELECT (expires_at > clock_timestamp() + interval '3 seconds')::text FROM seat";
    assert_eq!(other.sql(TERM).await, ["orders"]);
    while other.sql(LEFT).await != ["true"] {
        assert_eq!(other.driver(&cluster("orders")).await.unwrap().as_deref(), Some("alice"));
    }
    // Its process ends without letting go: nobody renews.
    std::mem::forget(lease);
    holder.stop_renewing();
    assert_eq!(other.sql(TERM).await, ["orders"]);
    free(&other, &cluster("orders")).await;
}

#[tokio::test]
async fn a_frozen_server_is_noticed_and_nothing_is_written_twice() {
    let Some(server) = server("a_frozen_server_is_noticed").await else { return };
    let database = Database::of(&server, "fleet");
    let store = database.store().await;
    let lease = store.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    store.create(&lease, &run("r1"), at(), &event(1)).await.unwrap();
    server.pause();
    let started = Instant::now();
    let again = async {
        // Long enough that the first attempt is given up.
        tokio::time::sleep(Duration::from_secs(4)).await;
        server.resume();
    };
    let append = async { store.append(&lease, &run("r1"), 2, at(), &event(2)).await };
    let (appended, ()) = tokio::join!(append, again);
    appended.unwrap();
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    assert_eq!(store.journal(&run("r1"), 1).await.unwrap().len(), 2);
    store.append(&lease, &run("r1"), 3, at(), &event(3)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_never_comes_back_fails_a_call_in_time_and_is_named() {
    let Some(mut server) = server("a_server_that_never_comes_back").await else { return };
    let database = Database::of(&server, "fleet");
    let store = database.store().await;
    server.kill();
    let started = Instant::now();
    let failure = proto::Failure::from(store.runs().await.unwrap_err());
    assert!(started.elapsed() < Duration::from_secs(16), "{:?}", started.elapsed());
    // Whoever waits goes on waiting, or asks another coordinator.
    assert_eq!((failure.id.as_str(), failure.kind), ("store-unreachable", proto::FailureKind::Retry));
    assert!(failure.message.contains(&server.port().to_string()), "{failure:?}");
    assert!(failure.remedy.as_ref().unwrap().contains("psql"), "{failure:?}");
    assert!(!format!("{failure:?}").contains(PASSWORD), "{failure:?}");
}

#[tokio::test]
async fn a_wrong_password_is_told_at_once_and_never_repeated() {
    let Some(server) = server("a_wrong_password_is_told").await else { return };
    let url = Database::of(&server, "fleet").url.replace(PASSWORD, "hunter2");
    let started = Instant::now();
    let error = PostgresStore::open(&url).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5), "it does not pass by itself");
    let failure = proto::Failure::from(error);
    assert!(failure.cause.as_ref().unwrap().contains("password authentication failed"), "{failure:?}");
    assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
}

#[tokio::test]
async fn tables_of_a_newer_version_are_refused_and_many_make_them_once() {
    let Some(server) = server("tables_of_a_newer_version_are_refused").await else { return };
    let database = Database::of(&server, "fleet");
    let opened = futures::future::join_all((0..6).map(|_| PostgresStore::open(&database.url))).await;
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    server.sql("fleet", "UPDATE ratchet_schema SET version = 99").unwrap();
    let failure = proto::Failure::from(PostgresStore::open(&database.url).await.unwrap_err());
    assert_eq!(failure.id, "newer-format");
    assert!(failure.message.contains("format 99") && !failure.message.contains(PASSWORD), "{failure:?}");
}

/// What the second version of the tables has and the first had not.
const FIRST: &str = "ALTER TABLE event DROP COLUMN chain; ALTER TABLE rollout_event DROP COLUMN chain; \
                     ALTER TABLE package DROP COLUMN added_by; UPDATE ratchet_schema SET version = 1";

/// Events of an older version stay as they are, and what comes after them is chained; a past that is changed under a
/// writer's hands stops it.
#[tokio::test]
async fn tables_of_the_first_version_go_on_with_chains() {
    let Some(server) = server("tables_of_the_first_version_go_on_with_chains").await else { return };
    let database = Database::of(&server, "fleet");
    let store = database.store().await;
    let how = Acquire::Seize { above: Epoch(0) };
    let lease = store.acquire(&cluster("orders"), "alice", how).await.unwrap();
    store.create(&lease, &run("r1"), at(), &event(1)).await.unwrap();
    store.append(&lease, &run("r1"), 2, at(), &event(2)).await.unwrap();
    server.sql("fleet", FIRST).unwrap();
    let store = database.store().await;
    let lease = store.acquire(&cluster("orders"), "bob", how).await.unwrap();
    store.append(&lease, &run("r1"), 3, at(), &event(3)).await.unwrap();
    store.append(&lease, &run("r1"), 4, at(), &event(4)).await.unwrap();
    let events = store.verbatim(&run("r1")).await.unwrap();
    let proof = chain::verify(Owner::run(&run("r1")), &events).unwrap();
    assert_eq!((proof.events, proof.unchained), (4, 2));
    server.sql("fleet", "UPDATE event SET chain = repeat('a', 64) WHERE seq = 4").unwrap();
    let refused = store.append(&lease, &run("r1"), 5, at(), &event(5)).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Damaged(why) if why.contains("event 4 of r1")), "{refused}");
    let events = store.verbatim(&run("r1")).await.unwrap();
    assert_eq!(chain::verify(Owner::run(&run("r1")), &events).unwrap_err().seq, 4);
}

#[tokio::test]
async fn tls_is_used_and_the_server_has_to_prove_itself() {
    if !pg::available("tls_is_used_and_the_server_has_to_prove_itself") {
        return;
    }
    let server = Server::start_with_tls().await.unwrap();
    let database = Database::of(&server, "fleet");
    let by =
        |ca: &std::path::Path| format!("{}?sslmode=verify-full&sslrootcert={}", database.url, ca.display());
    let store = PostgresStore::open(&by(&server.certificates().unwrap().ca)).await.unwrap();
    let encrypted = store.sql("SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()").await;
    assert_eq!(encrypted, ["true"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let other = pg::Certificates::write(elsewhere.path(), &["localhost"]).unwrap();
    let error = PostgresStore::open(&by(&other.ca)).await.unwrap_err();
    let told = crate::failures::chain(&error);
    assert!(told.contains("certificate") && !told.contains(PASSWORD), "{told}");
}
