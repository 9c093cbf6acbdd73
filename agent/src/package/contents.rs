//! What an installation archive must hold (fact sheet §1.5): `install.sh` and one main package of the right version.

use proto::{Failure, Version};

/// The main package among the names at the top of an archive, and what is odd about it.
///
/// # Errors
/// A [`Failure`] if there is no `install.sh`, more than one main package, or one of another version: "a catalogue hash
/// proves the bytes, not the version" (fact sheet §1.6).
pub(super) fn check_contents<'a>(
    top_files: impl Iterator<Item = &'a str>,
    version: Version,
) -> Result<(Option<String>, Vec<String>), Box<Failure>> {
    let names: Vec<&str> = top_files.collect();
    if !names.contains(&"install.sh") {
        return Err(wrong("it has no install.sh at its top".to_owned()));
    }
    let main: Vec<&str> = names.iter().copied().filter(|name| is_main_package(name)).collect();
    match main[..] {
        [] => Ok((None, vec![format!("the archive holds no main package, so nothing in it says {version}")])),
        [name] if version_of(name) == Some(version) => Ok((Some(name.to_owned()), Vec::new())),
        [name] => Err(wrong(format!("its main package is {name}, and the plan says {version}"))),
        _ => Err(wrong(format!("it has more than one main package: {}", main.join(", ")))),
    }
}

pub(super) fn wrong(cause: String) -> Box<Failure> {
    let remedy = "check which version the archive is for, and correct the catalogue";
    Box::new(
        Failure::operator("package-contents", "the archive is not what the plan says", remedy).because(cause),
    )
}

/// `redislabs-6.0.8-25.rhel7.x86_64.rpm` or `redislabs_5.4.6-18~xenial_amd64.deb`; `redislabs-utils…` is not.
fn is_main_package(name: &str) -> bool {
    let known_kind = name.ends_with(".rpm") || name.ends_with(".deb");
    known_kind && after_name(name).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

fn version_of(name: &str) -> Option<Version> {
    leading_version(after_name(name)?)
}

/// The version that a text begins with: `6.0.8-25.rhel7`, `5.4.6-18~xenial`.
pub(super) fn leading_version(rest: &str) -> Option<Version> {
    let end = rest.find(|letter: char| !matches!(letter, '0'..='9' | '.' | '-')).unwrap_or(rest.len());
    rest[..end].trim_end_matches(['.', '-']).parse().ok()
}

fn after_name(name: &str) -> Option<&str> {
    name.strip_prefix("redislabs-").or_else(|| name.strip_prefix("redislabs_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], version: &str) -> Result<(Option<String>, Vec<String>), Box<Failure>> {
        check_contents(names.iter().copied(), version.parse().unwrap())
    }

    #[test]
    fn archives_that_were_seen_are_accepted() {
        let deb = "redislabs_5.4.6-18~xenial_amd64.deb";
        let utils = "redislabs-utils_5.4.6-18~xenial_amd64.deb";
        assert_eq!(
            check(&["install.sh", deb, utils], "5.4.6-18").unwrap(),
            (Some(deb.to_owned()), Vec::new())
        );
        let rpm = "redislabs-6.0.8-25.rhel7.x86_64.rpm";
        assert_eq!(check(&[rpm, "install.sh"], "6.0.8-25").unwrap().0.as_deref(), Some(rpm));
    }

    #[test]
    fn another_version_or_two_packages_or_no_installer_are_refused() {
        for names in [
            &["install.sh", "redislabs-6.0.8-250.rhel7.x86_64.rpm"][..],
            &["install.sh", "redislabs-6.0.8-2.rhel7.x86_64.rpm"],
            &["install.sh", "redislabs-6.0.8.rhel7.x86_64.rpm"],
            &["install.sh", "redislabs-6.0.8-25.rhel7.x86_64.rpm", "redislabs_6.0.8-25~xenial_amd64.deb"],
            &["redislabs-6.0.8-25.rhel7.x86_64.rpm"],
            &[],
        ] {
            let failure = check(names, "6.0.8-25").unwrap_err();
            assert_eq!(failure.id, "package-contents", "{names:?}");
        }
    }

    #[test]
    fn without_a_main_package_there_is_a_warning() {
        let (main, warnings) = check(&["install.sh", "redislabs-utils-1.2.3-4.rpm"], "6.0.8-25").unwrap();
        assert_eq!((main, warnings.len()), (None, 1));
    }
}
