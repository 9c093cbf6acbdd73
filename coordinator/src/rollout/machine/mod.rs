//! The pure machine of a rollout: what an event does to it, and what is due.

mod busy;
mod decide;
mod next;
mod state;
mod waits;

pub use decide::{UNHEALTHY, decide};
pub use next::{Illegal, next, replay};
pub use state::{ClusterPart, ClusterStands, Phase, Rollout, Soak, WaveStands};
pub use waits::{Waiting, waits_for};
