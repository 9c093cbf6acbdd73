//! The embedded store: one SQLite file, durable at every append.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use proto::{ClusterName, Epoch, RunId, Sha256};
use serde::de::DeserializeOwned;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row, Sqlite, SqlitePool, Transaction};

use super::{
    Lease, LeaseFile, RunListing, StepProgressRow, Store, StoreError, StoredPackage, StoredRequest, schema,
};
use crate::run::{Event, Record, Request};

/// How often a lease that seems held is tried again.
const LOOKERS: u32 = 5;

/// A store in one SQLite file. Lease files lie in a directory beside it.
#[derive(Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens `sqlite://<path>`, creating the file and its directory if they are not there.
    pub async fn open(location: &str) -> Result<Self, StoreError> {
        let path = location.strip_prefix("sqlite://").filter(|path| !path.is_empty());
        let path = PathBuf::from(path.ok_or_else(|| StoreError::NotAStore(location.to_owned()))?);
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)
                .map_err(|source| StoreError::File { path: directory.display().to_string(), source })?;
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await;
        let pool =
            pool.map_err(|source| StoreError::Database { location: path.display().to_string(), source })?;
        let store = Self { pool, path };
        store.migrate().await?;
        Ok(store)
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let version: i64 = sqlx::query_scalar("PRAGMA user_version")
            .fetch_one(&mut *transaction)
            .await
            .map_err(|source| self.failed(source))?;
        match version {
            schema::VERSION => return Ok(()),
            0 => {}
            newer => {
                return Err(StoreError::Damaged(format!(
                    "{} has tables of version {newer}; this program knows version {}: use the newer ratchet",
                    self.path.display(),
                    schema::VERSION
                )));
            }
        }
        let create = format!("{}PRAGMA user_version = {};", schema::CREATE, schema::VERSION);
        sqlx::raw_sql(sqlx::AssertSqlSafe(create))
            .execute(&mut *transaction)
            .await
            .map_err(|source| self.failed(source))?;
        transaction.commit().await.map_err(|source| self.failed(source))
    }

    /// A transaction that holds the write lock from its start, so that what it read cannot change before it writes.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|source| self.failed(source))
    }

    #[cfg(test)]
    pub(super) async fn set_version_for_test(&self, version: u32) {
        let pragma = format!("PRAGMA user_version = {version}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(pragma)).execute(&self.pool).await.unwrap();
    }

    fn failed(&self, source: sqlx::Error) -> StoreError {
        StoreError::Database { location: self.path.display().to_string(), source }
    }

    /// Somebody who only looks whether the lease is held holds it for a moment, too: that is worth another try.
    async fn lease_file(&self, cluster: &ClusterName, holder: &str) -> Result<LeaseFile, StoreError> {
        for _ in 0..LOOKERS {
            match LeaseFile::take(&self.leases(), cluster, holder) {
                Err(StoreError::Held { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
                taken => return taken,
            }
        }
        LeaseFile::take(&self.leases(), cluster, holder)
    }

    fn leases(&self) -> PathBuf {
        lease_directory(&self.path)
    }

    async fn fence(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        lease: &Lease,
    ) -> Result<(), StoreError> {
        let epoch: Option<i64> = sqlx::query_scalar("SELECT epoch FROM epoch WHERE cluster = ?")
            .bind(lease.cluster.as_str())
            .fetch_optional(&mut **transaction)
            .await
            .map_err(|source| self.failed(source))?;
        match epoch {
            Some(epoch) if epoch == lease.epoch.0.cast_signed() => Ok(()),
            _ => Err(StoreError::Fenced { cluster: lease.cluster.clone(), epoch: lease.epoch }),
        }
    }

    async fn insert(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        run: &RunId,
        record: &Record,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO event (run, seq, epoch, at, kind, body) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(run.as_str())
            .bind(record.seq.cast_signed())
            .bind(record.epoch.0.cast_signed())
            .bind(record.at.to_string())
            .bind(record.event.kind())
            .bind(json(&record.event)?)
            .execute(&mut **transaction)
            .await
            .map_err(|source| self.failed(source))?;
        Ok(())
    }
}

fn lease_directory(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".leases");
    path.with_file_name(name)
}

#[async_trait::async_trait]
impl Store for SqliteStore {
    async fn acquire(&self, cluster: &ClusterName, holder: &str) -> Result<Lease, StoreError> {
        let file = self.lease_file(cluster, holder).await?;
        let mut transaction = self.begin().await?;
        let epoch: i64 = sqlx::query_scalar(
            "INSERT INTO epoch (cluster, epoch) VALUES (?, 1)
             ON CONFLICT (cluster) DO UPDATE SET epoch = epoch + 1 RETURNING epoch",
        )
        .bind(cluster.as_str())
        .fetch_one(&mut *transaction)
        .await
        .map_err(|source| self.failed(source))?;
        transaction.commit().await.map_err(|source| self.failed(source))?;
        Ok(Lease { cluster: cluster.clone(), epoch: Epoch(epoch.cast_unsigned()), _file: file })
    }

    async fn driver(&self, cluster: &ClusterName) -> Result<Option<String>, StoreError> {
        LeaseFile::holder(&self.leases(), cluster)
    }

    async fn create(
        &self,
        lease: &Lease,
        run: &RunId,
        at: Timestamp,
        event: &Event,
    ) -> Result<Record, StoreError> {
        let mut transaction = self.begin().await?;
        self.fence(&mut transaction, lease).await?;
        sqlx::query("INSERT INTO run (id, cluster) VALUES (?, ?)")
            .bind(run.as_str())
            .bind(lease.cluster.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(|source| self.failed(source))?;
        let record = Record { seq: 1, epoch: lease.epoch, at, event: event.clone() };
        self.insert(&mut transaction, run, &record).await?;
        transaction.commit().await.map_err(|source| self.failed(source))?;
        Ok(record)
    }

    async fn append(
        &self,
        lease: &Lease,
        run: &RunId,
        seq: u64,
        at: Timestamp,
        event: &Event,
    ) -> Result<Record, StoreError> {
        let mut transaction = self.begin().await?;
        self.fence(&mut transaction, lease).await?;
        let record = Record { seq, epoch: lease.epoch, at, event: event.clone() };
        self.insert(&mut transaction, run, &record).await?;
        transaction.commit().await.map_err(|source| self.failed(source))?;
        Ok(record)
    }

    async fn journal(&self, run: &RunId, from_seq: u64) -> Result<Vec<Record>, StoreError> {
        let rows =
            sqlx::query("SELECT seq, epoch, at, body FROM event WHERE run = ? AND seq >= ? ORDER BY seq")
                .bind(run.as_str())
                .bind(from_seq.cast_signed())
                .fetch_all(&self.pool)
                .await
                .map_err(|source| self.failed(source))?;
        rows.iter().map(record).collect()
    }

    async fn runs(&self) -> Result<Vec<RunListing>, StoreError> {
        let rows = sqlx::query("SELECT id, cluster FROM run ORDER BY number")
            .fetch_all(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        let listing =
            |row: &SqliteRow| Ok(RunListing { id: parsed(row, "id")?, cluster: parsed(row, "cluster")? });
        rows.iter().map(listing).collect()
    }

    async fn ask(&self, run: &RunId, request: &Request, by: &str, at: Timestamp) -> Result<i64, StoreError> {
        let done = sqlx::query("INSERT INTO request (run, request, asked_by, at) VALUES (?, ?, ?, ?)")
            .bind(run.as_str())
            .bind(json(request)?)
            .bind(by)
            .bind(at.to_string())
            .execute(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        Ok(done.last_insert_rowid())
    }

    async fn requests(&self, run: &RunId, above: i64) -> Result<Vec<StoredRequest>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, request, asked_by FROM request WHERE run = ? AND number > ? ORDER BY number",
        )
        .bind(run.as_str())
        .bind(above)
        .fetch_all(&self.pool)
        .await
        .map_err(|source| self.failed(source))?;
        let request = |row: &SqliteRow| {
            let by = column(row, "asked_by")?;
            Ok(StoredRequest { number: column(row, "number")?, request: from_json(row, "request")?, by })
        };
        rows.iter().map(request).collect()
    }

    async fn put_progress(&self, run: &RunId, progress: &StepProgressRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO progress (run, step, body) VALUES (?, ?, ?)
             ON CONFLICT (run, step) DO UPDATE SET body = excluded.body",
        )
        .bind(run.as_str())
        .bind(progress.step.as_str())
        .bind(json(progress)?)
        .execute(&self.pool)
        .await
        .map_err(|source| self.failed(source))?;
        Ok(())
    }

    async fn progress(&self, run: &RunId) -> Result<Vec<StepProgressRow>, StoreError> {
        let rows = sqlx::query("SELECT body FROM progress WHERE run = ?")
            .bind(run.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        rows.iter().map(|row| from_json(row, "body")).collect()
    }

    async fn add_package(&self, package: &StoredPackage) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO package (sha256, body, md5, added_at) VALUES (?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING",
        )
        .bind(package.package.sha256.to_string())
        .bind(json(&package.package)?)
        .bind(package.md5.as_deref())
        .bind(package.added_at.to_string())
        .execute(&self.pool)
        .await
        .map_err(|source| self.failed(source))?;
        Ok(done.rows_affected() == 1)
    }

    async fn packages(&self) -> Result<Vec<StoredPackage>, StoreError> {
        let rows = sqlx::query("SELECT body, md5, added_at FROM package ORDER BY added_at, sha256")
            .fetch_all(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        let package = |row: &SqliteRow| {
            let (md5, added_at) = (column(row, "md5")?, parsed(row, "added_at")?);
            Ok(StoredPackage { package: from_json(row, "body")?, md5, added_at })
        };
        rows.iter().map(package).collect()
    }

    async fn remove_package(&self, sha256: &Sha256) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM package WHERE sha256 = ?")
            .bind(sha256.to_string())
            .execute(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        Ok(done.rows_affected() == 1)
    }
}

fn record(row: &SqliteRow) -> Result<Record, StoreError> {
    let number = |name| column::<i64>(row, name).map(i64::cast_unsigned);
    Ok(Record {
        seq: number("seq")?,
        epoch: Epoch(number("epoch")?),
        at: parsed(row, "at")?,
        event: from_json(row, "body")?,
    })
}

fn column<'r, T>(row: &'r SqliteRow, name: &str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(name).map_err(|error| StoreError::Damaged(format!("column {name}: {error}")))
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    row: &SqliteRow,
    name: &str,
) -> Result<T, StoreError> {
    let text: String = column(row, name)?;
    text.parse().map_err(|error| StoreError::Damaged(format!("column {name}: {error}")))
}

fn from_json<T: DeserializeOwned>(row: &SqliteRow, name: &str) -> Result<T, StoreError> {
    let text: String = column(row, name)?;
    serde_json::from_str(&text).map_err(|error| StoreError::Damaged(format!("column {name}: {error}")))
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged(error.to_string()))
}
