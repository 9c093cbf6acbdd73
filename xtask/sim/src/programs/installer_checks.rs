//! The installer's pure part: arguments, checks and questions (fact sheet §5.1–5.4).

use proto::{Release, Version};

use crate::facts;
use crate::wire::InstallFacts;

/// What the package was built for.
#[derive(Clone, Debug)]
pub struct PackageInfo {
    /// Its version.
    pub version: Version,
    /// Its operating system token.
    pub os: String,
    /// Its architecture.
    pub arch: String,
}

/// How questions are answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// `-y`: yes to everything.
    pub yes: bool,
    /// `-c`: the answer file.
    pub answers: Option<String>,
    /// `--help`.
    pub help: bool,
}

/// Flags for new installations only.
const LOCATIONS: &[&str] = &["--install-dir", "--config-dir", "--var-dir", "--os-user", "--os-group", "-s"];

/// Reads the arguments; the error is the text after `Error: `. A node is always an upgrade here.
pub fn parse_arguments(args: &[String], target: Version) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let name = word.split('=').next().unwrap_or(word);
        match name {
            "-y" => arguments.yes = true,
            "-c" => arguments.answers = Some(words.next().cloned().ok_or("-c requires a file name.")?),
            "--help" => arguments.help = true,
            "--skip-dns-port-verification" if target.release >= Release::new(7, 22, 0) => {}
            "--update-env-path" if target.release.major >= 8 => {}
            "--skip-updating-env-path" if target.line() == Version::new(7, 22, 0, 0).line() => {}
            _ if LOCATIONS.contains(&name) => return Err(format!("{name} cannot be set during upgrade.")),
            other => return Err(format!("unknown option {other}")),
        }
    }
    Ok(arguments)
}

/// Everything the installer refuses without asking; the first reason counts for it, as for the real one.
pub fn refusal(
    package: &PackageInfo,
    installed: Version,
    umask: u32,
    facts: &InstallFacts,
) -> Option<String> {
    let target = package.version;
    if umask != 0o022 {
        return Some(format!("Error: umask is {umask:04o}, it must be 0022."));
    }
    if (package.os.as_str(), package.arch.as_str()) != (facts.os.as_str(), facts.arch.as_str()) {
        let (os, arch) = (&facts.os, &facts.arch);
        return Some(format!(
            "Error: this package is for {} {}, this host is {os} {arch}.",
            package.os, package.arch
        ));
    }
    if let Some(pid) = facts.locked_by {
        return Some(format!("Error: the package manager is locked by process {pid}."));
    }
    if !facts::installer_accepts(installed, target) {
        let sources = facts::accepted_sources(target).join(" or ");
        return Some(format!(
            "Upgrade aborted. Upgrading to version {target} is only allowed from versions {sources}. Installed: {installed}."
        ));
    }
    // After a run that did not end well upgrade mode is still on, and from 6.4.2-30 on it may be run again (RS77319).
    let may_rerun = facts.is_rerun && target >= Version::new(6, 4, 2, 30);
    if !facts.node_active && !may_rerun {
        return Some("Error: the node is not active. Upgrade aborted.".to_owned());
    }
    if !facts.ccs_link_up {
        return Some("Error: CCS replication link is down. Upgrade aborted.".to_owned());
    }
    if !facts.tasks.is_empty() {
        return Some(format!(
            "Error: active tasks are running ({}). Upgrade aborted.",
            facts.tasks.join(", ")
        ));
    }
    None
}

/// A question: its key in an answer file, if it has one, its text, and whether a no ends the upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Key in an answer file.
    pub key: Option<&'static str>,
    /// What is asked.
    pub text: String,
    /// Whether a no ends the upgrade.
    pub needs_yes: bool,
}

/// The questions this upgrade asks, in order.
pub fn questions(target: Version, facts: &InstallFacts) -> Vec<Question> {
    let ask = |key, text: &str, needs_yes| Question { key, text: text.to_owned(), needs_yes };
    let mut questions = Vec::new();
    if !facts.syncing.is_empty() {
        let text = format!("Shards {:?} are still syncing. Would you like to continue", facts.syncing);
        questions.push(Question { key: None, text, needs_yes: true });
    }
    if !facts.is_master && facts.master_version.is_none_or(|version| version < target) {
        questions.push(ask(
            Some("ignore_master_version"),
            "The master node is not upgraded yet. Continue",
            true,
        ));
    }
    if target < Version::new(7, 2, 4, 92) {
        questions.push(ask(
            Some("ignore_existing_osuser_osgroup"),
            "The user redislabs exists. Continue",
            true,
        ));
    }
    questions.push(ask(Some("systune"), "Would you like to tune the system", false));
    questions.push(ask(Some("ntp"), "Would you like to set up NTP", false));
    questions.push(ask(Some("firewall"), "Would you like to open the firewall ports", false));
    if target.release.major >= 8 {
        questions.push(ask(Some("update_env_path"), "Would you like to update the path", false));
    }
    questions.push(ask(
        Some("rlcheck"),
        "Would you like to run rlcheck to verify proper configuration",
        false,
    ));
    questions
}

/// The answer of a file to a key; none if the key is not there or says neither yes nor no.
pub fn answer_in(file: &str, key: &str) -> Option<bool> {
    let mut lines = file.lines().filter_map(|line| line.split_once('='));
    match lines.find(|(name, _)| name.trim() == key)?.1.trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    const V7: Version = Version::new(7, 4, 6, 22);
    const V8: Version = Version::new(8, 0, 2, 17);

    #[test]
    fn location_flags_are_refused_with_the_vendors_words() {
        for flag in LOCATIONS {
            let error = parse_arguments(&args(&format!("-y {flag} /x")), V7).unwrap_err();
            assert_eq!(error, format!("{flag} cannot be set during upgrade."));
        }
        assert!(parse_arguments(&args("--install-dir=/x"), V7).is_err());
        assert!(parse_arguments(&args("-q"), V7).is_err());
        assert!(parse_arguments(&args("--update-env-path"), V7).is_err());
        assert!(parse_arguments(&args("-y --update-env-path"), V8).unwrap().yes);
    }

    #[test]
    fn answers_are_yes_no_or_missing() {
        let file = "systune=yes\nntp = no\nfirewall=maybe\n";
        assert_eq!(answer_in(file, "systune"), Some(true));
        assert_eq!(answer_in(file, "ntp"), Some(false));
        assert_eq!(answer_in(file, "firewall"), None);
        assert_eq!(answer_in(file, "rlcheck"), None);
    }
}
