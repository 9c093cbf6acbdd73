//! Documents as text for people. Pure: a document in, a text out; what stdout is decides about colours later.

mod archive;
mod assigned;
mod authenticity;
mod catalogue;
mod failure;
mod findings;
mod fleet;
mod journals;
mod packages;
mod paths;
mod pki;
mod plan;
mod report;
mod rollout;
mod rollout_check;
mod run;
mod runs;
#[cfg(test)]
pub(super) mod sample;
mod status;
mod style;
mod table;
mod takeover;
mod units;
mod verification;
mod why;

pub use archive::{exported, pruned};
pub use assigned::assigned;
pub use catalogue::{catalogue, catalogue_key};
pub use failure::failure;
pub use findings::check;
pub use fleet::{halt, inventory, leader};
pub use packages::{package_added, package_removed, package_shown, packages};
pub use paths::paths;
pub use pki::{authority, certificates, enrolment, enrolments, issued, revoked, signed, token};
pub use plan::{plan, plan_answer};
pub use report::{report, report_page};
pub use rollout::{rollout, rollout_brief, rollout_event, rollout_waits, rollouts};
pub use rollout_check::rollout_check;
pub use run::{node_state, outcome, run, run_brief};
pub use runs::runs;
pub use status::status;
pub use takeover::takeover;
pub use units::{bytes, clock, elapsed, printable};
pub use verification::verification;
pub use why::why;
