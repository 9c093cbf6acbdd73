//! What is logged about the connection: each thing when it is new, and again now and then.

use std::collections::HashMap;
use std::time::Duration;

use proto::AgentName;
use proto::transport::OfferError;
use tokio::time::Instant;

use crate::failures::chain;

/// After this long the same trouble is told again.
const AGAIN: Duration = Duration::from_secs(600);

/// What was told last, and when, by address.
#[derive(Debug, Default)]
pub(super) struct Told(HashMap<String, (String, Instant)>);

impl Told {
    pub(super) fn connected(&mut self, address: &str, name: &AgentName) {
        self.0.clear();
        tracing::info!(address, %name, "connected to the coordinator");
    }

    pub(super) fn lost(&mut self, address: &str) {
        tracing::warn!(address, "the connection to the coordinator is gone; it is made again");
    }

    pub(super) fn not_connected(&mut self, address: &str, error: &OfferError) {
        let remedy = match error {
            OfferError::Refused(why) => why.failure.remedy.clone().unwrap_or_default(),
            OfferError::Transport(_) => "correct `connect` or [tls] in agent.toml".to_owned(),
            OfferError::Unreachable(_) => {
                "see that `ratchet serve` runs there, and that this node may reach it".to_owned()
            }
        };
        let reason = chain(error);
        if self.is_news(address, &reason) {
            tracing::warn!(address, reason, remedy, "no coordinator takes this agent there; trying on");
        }
    }

    fn is_news(&mut self, address: &str, reason: &str) -> bool {
        let known = self.0.get(address);
        let news = known.is_none_or(|(told, at)| told != reason || at.elapsed() >= AGAIN);
        if news {
            self.0.insert(address.to_owned(), (reason.to_owned(), Instant::now()));
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_same_trouble_is_told_now_and_then_only() {
        let mut told = Told::default();
        assert!(told.is_news("a:1", "refused"));
        assert!(!told.is_news("a:1", "refused"));
        assert!(told.is_news("b:1", "refused"));
        assert!(told.is_news("a:1", "timed out"));
        tokio::time::advance(AGAIN).await;
        assert!(told.is_news("a:1", "timed out"));
        assert!(!told.is_news("a:1", "timed out"));
    }
}
