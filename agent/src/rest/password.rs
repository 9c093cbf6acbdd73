//! The viewer's password: read when it is needed, kept no longer than a look, and shown to nobody.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::RestError;

/// No password is longer; a file that is was named by mistake.
const LONGEST: u64 = 4096;

/// A password. It does not show itself.
#[derive(Clone)]
pub(super) struct Password(pub(super) String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Reads it; one newline at its end is not part of it. Blocks.
///
/// # Errors
/// When there is none, or when others than the file's owner could have read it.
pub(super) fn read(file: &Path) -> Result<Password, RestError> {
    text(file).map(Password).map_err(|reason| RestError::Password { file: file.to_owned(), reason })
}

fn text(path: &Path) -> Result<String, String> {
    let unreadable = |error| format!("it cannot be read: {error}");
    // A pipe would hold whoever opens it.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("it is no file; name one that holds the password".to_owned());
    }
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = path.display();
        return Err(format!("its mode {mode:04o} lets others than its owner at it; run `chmod 600 {path}`"));
    }
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    whole(bytes)
}

fn whole(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.len() as u64 > LONGEST {
        return Err(format!("it has more than {LONGEST} bytes, which is no password"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    match line {
        "" => Err("it is empty; write the password into it".to_owned()),
        line if line.chars().any(char::is_control) => Err("it has more than one line".to_owned()),
        line => Ok(line.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn of(bytes: &[u8], mode: u32) -> Result<String, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        fs::write(&file, bytes).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        match read(&file) {
            Ok(password) => {
                assert!(!format!("{password:?}").contains(&password.0));
                Ok(password.0)
            }
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn one_newline_is_cut_and_blanks_are_not() {
        for text in ["hunter2", "hunter2\n", "hunter2\r\n"] {
            assert_eq!(of(text.as_bytes(), 0o600), Ok("hunter2".to_owned()));
        }
        assert_eq!(of(" a b \n".as_bytes(), 0o400), Ok(" a b ".to_owned()));
    }

    #[test]
    fn what_others_may_read_or_write_is_refused_without_being_told() {
        for mode in [0o640, 0o604, 0o644, 0o620, 0o602] {
            let reason = of(b"hunter2\n", mode).unwrap_err();
            assert!(reason.contains("chmod 600") && !reason.contains("hunter2"), "{reason}");
        }
    }

    #[test]
    fn what_is_no_password_is_refused() {
        for bytes in [&b""[..], b"\n", b"two\nlines\n", b"\xff\xfe", &[b'x'; 5000]] {
            let reason = of(bytes, 0o600).unwrap_err();
            assert!(!reason.contains("two") && !reason.contains("xxx"), "{reason}");
        }
        let missing = read(Path::new("/nonexistent/password")).unwrap_err();
        assert!(missing.to_string().contains("/nonexistent/password"));
        assert!(read(Path::new("/")).is_err());
    }
}
