//! The tables of the embedded store and their version.

/// The version of the tables, in `PRAGMA user_version`.
pub(super) const VERSION: i64 = 1;

/// Creates the tables of version 1.
pub(super) const CREATE: &str = "
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
