//! Certificates that expire soon, in sentences. Pure.

use jiff::{SignedDuration, Timestamp};

/// How long before its end a certificate is worth a word.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is said of a certificate (`its`, as `the certificate of …`) that is good until then; nothing of one that is good for
/// long.
pub fn expiring(its: &str, until: Timestamp, now: Timestamp) -> Option<String> {
    let left = until.duration_since(now);
    if left > SOON {
        return None;
    }
    let renew = "renew it: `ratchet pki renew NAME`, or by the authority that issued it";
    if left.is_negative() {
        return Some(format!("{its} expired at {until}; {renew}"));
    }
    let days = left.as_hours() / 24;
    let within = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    Some(format!("{its} expires in {within}, at {until}; {renew}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_before_its_end_a_certificate_is_worth_a_word() {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let said = |until: &str| expiring("the certificate of x", until.parse().unwrap(), now);
        assert_eq!(said("2026-07-01T00:00:01Z"), None);
        for (until, words) in [
            ("2026-07-01T00:00:00Z", "expires in 30 days, at 2026-07-01"),
            ("2026-06-02T12:00:00Z", "expires in 1 day, at"),
            ("2026-06-01T00:00:00Z", "expires in 0 days, at"),
            ("2026-05-31T23:59:59Z", "expired at 2026-05-31"),
        ] {
            let said = said(until).unwrap();
            assert!(said.contains(words) && said.contains("ratchet pki renew"), "{said}");
        }
    }
}
