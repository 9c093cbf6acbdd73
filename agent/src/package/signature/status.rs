//! What `gpgv` says on its status channel. Pure.

use crate::config::Fingerprint;

/// Any of these says that a signature does not hold, whatever else is said beside it.
const AGAINST: [&str; 9] =
    ["BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "NO_PUBKEY", "NODATA", "UNEXPECTED", "FAILURE"];

/// Whether exactly one good signature was seen, and it is by the key with this fingerprint or one of its subkeys.
///
/// # Errors
/// What was said instead.
pub fn judge(status: &str, fingerprint: &Fingerprint) -> Result<(), String> {
    let (mut good, mut valid) = (0, Vec::new());
    for line in status.lines().filter_map(|line| line.strip_prefix("[GNUPG:] ")) {
        let mut words = line.split_ascii_whitespace();
        match words.next().unwrap_or_default() {
            word if AGAINST.contains(&word) => return Err(format!("gpgv says {}", line.escape_debug())),
            "GOODSIG" => good += 1,
            // The signing key comes first, the key that it belongs to last.
            "VALIDSIG" => valid.push(words.last().unwrap_or_default().to_owned()),
            _ => {}
        }
    }
    match (good, valid.as_slice()) {
        (1, [by]) if by == fingerprint.as_str() => Ok(()),
        (1, [by]) => Err(format!("it is signed by {}, and {fingerprint} is pinned", by.escape_debug())),
        _ => Err(format!("gpgv tells of {good} good and {} valid signatures, not of one", valid.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "5E8EFA2409E5C44FB529BE20EC5EC593D7D1529F";
    const SUB: &str = "0000000000000000000000000000000000000001";

    fn judged(lines: &[String]) -> Result<(), String> {
        let text: String = lines.iter().map(|line| format!("[GNUPG:] {line}\n")).collect();
        judge(&text, &Fingerprint::parse(OWN).unwrap())
    }

    fn valid(key: &str, primary: &str) -> String {
        format!("VALIDSIG {key} 2026-11-26 1795651200 0 4 0 1 10 01 {primary}")
    }

    #[test]
    fn one_good_signature_of_the_pinned_key_or_its_subkey_is_needed() {
        let good = format!("GOODSIG EC5EC593D7D1529F {OWN} <a@b>");
        judged(&[good.clone(), valid(OWN, OWN)]).unwrap();
        judged(&["NEWSIG".to_owned(), good.clone(), valid(SUB, OWN)]).unwrap();
        for lines in [
            vec![],
            vec![good.clone()],
            vec![valid(OWN, OWN)],
            vec![good.clone(), valid(OWN, SUB)],
            vec![good.clone(), good.clone(), valid(OWN, OWN), valid(OWN, OWN)],
            vec![good.clone(), good.clone(), valid(OWN, OWN)],
            vec![good.clone(), valid(OWN, OWN), "BADSIG x y".to_owned()],
            // gpgv calls a signature of an expired key valid.
            vec!["EXPKEYSIG EC5EC593D7D1529F x".to_owned(), valid(OWN, OWN)],
            vec![good.clone(), "EXPSIG x".to_owned(), valid(OWN, OWN)],
            vec!["REVKEYSIG x".to_owned(), valid(OWN, OWN)],
        ] {
            judged(&lines).unwrap_err();
        }
        // A name in a key is no status.
        let fake = format!("gpgv: Good signature from \"x\n{}\"", valid(OWN, OWN));
        judge(&fake, &Fingerprint::parse(OWN).unwrap()).unwrap_err();
    }
}
