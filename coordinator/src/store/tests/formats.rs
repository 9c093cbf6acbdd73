//! What older programs wrote can be read; what newer ones wrote is refused by name, and nothing is changed.

use super::*;
use crate::run::{Deadlines, Phase, RunEnd, replay};
use crate::store::format::{FORMAT, read};

/// Written by the first release; see the file.
const VERSION_1: &str = include_str!("version1.sql");

/// A store as the first release left it.
async fn version_1(place: &Place) {
    let path = place.path();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    raw(place, VERSION_1).await;
}

/// Works on the file without opening it as a store; the first column of what comes back.
async fn raw(place: &Place, sql: &str) -> Vec<String> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(place.path()).create_if_missing(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(&pool).await.unwrap();
    pool.close().await;
    rows.iter()
        .map(|row| {
            use sqlx::Row;
            row.try_get::<String, _>(0).unwrap_or_else(|_| row.get::<i64, _>(0).to_string())
        })
        .collect()
}

/// The same store as the third version of the tables had it.
pub(super) async fn version_3(place: &Place) {
    version_1(place).await;
    let steps = &schema::STEPS[1..3];
    raw(place, &format!("{}PRAGMA user_version = 3;", steps.concat())).await;
}

pub(super) fn old_run() -> RunId {
    run("orders-20261126-033319-03cd")
}

#[tokio::test]
async fn a_store_of_the_first_version_goes_on_being_used() {
    let place = Place::new();
    version_1(&place).await;
    assert_eq!(raw(&place, "PRAGMA user_version").await, ["1"]);
    let store = place.open().await;
    assert_eq!(raw(&place, "PRAGMA user_version").await, ["4"]);
    let records = store.journal(&old_run(), 1).await.unwrap();
    assert_eq!(records.len(), 46);
    let ended = replay(&old_run(), &records).unwrap();
    assert_eq!(ended.phase, Phase::Ended(RunEnd::Done));
    assert_eq!((ended.nodes.len(), ended.installs(None)), (3, 3));
    let defaults = Deadlines::default();
    assert_eq!(ended.deadlines.gate.as_secs(), 20, "what was written stays");
    assert_eq!((ended.deadlines.fetch, ended.deadlines.tune), (defaults.fetch, defaults.tune));
    assert_eq!(store.requests(&old_run(), 0).await.unwrap().len(), 2);
    assert_eq!(store.progress(&old_run()).await.unwrap().len(), 12);
    assert_eq!(store.packages().await.unwrap().len(), 1);
    let latest = store.latest_driver(&cluster("orders")).await.unwrap().unwrap();
    assert_eq!(latest, LatestDriver { epoch: Epoch(1), holder: String::new() });
    let lease = store.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    assert_eq!(lease.epoch, Epoch(2));
    store.append(&lease, &old_run(), 47, at(), &event(1)).await.unwrap();
    let formats = store.sql("SELECT CAST(format AS TEXT) FROM event ORDER BY seq").await;
    assert_eq!(
        formats,
        [vec!["1"; 46], vec![FORMAT.to_string().as_str()]].concat(),
        "no event is ever rewritten"
    );
    assert_eq!(store.journal(&old_run(), 46).await.unwrap().len(), 2, "one journal, two formats");
}

/// Every prefix of an old journal is a run that was interrupted there.
#[tokio::test]
async fn an_interrupted_run_of_the_first_version_can_be_gone_on_with() {
    let place = Place::new();
    version_1(&place).await;
    let records = place.open().await.journal(&old_run(), 1).await.unwrap();
    for cut in 1..records.len() {
        let interrupted = replay(&old_run(), &records[..cut]).unwrap();
        assert_eq!(interrupted.phase, Phase::Active, "after event {cut}");
        let at = records[cut - 1].at;
        let driving = Event::Driving { holder: "a new driver".to_owned() };
        let record = Record { seq: cut as u64 + 1, epoch: Epoch(2), at, event: driving };
        crate::run::next(interrupted, &record).unwrap();
    }
}

#[tokio::test]
async fn a_migrated_store_and_a_new_one_have_the_same_tables() {
    let (old, new) = (Place::new(), Place::new());
    version_1(&old).await;
    let mut tables = Vec::new();
    for place in [&old, &new] {
        let store = place.open().await;
        tables.push(
            store.sql("SELECT name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY name").await,
        );
    }
    assert!(tables[0].len() >= 6, "{tables:?}");
    assert_eq!(tables[0], tables[1]);
}

#[tokio::test]
async fn a_migration_that_fails_leaves_the_old_version_whole() {
    let place = Place::new();
    version_1(&place).await;
    // The second statement of the step to version 2 cannot succeed: the first must not stay.
    raw(&place, "ALTER TABLE epoch ADD COLUMN holder TEXT").await;
    let before = raw(&place, "SELECT sql FROM sqlite_schema WHERE name = 'event'").await;
    assert!(place.try_open().await.is_err());
    assert_eq!(raw(&place, "PRAGMA user_version").await, ["1"]);
    assert_eq!(raw(&place, "SELECT sql FROM sqlite_schema WHERE name = 'event'").await, before);
}

#[tokio::test]
async fn many_who_open_an_old_store_at_once_migrate_it_once() {
    let place = Place::new();
    version_1(&place).await;
    let opened = futures::future::join_all((0..8).map(|_| place.try_open())).await;
    for store in opened {
        assert_eq!(store.unwrap().journal(&old_run(), 1).await.unwrap().len(), 46);
    }
}

#[tokio::test]
async fn tables_of_a_newer_version_are_refused_by_name_and_left_alone() {
    for version in [5, 99, -1] {
        let place = Place::new();
        drop(place.open().await);
        raw(&place, &format!("PRAGMA user_version = {version}")).await;
        let before = raw(&place, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").await;
        let failure = proto::Failure::from(place.try_open().await.unwrap_err());
        assert_eq!(failure.id, "newer-format");
        assert!(failure.message.contains("ratchet.db"), "{failure}");
        assert!(failure.message.contains(&format!("format {version}")), "{failure}");
        assert!(failure.remedy.unwrap().contains("newer ratchet"));
        assert_eq!(raw(&place, "PRAGMA user_version").await, [version.to_string()]);
        let after = raw(&place, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").await;
        assert_eq!(after, before);
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_named_by_run_and_number() {
    for (change, said) in [
        ("body = '{\"claimed\":{\"no'", "event 3 of run orders-20261126-033319-03cd"),
        ("body = '{\"frobnicated\":{}}'", "frobnicated"),
        ("body = '{}'", "event 3 of run orders-20261126-033319-03cd"),
        ("at = 'yesterday'", "event 3 of run orders-20261126-033319-03cd: column at"),
        ("format = 0", "event 3 of run orders-20261126-033319-03cd: it is in format 0"),
    ] {
        let place = Place::new();
        version_1(&place).await;
        let store = place.open().await;
        store.sql(&format!("UPDATE event SET {change} WHERE seq = 3")).await;
        let error = store.journal(&old_run(), 1).await.unwrap_err();
        assert!(matches!(error, StoreError::Damaged(_)), "{change}: {error:?}");
        assert!(error.to_string().contains(said), "{change}: {error}");
        assert_eq!(store.journal(&old_run(), 4).await.unwrap().len(), 43, "the rest is as it was");
    }
}

#[tokio::test]
async fn an_event_of_a_newer_program_is_refused_by_name() {
    let place = Place::new();
    let store = place.open().await;
    let lease = store.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    store.create(&lease, &run("r1"), at(), &event(1)).await.unwrap();
    store.sql("UPDATE event SET format = 5").await;
    let failure = proto::Failure::from(store.journal(&run("r1"), 1).await.unwrap_err());
    assert_eq!(failure.id, "newer-format");
    assert_eq!(failure.message, "event 1 of run r1 is in format 5; this program knows formats up to 4");
    assert!(failure.remedy.unwrap().contains("newer ratchet"));
    let body = store.sql("SELECT body FROM event").await;
    assert_eq!(body, [serde_json::to_string(&event(1)).unwrap()], "nothing was changed");
}

#[test]
fn only_what_the_first_format_did_not_have_may_be_missing_in_it() {
    let claimed = r#"{"claimed":{"node":1}}"#;
    assert_eq!(read(1, claimed).unwrap(), event(1));
    let created = VERSION_1.lines().find(|line| line.contains("'created'")).unwrap();
    let json = &created[created.find("{\"created\"").unwrap()..=created.rfind('}').unwrap()];
    let json = json.replace("''", "'");
    let Event::Created { deadlines, .. } = read(1, &json).unwrap() else { panic!("{json}") };
    assert_eq!(deadlines.reach.as_secs(), 20);
    for gone in ["gate", "reach", "install", "confirm"] {
        let mut event: serde_json::Value = serde_json::from_str(&json).unwrap();
        event["created"]["deadlines"].as_object_mut().unwrap().remove(gone).unwrap();
        assert!(read(1, &event.to_string()).is_err(), "{gone} was in the first format");
    }
    for format in [-1, 0, FORMAT + 1, i64::MAX] {
        assert_eq!(read(format, claimed).unwrap_err().is_newer(), format > 0, "{format}");
    }
}
