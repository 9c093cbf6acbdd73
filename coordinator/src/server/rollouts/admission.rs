//! Whether a turn may begin: the windows of the rollout that a run belongs to, and the fleet's halt.

use std::sync::Arc;

use jiff::Timestamp;
use proto::{Failure, RunId};

use super::Rollouts;
use crate::rollout;
use crate::run::{Admission, Admitted};
use crate::server::halts::FleetHalt;
use crate::store::Store;

/// The windows of rollouts and the fleet's halt, as the store has them.
#[derive(Debug)]
pub(in crate::server) struct Windows {
    store: Arc<dyn Store>,
    rollouts: Arc<Rollouts>,
}

impl Windows {
    pub(in crate::server) fn new(store: Arc<dyn Store>, rollouts: Arc<Rollouts>) -> Self {
        Self { store, rollouts }
    }
}

#[async_trait::async_trait]
impl Admission for Windows {
    async fn admit(&self, run: &RunId, now: Timestamp) -> Result<Admitted, Failure> {
        let store = self.store.as_ref();
        let halt = FleetHalt::read(store).await?.why();
        let Some((spec, cluster)) = self.rollouts.owner(store, run).await? else {
            return Ok(match halt {
                None => Admitted::Yes,
                Some(why) => {
                    Admitted::NotNow { why: format!("the fleet is halted by {why}"), opens_at: None }
                }
            });
        };
        let measured = {
            let mut runs = self.rollouts.runs.lock().await;
            runs.refresh(store).await?;
            runs.measured()
        };
        Ok(rollout::admission(&spec, &cluster, &measured, halt.as_deref(), now))
    }
}
