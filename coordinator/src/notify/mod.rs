//! Telling people of news: which events are news, what is said of them, how it is signed, and how long it is tried.
//! Pure; the sending is in `server/notices`.

mod fleet;
mod kind;
mod notice;
mod pending;
mod rollout;
mod run;
mod signature;
mod slack;
mod standing;

pub use fleet::{FleetHalted, news_of_fleet};
pub use kind::Kind;
pub use notice::{Notice, Subject};
pub use pending::{Answer, GIVES_UP_AFTER, Next, Pending};
pub use rollout::{may_be_rollout_news, news_of_rollout};
pub use run::{is_news, news_of_run};
pub use signature::{Secret, SecretError, sign};
pub use slack::slack;
pub use standing::{ClusterStands, Standing};

#[cfg(test)]
mod tests;
