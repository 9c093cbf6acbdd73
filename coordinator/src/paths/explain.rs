//! The answer to `ratchet paths`: the table, or the way between two versions, or why there is none.

use std::collections::BTreeSet;

use proto::{Package, Sha256, Version};
use serde::{Deserialize, Serialize};

use super::origin::Origin;
use super::span::Span;
use super::spec::VersionSpec;
use super::table::{Status, Table};
use super::way::{Stop, find_way, nearest_sources, nearest_targets};

/// What `ratchet paths -o json` prints, schema `ratchet.paths/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathsDocument {
    /// `ratchet.paths/1`.
    pub schema: String,
    /// Where the table that answered came from: `built in`, or the operator's file.
    #[serde(default = "built_in")]
    pub table_origin: String,
    /// The digest of the table that answered.
    pub table_digest: Sha256,
    /// The day of the vendor's newest change in it.
    pub as_of: String,
    /// The version asked from, as it was typed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// The version asked to, as it was typed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<String>,
    /// Whether the vendor's table has a way; absent when no way was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub supported: Option<bool>,
    /// The way, if there is one.
    pub hops: Vec<HopDocument>,
    /// Why there is none, or what must be known to tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Supported versions near an unsupported one.
    pub nearest: Vec<String>,
    /// Stops of the way that no package is at hand for.
    pub missing: Vec<String>,
    /// Rows of the table: those that concern the question, when no way was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rows: Vec<RowDocument>,
}

/// Coordinators that do not say where their table came from have no other.
fn built_in() -> String {
    Origin::BuiltIn.to_string()
}

/// One hop of the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HopDocument {
    /// A version, or a line or range such as `6.0.x` of which any release would do.
    pub from: String,
    /// The same.
    pub to: String,
    /// Where the vendor says that it is supported.
    pub source: String,
    /// Whether today's table still prints it.
    pub status: Status,
}

/// One row of the vendor's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowDocument {
    /// The installed releases it is about.
    pub from: String,
    /// The target releases.
    pub to: Vec<String>,
    /// Whether it says yes or no.
    pub allowed: bool,
    /// Whether today's table still prints it.
    pub status: Status,
    /// Whether it follows from prose and is in no table.
    pub inferred: bool,
    /// Where the vendor says so.
    pub source: String,
}

/// Answers what the vendor supports. `supported` is about the table alone: packages that are not at hand are named in
/// `missing`. A question without build or patch is answered where every version it could mean has the same answer.
pub fn explain(
    table: &Table,
    from: Option<VersionSpec>,
    to: Option<VersionSpec>,
    packages: &[Package],
) -> PathsDocument {
    let text = |spec: Option<VersionSpec>| spec.map(|spec| spec.to_string());
    let document = PathsDocument {
        schema: "ratchet.paths/1".to_owned(),
        table_origin: table.origin().to_string(),
        table_digest: table.digest(),
        as_of: table.as_of().to_owned(),
        from: text(from),
        to: text(to),
        supported: None,
        hops: Vec::new(),
        reason: None,
        nearest: Vec::new(),
        missing: Vec::new(),
        rows: Vec::new(),
    };
    let at_hand: Vec<Version> = packages.iter().map(|package| package.version).collect();
    match (from, to) {
        (Some(from), Some(to)) => Question { table, from, to, at_hand: &at_hand }.answer(document),
        (from, to) => PathsDocument { rows: rows(table, from, to), ..document },
    }
}

fn rows(table: &Table, from: Option<VersionSpec>, to: Option<VersionSpec>) -> Vec<RowDocument> {
    let concerns = |spec: Option<VersionSpec>, matches: &dyn Fn(Version) -> bool| {
        spec.is_none_or(|spec| meanings(table, spec).iter().any(|span| matches(span.lo)))
    };
    let rules = table.rules().iter().filter(|rule| {
        concerns(from, &|version| rule.is_from(version))
            && concerns(to, &|version| rule.is_to(version.release))
    });
    rules.map(super::table::Rule::document).collect()
}

/// The stretches of the table that a question's version can lie in.
fn meanings(table: &Table, spec: VersionSpec) -> Vec<Span> {
    table.spans().iter().filter_map(|span| span.meet(&spec.span())).collect()
}

struct Question<'a> {
    table: &'a Table,
    from: VersionSpec,
    to: VersionSpec,
    at_hand: &'a [Version],
}

/// The answer for one pair of meanings.
enum Answer {
    Way(Vec<Stop>),
    No { reason: String, nearest: Vec<String> },
}

impl Question<'_> {
    fn answer(&self, document: PathsDocument) -> PathsDocument {
        let from = self.named(self.from, Table::names_source);
        let to = self.named(self.to, Table::names_target);
        let answers: Vec<(Span, Span, Answer)> =
            from.iter().flat_map(|from| to.iter().map(|to| (*from, *to, self.between(from, to)))).collect();
        let kinds: BTreeSet<Option<usize>> = answers.iter().map(|(_, _, answer)| answer.hops()).collect();
        if kinds.len() > 1 {
            return PathsDocument { supported: Some(false), reason: Some(it_depends(&answers)), ..document };
        }
        match answers.into_iter().next() {
            Some((_, to, Answer::Way(stops))) => self.supported(document, &to, &stops),
            Some((_, _, Answer::No { reason, nearest })) => {
                PathsDocument { supported: Some(false), reason: Some(reason), nearest, ..document }
            }
            None => PathsDocument { supported: Some(false), ..document },
        }
    }

    /// What a version can mean. A whole line means the releases of it that the table names, if it names any.
    fn named(&self, spec: VersionSpec, names: fn(&Table, Version) -> bool) -> Vec<Span> {
        let all = meanings(self.table, spec);
        let named: Vec<Span> = all.iter().copied().filter(|span| names(self.table, span.lo)).collect();
        if matches!(spec, VersionSpec::Line(_)) && !named.is_empty() { named } else { all }
    }

    fn between(&self, from: &Span, to: &Span) -> Answer {
        let no = |reason: String| Answer::No { reason, nearest: Vec::new() };
        if from == to && matches!(self.from, VersionSpec::Exact(_)) {
            return no(format!("{} is installed already; there is nothing to do", self.from));
        }
        if to.is_below(from) {
            return no(format!(
                "{} is below {}, and the vendor's software has no downgrade",
                self.to, self.from
            ));
        }
        if !from.is_below(to) {
            return no(format!("whether {} is above {} is not clear: name the builds", self.to, self.from));
        }
        let installed = BTreeSet::from([from.lo]);
        match find_way(self.table, &installed, to.lo, self.at_hand) {
            Some(stops) => Answer::Way(stops),
            None => self.no_way(&installed, from.lo, to.lo),
        }
    }

    fn no_way(&self, installed: &BTreeSet<Version>, from: Version, to: Version) -> Answer {
        if !self.table.names_source(from) {
            let reason = format!("no row of the vendor's table starts from {}", self.from);
            return Answer::No { reason, nearest: nearest_sources(self.table, from) };
        }
        let nearest = nearest_targets(self.table, installed, to);
        let reason = if self.table.names_target(to) {
            format!("the vendor supports no way from {} to {}", self.from, self.to)
        } else {
            format!("no row of the vendor's table ends at {}", self.to)
        };
        Answer::No { reason, nearest }
    }

    fn supported(&self, document: PathsDocument, to: &Span, stops: &[Stop]) -> PathsDocument {
        let wanted = self.to.span();
        let target_at_hand =
            self.at_hand.iter().any(|version| wanted.contains(*version) && *version >= to.lo);
        let mut hops = Vec::new();
        let mut missing = Vec::new();
        let mut from = self.from.to_string();
        for (index, stop) in stops.iter().enumerate() {
            let last = index + 1 == stops.len();
            let label = if last { self.to.to_string() } else { stop.label.clone() };
            if !(if last { target_at_hand } else { stop.at_hand }) {
                missing.push(label.clone());
            }
            hops.push(HopDocument {
                from,
                to: label.clone(),
                source: stop.source.clone(),
                status: stop.status,
            });
            from = label;
        }
        PathsDocument { supported: Some(true), hops, missing, ..document }
    }
}

impl Answer {
    fn hops(&self) -> Option<usize> {
        match self {
            Self::Way(stops) => Some(stops.len()),
            Self::No { .. } => None,
        }
    }
}

fn it_depends(answers: &[(Span, Span, Answer)]) -> String {
    let each = answers.iter().map(|(from, to, answer)| match answer {
        Answer::Way(stops) if stops.len() == 1 => format!("{from} → {to} is supported directly"),
        Answer::Way(stops) => format!("{from} → {to} takes {} hops", stops.len()),
        Answer::No { .. } => format!("{from} → {to} is not supported"),
    });
    format!("the answer depends on the exact version: {}", each.collect::<Vec<_>>().join("; "))
}
