//! Opening the file, and bringing its tables to the present version.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::{SqliteStore, StoreError, schema};
use crate::catalogue::shown_url;

impl SqliteStore {
    /// Opens `sqlite://<path>`, creating the file and its directory if they are not there.
    ///
    /// # Errors
    /// It is no such location, cannot be used, or has tables of a newer version; then nothing was changed.
    pub async fn open(location: &str) -> Result<Self, StoreError> {
        let path = location.strip_prefix("sqlite://").filter(|path| !path.is_empty());
        let path = PathBuf::from(path.ok_or_else(|| StoreError::NotAStore(shown_url(location)))?);
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

    /// All in one transaction: the tables are of one version or of another, never between two.
    async fn migrate(&self) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let version: i64 = sqlx::query_scalar("PRAGMA user_version")
            .fetch_one(&mut *transaction)
            .await
            .map_err(|source| self.failed(source))?;
        let newer = || StoreError::Newer {
            what: format!("the store at {}", self.path.display()),
            found: version,
            known: schema::VERSION as i64,
        };
        let missing =
            usize::try_from(version).ok().and_then(|at| schema::STEPS.get(at..)).ok_or_else(newer)?;
        if missing.is_empty() {
            return Ok(());
        }
        let migrate = format!("{}PRAGMA user_version = {};", missing.concat(), schema::VERSION);
        sqlx::raw_sql(sqlx::AssertSqlSafe(migrate))
            .execute(&mut *transaction)
            .await
            .map_err(|source| self.failed(source))?;
        transaction.commit().await.map_err(|source| self.failed(source))
    }
}
