//! The tables, version by version, and bringing them to the present one.

use sqlx::{Connection, PgConnection, Row};
use tokio::time::{Instant, sleep, timeout};

use super::door::{Door, PATIENCE, PAUSE, passes, silent};
use crate::store::StoreError;

/// What makes the tables of each version out of those of the version before; the first one creates them.
const STEPS: [&str; 2] = [CREATE, CHAINS];

/// Any number that nobody else locks in this database: "ratchet" in letters of a telephone.
const LOCK: i64 = 7_282_438;

/// Tokens are random: whoever has lost an answer finds by them what is theirs.
const CREATE: &str = "
CREATE TABLE ratchet_schema (
    one     BOOLEAN PRIMARY KEY DEFAULT true CHECK (one),
    version BIGINT NOT NULL
);

CREATE TABLE seat (
    key        TEXT PRIMARY KEY,
    epoch      BIGINT NOT NULL,
    holder     TEXT NOT NULL,
    address    TEXT NOT NULL,
    token      TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE run (
    number  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,
    cluster TEXT NOT NULL
);

CREATE TABLE event (
    run    TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    seq    BIGINT NOT NULL,
    epoch  BIGINT NOT NULL,
    at     TEXT NOT NULL,
    kind   TEXT NOT NULL,
    body   TEXT NOT NULL,
    format BIGINT NOT NULL,
    token  TEXT NOT NULL,
    PRIMARY KEY (run, seq)
);

CREATE TABLE request (
    number   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run      TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    request  TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    at       TEXT NOT NULL,
    token    TEXT NOT NULL UNIQUE
);
CREATE INDEX request_of_run ON request (run, number);

CREATE TABLE progress (
    run  TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    step TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run, step)
);

CREATE TABLE package (
    sha256   TEXT PRIMARY KEY,
    body     TEXT NOT NULL,
    md5      TEXT,
    added_at TEXT NOT NULL,
    token    TEXT NOT NULL
);

CREATE TABLE rollout (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE
);

CREATE TABLE rollout_event (
    rollout TEXT NOT NULL REFERENCES rollout (name),
    seq     BIGINT NOT NULL,
    epoch   BIGINT NOT NULL,
    at      TEXT NOT NULL,
    kind    TEXT NOT NULL,
    body    TEXT NOT NULL,
    format  BIGINT NOT NULL,
    token   TEXT NOT NULL,
    PRIMARY KEY (rollout, seq)
);

CREATE TABLE rollout_request (
    number   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rollout  TEXT NOT NULL,
    request  TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    at       TEXT NOT NULL,
    token    TEXT NOT NULL UNIQUE
);
CREATE INDEX request_of_rollout ON rollout_request (rollout, number);

CREATE TABLE shelf (
    shelf TEXT NOT NULL,
    key   TEXT NOT NULL,
    body  TEXT NOT NULL,
    token TEXT NOT NULL,
    PRIMARY KEY (shelf, key)
);
";

/// Each event has a digest that covers those before it. Events at hand are in no chain. Packages say who added them.
const CHAINS: &str = "
ALTER TABLE event ADD COLUMN chain TEXT NOT NULL DEFAULT '';
ALTER TABLE rollout_event ADD COLUMN chain TEXT NOT NULL DEFAULT '';
ALTER TABLE package ADD COLUMN added_by TEXT NOT NULL DEFAULT '';
";

/// Brings the tables to the present version, all in one transaction. Many may do this at once.
pub(super) async fn migrate(door: &Door) -> Result<(), StoreError> {
    let started = Instant::now();
    loop {
        match timeout(PATIENCE, once(door)).await.unwrap_or_else(|_| Err(silent())) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(found)) => {
                let what = format!("the store at {}", door.location().shown);
                return Err(StoreError::Newer { what, found, known: STEPS.len() as i64 });
            }
            Err(error) if !passes(&error) || started.elapsed() >= PATIENCE => return Err(door.failed(error)),
            Err(error) => tracing::debug!(%error, "the tables are looked at again"),
        }
        sleep(PAUSE).await;
    }
}

async fn once(door: &Door) -> Result<Result<(), i64>, sqlx::Error> {
    let mut held = door.enter().await?;
    let done = carry_out(&mut held.connection).await?;
    // A refusal leaves a transaction open: such a connection is not used again.
    if done.is_ok() {
        door.leave(held);
    }
    Ok(done)
}

/// A version that this program does not know is the inner error; then nothing is changed.
async fn carry_out(connection: &mut PgConnection) -> Result<Result<(), i64>, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
    let version = version(&mut transaction).await?;
    let Some(missing) = usize::try_from(version).ok().and_then(|at| STEPS.get(at..)) else {
        return Ok(Err(version));
    };
    if !missing.is_empty() {
        sqlx::raw_sql(sqlx::AssertSqlSafe(missing.concat())).execute(&mut *transaction).await?;
        sqlx::query(
            "INSERT INTO ratchet_schema (version) VALUES ($1) ON CONFLICT (one) DO UPDATE SET version = $1",
        )
        .bind(STEPS.len() as i64)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await.map(Ok)
}

/// No table of versions is version 0: an empty database.
async fn version(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let there = sqlx::query("SELECT to_regclass('ratchet_schema') IS NOT NULL").fetch_one(&mut *connection);
    if !there.await?.try_get(0)? {
        return Ok(0);
    }
    sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM ratchet_schema").fetch_one(connection).await
}
