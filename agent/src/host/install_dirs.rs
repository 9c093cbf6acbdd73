//! Where and as whom the product is installed (promise P11; fact sheet §5.5).

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use proto::Installation;

use super::HostError;
use crate::parse::env_config::{self, EnvConfig};

/// Always here, also with custom directories (fact sheet §5.5).
const ENV_CONFIG: &str = "/etc/opt/redislabs/redislabs_env_config.sh";

/// A path of the product's on this machine; with a root other than `/`, under it.
pub(super) fn rooted(root: &Path, path: &str) -> PathBuf {
    let path = Path::new(path);
    if path.starts_with(root) { path.to_owned() } else { root.join(path.strip_prefix("/").unwrap_or(path)) }
}

/// Finds the installation: its environment file, else the vendor's defaults; the user from the file, else whoever owns `rladmin`.
pub(super) fn detect(root: &Path) -> Result<Installation, HostError> {
    let file = rooted(root, ENV_CONFIG);
    let text = read_optional(&file)?;
    let config = env_config::parse(text.as_deref().unwrap_or_default());
    let directory =
        |name, default: &str| Ok::<_, HostError>(within(root, config.path(name)?.unwrap_or(default)));
    let install_dir = directory("installdir", "/opt/redislabs")?;
    let rladmin = rooted(root, &format!("{install_dir}/bin/rladmin"));
    let owner = match fs::metadata(&rladmin) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(HostError::NotInstalled(rladmin));
        }
        Err(source) => return Err(HostError::File { path: rladmin, source }),
    };
    let name = |key, database, id| match config.get(key)? {
        Some(name) => Ok(name.to_owned()),
        None => Ok::<_, HostError>(name_of(root, database, id)),
    };
    Ok(Installation {
        config_dir: directory("confdir", "/etc/opt/redislabs")?,
        var_dir: within(root, &var_dir(&config)?),
        user: name("osuser", "/etc/passwd", owner.uid())?,
        group: name("osgroup", "/etc/group", owner.gid())?,
        install_dir,
        read_from: match text {
            Some(_) => file.display().to_string(),
            None => format!("the defaults, as there is no {}", file.display()),
        },
    })
}

/// No name for it is known for certain; the log directory lies in it.
fn var_dir(config: &EnvConfig) -> Result<String, HostError> {
    if let Some(path) = config.path("vardir")? {
        return Ok(path.to_owned());
    }
    let logs = config.path("logdir")?.and_then(|path| path.trim_end_matches('/').strip_suffix("/log"));
    Ok(logs.unwrap_or("/var/opt/redislabs").to_owned())
}

/// A path as the product sees it, also if the file was written with the root in it.
fn within(root: &Path, path: &str) -> String {
    match Path::new(path).strip_prefix(root) {
        Ok(rest) if root != Path::new("/") => Path::new("/").join(rest).display().to_string(),
        _ => path.trim_end_matches('/').to_owned(),
    }
}

/// The name behind an id, out of the machine's own files; the number itself if it has none.
fn name_of(root: &Path, database: &str, id: u32) -> String {
    let own = rooted(root, database);
    let file = if own.exists() { own } else { PathBuf::from(database) };
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut entries = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let id = id.to_string();
    let found = entries.find(|fields| fields.get(2) == Some(&id.as_str()));
    found.and_then(|fields| fields.first().map(|name| (*name).to_owned())).unwrap_or(id)
}

/// A file's text; `None` if there is no such file.
pub(super) fn read_optional(path: &Path) -> Result<Option<String>, HostError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(source) => Err(HostError::File { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let file = rooted(root.path(), path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        root
    }

    #[test]
    fn defaults_without_a_file() {
        let root = installed(&[("/opt/redislabs/bin/rladmin", "")]);
        let found = detect(root.path()).unwrap();
        assert_eq!(found.install_dir, "/opt/redislabs");
        assert_eq!(found.var_dir, "/var/opt/redislabs");
        assert!(!found.user.is_empty() && found.read_from.contains("defaults"));
    }

    #[test]
    fn custom_directories_user_and_group() {
        let config = "export installdir=/redis/redislabs\nconfdir='/redis/config/redislabs'\nlogdir=/data/redislabs/log\nosuser=rl\nosgroup=rlg\n";
        let root = installed(&[(ENV_CONFIG, config), ("/redis/redislabs/bin/rladmin", "")]);
        let found = detect(root.path()).unwrap();
        assert_eq!(found.install_dir, "/redis/redislabs");
        assert_eq!(found.config_dir, "/redis/config/redislabs");
        assert_eq!(found.var_dir, "/data/redislabs");
        assert_eq!((found.user.as_str(), found.group.as_str()), ("rl", "rlg"));
        assert!(found.read_from.ends_with("redislabs_env_config.sh"));
    }

    #[test]
    fn a_root_written_into_the_file_is_taken_off() {
        let root = installed(&[("/opt/redislabs/bin/rladmin", "")]);
        let config = format!("installdir={}/opt/redislabs\n", root.path().display());
        let file = rooted(root.path(), ENV_CONFIG);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, config).unwrap();
        assert_eq!(detect(root.path()).unwrap().install_dir, "/opt/redislabs");
    }

    #[test]
    fn what_only_a_shell_could_tell_and_what_is_not_there_are_errors() {
        let root = installed(&[(ENV_CONFIG, "installdir=$HOME/x\n"), ("/opt/redislabs/bin/rladmin", "")]);
        assert!(matches!(detect(root.path()), Err(HostError::Unreadable(_))));
        assert!(matches!(detect(installed(&[]).path()), Err(HostError::NotInstalled(_))));
    }

    #[test]
    fn owners_have_names_or_numbers() {
        let root = installed(&[("/etc/passwd", "root:x:0:0::/:/bin/sh\nrl:x:77:88::/:/bin/sh\n")]);
        assert_eq!(name_of(root.path(), "/etc/passwd", 77), "rl");
        assert_eq!(name_of(root.path(), "/etc/passwd", 7), "7");
    }
}
