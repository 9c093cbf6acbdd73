//! Until when certificates are valid.

use std::path::Path;

use jiff::Timestamp;
use x509_parser::pem::Pem;

use super::Tls;

impl Tls {
    /// For `ca` and `cert`: when the first certificate of the file expires, or why that cannot be told. Read anew each
    /// time: certificates are renewed while programs run.
    pub fn expiries(&self) -> [(&'static str, Result<Timestamp, String>); 2] {
        [("ca", expiry(&self.ca)), ("cert", expiry(&self.cert))]
    }
}

fn expiry(file: &Path) -> Result<Timestamp, String> {
    let told = std::fs::read(file).map_err(|error| error.to_string()).and_then(|pem| first_expiry(&pem));
    told.map_err(|reason| format!("{}: {reason}", file.display()))
}

/// The first of several counts: a chain holds as long as its weakest certificate.
fn first_expiry(pem: &[u8]) -> Result<Timestamp, String> {
    let mut first = None;
    for block in Pem::iter_from_buffer(pem) {
        let block = block.map_err(|error| format!("it is not PEM: {error}"))?;
        if block.label != "CERTIFICATE" {
            continue;
        }
        let certificate = block.parse_x509().map_err(|error| format!("a certificate of it: {error}"))?;
        let until = Timestamp::from_second(certificate.validity().not_after.timestamp())
            .map_err(|error| error.to_string())?;
        first = Some(first.map_or(until, |first: Timestamp| first.min(until)));
    }
    first.ok_or_else(|| "there is no certificate in it".to_owned())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn pem(until: i32) -> String {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(until, 3, 1);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn the_first_certificate_to_expire_counts_and_what_is_none_has_no_date() {
        let chain = format!("{}{}", pem(2040), pem(2031));
        assert_eq!(first_expiry(chain.as_bytes()).unwrap().to_string(), "2031-03-01T00:00:00Z");
        assert!(first_expiry(b"").unwrap_err().contains("no certificate"));
        let half = &chain.as_bytes()[..chain.len() / 3];
        assert!(first_expiry(half).is_err());
    }

    #[test]
    fn a_file_that_is_not_there_has_no_date_and_is_named() {
        let tls = Tls {
            ca: "/no/ca.pem".into(),
            cert: "/no/cert.pem".into(),
            key: "/no/key.pem".into(),
            crl: None,
            names: Default::default(),
        };
        let [(ca, told), (cert, _)] = tls.expiries();
        assert_eq!((ca, cert), ("ca", "cert"));
        assert!(told.unwrap_err().starts_with("/no/ca.pem: "));
    }
}
