//! How a receiver knows that a notice comes from here and is not an old one sent again.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

/// What sender and receiver share. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// Why there is no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no secret in it")]
pub struct SecretError;

impl Secret {
    /// What a file holds: white space around it does not belong to it, because editors put a line's end there.
    ///
    /// # Errors
    /// There is nothing else in it.
    pub fn of_file(contents: &[u8]) -> Result<Self, SecretError> {
        let secret = contents.trim_ascii();
        if secret.is_empty() { Err(SecretError) } else { Ok(Self(secret.to_owned())) }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The value of the header `Ratchet-Signature`: HMAC-SHA256 over `<Unix time>.<body>`.
pub fn sign(secret: &Secret, at: Timestamp, body: &[u8]) -> String {
    let at = at.as_second();
    let mut told = at.to_string().into_bytes();
    told.push(b'.');
    told.extend_from_slice(body);
    // HMAC takes keys of any length; were one refused, nothing would be signed and every receiver would refuse it.
    let code = Hmac::<Sha256>::new_from_slice(&secret.0).map(|mac| mac.chain_update(&told).finalize());
    let code = code.map(|code| code.into_bytes().to_vec()).unwrap_or_default();
    let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_openssl_makes_of_it() {
        // printf '1780315200.{"a":1}' | openssl dgst -sha256 -hmac secret
        let at: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        let secret = Secret::of_file(b"  secret\n").unwrap();
        assert_eq!(
            sign(&secret, at, b"{\"a\":1}"),
            "t=1780315200,v1=c7abd691c722e72740d557ca6fcbdae635ad87ff7cbd965ee798d8eb60715b99"
        );
    }

    #[test]
    fn nobody_can_print_a_secret_and_an_empty_file_is_none() {
        let secret = Secret::of_file(b"hunter2").unwrap();
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert_eq!(Secret::of_file(b" \n"), Err(SecretError));
    }
}
