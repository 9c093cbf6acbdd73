//! The table's file as it is written: `coordinator/data/upgrade-paths.toml`.

use std::collections::{BTreeMap, BTreeSet};

use proto::Version;
use serde::Deserialize;

use super::gate::{Gate, GateRow};
use super::range::{InvalidRange, Range};
use super::table::{Bundled, Effect, Rule, Status};

/// Why a table of upgrade paths cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The text is not TOML of the right form.
    #[error("the table of upgrade paths cannot be read")]
    Form(#[source] toml::de::Error),
    /// It is of another format.
    #[error("the table of upgrade paths has schema {0}; this program reads schema 1")]
    Schema(u32),
    /// It says nothing.
    #[error("the table of upgrade paths has no {0} row")]
    Empty(&'static str),
    /// A row's range is wrong.
    #[error("[[{kind}]] row {row} of the table of upgrade paths is wrong")]
    Range {
        /// The kind of row.
        kind: &'static str,
        /// Counted from 1, per kind of row.
        row: usize,
        /// What is wrong.
        #[source]
        source: InvalidRange,
    },
    /// Two gates have the same id.
    #[error("two gates of the table of upgrade paths have the id `{0}`")]
    SameGate(String),
    /// A day of the end of life is wrong.
    #[error("the end of life of {line} in the table of upgrade paths is not a day")]
    Day {
        /// The support line.
        line: String,
        /// What is wrong.
        #[source]
        source: jiff::Error,
    },
}

/// Every key is known: what this version does not know could be a condition that it would pass over.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableFile {
    schema: u32,
    pub(super) as_of: String,
    /// What `source` means where a row has none; every row has one.
    #[serde(default, rename = "source_default")]
    _source_default: Option<String>,
    #[serde(default)]
    path: Vec<PathRow>,
    #[serde(default)]
    bundled_db: Vec<BundledRow>,
    #[serde(default)]
    eol: BTreeMap<String, String>,
    #[serde(default)]
    gate: Vec<GateRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PathRow {
    from: String,
    from_min_build: Option<Version>,
    #[serde(default)]
    except_from_build: Vec<Version>,
    to: Vec<String>,
    effect: Effect,
    status: Status,
    #[serde(default)]
    inferred: bool,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BundledRow {
    cluster: String,
    bundled: Vec<String>,
    default: String,
}

impl TableFile {
    pub(super) fn parse(text: &str) -> Result<Self, TableError> {
        let file: Self = toml::from_str(text).map_err(TableError::Form)?;
        if file.schema != 1 {
            return Err(TableError::Schema(file.schema));
        }
        Ok(file)
    }

    pub(super) fn rules(&self) -> Result<Vec<Rule>, TableError> {
        if self.path.is_empty() {
            return Err(TableError::Empty("path"));
        }
        self.path.iter().enumerate().map(|(index, row)| row.rule().map_err(in_row("path", index))).collect()
    }

    pub(super) fn bundled(&self) -> Result<Vec<Bundled>, TableError> {
        if self.bundled_db.is_empty() {
            return Err(TableError::Empty("bundled_db"));
        }
        self.bundled_db
            .iter()
            .enumerate()
            .map(|(index, row)| row.bundled().map_err(in_row("bundled_db", index)))
            .collect()
    }

    pub(super) fn gates(&self) -> Result<Vec<Gate>, TableError> {
        let mut ids = BTreeSet::new();
        if let Some(row) = self.gate.iter().find(|row| !ids.insert(row.id())) {
            return Err(TableError::SameGate(row.id().to_owned()));
        }
        self.gate.iter().enumerate().map(|(index, row)| row.gate().map_err(in_row("gate", index))).collect()
    }

    pub(super) fn end_of_life(&self) -> Result<BTreeMap<String, jiff::civil::Date>, TableError> {
        let day = |(line, day): (&String, &String)| match day.parse() {
            Ok(day) => Ok((line.clone(), day)),
            Err(source) => Err(TableError::Day { line: line.clone(), source }),
        };
        self.eol.iter().map(day).collect()
    }
}

fn in_row(kind: &'static str, index: usize) -> impl FnOnce(InvalidRange) -> TableError {
    move |source| TableError::Range { kind, row: index + 1, source }
}

impl PathRow {
    fn rule(&self) -> Result<Rule, InvalidRange> {
        Ok(Rule {
            from: Range::parse(&self.from)?,
            from_min_build: self.from_min_build,
            except_from_build: self.except_from_build.clone(),
            to: self.to.iter().map(|text| Range::parse(text)).collect::<Result<_, _>>()?,
            effect: self.effect,
            status: self.status,
            inferred: self.inferred,
            source: self.source.clone(),
        })
    }
}

impl BundledRow {
    fn bundled(&self) -> Result<Bundled, InvalidRange> {
        Ok(Bundled {
            cluster: Range::parse(&self.cluster)?,
            versions: self.bundled.clone(),
            default: self.default.clone(),
        })
    }
}
