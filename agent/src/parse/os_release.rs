//! `os-release`, and the token of the packages that fit (fact sheet §1.5, §1.7).

use proto::{OperatingSystem, OsToken};

use super::Unreadable;

/// Reads the file. A system the vendor has no package for has no token; that is no error.
///
/// # Errors
/// When there is no `ID`.
pub fn parse(text: &str) -> Result<OperatingSystem, Unreadable> {
    let id = value(text, "ID").ok_or_else(|| Unreadable::new("os-release", "it has no `ID`"))?;
    let version = value(text, "VERSION_ID").unwrap_or_default();
    let name = value(text, "PRETTY_NAME").unwrap_or_else(|| format!("{id} {version}").trim().to_owned());
    Ok(OperatingSystem { name, token: token(&id, &version).map(OsToken) })
}

/// The systems the vendor names; "compatible" is CentOS, Alma, Rocky and Oracle Linux.
fn token(id: &str, version: &str) -> Option<String> {
    let major = version.split('.').next().unwrap_or_default();
    match (id, version) {
        ("ubuntu", "16.04") => Some("xenial".to_owned()),
        ("ubuntu", "18.04") => Some("bionic".to_owned()),
        ("ubuntu", "20.04") => Some("focal".to_owned()),
        ("ubuntu", "22.04") => Some("jammy".to_owned()),
        ("amzn", "2") => Some("amzn2".to_owned()),
        ("amzn", "2023") => Some("amzn2023".to_owned()),
        ("rhel" | "centos" | "almalinux" | "rocky" | "ol", _) if matches!(major, "7" | "8" | "9") => {
            Some(format!("rhel{major}"))
        }
        _ => None,
    }
}

/// The value of a key, without its quotes; `None` if it has none.
pub fn value(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))?;
    let value = line.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_of_the_vendor_has_its_token() {
        for (id, version, token) in [
            ("ubuntu", "16.04", Some("xenial")),
            ("ubuntu", "18.04", Some("bionic")),
            ("ubuntu", "20.04", Some("focal")),
            ("ubuntu", "22.04", Some("jammy")),
            ("ubuntu", "24.04", None),
            ("rhel", "7.9", Some("rhel7")),
            ("rocky", "8.10", Some("rhel8")),
            ("almalinux", "9.4", Some("rhel9")),
            ("centos", "9", Some("rhel9")),
            ("ol", "8.9", Some("rhel8")),
            ("rhel", "10.0", None),
            ("rhel", "80", None),
            ("amzn", "2", Some("amzn2")),
            ("amzn", "2023", Some("amzn2023")),
            ("amzn", "2018.03", None),
            ("debian", "12", None),
        ] {
            let text = format!(
                "NAME=\"x\"\nVERSION_ID=\"{version}\"\nID={id}\nID_LIKE=\"rhel debian\"\nPRETTY_NAME=\"P Q\"\n"
            );
            let os = parse(&text).unwrap();
            assert_eq!(os.token.map(|token| token.0).as_deref(), token, "{id} {version}");
            assert_eq!(os.name, "P Q");
        }
    }

    #[test]
    fn without_an_id_there_is_no_answer() {
        for text in ["", "VERSION_ID=22.04\n", "ID=\n", "ID_LIKE=ubuntu\n"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
