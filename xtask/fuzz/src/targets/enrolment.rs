//! What a node that enrols says and is told: tokens, requests for a certificate, and the names in certificates.

use coordinator::pki::CertificateRequest;
use proto::{EnrolToken, Identity};

use crate::{Target, expect, seeds};

const WORDS: &[&str] = &[
    "rt1.", "spiffe://", "/agent/", "/coordinator/", "-----BEGIN CERTIFICATE REQUEST-----\n",
    "-----END CERTIFICATE REQUEST-----\n",
];

pub(super) const TARGET: Target = Target::new(run, seeds).words(WORDS).longest(8 * 1024).short_runs(5000);

fn seeds() -> Vec<Vec<u8>> {
    let key = rcgen::KeyPair::generate().unwrap_or_else(|error| panic!("{error}"));
    let params = rcgen::CertificateParams::new(vec!["db1.internal".to_owned()]);
    let request = params.and_then(|params| params.serialize_request(&key)).unwrap_or_else(|error| panic!("{error}"));
    let pem = request.pem().unwrap_or_else(|error| panic!("{error}"));
    let mut seeds = seeds::texts(&["spiffe://prod/agent/orders-1", "rt1.AAAA.BBBB.CCCC", &pem]);
    seeds.push(request.der().to_vec());
    seeds
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    if let Ok(token) = text.parse::<EnrolToken>() {
        let again: EnrolToken = token.text().parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((again.authority, again.id, again.secret), (token.authority, token.id, token.secret));
    }
    if let Ok(identity) = text.parse::<Identity>() {
        assert_eq!(identity.to_string(), text, "another identity");
    }
    drop(CertificateRequest::from_der(bytes));
    drop(CertificateRequest::from_pem(&text));
}
