//! What TLS says, in sentences that name the file and what to do.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

use super::keyring::Keyring;

/// An error of a connection; if it is TLS's, in a sentence.
pub(super) fn told(error: io::Error, keyring: &Keyring) -> io::Error {
    match said(&error, keyring) {
        Some(sentence) => io::Error::new(error.kind(), sentence),
        None => error,
    }
}

/// The sentence for an error of TLS; none for another one.
pub(super) fn said(error: &io::Error, keyring: &Keyring) -> Option<String> {
    let said = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>())?;
    sentence(said, keyring)
}

fn sentence(error: &Error, keyring: &Keyring) -> Option<String> {
    match error {
        Error::AlertReceived(alert) => refused(*alert, keyring),
        Error::InvalidCertificate(error) => Some(invalid(error, keyring)),
        Error::NoCertificatesPresented => Some("the other side shows no certificate".to_owned()),
        Error::PeerIncompatible(_) => {
            Some(format!("the other side does not speak TLS 1.3 as it is spoken here: {error}"))
        }
        _ => None,
    }
}

/// What the other side does not like about this side's certificate.
fn refused(alert: AlertDescription, keyring: &Keyring) -> Option<String> {
    let tls = &keyring.tls;
    let cert = tls.cert.display();
    let why = match alert {
        AlertDescription::CertificateExpired => {
            let until = keyring.current().own.not_after;
            format!(
                "as expired, by its clock; it is good until {until}: renew it, `ratchet pki renew NAME`, and compare the \
                 clocks"
            )
        }
        AlertDescription::CertificateRevoked => {
            "as revoked; have a new one issued, if that was not meant".to_owned()
        }
        AlertDescription::UnknownCA => {
            "as of an authority that its `[tls] ca` does not name or that its `[tls] crl` has no list of; correct these \
             there"
                .to_owned()
        }
        AlertDescription::CertificateRequired => {
            return Some(
                "the other side needs a certificate, and none was shown to it; give `[tls]` with `cert` and `key`"
                    .to_owned(),
            );
        }
        AlertDescription::UnsupportedCertificate => {
            "as not made for this use: it needs the extended key usage clientAuth, and serverAuth where it is dialled"
                .to_owned()
        }
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::DecryptError
        | AlertDescription::AccessDenied => format!("({alert:?}); its log says why"),
        _ => return None,
    };
    Some(format!("the other side refuses the certificate of this one, {cert}, {why}"))
}

/// What this side does not like about the other side's certificate.
fn invalid(error: &CertificateError, keyring: &Keyring) -> String {
    let tls = &keyring.tls;
    let (ca, crl) = (tls.ca.display(), tls.crl.as_deref().unwrap_or(&tls.ca).display());
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!(
                "the certificate of the other side has expired ({error}); renew it there: `ratchet pki renew NAME`"
            )
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the certificate of the other side is not good yet ({error}); compare the clocks")
        }
        CertificateError::Revoked => {
            format!(
                "the certificate of the other side is revoked, as `[tls] crl`, {crl}, says; have a new one issued there"
            )
        }
        CertificateError::UnknownRevocationStatus => format!(
            "nobody can tell whether the certificate of the other side is revoked: `[tls] crl`, {crl}, has no list of its \
             authority; add that list, or remove the key `crl`"
        ),
        CertificateError::UnknownIssuer => format!(
            "the certificate of the other side comes from no authority in `[tls] ca`, {ca}; see that both sides' \
             certificates come from the same authority"
        ),
        other => format!("the certificate of the other side cannot be accepted: {other}"),
    }
}
