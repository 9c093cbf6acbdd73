//! The installed version: everybody who can be asked must agree (fact sheet §5.5).

use proto::{ClusterView, InstalledVersion, Probe, Version};

use crate::host::{Action, HostError, Product, with_causes};
use crate::parse::version;

/// What one source says of the version.
enum Said {
    /// This version.
    Version(Version),
    /// It does not know the product, which is normal: no package database knows a custom installation.
    Nothing,
    /// Something that rules out any answer.
    Broken(String),
}

/// What the `*node` row says, and on a real node what the package database and the custom installer's file say.
///
/// The first comes from cluster state and can lag, the others from disk: all that can be read must agree. The others suffice
/// while `rladmin` is down, as after a failed install; `read_from` then says so.
pub(super) async fn installed(
    product: &Product,
    view: &Result<ClusterView, HostError>,
) -> Probe<InstalledVersion> {
    let mut said = vec![("rladmin status", by_rladmin(view))];
    said.push(("redislabs_custom_install_version", by_custom_file(product)));
    if product.root() == std::path::Path::new("/") {
        let (dpkg, rpm) = tokio::join!(by_dpkg(product), by_rpm(product));
        said.extend([("dpkg-query", dpkg), ("rpm", rpm)]);
    }
    agree(&said, view.as_ref().err())
}

fn agree(said: &[(&str, Said)], rladmin: Option<&HostError>) -> Probe<InstalledVersion> {
    let mut read: Vec<(&str, Version)> = Vec::new();
    for (source, said) in said {
        match said {
            Said::Version(version) => read.push((source, *version)),
            Said::Nothing => {}
            Said::Broken(reason) => return Probe::Unknown(format!("{source}: {reason}")),
        }
    }
    let why =
        || rladmin.map_or_else(|| "`rladmin status` shows no version".to_owned(), |error| with_causes(error));
    let Some((_, version)) = read.first().copied() else { return Probe::Unknown(why()) };
    if read.iter().any(|(_, other)| *other != version) {
        let each: Vec<String> =
            read.iter().map(|(source, version)| format!("{source} says {version}")).collect();
        return Probe::Unknown(format!("the sources disagree: {}", each.join(", ")));
    }
    let mut read_from: Vec<String> = read.iter().map(|(source, _)| (*source).to_owned()).collect();
    if !matches!(said.first(), Some((_, Said::Version(_)))) {
        read_from.push(format!("not confirmed by rladmin: {}", why()));
    }
    Probe::Known(InstalledVersion { version, read_from })
}

fn by_rladmin(view: &Result<ClusterView, HostError>) -> Said {
    let row = view.as_ref().ok().and_then(|view| view.node(view.local));
    row.and_then(|row| row.version).map_or(Said::Nothing, Said::Version)
}

/// The file's form is not documented: one that cannot be read as a version says nothing.
fn by_custom_file(product: &Product) -> Said {
    match product.custom_version() {
        Ok(Some(version)) => Said::Version(version),
        Ok(None) => Said::Nothing,
        Err(error) => {
            tracing::debug!(error = with_causes(&error), "the custom installer's version file was not read");
            Said::Nothing
        }
    }
}

async fn by_dpkg(product: &Product) -> Said {
    match product.ask(Action::DpkgVersion).await {
        Ok(output) if output.success() => dpkg_says(&output.stdout),
        _ => Said::Nothing,
    }
}

fn dpkg_says(text: &str) -> Said {
    match text.trim().split_once('\t') {
        Some(("install ok installed", text)) => package_version(text),
        Some((status, _)) if status.ends_with("not-installed") || status.ends_with("config-files") => {
            Said::Nothing
        }
        _ => Said::Broken(format!("the package is left half done (`{}`)", text.trim())),
    }
}

async fn by_rpm(product: &Product) -> Said {
    match product.ask(Action::RpmVersion).await {
        Ok(output) if output.success() => package_version(&output.stdout),
        _ => Said::Nothing,
    }
}

fn package_version(text: &str) -> Said {
    version::parse(text).map_or_else(|error| Said::Broken(error.to_string()), Said::Version)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Version = Version::new(7, 4, 2, 54);
    const NEW: Version = Version::new(7, 8, 6, 36);

    #[test]
    fn all_that_can_be_read_must_agree() {
        let known = agree(
            &[("rladmin status", Said::Version(OLD)), ("rpm", Said::Version(OLD)), ("x", Said::Nothing)],
            None,
        );
        assert_eq!(known.known().unwrap().read_from, ["rladmin status", "rpm"]);
        let reason = agree(&[("rladmin status", Said::Version(OLD)), ("rpm", Said::Version(NEW))], None);
        let reason = reason.as_result().unwrap_err().to_owned();
        assert!(
            reason.contains("rladmin status says 7.4.2-54") && reason.contains("rpm says 7.8.6-36"),
            "{reason}"
        );
        let broken = [
            ("rladmin status", Said::Version(OLD)),
            ("dpkg-query", dpkg_says("install ok half-configured\t7.8.6-36~jammy")),
        ];
        assert!(agree(&broken, None).known().is_none());
        assert!(agree(&[("rladmin status", Said::Nothing)], None).known().is_none());
    }

    #[test]
    fn without_rladmin_the_disk_suffices_and_that_is_said() {
        let error = HostError::NotInstalled("/opt/redislabs/bin/rladmin".into());
        let known = agree(&[("rladmin status", Said::Nothing), ("rpm", Said::Version(NEW))], Some(&error));
        let known = known.known().unwrap();
        assert_eq!(known.version, NEW);
        assert!(known.read_from[1].starts_with("not confirmed by rladmin: "), "{known:?}");
    }

    #[test]
    fn the_package_database_is_taken_at_its_word() {
        assert!(matches!(dpkg_says("install ok installed\t7.4.2-54~jammy\n"), Said::Version(OLD)));
        assert!(matches!(dpkg_says("deinstall ok config-files\t7.4.2-54~jammy"), Said::Nothing));
        assert!(matches!(dpkg_says("install ok installed\tnewest"), Said::Broken(_)));
        assert!(matches!(package_version("7.8.6-36.rhel9\n7.4.2-54.rhel9\n"), Said::Broken(_)));
    }
}
