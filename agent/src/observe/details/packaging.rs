//! What the machine's package tools know: where packages come from, and whether a packaged file was changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use proto::{FactValue, Probe};

use super::Look;
use super::blocking::blocking;
use crate::host::{Action, HostError, Product, with_causes};

/// The product's logrotate file: an upgrade writes it anew (fact sheet §6, no. 38).
const LOGROTATE: &str = "/etc/logrotate.d/redislabs";

pub(super) async fn repositories(look: &Look<'_>) -> Probe<FactValue> {
    let product = look.product.clone();
    blocking("package repositories", move || enabled(&product).map(FactValue::Lines)).await
}

/// The files, by path; those of the root alone where it has any of the directories.
fn enabled(product: &Product) -> Result<Vec<String>, String> {
    let (apt, yum) = ("/etc/apt", "/etc/yum.repos.d");
    let own = [apt, yum].iter().any(|directory| product.rooted(directory).is_dir());
    let place = |path| if own { product.rooted(path) } else { PathBuf::from(path) };
    let (apt, yum) = (place(apt), place(yum));
    if !apt.is_dir() && !yum.is_dir() {
        return Err(format!("there is neither {} nor {}", apt.display(), yum.display()));
    }
    let mut files = vec![apt.join("sources.list")];
    files.extend(entries(&apt.join("sources.list.d"), &["list", "sources"])?);
    files.extend(entries(&yum, &["repo"])?);
    let mut found = Vec::new();
    for file in files {
        match fs::read(&file) {
            Ok(bytes) if names_one(&file, &String::from_utf8_lossy(&bytes)) => found.push(file),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{} cannot be read: {error}", file.display())),
        }
    }
    Ok(found.iter().map(|file| file.display().to_string()).collect())
}

/// Files with one of these endings directly in a directory, by name; none if there is no such directory.
fn entries(directory: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error| format!("{} cannot be read: {error}", directory.display());
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a list of package sources, of the kind that its name ends in, has one that is switched on.
pub(in crate::observe) fn names_one(file: &Path, text: &str) -> bool {
    // So that paragraphs and sections begin where they look as if they did.
    let text = &text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("repo") => sections(text).any(|section| is_on(section, "enabled")),
        Some("sources") => stanzas(text).any(|stanza| {
            let types = lines(stanza).find_map(|line| value(line, ':', "types"));
            types.is_some_and(|types| types.split_whitespace().any(|kind| kind == "deb")) && is_on_apt(stanza)
        }),
        _ => lines(text).any(|line| line.split_whitespace().next() == Some("deb")),
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The text below each `[name]`; `[main]` configures the tool.
fn sections(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split("\n[").map(|part| part.trim_start().trim_start_matches('['));
    let named = parts.filter_map(|part| part.split_once(']'));
    named.filter(|(name, _)| *name != "main" && !name.contains(['#', '\n'])).map(|(_, body)| body)
}

/// What is not switched off is on.
fn is_on(section: &str, key: &str) -> bool {
    let value = lines(section).find_map(|line| value(line, '=', key));
    !value.is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "0" | "no" | "false" | "off"))
}

/// The paragraphs of a deb822 file.
fn stanzas(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n")
}

fn is_on_apt(stanza: &str) -> bool {
    let value = lines(stanza).find_map(|line| value(line, ':', "enabled"));
    !value.is_some_and(|value| {
        matches!(value.to_ascii_lowercase().as_str(), "no" | "false" | "without" | "off")
    })
}

fn value<'a>(line: &'a str, sign: char, key: &str) -> Option<&'a str> {
    let (found, value) = line.split_once(sign)?;
    found.trim().eq_ignore_ascii_case(key).then(|| value.trim())
}

pub(super) async fn logrotate_changed(look: &Look<'_>) -> Probe<FactValue> {
    if look.product.root() != Path::new("/") {
        let root = look.product.root().display();
        return Probe::Unknown(format!("the package tools know nothing of what is below {root}"));
    }
    let mut reasons = Vec::new();
    for action in [Action::DpkgVerify, Action::RpmVerify] {
        match verify(look.product, action).await {
            Ok(changed) => return Probe::Known(FactValue::Flag(changed)),
            Err(reason) => reasons.push(reason),
        }
    }
    Probe::Unknown(reasons.join("; "))
}

/// Asks one of the tools. Both end with a failure when anything at all was changed.
async fn verify(product: &Product, action: Action) -> Result<bool, String> {
    let tool = action.program().name();
    let output = product.ask(action).await.map_err(|error: HostError| with_causes(&error))?;
    let installed = !format!("{}{}", output.stdout, output.stderr).contains("not installed");
    if !installed || output.status.code().is_none() || (!output.success() && output.stdout.trim().is_empty())
    {
        return Err(format!("`{tool} --verify redislabs` gave no answer ({})", output.failure().status));
    }
    changed(&output.stdout).ok_or_else(|| format!("`{tool} --verify redislabs` cannot be understood"))
}

/// Whether the file's digest is another than that of the package; `None` where the tool could not tell. What is as it was
/// packaged has no line.
pub(in crate::observe) fn changed(text: &str) -> Option<bool> {
    let mut verdict = Some(false);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (flags, rest) = line.trim_start().split_once(' ')?;
        let known =
            flags == "missing" || (flags.len() >= 8 && flags.chars().all(|c| ".?SM5DLUGTPC".contains(c)));
        if !known {
            return None;
        }
        if rest.split_whitespace().any(|word| word == LOGROTATE) {
            verdict = match flags.chars().nth(2) {
                _ if flags == "missing" => Some(true),
                Some('5') => Some(true),
                Some('.') => Some(false),
                _ => None,
            };
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, file: &str, text: &str) {
        let file = root.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    #[test]
    fn files_with_an_enabled_repository_are_named() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "etc/apt/sources.list", "# deb http://x y z\n");
        write(root.path(), "etc/apt/sources.list.d/a.list", "\ndeb [arch=amd64] http://x y z\n");
        write(root.path(), "etc/apt/sources.list.d/b.list", "#deb http://x y z\ndeb-src http://x y z\n");
        write(root.path(), "etc/apt/sources.list.d/c.sources", "Types: deb deb-src\nURIs: http://x\n");
        write(root.path(), "etc/apt/sources.list.d/d.sources", "Enabled: no\nTypes: deb\nURIs: http://x\n");
        let second = "Enabled: no\r\nTypes: deb\r\n \r\nTypes: deb\r\n";
        write(root.path(), "etc/apt/sources.list.d/d2.sources", second);
        write(root.path(), "etc/apt/sources.list.d/e.list.save", "deb http://x y z\n");
        write(root.path(), "etc/yum.repos.d/f.repo", "[a]\nname=a\nenabled=0\n[b]\nname=b\n");
        write(root.path(), "etc/yum.repos.d/g.repo", "# [c]\n[a]\nname=[x]\nenabled = 0\n");
        write(root.path(), "etc/yum.repos.d/h.repo", "[main]\nx=1\n");
        let found = enabled(&Product::new(root.path().to_owned())).unwrap();
        let names: Vec<&str> = found.iter().filter_map(|file| file.rsplit('/').next()).collect();
        assert_eq!(names, ["a.list", "c.sources", "d2.sources", "f.repo"]);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_not_nothing() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "etc/yum.repos.d/a.repo/x", "");
        assert!(enabled(&Product::new(root.path().to_owned())).unwrap_err().contains("a.repo"));
    }

    #[test]
    fn only_another_digest_counts_and_what_was_not_looked_at_is_unknown() {
        for (text, expected) in [
            ("", Some(false)),
            ("??5?????? c /etc/logrotate.d/redislabs\n", Some(true)),
            ("S.5....T.  c /etc/logrotate.d/redislabs\n.......T.    /opt/redislabs/x\n", Some(true)),
            (".M.......  c /etc/logrotate.d/redislabs\n", Some(false)),
            ("..?......  c /etc/logrotate.d/redislabs\n", None),
            ("missing   c /etc/logrotate.d/redislabs\n", Some(true)),
            ("??5?????? c /etc/logrotate.d/redislabs.old\n", Some(false)),
            ("error: something\n", None),
        ] {
            assert_eq!(changed(text), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn below_another_root_the_package_tools_are_not_asked() {
        let product = Product::new("/srv/node-1".into());
        let look = Look { product: &product, node: None, view: None, rest: None };
        assert!(logrotate_changed(&look).await.as_result().unwrap_err().contains("/srv/node-1"));
    }
}
