//! What a person accepts although it stands in the way: by name and with a reason.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Finding;

/// One `--accept id="reason"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The id of the check, advisory or hook.
    pub id: String,
    /// Why, in the person's words.
    pub reason: String,
}

/// Why a text is no acceptance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not of the form id=\"reason\": both the id of a check and a reason are needed")]
pub struct InvalidAcceptance(String);

/// Marks what is accepted. What a promise forbids stays as it is, whoever accepts it.
pub fn accept(mut findings: Vec<Finding>, accepted: &[Acceptance]) -> Vec<Finding> {
    for finding in findings.iter_mut().filter(|finding| finding.verdict.blocks() && finding.promise.is_none())
    {
        let of_finding = accepted.iter().find(|acceptance| acceptance.id == finding.check);
        finding.accepted = of_finding.map(|acceptance| acceptance.reason.clone());
    }
    findings
}

impl FromStr for Acceptance {
    type Err = InvalidAcceptance;

    fn from_str(text: &str) -> Result<Self, InvalidAcceptance> {
        let invalid = || InvalidAcceptance(text.to_owned());
        let (id, reason) = text.split_once('=').ok_or_else(invalid)?;
        let reason = reason.trim().trim_matches('"').trim();
        if id.trim().is_empty() || reason.is_empty() {
            return Err(invalid());
        }
        Ok(Self { id: id.trim().to_owned(), reason: reason.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Verdict;

    fn finding(check: &str, verdict: Verdict, promise: Option<&str>) -> Finding {
        Finding {
            check: check.to_owned(),
            verdict,
            node: None,
            agent: None,
            saw: "something".to_owned(),
            why: String::new(),
            remedy: None,
            source: String::new(),
            promise: promise.map(str::to_owned),
            accepted: None,
        }
    }

    #[test]
    fn only_what_blocks_and_no_promise_forbids_is_accepted() {
        let accepted = ["disk=we know".parse().unwrap(), "health=no".parse().unwrap()];
        let findings = vec![
            finding("disk", Verdict::Block, None),
            finding("disk", Verdict::CannotTell, None),
            finding("disk", Verdict::Warn, None),
            finding("health", Verdict::Block, Some("P4")),
            finding("clocks", Verdict::Block, None),
        ];
        let blocks: Vec<bool> = accept(findings, &accepted).iter().map(Finding::blocks).collect();
        assert_eq!(blocks, [false, false, false, true, true]);
    }

    #[test]
    fn an_id_and_a_reason_are_needed() {
        let acceptance: Acceptance = "disk=\"a = b\"".parse().unwrap();
        assert_eq!((acceptance.id.as_str(), acceptance.reason.as_str()), ("disk", "a = b"));
        for text in ["", "disk", "disk=", "disk=\"\"", "=why", "disk=  "] {
            assert!(text.parse::<Acceptance>().is_err(), "{text}");
        }
    }
}
