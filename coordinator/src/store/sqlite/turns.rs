//! Turns at driving: who has the lease of a cluster, at which epoch.

use std::path::PathBuf;
use std::time::Duration;

use proto::{ClusterName, Epoch};
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};

use super::rows::column;
use super::{Lease, SqliteStore, StoreError};
use crate::store::LatestDriver;
use crate::store::lease::LeaseFile;

/// How often a lease that seems held is tried again.
const LOOKERS: u32 = 5;

impl SqliteStore {
    /// Takes the lease if nobody has it. Whether the lock still counts is asked while nobody else can seize it.
    pub(super) async fn acquire_free(
        &self,
        cluster: &ClusterName,
        holder: &str,
    ) -> Result<Lease, StoreError> {
        let file = self.lease_file(cluster, holder).await?;
        let mut transaction = self.begin().await?;
        if !file.counts()? {
            let holder = LeaseFile::holder(&self.leases(), cluster)?;
            let holder = holder.unwrap_or_else(|| "somebody who took it over in this moment".to_owned());
            return Err(StoreError::Held { cluster: cluster.clone(), holder });
        }
        let epoch = self.raise(&mut transaction, cluster, holder, Epoch(0)).await?;
        transaction.commit().await.map_err(|source| self.failed(source))?;
        Ok(Lease::new(cluster.clone(), epoch, file))
    }

    /// Takes the lease whoever has it. First the epoch: from here on nobody else can append. Then the lock, unless
    /// somebody has seized the lease in between: the highest epoch has the file that everybody looks at.
    pub(super) async fn seize(
        &self,
        cluster: &ClusterName,
        holder: &str,
        above: Epoch,
    ) -> Result<Lease, StoreError> {
        let mut transaction = self.begin().await?;
        let epoch = self.raise(&mut transaction, cluster, holder, above).await?;
        transaction.commit().await.map_err(|source| self.failed(source))?;
        let mut transaction = self.begin().await?;
        self.fence(&mut transaction, cluster, epoch).await?;
        let file = LeaseFile::seize(&self.leases(), cluster, holder)?;
        transaction.commit().await.map_err(|source| self.failed(source))?;
        Ok(Lease::new(cluster.clone(), epoch, file))
    }

    async fn raise(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        cluster: &ClusterName,
        holder: &str,
        above: Epoch,
    ) -> Result<Epoch, StoreError> {
        let epoch: i64 = sqlx::query_scalar(
            "INSERT INTO epoch (cluster, epoch, holder) VALUES (?1, ?2 + 1, ?3)
             ON CONFLICT (cluster) DO UPDATE SET epoch = max(epoch, ?2) + 1, holder = ?3 RETURNING epoch",
        )
        .bind(cluster.as_str())
        .bind(above.0.cast_signed())
        .bind(holder)
        .fetch_one(&mut **transaction)
        .await
        .map_err(|source| self.failed(source))?;
        Ok(Epoch(epoch.cast_unsigned()))
    }

    /// Refuses whoever is not the latest driver, in the transaction of what they want to write.
    pub(super) async fn fence(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        cluster: &ClusterName,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        let row = sqlx::query("SELECT epoch, holder FROM epoch WHERE cluster = ?")
            .bind(cluster.as_str())
            .fetch_optional(&mut **transaction)
            .await
            .map_err(|source| self.failed(source))?;
        match row.as_ref().map(latest).transpose()? {
            Some(latest) if latest.epoch == epoch => Ok(()),
            latest => Err(StoreError::Fenced { cluster: cluster.clone(), epoch, latest }),
        }
    }

    pub(super) async fn latest_of(&self, cluster: &ClusterName) -> Result<Option<LatestDriver>, StoreError> {
        let row = sqlx::query("SELECT epoch, holder FROM epoch WHERE cluster = ?")
            .bind(cluster.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        row.as_ref().map(latest).transpose()
    }

    /// Somebody who only looks whether the lease is held holds it for a moment, too, and a file that was taken out of
    /// its place is no lease: both are worth another try.
    async fn lease_file(&self, cluster: &ClusterName, holder: &str) -> Result<LeaseFile, StoreError> {
        for _ in 0..LOOKERS {
            match LeaseFile::take(&self.leases(), cluster, holder) {
                Ok(file) if file.counts()? => return Ok(file),
                Ok(_) => {}
                Err(StoreError::Held { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(error) => return Err(error),
            }
        }
        LeaseFile::take(&self.leases(), cluster, holder)
    }

    pub(super) fn leases(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(".leases");
        self.path.with_file_name(name)
    }
}

fn latest(row: &SqliteRow) -> Result<LatestDriver, StoreError> {
    let epoch: i64 = column(row, "epoch")?;
    Ok(LatestDriver { epoch: Epoch(epoch.cast_unsigned()), holder: column(row, "holder")? })
}
