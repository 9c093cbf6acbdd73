//! The node's private key: made here, for its owner only, and kept until there is a certificate for it.

use std::fs;
use std::io;
use std::path::Path;

use proto::Sha256;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use zeroize::{Zeroize, Zeroizing};

use super::EnrolError;
use crate::durable::{Disk, StateError};

/// A private key. It does not show itself, and its memory is overwritten at the end.
pub(super) struct Key(KeyPair);

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// The key in a file; a new one, durable before anybody hears of it, if there is none.
    pub(super) fn kept(path: &Path, disk: &Disk) -> Result<Self, EnrolError> {
        match fs::read_to_string(path).map(Zeroizing::new) {
            Ok(pem) => KeyPair::from_pem(&pem).map(Self).map_err(|_| EnrolError::Key(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key =
                    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map(Self).map_err(EnrolError::Crypto)?;
                disk.write_atomic(path, key.pem().as_bytes())?;
                Ok(key)
            }
            Err(error) => Err(StateError::io("read", path)(error).into()),
        }
    }

    pub(super) fn pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.serialize_pem())
    }

    /// SHA-256 of the public key (`SubjectPublicKeyInfo`).
    pub(super) fn digest(&self) -> Sha256 {
        Sha256::of(&self.0.subject_public_key_info())
    }

    /// A request for a certificate, PKCS #10 in DER. It asks for nothing: what is in the certificate, others decide.
    pub(super) fn request(&self) -> Result<Vec<u8>, EnrolError> {
        let request = CertificateParams::default().serialize_request(&self.0).map_err(EnrolError::Crypto)?;
        Ok(request.der().to_vec())
    }
}
