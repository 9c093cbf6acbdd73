//! Which arguments of `install.sh` an upgrade may use.

use std::path::Path;

/// The arguments that an upgrade must not be given, in order; empty when all are allowed.
///
/// "The installation path and the user cannot be changed in an upgrade": the location and user options are for new
/// installations only. Anything that is not known to be harmless is refused as well (fact sheet §5.1, promise P11).
pub fn refused_install_args(args: &[String]) -> Vec<String> {
    let mut refused = Vec::new();
    let (mut rest, mut answered) = (args.iter(), false);
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-y" | "--skip-dns-port-verification" | "--update-env-path" | "--skip-updating-env-path" => {}
            "-c" => match rest.next() {
                // One is looked at, so one is all there may be.
                Some(file) if file.starts_with('/') && !answered => answered = true,
                Some(file) => refused.push(format!("-c {file}")),
                None => refused.push("-c".to_owned()),
            },
            _ => refused.push(arg.clone()),
        }
    }
    refused
}

/// The answer file among the arguments.
pub fn answer_file(args: &[String]) -> Option<&Path> {
    let named = args.iter().zip(args.iter().skip(1)).find(|(option, _)| *option == "-c");
    named.map(|(_, file)| Path::new(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(args: &[&str]) -> Vec<String> {
        refused_install_args(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_an_upgrade_may_use_is_allowed() {
        for args in
            [&["-y"][..], &["-c", "/etc/ratchet/answers"], &["-y", "--skip-dns-port-verification"], &[]]
        {
            assert_eq!(refused(args), Vec::<String>::new(), "{args:?}");
        }
    }

    #[test]
    fn the_answer_file_is_found_wherever_it_stands() {
        let found = |args: &[&str]| {
            answer_file(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>()).map(Path::to_owned)
        };
        assert_eq!(found(&["-y", "-c", "/a"]), Some("/a".into()));
        assert_eq!(found(&["-c", "/a", "--update-env-path"]), Some("/a".into()));
        assert_eq!(found(&["-c"]), None);
        assert_eq!(found(&["-y"]), None);
    }

    #[test]
    fn more_than_one_answer_file_is_refused() {
        assert_eq!(refused(&["-c", "/a", "-c", "/b"]), ["-c /b"]);
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        for arg in [
            "-s",
            "--install-dir",
            "--var-dir",
            "--config-dir",
            "--os-user",
            "--os-group",
            "--install-dir=/x",
            "-i",
            "-n",
            "",
            "-Y",
            "-yc",
            "--help",
            "/bin/sh",
        ] {
            assert_eq!(refused(&["-y", arg]), [arg], "{arg}");
        }
        assert_eq!(refused(&["-c"]), ["-c"]);
        assert_eq!(refused(&["-c", "-s"]), ["-c -s"]);
        assert_eq!(refused(&["-s", "/x", "-y"]), ["-s", "/x"]);
    }
}
