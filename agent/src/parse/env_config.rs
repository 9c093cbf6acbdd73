//! `redislabs_env_config.sh`: read as data, never sourced (fact sheet §5.5).

use super::Unreadable;
use super::text::excerpt;

const WHAT: &str = "redislabs_env_config.sh";

/// The names the file gives, word for word. Only plain assignments are understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvConfig {
    assignments: Vec<(String, Option<String>)>,
}

/// Reads the assignments of the file; lines that are none are left alone.
pub fn parse(text: &str) -> EnvConfig {
    EnvConfig { assignments: text.lines().filter_map(assignment).collect() }
}

impl EnvConfig {
    /// The value of a name; `None` if the file does not give it.
    ///
    /// # Errors
    /// When the value would need a shell to work out, or the name has two values.
    pub fn get(&self, name: &str) -> Result<Option<&str>, Unreadable> {
        let mut values = self.assignments.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        let Some(first) = values.next() else { return Ok(None) };
        if values.any(|value| value != first) {
            return Err(Unreadable::new(WHAT, format!("`{name}` has two different values")));
        }
        let no_value = || Unreadable::new(WHAT, format!("only a shell could tell the value of `{name}`"));
        first.as_deref().map(Some).ok_or_else(no_value)
    }

    /// The value of a name that must be an absolute path without `..`.
    ///
    /// # Errors
    /// As [`EnvConfig::get`], and when it is no such path.
    pub fn path(&self, name: &str) -> Result<Option<&str>, Unreadable> {
        let value = self.get(name)?;
        match value.filter(|path| !path.starts_with('/') || path.split('/').any(|part| part == "..")) {
            Some(path) => {
                Err(Unreadable::new(WHAT, format!("`{name}` is `{}`, not an absolute path", excerpt(path))))
            }
            None => Ok(value),
        }
    }
}

/// `[export] name=value`; the value is `None` where a shell would be needed.
fn assignment(line: &str) -> Option<(String, Option<String>)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let (name, value) = line.split_once('=')?;
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    is_name.then(|| (name.to_owned(), plain_value(value)))
}

/// The value of one shell word: quotes taken off, comments dropped, nothing expanded.
fn plain_value(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''));
    let (value, rest) = match quote {
        Some(quote) => text[1..].split_once(quote)?,
        None => text.split_at(text.find([' ', '\t', ';', '#']).unwrap_or(text.len())),
    };
    let rest = rest.trim_start_matches([' ', '\t', ';']);
    let expands = value.contains(['$', '`', '\\', '"', '\'', '~', '*']);
    (!expands && (rest.is_empty() || rest.starts_with('#'))).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "#!/bin/bash\n# installdir=/wrong\nexport installdir=/opt/redislabs\nconfdir=\"/etc/opt/redislabs\"  # here\n\
        export osuser='redis labs';\nlogdir=$vardir/log\nlibdir=`pwd`\nif [ -z \"$x\" ]; then\n  twice=1\nfi\ntwice=2\nopen=\"/a\nrel=opt\n\
        up=/opt/../etc\ntwo=a b\n";

    #[test]
    fn plain_values_are_read() {
        let config = parse(FILE);
        assert_eq!(config.path("installdir"), Ok(Some("/opt/redislabs")));
        assert_eq!(config.path("confdir"), Ok(Some("/etc/opt/redislabs")));
        assert_eq!(config.get("osuser"), Ok(Some("redis labs")));
        assert_eq!(config.get("osgroup"), Ok(None));
    }

    #[test]
    fn what_needs_a_shell_is_an_error() {
        let config = parse(FILE);
        for name in ["logdir", "libdir", "twice", "open", "two"] {
            assert!(config.get(name).is_err(), "{name}");
        }
        for name in ["rel", "up"] {
            assert!(config.path(name).is_err(), "{name}");
        }
    }
}
