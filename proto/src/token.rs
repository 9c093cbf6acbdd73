//! Tokens with which a node enrols: a text that is shown once, to whoever starts the node.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::Sha256;

/// How a token begins, and the version of its form.
const PREFIX: &str = "rt1";
/// Bytes of a token's id.
const ID: usize = 10;
/// Bytes of a secret: nobody guesses it, so it needs no slow hash where it is kept.
const SECRET: usize = 32;

/// A token: `rt1.<authority>.<id>.<secret>`. It says whose coordinator to believe and proves that its owner may enrol one
/// node.
pub struct EnrolToken {
    /// SHA-256 of the authority's public key (its `SubjectPublicKeyInfo`): who does not show it is not the coordinator.
    pub authority: Sha256,
    /// What the coordinator knows the token by; no secret.
    pub id: String,
    /// What the coordinator has only a digest of.
    pub secret: Zeroizing<[u8; SECRET]>,
}

/// Nothing of a secret gets into a log by accident.
impl fmt::Debug for EnrolToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrolToken").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a text is no token. The text is not repeated: part of it is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no token: one reads rt1.AUTHORITY.ID.SECRET and is copied whole from `ratchet pki token`")]
pub struct InvalidToken;

impl EnrolToken {
    /// A token out of random bytes.
    pub fn new(authority: Sha256, id: [u8; ID], secret: Zeroizing<[u8; SECRET]>) -> Self {
        Self { authority, id: encode(&id), secret }
    }

    /// The whole token. For the one person who is to have it.
    pub fn text(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(encode(self.secret.as_slice()));
        let authority = encode(self.authority.as_bytes());
        Zeroizing::new(format!("{PREFIX}.{authority}.{}.{}", self.id, *secret))
    }
}

impl FromStr for EnrolToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let [PREFIX, authority, id, secret] = text.trim().split('.').collect::<Vec<_>>()[..] else {
            return Err(InvalidToken);
        };
        let authority: [u8; 32] = decode(authority)?;
        let id = encode(&decode::<ID>(id)?);
        Ok(Self { authority: authority.into(), id, secret: Zeroizing::new(decode(secret)?) })
    }
}

/// Lower case: it is typed by people and has no letter that looks like a digit.
fn encode(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N], InvalidToken> {
    let upper = Zeroizing::new(text.to_ascii_uppercase());
    let bytes = Zeroizing::new(BASE32_NOPAD.decode(upper.as_bytes()).map_err(|_| InvalidToken)?);
    <[u8; N]>::try_from(bytes.as_slice()).map_err(|_| InvalidToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> EnrolToken {
        EnrolToken::new(Sha256::of(b"authority"), [7; ID], Zeroizing::new([9; SECRET]))
    }

    #[test]
    fn a_token_is_read_as_it_is_written_in_either_case() {
        let text = token().text();
        for text in [text.to_string(), format!(" {}\n", *text), format!("rt1{}", text[3..].to_uppercase())] {
            let read: EnrolToken = text.parse().unwrap();
            assert_eq!((read.authority, read.id, *read.secret), (token().authority, token().id, [9; SECRET]));
        }
    }

    #[test]
    fn what_is_cut_or_changed_in_form_is_refused_and_not_repeated() {
        let text = token().text().to_string();
        for wrong in [
            "",
            "rt1",
            "rt1...",
            &text[..text.len() - 1],
            &text[1..],
            &text.replace("rt1", "rt2"),
            &format!("{text}.a"),
            &text.replace('.', "-"),
            &format!("{text}!"),
        ] {
            let error = wrong.parse::<EnrolToken>().unwrap_err();
            assert!(wrong.len() < 8 || !error.to_string().contains(&wrong[5..]), "{error}");
        }
    }

    #[test]
    fn the_secret_is_not_shown_by_accident() {
        let token = token();
        let shown = format!("{token:?}");
        assert!(shown.contains(&token.id) && !shown.contains("bees") && !shown.contains('9'), "{shown}");
    }
}
