//! An authority, and what it issues.

use std::fs;
use std::path::{Path, PathBuf};

use proto::transport::Tls;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};

/// Who issues certificates of the fleet `prod`.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    place: PathBuf,
}

impl Authority {
    pub(super) fn new(place: &Path) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(place.join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, place: place.to_owned() }
    }

    /// The files of `role/name`, good for this machine.
    pub(super) fn issue(&self, who: &str) -> Tls {
        self.issue_until(who, 2040)
    }

    /// The same, good until the end of a year before this.
    pub(super) fn issue_until(&self, who: &str, year: i32) -> Tls {
        let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.subject_alt_names.push(SanType::URI(format!("spiffe://prod/{who}").try_into().unwrap()));
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let file = |kind: &str| self.place.join(format!("{}-{kind}.pem", who.replace('/', "-")));
        fs::write(file("cert"), cert.pem()).unwrap();
        fs::write(file("key"), key.serialize_pem()).unwrap();
        let (cert, key) = (file("cert"), file("key"));
        Tls { ca: self.place.join("ca.pem"), cert, key, crl: None, names: Default::default() }
    }
}

/// The `[tls]` table of a configuration.
pub(super) fn table(tls: &Tls) -> String {
    format!("[tls]\nca = {:?}\ncert = {:?}\nkey = {:?}\n", tls.ca, tls.cert, tls.key)
}
