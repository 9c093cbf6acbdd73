//! Private keys. They are never printed, and their memory is overwritten when they are not needed any more.

use std::fmt;

use proto::Failure;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use zeroize::{Zeroize, Zeroizing};

/// A private key: ECDSA on P-256.
pub struct Key(KeyPair);

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// A new one.
    ///
    /// # Errors
    /// The machine has no randomness.
    pub fn generate() -> Result<Self, Failure> {
        KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
            .map(Self)
            .map_err(|error| Failure::bug("no key can be made").because(error.to_string()))
    }

    /// The one in a PEM file: PKCS #8.
    ///
    /// # Errors
    /// It holds none. The error does not repeat it.
    pub fn from_pem(pem: &str) -> Result<Self, rcgen::Error> {
        KeyPair::from_pem(pem).map(Self)
    }

    /// As PEM, for its file.
    pub fn pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.serialize_pem())
    }

    /// For signing.
    pub(super) fn pair(&self) -> &KeyPair {
        &self.0
    }
}
