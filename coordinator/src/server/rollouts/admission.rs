//! Whether a turn may begin: the windows of the rollout that a run belongs to, and the fleet's halt.

use std::sync::Arc;

use jiff::Timestamp;
use proto::{Failure, Halt, RunId};
use serde::Deserialize;

use super::Rollouts;
use crate::rollout;
use crate::run::{Admission, Admitted};
use crate::store::{Shelf, Store};

/// The name of the fleet's halt on its shelf.
const FLEET: &str = "fleet";

/// What of the fleet's halt matters here.
#[derive(Deserialize)]
struct FleetHalt {
    halt: Option<Halt>,
}

/// By whom and why the fleet is halted, if it is.
///
/// # Errors
/// The store failed, or what is there cannot be read: then nobody knows that the fleet is not halted.
pub(super) async fn fleet_halt(store: &dyn Store) -> Result<Option<String>, Failure> {
    let shelved = store.shelved(Shelf::Halt).await?;
    let Some((_, body)) = shelved.into_iter().find(|(key, _)| key == FLEET) else { return Ok(None) };
    let kept: FleetHalt = serde_json::from_str(&body).map_err(|error| {
        let remedy = "use the newer ratchet, or restore the store from a backup";
        Failure::operator("store-damaged", "the fleet's halt cannot be read", remedy)
            .because(error.to_string())
    })?;
    Ok(kept.halt.map(|halt| format!("{}: {}", halt.by, halt.why)))
}

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
        let halt = fleet_halt(store).await?;
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
