//! Turns at driving and at leading: who has which seat, at which epoch.

use std::path::PathBuf;
use std::time::Duration;

use proto::Epoch;
use sqlx::{Sqlite, Transaction};

use super::{SqliteStore, StoreError};
use crate::store::lease::LeaseFile;
use crate::store::rows::{latest, leader};
use crate::store::{Acquire, LatestDriver, Leader, Seat};

/// A seat that was taken.
pub(super) struct Taken {
    pub(super) epoch: Epoch,
    pub(super) file: LeaseFile,
}

/// Who takes a seat, and where it answers others.
#[derive(Clone, Copy)]
pub(super) struct Taker<'a> {
    pub(super) holder: &'a str,
    pub(super) address: &'a str,
}

/// How often a lease that seems held is tried again.
const LOOKERS: u32 = 5;

/// How long somebody who only looks may hold it.
const MOMENT: Duration = Duration::from_millis(20);

impl SqliteStore {
    pub(super) async fn take(
        &self,
        seat: &Seat,
        taker: Taker<'_>,
        how: Acquire,
    ) -> Result<Taken, StoreError> {
        match how {
            Acquire::IfFree => self.take_free(seat, taker).await,
            Acquire::Seize { above } => self.seize(seat, taker, above).await,
        }
    }

    /// Takes the seat if nobody has it. Whether the lock still counts is asked while nobody else can seize it.
    async fn take_free(&self, seat: &Seat, taker: Taker<'_>) -> Result<Taken, StoreError> {
        let file = self.lease_file(seat, taker.holder).await?;
        let mut transaction = self.begin().await?;
        if !file.counts()? {
            let holder = LeaseFile::holder(&self.leases(), seat)?;
            let holder = holder.unwrap_or_else(|| "somebody who took it over in this moment".to_owned());
            return Err(seat.held(holder));
        }
        let epoch = self.raise(&mut transaction, seat, taker, Epoch(0)).await?;
        transaction.commit().await.map_err(|source| self.failed(source))?;
        Ok(Taken { epoch, file })
    }

    /// Takes the seat whoever has it. First the epoch: from here on nobody else can append. Then the lock, unless
    /// somebody has seized the lease in between: the highest epoch has the file that everybody looks at.
    async fn seize(&self, seat: &Seat, taker: Taker<'_>, above: Epoch) -> Result<Taken, StoreError> {
        let mut transaction = self.begin().await?;
        let epoch = self.raise(&mut transaction, seat, taker, above).await?;
        transaction.commit().await.map_err(|source| self.failed(source))?;
        let mut transaction = self.begin().await?;
        self.fence(&mut transaction, seat, epoch).await?;
        let file = LeaseFile::seize(&self.leases(), seat, taker.holder)?;
        transaction.commit().await.map_err(|source| self.failed(source))?;
        Ok(Taken { epoch, file })
    }

    async fn raise(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        seat: &Seat,
        taker: Taker<'_>,
        above: Epoch,
    ) -> Result<Epoch, StoreError> {
        let epoch: i64 = sqlx::query_scalar(
            "INSERT INTO epoch (cluster, epoch, holder, address) VALUES (?1, ?2 + 1, ?3, ?4)
             ON CONFLICT (cluster) DO UPDATE SET epoch = max(epoch, ?2) + 1, holder = ?3, address = ?4 RETURNING epoch",
        )
        .bind(seat.key())
        .bind(above.0.cast_signed())
        .bind(taker.holder)
        .bind(taker.address)
        .fetch_one(&mut **transaction)
        .await
        .map_err(|source| self.failed(source))?;
        Ok(Epoch(epoch.cast_unsigned()))
    }

    /// Refuses whoever is not the latest driver, in the transaction of what they want to write.
    pub(super) async fn fence(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        seat: &Seat,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        let row = sqlx::query("SELECT epoch, holder FROM epoch WHERE cluster = ?")
            .bind(seat.key())
            .fetch_optional(&mut **transaction)
            .await
            .map_err(|source| self.failed(source))?;
        match row.as_ref().map(latest).transpose()? {
            Some(latest) if latest.epoch == epoch => Ok(()),
            latest => Err(seat.fenced(epoch, latest)),
        }
    }

    pub(super) async fn latest_of(&self, seat: &Seat) -> Result<Option<LatestDriver>, StoreError> {
        let row = sqlx::query("SELECT epoch, holder FROM epoch WHERE cluster = ?")
            .bind(seat.key())
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        row.as_ref().map(latest).transpose()
    }

    /// Who leads, if the lock says that anybody does.
    pub(super) async fn leader_now(&self) -> Result<Option<Leader>, StoreError> {
        if LeaseFile::holder(&self.leases(), &Seat::Leader)?.is_none() {
            return Ok(None);
        }
        let row = sqlx::query("SELECT epoch, holder, address FROM epoch WHERE cluster = ?")
            .bind(Seat::Leader.key())
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        row.as_ref().map(leader).transpose()
    }

    /// Somebody who only looks whether the lease is held holds it for a moment, too, and a file that was taken out of
    /// its place is no lease: both are worth another try.
    async fn lease_file(&self, seat: &Seat, holder: &str) -> Result<LeaseFile, StoreError> {
        for _ in 0..LOOKERS {
            match LeaseFile::take(&self.leases(), seat, holder) {
                Ok(file) if file.counts()? => return Ok(file),
                Ok(_) => {}
                Err(StoreError::Held { .. }) => a_moment().await,
                Err(error) => return Err(error),
            }
        }
        LeaseFile::take(&self.leases(), seat, holder)
    }

    pub(super) fn leases(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(".leases");
        self.path.with_file_name(name)
    }
}

/// Waits in real time, whatever clock everything else goes by: another process does not go by it.
async fn a_moment() {
    // If the runtime is about to end, nothing waits any more.
    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel's locks know nothing of tokio's clock; the thread may block"
    )]
    let moment = || std::thread::sleep(MOMENT);
    let _ended = tokio::task::spawn_blocking(moment).await;
}
