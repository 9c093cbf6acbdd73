//! The product's certificates.

use agent::observe::readers::certificates;

use crate::{Target, expect};

pub(super) const TARGET: Target = Target::new(run, seeds)
    .words(&["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "-----BEGIN PRIVATE KEY-----", "=\n"]);

fn seeds() -> Vec<Vec<u8>> {
    let made = rcgen::generate_simple_self_signed(vec!["db1.internal".to_owned()]);
    let made = made.unwrap_or_else(|error| panic!("{error}"));
    let (pem, der) = (made.cert.pem(), made.cert.der().to_vec());
    vec![pem.clone().into_bytes(), format!("# comment\n{pem}{pem}").into_bytes(), der]
}

/// As PEM, and as what is inside of one: no mutation of base64 ever reaches the reader of DER.
fn run(bytes: &[u8]) {
    read(&expect::text(bytes));
    let armoured = armoured(bytes);
    read(&armoured);
}

fn read(text: &str) {
    let rows = certificates(text);
    assert!(rows.len() <= text.matches("-----BEGIN").count(), "more certificates than there are");
    expect::in_proportion(&rows, text.len(), 32);
}

fn armoured(der: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for three in der.chunks(3) {
        let word = three.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let sign = SIGNS[(word >> (18 - 6 * at) & 63) as usize] as char;
            text.push(if at <= three.len() { sign } else { '=' });
        }
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}
