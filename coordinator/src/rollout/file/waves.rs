//! `[[wave]]`: which clusters, in which order, how many at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use proto::ClusterName;
use toml::Value;

use super::values::{count, span, texts};
use crate::config::reader::{Mistakes, Reader, kind};
use crate::rollout::{Selector, Wave};

const KEYS: [&str; 7] = ["name", "clusters", "labels", "at_once", "failure_budget", "soak", "approval"];
const CLUSTERS: &str =
    "name clusters, like [\"orders-test\", \"cache-*\"], or labels, like { env = \"test\" }";

/// All waves. What one does not say of `at_once` and `failure_budget` is as at the top.
pub(super) fn waves(top: &mut Reader, defaults: (u32, u32), mistakes: &mut Mistakes) -> Vec<Wave> {
    let missing = "write one `[[wave]]` at least; clusters that no wave names are not touched";
    let readers = top.tables("wave", mistakes);
    if readers.is_empty() {
        mistakes.note("wave", "there is none", missing);
    }
    let mut names = BTreeSet::new();
    readers.into_iter().filter_map(|reader| wave(reader, defaults, &mut names, mistakes)).collect()
}

fn wave(
    mut reader: Reader,
    (at_once, budget): (u32, u32),
    names: &mut BTreeSet<String>,
    mistakes: &mut Mistakes,
) -> Option<Wave> {
    let name = reader.required("name", "give each wave a name of its own, like \"canary\"", mistakes);
    if let Some(name) = &name
        && (name.trim().is_empty() || !names.insert(name.clone()))
    {
        mistakes.note(&reader.key("name"), format!("`{name}` is no name of its own"), "give it another name");
    }
    let mut clusters = clusters(&mut reader, mistakes);
    clusters.extend(labels(&mut reader, mistakes).map(Selector::Labels));
    let at_once = count(&mut reader, "at_once", 1, mistakes).unwrap_or(at_once);
    let failure_budget = count(&mut reader, "failure_budget", 0, mistakes).unwrap_or(budget);
    let soak = span(&mut reader, "soak", mistakes).unwrap_or_default();
    let approval = reader.flag("approval", mistakes);
    reader.finish(&KEYS, mistakes);
    let at_once = usize::try_from(at_once).unwrap_or(usize::MAX);
    Some(Wave { name: name?, clusters, at_once, failure_budget, soak, approval })
}

fn clusters(reader: &mut Reader, mistakes: &mut Mistakes) -> Vec<Selector> {
    let (key, labels) = (reader.key("clusters"), reader.key("labels"));
    let Some(value) = reader.take("clusters") else {
        if !reader.has("labels") {
            mistakes.note(&key, format!("neither it nor `{labels}` is there"), CLUSTERS);
        }
        return Vec::new();
    };
    if matches!(&value, Value::Array(values) if values.is_empty()) {
        mistakes.note(&key, "it is empty", CLUSTERS);
    }
    texts::<Named>(&key, value, CLUSTERS, mistakes).into_iter().map(|named| named.0).collect()
}

fn labels(reader: &mut Reader, mistakes: &mut Mistakes) -> Option<BTreeMap<String, String>> {
    let key = reader.key("labels");
    let table = match reader.take("labels")? {
        Value::Table(table) if !table.is_empty() => table,
        other => {
            let reason = if let Value::Table(_) = other { "it is empty" } else { kind(&other) };
            mistakes.note(&key, format!("{reason}: it would not say which clusters"), CLUSTERS);
            return None;
        }
    };
    let mut labels = BTreeMap::new();
    for (name, value) in table {
        match value {
            Value::String(text) => drop(labels.insert(name, text)),
            other => {
                let reason = format!("it is {}, not a text", kind(&other));
                mistakes.note(&format!("{key}.{name}"), reason, CLUSTERS);
            }
        }
    }
    Some(labels)
}

/// A name, or a pattern of names.
struct Named(Selector);

impl FromStr for Named {
    type Err = NotNamed;

    fn from_str(text: &str) -> Result<Self, NotNamed> {
        if !text.contains(['*', '?', '[', ']', '{', '}']) {
            let name: Result<ClusterName, _> = text.parse();
            return name.map(|name| Self(Selector::Name(name))).map_err(|error| NotNamed(error.to_string()));
        }
        match globset::Glob::new(text) {
            Ok(_) => Ok(Self(Selector::Glob(text.to_owned()))),
            Err(error) => Err(NotNamed(format!("`{text}` is no pattern: {}", error.kind()))),
        }
    }
}

/// Why a text names no clusters.
struct NotNamed(String);

impl fmt::Display for NotNamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
