//! Tokens: made for an operator, told once, kept as a digest.

use jiff::SignedDuration;
use proto::{EnrolToken, Failure, PeerName, Sha256, pb};
use zeroize::Zeroizing;

use super::kept::KeptToken;
use crate::documents::{Document, EnrolTokenDocument, EnrolmentsDocument};
use crate::server::Core;

/// The longest that a token may be valid: it is for a node that is set up now.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Core {
    /// Makes a token.
    pub(in crate::server) async fn create_token(
        &self,
        asked: pb::CreateTokenRequest,
        caller: &proto::Caller,
    ) -> Result<EnrolTokenDocument, Failure> {
        let pb::CreateTokenRequest { pattern, valid_seconds, confirm } = asked;
        check_pattern(&pattern)?;
        let valid = i64::try_from(valid_seconds).map(SignedDuration::from_secs).ok();
        let Some(valid) = valid.filter(|valid| valid.is_positive() && *valid <= LONGEST) else {
            let message = format!("a token cannot be valid for {valid_seconds} s");
            return Err(Failure::operator("usage", message, "give --ttl between 1s and 30d"));
        };
        let pin = self.pin().await?;
        self.forget_old_enrolments().await?;
        let token = EnrolToken::new(pin, rand::random(), Zeroizing::new(rand::random()));
        let (by, at) = (super::person(caller), self.now());
        let secret = Sha256::of(token.secret.as_slice());
        let kept = KeptToken { secret, pattern: pattern.clone(), expires: at + valid, confirm, by, at };
        self.keep_token(&token.id, &kept).await?;
        tracing::warn!(token = token.id, pattern, confirm, by = kept.by, "a token was made");
        Ok(EnrolTokenDocument {
            schema: EnrolTokenDocument::SCHEMA.to_owned(),
            token: token.text().to_string(),
            id: token.id.clone(),
            pattern,
            confirm,
            expires_at: kept.expires,
        })
    }

    /// Tokens that can be used, and nodes that have used one.
    pub(in crate::server) async fn enrolments(&self) -> Result<EnrolmentsDocument, Failure> {
        self.forget_old_enrolments().await?;
        let tokens = self.kept_tokens().await?;
        Ok(EnrolmentsDocument {
            schema: EnrolmentsDocument::SCHEMA.to_owned(),
            at: self.now(),
            signs: self.signs(),
            tokens: tokens.iter().map(|(id, token)| token.row(id)).collect(),
            nodes: self.kept_nodes().await?.iter().map(super::kept::KeptNode::row).collect(),
        })
    }
}

/// Names with `*` and `?`, and nothing else that could mean more than it seems to.
fn check_pattern(pattern: &str) -> Result<(), Failure> {
    // What is left without wildcards must be able to be part of a name.
    let plain = format!("a{}", pattern.replace(['*', '?'], ""));
    if pattern.is_empty() || plain.parse::<PeerName>().is_err() {
        let message = format!("`{pattern}` fits no name of a node");
        let remedy = "write a name, with * and ? for what may differ, like orders-*";
        return Err(Failure::operator("usage", message, remedy));
    }
    Ok(())
}

/// Whether a pattern fits a name. One that cannot be read fits none.
pub(super) fn fits(pattern: &str, name: &PeerName) -> bool {
    globset::Glob::new(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_what_they_say() {
        for (pattern, name, expected) in [
            ("orders-*", "orders-1", true),
            ("orders-*", "xorders-1", false),
            ("orders-?", "orders-12", false),
            ("db-1", "db-1", true),
            ("db-1", "db-10", false),
            ("db-1", "DB-1", false),
            ("*", "anything", true),
            ("d.b", "dxb", false),
        ] {
            assert_eq!(fits(pattern, &name.parse().unwrap()), expected, "{pattern} {name}");
            check_pattern(pattern).unwrap();
        }
        for wrong in ["", "a b", "{a,b}", "[ab]", "a/b", "!a", "\\*", "é"] {
            assert_eq!(check_pattern(wrong).unwrap_err().id, "usage", "{wrong}");
        }
    }
}
