//! Which arguments of `install.sh` an upgrade may use, and the umask it is run with.

/// "Root's umask must be 0022" (fact sheet §5.3), whatever the agent's own is: the op runner sets it just before.
pub const INSTALL_UMASK: u32 = 0o022;

/// The arguments that an upgrade must not be given, in order; empty when all are allowed.
///
/// "The installation path and the user cannot be changed in an upgrade": the location and user options are for new
/// installations only. Anything that is not known to be harmless is refused as well (fact sheet §5.1, promise P11).
pub fn refused_install_args(args: &[String]) -> Vec<String> {
    let mut refused = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-y" | "--skip-dns-port-verification" | "--update-env-path" | "--skip-updating-env-path" => {}
            "-c" => match rest.next() {
                Some(file) if file.starts_with('/') => {}
                Some(file) => refused.push(format!("-c {file}")),
                None => refused.push("-c".to_owned()),
            },
            _ => refused.push(arg.clone()),
        }
    }
    refused
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
