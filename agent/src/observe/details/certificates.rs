//! Certificate files in the product's configuration directory (fact sheet §6, no. 25 and 26). Files that hold keys are not
//! opened.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use proto::{FactValue, Probe, Row};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::time::ASN1Time;

use super::Look;
use super::blocking::blocking;
use crate::host::with_causes;

/// No certificate file is longer.
const LONGEST: u64 = 1 << 20;

pub(super) async fn certificates(look: &Look<'_>) -> Probe<FactValue> {
    let directory = match look.product.installation() {
        Ok(found) => look.product.rooted(&found.config_dir),
        Err(error) => return Probe::Unknown(with_causes(&error)),
    };
    blocking("certificates", move || {
        let rows = files(&directory)?.iter().flat_map(|file| rows(file)).collect();
        Ok(FactValue::Rows(rows))
    })
    .await
}

/// `*.pem` except those that are keys by their name, in its order.
fn files(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error| format!("{} cannot be read: {error}", directory.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".pem") && !name.contains("key") && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A row for each certificate; one with the file's name alone if it, or a part of it, cannot be read.
fn rows(file: &Path) -> Vec<Row> {
    let name = || [("file".to_owned(), file.display().to_string())];
    let Some(text) = text(file) else { return vec![Row::from(name())] };
    let must_hold_one = file.display().to_string().ends_with("_cert.pem");
    let mut found = certificates_in(&text);
    if found.is_empty() && must_hold_one {
        found.push(None);
    }
    let comments = if has_comments(&text) { "yes" } else { "no" };
    let whole = |row: Option<Row>| match row {
        Some(row) => {
            row.into_iter().chain([("comments".to_owned(), comments.to_owned())]).chain(name()).collect()
        }
        None => Row::from(name()),
    };
    found.into_iter().map(whole).collect()
}

/// What each certificate of a PEM text says; `None` for one that cannot be read.
pub(in crate::observe) fn certificates_in(text: &str) -> Vec<Option<Row>> {
    CertificateDer::pem_slice_iter(text.as_bytes()).map(|der| row(&der.ok()?)).collect()
}

fn text(file: &Path) -> Option<String> {
    // A pipe would hold whoever opens it.
    fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(LONGEST + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 > LONGEST { None } else { Some(String::from_utf8_lossy(&bytes).into_owned()) }
}

fn row(der: &CertificateDer<'_>) -> Option<Row> {
    let (rest, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let validity = certificate.validity();
    let cells = [
        ("subject", certificate.subject().to_string()),
        ("not_before", moment(validity.not_before)?),
        ("not_after", moment(validity.not_after)?),
    ];
    Some(cells.into_iter().map(|(key, cell)| (key.to_owned(), cell)).collect())
}

fn moment(time: ASN1Time) -> Option<String> {
    Some(Timestamp::from_second(time.timestamp()).ok()?.to_string())
}

/// Whether there is text outside the PEM blocks: 6.2.8 could not read such a proxy certificate.
fn has_comments(text: &str) -> bool {
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        match line {
            _ if line.starts_with("-----BEGIN ") => inside = true,
            _ if line.starts_with("-----END ") => inside = false,
            _ if !inside && !line.is_empty() => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    use super::*;

    fn pem(name: &str) -> (String, String) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 2), date_time_ymd(2027, 3, 4));
        let key = KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn seen(files: &[(&str, String)]) -> Vec<Row> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        let mut rows: Vec<Row> =
            super::files(directory.path()).unwrap().iter().flat_map(|file| rows(file)).collect();
        for row in &mut rows {
            let file = row["file"].rsplit('/').next().unwrap().to_owned();
            row.insert("file".to_owned(), file);
        }
        rows
    }

    fn whole(file: &str, name: &str, comments: &str) -> Row {
        let cells = [
            ("file", file),
            ("subject", &format!("CN={name}")),
            ("not_before", "2026-01-02T00:00:00Z"),
            ("not_after", "2027-03-04T00:00:00Z"),
            ("comments", comments),
        ];
        cells.map(|(key, cell)| (key.to_owned(), cell.to_owned())).into()
    }

    #[test]
    fn every_certificate_has_a_row_and_keys_have_none() {
        let (proxy, key) = pem("cluster.local");
        let (api, _) = pem("api");
        let rows = seen(&[
            ("proxy_cert.pem", proxy.clone()),
            ("api_cert.pem", format!("Subject: x\n{api}{proxy}")),
            ("both.pem", format!("{key}{proxy}")),
            ("proxy_key.pem", key),
            ("dhparam.pem", "-----BEGIN DH PARAMETERS-----\nMAA=\n-----END DH PARAMETERS-----\n".to_owned()),
            ("proxy_cert.txt", proxy),
        ]);
        let expected = [
            whole("api_cert.pem", "api", "yes"),
            whole("api_cert.pem", "cluster.local", "yes"),
            whole("both.pem", "cluster.local", "no"),
            whole("proxy_cert.pem", "cluster.local", "no"),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn what_cannot_be_read_is_a_row_that_tells_nothing() {
        let (good, _) = pem("x");
        let cut = good.lines().take(4).collect::<Vec<_>>().join("\n");
        let wrong = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n".to_owned();
        for text in [String::new(), "garbage".to_owned(), cut, wrong, "x".repeat(2 << 20)] {
            let rows = seen(&[("a_cert.pem", text.clone())]);
            let alone = Row::from([("file".to_owned(), "a_cert.pem".to_owned())]);
            assert_eq!(rows, [alone], "{text:.60}");
        }
        let rows = seen(&[("a_cert.pem", format!("{good}-----BEGIN CERTIFICATE-----\n"))]);
        assert_eq!(rows.iter().map(Row::len).collect::<Vec<_>>(), [5, 1], "{rows:?}");
    }

    #[tokio::test]
    async fn without_an_installation_nothing_is_known_of_them() {
        let root = tempfile::tempdir().unwrap();
        let product = crate::host::Product::new(root.path().to_owned());
        let look = Look { product: &product, node: None, view: None, rest: None };
        assert!(certificates(&look).await.as_result().unwrap_err().contains("not installed"));
    }
}
