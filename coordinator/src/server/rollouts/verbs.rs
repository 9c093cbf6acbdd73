//! Rollouts as documents: one, and all.

use proto::{Failure, RolloutName};

use super::books::Book;
use super::engine::Doing;
use super::seen::Fleet;
use crate::documents::{Document, RolloutDocument, RolloutRow, RolloutView, RolloutsDocument};
use crate::rollout::{Rollout, waits_for};
use crate::server::Core;
use crate::store::StoreError;

impl Core {
    /// A rollout as its journal leaves it.
    pub(super) async fn rollout(&self, name: &str) -> Result<(RolloutName, Rollout), Failure> {
        let book = self.book(name).await?;
        Ok((book.rollout.name.clone(), book.rollout))
    }

    async fn book(&self, name: &str) -> Result<Book, Failure> {
        let missing = || Failure::from(StoreError::NoSuchRollout(name.to_owned()));
        let parsed: RolloutName = name.parse().map_err(|_| missing())?;
        let mut books = self.rollouts.books.lock().await;
        books.read(self.store(), &parsed).await?.cloned().ok_or_else(missing)
    }

    /// One rollout, whole.
    pub(in crate::server) async fn show_rollout(&self, name: &str) -> Result<RolloutDocument, Failure> {
        let (name, _) = self.rollout(name).await?;
        self.rollout_document(&name).await
    }

    pub(super) async fn rollout_document(&self, name: &RolloutName) -> Result<RolloutDocument, Failure> {
        let book = self.book(name.as_str()).await?;
        let fleet = self.look_at_fleet().await?;
        let seen = self.seen_by(&book, &Doing::default(), &fleet).await;
        let now = self.now();
        let waits = waits_for(&book.rollout, &seen, now);
        Ok(RolloutView { rollout: &book.rollout, seen: &seen, waits: &waits, now }.document())
    }

    /// All rollouts in brief, oldest first.
    pub(in crate::server) async fn rollouts(&self) -> Result<RolloutsDocument, Failure> {
        let fleet = self.look_at_fleet().await?;
        let mut rows = Vec::new();
        for name in self.store().rollouts().await? {
            rows.push(self.rollout_row(&name, &fleet).await?);
        }
        Ok(RolloutsDocument { schema: RolloutsDocument::SCHEMA.to_owned(), rollouts: rows })
    }

    pub(super) async fn rollout_row(&self, name: &RolloutName, fleet: &Fleet) -> Result<RolloutRow, Failure> {
        let book = self.book(name.as_str()).await?;
        let seen = self.seen_by(&book, &Doing::default(), fleet).await;
        let now = self.now();
        let waits = waits_for(&book.rollout, &seen, now);
        Ok(RolloutView { rollout: &book.rollout, seen: &seen, waits: &waits, now }.row())
    }
}
