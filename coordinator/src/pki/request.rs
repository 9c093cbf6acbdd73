//! Requests for certificates. Only their public key counts: what somebody is called and may do, the authority says.

use proto::{Failure, Sha256};
use rcgen::{CertificateSigningRequestParams, PublicKey, PublicKeyData};

/// The most that a request may weigh, in bytes.
const MOST: usize = 16 * 1024;

/// A request whose signature was checked: whoever made it has the private key.
#[derive(Clone, Debug)]
pub struct CertificateRequest {
    key: PublicKey,
}

impl CertificateRequest {
    /// Reads one: PKCS #10, DER.
    ///
    /// # Errors
    /// It is none, or its signature is not that of its key.
    pub fn from_der(der: &[u8]) -> Result<Self, Failure> {
        if der.len() > MOST {
            return Err(wrong(format!("it has {} bytes; {MOST} are the limit", der.len())));
        }
        let request = CertificateSigningRequestParams::from_der(&der.into());
        request.map(|request| Self { key: request.public_key }).map_err(|error| wrong(error.to_string()))
    }

    /// Reads one: PKCS #10, PEM.
    ///
    /// # Errors
    /// As for [`Self::from_der`].
    pub fn from_pem(pem: &str) -> Result<Self, Failure> {
        let (_, block) =
            x509_parser::pem::parse_x509_pem(pem.as_bytes()).map_err(|error| wrong(error.to_string()))?;
        Self::from_der(&block.contents)
    }

    /// SHA-256 of its public key (`SubjectPublicKeyInfo`).
    pub fn digest(&self) -> Sha256 {
        Sha256::of(&self.key.subject_public_key_info())
    }

    pub(super) fn key(&self) -> &PublicKey {
        &self.key
    }
}

fn wrong(cause: String) -> Failure {
    let remedy = "make it anew, like `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes …`";
    Failure::operator("invalid-request", "the request for a certificate cannot be used", remedy)
        .because(cause)
}
