//! `rladmin info cluster`: `key: value` lines (fact sheet §3.8).

use std::collections::BTreeMap;

use proto::{Row, Setting};

use super::Unreadable;
use super::text::{excerpt, whole_lines};

const WHAT: &str = "`rladmin info cluster`";
const HEADING: &str = "Cluster configuration:";

/// The lines of the answer by key; lines without a value are headings and left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info(Row);

/// Reads the answer: all lines below its heading, or all lines if it has none. A key with two values has none.
///
/// # Errors
/// When it is an error message, was cut off, or holds no `key: value` line at all.
pub fn parse(text: &str) -> Result<Info, Unreadable> {
    let clean = whole_lines(WHAT, text)?;
    let lines: Vec<&str> = clean.lines().map(str::trim).collect();
    let start = lines.iter().position(|line| *line == HEADING).map_or(0, |heading| heading + 1);
    let mut values: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for (key, value) in lines[start..].iter().filter_map(|line| line.split_once(':')) {
        let (key, value) = (key.trim(), value.trim());
        if !key.is_empty() && !value.is_empty() {
            let kept = values.entry(key).or_insert(Some(value));
            *kept = kept.filter(|first| *first == value);
        }
    }
    let pairs: Row =
        values.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect();
    if pairs.is_empty() { Err(Unreadable::new(WHAT, "it has no `key: value` line")) } else { Ok(Info(pairs)) }
}

impl Info {
    /// All of them, by the tool's own keys.
    pub fn row(&self) -> &Row {
        &self.0
    }

    /// The value of a key, word for word.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Upgrade mode, which the installer turns on and off (fact sheet §5.3).
    ///
    /// # Errors
    /// When it is not shown, or neither enabled nor disabled.
    pub fn upgrade_mode(&self) -> Result<bool, Unreadable> {
        match self.get("upgrade mode").or_else(|| self.get("upgrade_mode")) {
            Some("enabled" | "true" | "True") => Ok(true),
            Some("disabled" | "false" | "False") => Ok(false),
            Some(other) => Err(Unreadable::new(WHAT, format!("upgrade mode is `{}`", excerpt(other)))),
            None => Err(Unreadable::new(WHAT, "it shows no `upgrade mode`")),
        }
    }

    /// The value of a setting, which is a plain number.
    ///
    /// # Errors
    /// When it is not shown, or is anything but a number.
    pub fn setting(&self, setting: Setting) -> Result<u64, Unreadable> {
        let shown = self
            .get(&setting.to_string())
            .ok_or_else(|| Unreadable::new(WHAT, format!("it shows no `{setting}`")))?;
        let digits = Some(shown).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|text| text.parse().ok()).ok_or_else(|| {
            Unreadable::new(WHAT, format!("`{setting}` is `{}`, which is no number", excerpt(shown)))
        })
    }

    /// The cluster's name.
    ///
    /// # Errors
    /// When it is not shown.
    pub fn cluster_name(&self) -> Result<&str, Unreadable> {
        let keys = ["cluster name", "cluster_name", "name"];
        keys.iter()
            .find_map(|key| self.get(key))
            .ok_or_else(|| Unreadable::new(WHAT, "it shows no cluster name"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "Cluster configuration:\n   upgrade mode: disabled\n   redis_upgrade_policy: major\n   cnm_https_port: 9443\n";

    #[test]
    fn values_by_key() {
        let info = parse(INFO).unwrap();
        assert_eq!(info.get("cnm_https_port"), Some("9443"));
        assert_eq!(info.upgrade_mode(), Ok(false));
        assert!(info.cluster_name().is_err());
        assert_eq!(parse("upgrade mode: enabled\nname: c1.local\n").unwrap().cluster_name(), Ok("c1.local"));
    }

    #[test]
    fn settings_are_numbers_and_nothing_else() {
        let info = parse("slave_ha_grace_period: 900\nparallel_shards_upgrade: all\n").unwrap();
        assert_eq!(info.setting(Setting::ReplicaHaGracePeriod), Ok(900));
        let error = info.setting(Setting::ParallelShardsUpgrade).unwrap_err().to_string();
        assert!(error.contains("`all`, which is no number"), "{error}");
        for text in ["900s", "-1", "+5", "9 00", "99999999999999999999", "0x10", "1.5"] {
            let info = parse(&format!("slave_ha_grace_period: {text}\n")).unwrap();
            assert!(info.setting(Setting::ReplicaHaGracePeriod).is_err(), "{text}");
        }
        for text in ["slave_ha: enabled\n", "slave_ha_grace_period:\nx: y\n", "slave_ha_grace_periods: 5\n"] {
            assert!(parse(text).unwrap().setting(Setting::ReplicaHaGracePeriod).is_err(), "{text}");
        }
    }

    #[test]
    fn neither_chatter_nor_half_a_line_nor_a_contradiction_is_a_value() {
        let info = parse(&format!("Warning: the license expires\n{INFO}")).unwrap();
        assert_eq!(info.row(), parse(INFO).unwrap().row());
        assert_eq!(info.row().len(), 3);
        for end in 0..INFO.len() {
            let Ok(read) = parse(&INFO[..end]) else { continue };
            assert!(read.row().iter().all(|(key, value)| info.get(key) == Some(value)), "{:?}", &INFO[..end]);
        }
        let twice =
            parse("upgrade mode: enabled\nupgrade mode: disabled\nupgrade mode: enabled\na: b\na: b\n")
                .unwrap();
        assert!(twice.upgrade_mode().is_err());
        assert_eq!(twice.get("a"), Some("b"));
    }

    #[test]
    fn what_is_not_said_is_not_false() {
        assert!(parse("redis_upgrade_policy: major\n").unwrap().upgrade_mode().is_err());
        assert!(parse("upgrade mode: disab\n").unwrap().upgrade_mode().is_err());
        for text in ["", "nothing\n", "ERROR: invalid token 'info'\n"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
