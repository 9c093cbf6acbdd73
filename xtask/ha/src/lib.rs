//! Upgrades behind coordinators whose machines, network and database fail on a schedule.
//!
//! A seed is a schedule of faults. Real `ratchet serve` processes reach a real PostgreSQL primary and its synchronous
//! standby over ways that can be broken; simulated nodes, which outlive everything, keep the ledger of what was installed.
//! Judged is what an operator's script sees, what the journals say, and what was done to the nodes.

pub mod ask;
pub mod coordinator;
pub mod fate;
pub mod judge;
pub mod lanes;
pub mod proxy;
pub mod report;
pub mod schedule;
pub mod stand;
pub mod timeline;
pub mod trial;
