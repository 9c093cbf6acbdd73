//! The tables of the embedded store, version by version.

/// What makes the tables of each version out of those of the version before; the first one creates them. A new file
/// goes the whole way, so that a store that was migrated and one that is new have the same tables.
pub(super) const STEPS: [&str; 4] = [CREATE, FORMATS, FLEET, CHAINS];

/// The version of the tables, in `PRAGMA user_version`.
pub(super) const VERSION: usize = STEPS.len();

const CREATE: &str = "
CREATE TABLE epoch (
    cluster TEXT PRIMARY KEY,
    epoch   INTEGER NOT NULL
) STRICT;

CREATE TABLE run (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT NOT NULL UNIQUE,
    cluster TEXT NOT NULL
) STRICT;

CREATE TABLE event (
    run   TEXT NOT NULL REFERENCES run (id),
    seq   INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    at    TEXT NOT NULL,
    kind  TEXT NOT NULL,
    body  TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT;

CREATE TABLE request (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    run     TEXT NOT NULL REFERENCES run (id),
    request TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    at      TEXT NOT NULL
) STRICT;

CREATE TABLE progress (
    run  TEXT NOT NULL REFERENCES run (id),
    step TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run, step)
) STRICT;

CREATE TABLE package (
    sha256   TEXT PRIMARY KEY,
    body     TEXT NOT NULL,
    md5      TEXT,
    added_at TEXT NOT NULL
) STRICT;
";

/// Events say in which format they are written: those at hand are all in the first. Epochs say who took them.
const FORMATS: &str = "
ALTER TABLE event ADD COLUMN format INTEGER NOT NULL DEFAULT 1;
ALTER TABLE epoch ADD COLUMN holder TEXT NOT NULL DEFAULT '';
";

/// Rollouts, the shelf of small documents, and where a leader answers.
const FLEET: &str = "
ALTER TABLE epoch ADD COLUMN address TEXT NOT NULL DEFAULT '';

CREATE TABLE rollout (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name   TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE rollout_event (
    rollout TEXT NOT NULL REFERENCES rollout (name),
    seq     INTEGER NOT NULL,
    epoch   INTEGER NOT NULL,
    at      TEXT NOT NULL,
    kind    TEXT NOT NULL,
    body    TEXT NOT NULL,
    format  INTEGER NOT NULL,
    PRIMARY KEY (rollout, seq)
) STRICT;

CREATE TABLE rollout_request (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    rollout  TEXT NOT NULL,
    request  TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    at       TEXT NOT NULL
) STRICT;

CREATE TABLE shelf (
    shelf TEXT NOT NULL,
    key   TEXT NOT NULL,
    body  TEXT NOT NULL,
    PRIMARY KEY (shelf, key)
) STRICT;
";

/// Each event has a digest that covers those before it. Events at hand are in no chain. Packages say who added them.
const CHAINS: &str = "
ALTER TABLE event ADD COLUMN chain TEXT NOT NULL DEFAULT '';
ALTER TABLE rollout_event ADD COLUMN chain TEXT NOT NULL DEFAULT '';
ALTER TABLE package ADD COLUMN added_by TEXT NOT NULL DEFAULT '';
";
