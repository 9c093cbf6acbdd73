use proto::Version;

use super::{Check, Context, Finding, Severity, When};

/// What `install.sh` may be given in an upgrade: nothing that would change path or user (promise P11).
pub(super) const CHECK: Check = Check {
    id: "install-args",
    title: "the arguments for `install.sh` are allowed in an upgrade, and the same on every node",
    source: "installing-upgrading/install/install-script.md (fact sheet §5.1; promise P11)",
    severity: Severity::Block,
    promise: Some("P11"),
    when: When::Before,
    run,
};

const REMEDY: &str =
    "set `install_args` in /etc/ratchet/agent.toml to [\"-y\"] or [\"-c\", \"/etc/ratchet/answers\"]";
/// Options that change where or as whom the product is installed.
const FORBIDDEN: [&str; 6] = ["-s", "--install-dir", "--config-dir", "--var-dir", "--os-user", "--os-group"];

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let witnesses = context.snapshot.witnesses();
    for witness in &witnesses {
        let mistakes = mistakes(&witness.facts.install_args, &context.targets());
        let findings_here = mistakes.into_iter().map(|(saw, why)| CHECK.block(saw, why).fix(REMEDY));
        findings.extend(findings_here.map(|finding| finding.on(witness.uid).by(witness.agent)));
    }
    let mut used: Vec<String> =
        witnesses.iter().map(|witness| witness.facts.install_args.join(" ")).collect();
    used.sort();
    used.dedup();
    if used.len() > 1 {
        let saw = format!("the nodes differ: `{}`", used.join("`, `"));
        findings.push(CHECK.block(saw, "all nodes of a cluster are installed alike").fix(REMEDY));
    }
    CHECK.or_pass(findings, witnesses.len(), format!("every node uses `{}`", used.join("`, `")))
}

/// What is wrong with a list of arguments, and why; `targets` are the versions to be installed.
fn mistakes(args: &[String], targets: &[Version]) -> Vec<(String, &'static str)> {
    let mut mistakes = Vec::new();
    let (mut yes, mut answers) = (false, false);
    let mut rest = args.iter().map(String::as_str);
    while let Some(arg) = rest.next() {
        match arg {
            "-y" => yes = true,
            "-c" => {
                answers = true;
                if !rest.next().is_some_and(|file| file.starts_with('/')) {
                    mistakes.push((
                        "`-c` without the absolute path of a file".to_owned(),
                        "the installer runs elsewhere",
                    ));
                }
            }
            option => {
                mistakes.extend(refused(option, targets).map(|why| (format!("`{option}` is given"), why)))
            }
        }
    }
    match (yes, answers) {
        (true, true) => mistakes
            .push(("`-y` and `-c` are both given".to_owned(), "the vendor does not say which of them wins")),
        (false, false) => mistakes.push((
            "neither `-y` nor `-c` is given".to_owned(),
            "the installer would ask questions that nobody answers",
        )),
        (true, false) | (false, true) => {}
    }
    mistakes
}

/// Why an option may not be used for these targets; `None` if it may.
fn refused(option: &str, targets: &[Version]) -> Option<&'static str> {
    let line = |version: &Version| (version.release.major, version.release.minor);
    let name = option.split('=').next().unwrap_or(option);
    if FORBIDDEN.contains(&name) {
        return Some("the vendor: path and user cannot change in an upgrade");
    }
    let documented = match option {
        "--skip-dns-port-verification" => targets.iter().all(|target| line(target) >= (7, 22)),
        "--skip-updating-env-path" => targets.iter().all(|target| line(target) == (7, 22)),
        "--update-env-path" => targets.iter().all(|target| target.release.major >= 8),
        _ => return Some("the vendor documents no such option"),
    };
    (!documented).then_some("the vendor does not document this option for every version on the way")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(args: &[&str], targets: &[&str]) -> usize {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let targets: Vec<Version> = targets.iter().map(|target| target.parse().unwrap()).collect();
        mistakes(&args, &targets).len()
    }

    #[test]
    fn documented_arguments_are_allowed() {
        assert_eq!(count(&["-y"], &["6.0.8-28"]), 0);
        assert_eq!(count(&["-c", "/etc/ratchet/answers"], &["7.4.6-22"]), 0);
        assert_eq!(count(&["-y", "--skip-dns-port-verification"], &["7.22.0-95", "8.2.0-46"]), 0);
        assert_eq!(count(&["-y", "--skip-updating-env-path"], &["7.22.0-95"]), 0);
        assert_eq!(count(&["-y", "--update-env-path"], &["8.0.2-17"]), 0);
    }

    #[test]
    fn everything_else_is_refused() {
        for forbidden in FORBIDDEN {
            assert_eq!(count(&["-y", &format!("{forbidden}=/srv")], &["7.4.6-22"]), 1, "{forbidden}");
            assert_eq!(count(&["-y", forbidden, "/srv"], &["7.4.6-22"]), 2, "{forbidden}: and a stray word");
        }
        let refused: [(&[&str], &str); 9] = [
            (&[], "7.4.6-22"),
            (&["-y", "-c", "/etc/answers"], "7.4.6-22"),
            (&["-c"], "7.4.6-22"),
            (&["-c", "answers"], "7.4.6-22"),
            (&["-y", "-i"], "7.4.6-22"),
            (&["-y", "--skip-dns-port-verification"], "7.8.2-60"),
            (&["-y", "--skip-updating-env-path"], "8.0.2-17"),
            (&["-y", "--update-env-path"], "7.22.0-95"),
            (&["-y", ""], "7.4.6-22"),
        ];
        for (args, target) in refused {
            assert_eq!(count(args, &[target]), 1, "{args:?}");
        }
    }
}
