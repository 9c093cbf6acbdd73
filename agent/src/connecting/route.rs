//! Which coordinator is tried next. Pure.

/// Addresses in turn. The one that took the agent is kept until it fails; one that is no leader may name who is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// As configured; one at least.
    addresses: Vec<String>,
    at: usize,
    /// Whom a coordinator named, where that is none of the configured ones.
    named: Option<String>,
}

impl Route {
    pub(super) fn through(addresses: Vec<String>) -> Self {
        Self { addresses, at: 0, named: None }
    }

    /// The address whose turn it is.
    pub(super) fn current(&self) -> &str {
        self.named.as_deref().or_else(|| self.addresses.get(self.at).map(String::as_str)).unwrap_or_default()
    }

    /// It did not answer, or cannot be used. Whoever was only named is forgotten: who named him may know better by now.
    pub(super) fn failed(&mut self) {
        if self.named.take().is_none() {
            self.at = (self.at + 1) % self.addresses.len().max(1);
        }
    }

    /// It sent the agent away, to somebody else if it knows to whom.
    pub(super) fn sent_on(&mut self, leader: Option<&str>) {
        match leader {
            Some(leader) if leader != self.current() => {
                match self.addresses.iter().position(|address| address == leader) {
                    Some(at) => (self.at, self.named) = (at, None),
                    None => self.named = Some(leader.to_owned()),
                }
            }
            Some(_) | None => self.failed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route() -> Route {
        Route::through(["a:1", "b:1", "c:1"].map(str::to_owned).to_vec())
    }

    #[test]
    fn addresses_are_tried_in_turn() {
        let mut route = route();
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(route.current().to_owned());
            route.failed();
        }
        assert_eq!(seen, ["a:1", "b:1", "c:1", "a:1"]);
    }

    #[test]
    fn who_leads_is_followed_and_forgotten_when_he_fails() {
        let mut route = route();
        route.sent_on(Some("c:1"));
        assert_eq!(route.current(), "c:1");
        route.sent_on(Some("far:1"));
        assert_eq!(route.current(), "far:1");
        route.failed();
        assert_eq!(route.current(), "c:1", "who named him is asked again");
        route.sent_on(None);
        assert_eq!(route.current(), "a:1");
        route.sent_on(Some("a:1"));
        assert_eq!(route.current(), "b:1", "nobody is sent to himself");
    }
}
