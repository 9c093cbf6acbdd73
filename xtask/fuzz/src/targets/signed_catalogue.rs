//! The fleet owner's catalogue, its signature, and the keys that are pinned.

use proto::{OwnedCatalogue, OwnerKey, SignedCatalogue};

use crate::{Target, expect, seeds};

const KEY: &str = "RWQbFVsGegUVgLhSTk67e6wWE1w9M2jxw4w5fQffB3+lEFOazAiJBBQr";
const WORDS: &[&str] =
    &["[[package]]\n", "schema = 1\n", "serial = ", "expires = ", "fleet = ", "sha256 = ", "untrusted comment: "];

pub(super) const TARGET: Target = Target::new(run, seeds).words(WORDS).longest(16 * 1024).short_runs(3000);

fn seeds() -> Vec<Vec<u8>> {
    let digest = "5a".repeat(32);
    let catalogue = format!(
        "schema = 1\nserial = 7\nexpires = \"2027-01-01T00:00:00Z\"\nfleet = \"prod\"\n\n[[package]]\nversion = \
         \"7.4.6-22\"\nos = \"jammy\"\narch = \"amd64\"\nsha256 = \"{digest}\"\nsize = 4711\n"
    );
    let signature = format!("untrusted comment: x\n{}\ntrusted comment: y\n{}\n", "RUQ=", "AAAA");
    seeds::texts(&[&catalogue, &signature, KEY])
}

/// Nothing that is made here was signed by this key: nothing is ever believed.
fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    if let Ok(catalogue) = OwnedCatalogue::parse(&text) {
        expect::in_proportion(&catalogue, text.len(), 32);
        let again = catalogue.render().unwrap_or_else(|error| panic!("{error}"));
        let again = OwnedCatalogue::parse(&again).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again, catalogue);
    }
    let key = OwnerKey::parse(KEY).unwrap_or_else(|error| panic!("{error}"));
    let signed = |catalogue: &str, signature: &str| SignedCatalogue {
        catalogue: catalogue.to_owned(),
        signature: signature.to_owned(),
    };
    assert!(signed("schema = 1\n", &text).verify(std::slice::from_ref(&key)).is_err(), "a forged signature");
    assert!(signed(&text, &text).verify(&[key]).is_err(), "a forged signature");
    drop(OwnerKey::parse(&text));
}
