//! Events a second in the journals of many runs at once. Each is durable before the next of its run begins.
//!
//! The peer, measured in turn in the same run, writes the same bytes into a bare table of the same kind with the same
//! settings: one insert, one commit.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the benchmark")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coordinator::run::Event;
use coordinator::store::{Acquire, Lease, SqliteStore, Store};
use fleet::figures::Figures;
use jiff::Timestamp;
use proto::{NodeUid, RunId};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};

/// Runs that are written at the same time.
const WRITERS: [usize; 3] = [1, 8, 64];
/// How long one measurement takes.
const LENGTH: Duration = Duration::from_secs(2);
/// How often each is made; the middle one counts.
const ROUNDS: usize = 3;

#[tokio::main]
async fn main() {
    let mut figures = Figures::of("journal", format!("{LENGTH:?} each, middle of {ROUNDS} rounds, in turn"));
    for writers in WRITERS {
        let (mut ours, mut peers) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(sqlite(writers).await);
            peers.push(bare(writers).await);
        }
        let what = format!("SQLite: events appended by {writers} runs at once");
        figures.add(what, middle(ours), "events/s").beside(middle(peers));
        if pg::available("the journal on PostgreSQL") {
            let (mut ours, mut peers) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                ours.push(postgres(writers).await);
                peers.push(bare_postgres(writers).await);
            }
            let what = format!("PostgreSQL: events appended by {writers} runs at once");
            figures.add(what, middle(ours), "events/s").beside(middle(peers));
        }
    }
    figures.tell().unwrap();
}

/// In the workspace's own target directory: a temporary one may be in memory, where nothing is ever durable.
fn place() -> tempfile::TempDir {
    let running = std::env::current_exe().unwrap();
    tempfile::tempdir_in(running.parent().unwrap()).unwrap()
}

fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn event() -> Event {
    let memory = "0198c3f2a4b17d8e9f00112233445566".parse().ok();
    Event::Claimed { node: NodeUid(3), memory }
}

async fn sqlite(writers: usize) -> f64 {
    let place = place();
    let location = format!("sqlite://{}", place.path().join("ratchet.db").display());
    journal(Arc::new(SqliteStore::open(&location).await.unwrap()), writers).await
}

/// A server of its own with the settings it comes with; a temporary directory may be in memory, for both.
async fn postgres(writers: usize) -> f64 {
    let server = pg::Server::start().await.unwrap();
    server.create("ratchet").unwrap();
    journal(coordinator::store::open(&server.url("ratchet")).await.unwrap(), writers).await
}

/// Events a second that a store takes from so many runs, each of a cluster of its own.
async fn journal(store: Arc<dyn Store>, writers: usize) -> f64 {
    let mut runs = Vec::new();
    for number in 0..writers {
        let cluster = format!("c{number:04}").parse().unwrap();
        let run: RunId = format!("c{number:04}-20261126-100000-abcd").parse().unwrap();
        let lease = store.acquire(&cluster, "the benchmark", Acquire::IfFree).await.unwrap();
        store.create(&lease, &run, Timestamp::now(), &event()).await.unwrap();
        runs.push((lease, run));
    }
    let began = Instant::now();
    let writing = runs
        .into_iter()
        .map(|(lease, run)| tokio::spawn(write(Arc::clone(&store), lease, run, began + LENGTH)));
    let mut events = 0_u32;
    for writer in writing.collect::<Vec<_>>() {
        events += writer.await.unwrap();
    }
    f64::from(events) / began.elapsed().as_secs_f64()
}

async fn write(store: Arc<dyn Store>, lease: Lease, run: RunId, until: Instant) -> u32 {
    let (event, mut events) = (event(), 0);
    while Instant::now() < until {
        events += 1;
        let seq = u64::from(events) + 1;
        store.append(&lease, &run, seq, Timestamp::now(), &event).await.unwrap();
    }
    events
}

async fn bare(writers: usize) -> f64 {
    let place = place();
    let pool = bare_pool(&place.path().join("bare.db")).await;
    sqlx::raw_sql("CREATE TABLE event (run TEXT, seq INTEGER, body TEXT, PRIMARY KEY (run, seq)) STRICT")
        .execute(&pool)
        .await
        .unwrap();
    let began = Instant::now();
    let writing = (0..writers).map(|number| tokio::spawn(insert(pool.clone(), number, began + LENGTH)));
    let mut events = 0_u32;
    for writer in writing.collect::<Vec<_>>() {
        events += writer.await.unwrap();
    }
    let rate = f64::from(events) / began.elapsed().as_secs_f64();
    pool.close().await;
    rate
}

/// As many connections as there are writers, each insert a commit of its own.
async fn bare_postgres(writers: usize) -> f64 {
    let server = pg::Server::start().await.unwrap();
    server.create("bare").unwrap();
    let pool = PgPoolOptions::new().max_connections(16).connect(&server.url("bare")).await.unwrap();
    sqlx::raw_sql("CREATE TABLE event (run TEXT, seq BIGINT, body TEXT, PRIMARY KEY (run, seq))")
        .execute(&pool)
        .await
        .unwrap();
    let began = Instant::now();
    let writing =
        (0..writers).map(|number| tokio::spawn(insert_postgres(pool.clone(), number, began + LENGTH)));
    let mut events = 0_u32;
    for writer in writing.collect::<Vec<_>>() {
        events += writer.await.unwrap();
    }
    let rate = f64::from(events) / began.elapsed().as_secs_f64();
    pool.close().await;
    rate
}

async fn insert_postgres(pool: PgPool, number: usize, until: Instant) -> u32 {
    let (body, mut events) = (serde_json::to_string(&event()).unwrap(), 0);
    while Instant::now() < until {
        events += 1;
        sqlx::query("INSERT INTO event (run, seq, body) VALUES ($1, $2, $3)")
            .bind(format!("run-{number}"))
            .bind(i64::from(events))
            .bind(&body)
            .execute(&pool)
            .await
            .unwrap();
    }
    events
}

/// The settings of the coordinator's store.
async fn bare_pool(path: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10));
    SqlitePoolOptions::new().max_connections(4).connect_with(options).await.unwrap()
}

async fn insert(pool: SqlitePool, number: usize, until: Instant) -> u32 {
    let (body, mut events) = (serde_json::to_string(&event()).unwrap(), 0);
    while Instant::now() < until {
        events += 1;
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        sqlx::query("INSERT INTO event (run, seq, body) VALUES (?, ?, ?)")
            .bind(format!("run-{number}"))
            .bind(i64::from(events))
            .bind(&body)
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
    events
}
