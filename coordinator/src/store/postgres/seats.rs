//! Who has which seat, at which epoch, until when. Only the database's clock counts: those of coordinators may differ.

use proto::Epoch;
use uuid::Uuid;

use super::PostgresStore;
use super::keeper::Hold;
use super::statement::Statement;
use crate::store::rows;
use crate::store::{Acquire, LatestDriver, Leader, Seat, StoreError};

/// Who takes a seat, and where it answers others.
#[derive(Clone, Copy)]
pub(super) struct Taker<'a> {
    pub(super) holder: &'a str,
    pub(super) address: &'a str,
}

/// A seat that was taken, and what keeps it.
pub(super) struct Taken {
    pub(super) epoch: Epoch,
    pub(super) hold: Hold,
}

/// One statement: of many who take a seat at once, each sees what the one before has made of it. Whoever let go of it in
/// this process need not wait until the database knows.
const TAKE: &str = "
INSERT INTO seat (key, epoch, holder, address, token, expires_at)
VALUES ($1, $2 + 1, $3, $4, $5, clock_timestamp() + interval '6 seconds')
ON CONFLICT (key) DO UPDATE SET
    epoch = greatest(seat.epoch, $2) + 1, holder = $3, address = $4, token = $5,
    expires_at = clock_timestamp() + interval '6 seconds'
WHERE $6 OR seat.expires_at <= clock_timestamp() OR seat.epoch = $7
RETURNING epoch";

/// A take-over whose answer was lost has not been carried out if the token is not there.
const TAKEN_BY: &str = "SELECT epoch FROM seat WHERE key = $1 AND token = $2";

const NOW: &str = "SELECT epoch, holder, address FROM seat WHERE key = $1 AND expires_at > clock_timestamp()";

const LATEST: &str = "SELECT epoch, holder FROM seat WHERE key = $1";

impl PostgresStore {
    pub(super) async fn take(
        &self,
        seat: &Seat,
        taker: Taker<'_>,
        how: Acquire,
    ) -> Result<Taken, StoreError> {
        let token = Uuid::now_v7().to_string();
        let (above, seize) = match how {
            Acquire::IfFree => (Epoch(0), false),
            Acquire::Seize { above } => (above, true),
        };
        let take =
            Statement::new(TAKE).text(seat.key()).count(above.0).text(taker.holder).text(taker.address);
        let take = take.text(token.clone()).flag(seize).count(self.keeper.let_go(seat).0);
        let mut rows = self.door.ask(&take).await?.rows;
        if rows.is_empty() {
            rows = self.door.ask(&Statement::new(TAKEN_BY).text(seat.key()).text(token)).await?.rows;
        }
        match rows.first() {
            Some(row) => {
                let epoch = Epoch(rows::count(row, "epoch")?);
                Ok(Taken { epoch, hold: self.keeper.hold(seat, epoch) })
            }
            None => Err(seat.held(self.holder_of(seat).await?)),
        }
    }

    async fn holder_of(&self, seat: &Seat) -> Result<String, StoreError> {
        let latest = self.latest_of(seat).await?;
        Ok(latest.map_or_else(|| "somebody who took it in this moment".to_owned(), |latest| latest.holder))
    }

    pub(super) async fn latest_of(&self, seat: &Seat) -> Result<Option<LatestDriver>, StoreError> {
        let answer = self.door.ask(&Statement::new(LATEST).text(seat.key())).await?;
        answer.rows.first().map(rows::latest).transpose()
    }

    /// Who has a seat now: not who has let go of it, or has not been heard of for too long.
    pub(super) async fn now_in(&self, seat: &Seat) -> Result<Option<Leader>, StoreError> {
        let answer = self.door.ask(&Statement::new(NOW).text(seat.key())).await?;
        let holder = answer.rows.first().map(rows::leader).transpose()?;
        Ok(holder.filter(|holder| holder.epoch != self.keeper.let_go(seat)))
    }

    /// Carries out what only the holder of a seat may do, once. The statement does nothing if the epoch is over; `mine`
    /// finds what it wrote, in case its answer was lost. `false` if the seat is still theirs, and it was not written for
    /// another reason.
    pub(super) async fn write(
        &self,
        seat: &Seat,
        epoch: Epoch,
        statement: &Statement,
        mine: &Statement,
    ) -> Result<bool, StoreError> {
        let written = self.door.ask(statement).await;
        match written {
            Ok(answer) if answer.changed > 0 => return Ok(true),
            Ok(_) => {}
            Err(ref error) if is_there(error) => {}
            Err(error) => return Err(error),
        }
        if !self.door.ask(mine).await?.rows.is_empty() {
            return Ok(true);
        }
        written?;
        match self.latest_of(seat).await? {
            Some(latest) if latest.epoch == epoch => Ok(false),
            latest => Err(seat.fenced(epoch, latest)),
        }
    }
}

/// Whether something else is under that name already.
fn is_there(error: &StoreError) -> bool {
    let StoreError::Database { source, .. } = error else { return false };
    source.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
