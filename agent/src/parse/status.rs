//! `rladmin status`: sections, and the entry points for its forms (fact sheet §3).

use proto::{ClusterView, DatabaseRow, EndpointRow, Health, NodeRow, NodeUid, ShardRow};

use super::rows::{self, Database};
use super::table::{Line, Table, all_digits};
use super::text::{excerpt, strip_ansi};
use super::whole;

/// Why an output of `rladmin status` says nothing that can be relied on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum StatusError {
    #[error("nothing was printed")]
    Empty,
    #[error("the output ends in the middle of a line: it was cut off")]
    CutOff,
    #[error("rladmin answered `{answer}`")]
    Refused { answer: String },
    #[error("there is no section `{section}`")]
    MissingSection { section: &'static str },
    #[error("the section `{section}` is there twice")]
    DuplicateSection { section: &'static str },
    #[error("line {line} belongs to no table: `{text}`")]
    Unexpected { line: usize, text: String },
    #[error("the section `{section}` has no header line")]
    NoHeader { section: &'static str },
    #[error("the section `{section}` has no column `{column}`")]
    MissingColumn { section: &'static str, column: &'static str },
    #[error("the section `{section}` has two columns `{column}`")]
    DuplicateColumn { section: &'static str, column: &'static str },
    #[error("line {line}: `{column}` holds `{text}` where it should hold {expected}")]
    Cell { line: usize, column: &'static str, text: String, expected: &'static str },
    #[error("{what} is listed twice")]
    Duplicate { what: String },
    #[error("{count} nodes are marked with `*` as the one that was asked; it must be one")]
    Local { count: usize },
    #[error("{subject} refers to {missing}, which is not listed")]
    Dangling { subject: String, missing: String },
}

/// What a form of `rladmin status` shows; sections it lacks are `None`.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The cluster's health and the master it names.
    pub cluster: Option<(Health, Option<NodeUid>)>,
    /// The node that was asked, if one row has the `*`.
    pub local: Option<NodeUid>,
    /// Nodes.
    pub nodes: Option<Vec<NodeRow>>,
    pub(super) counted: Option<Vec<Database>>,
    /// Endpoints.
    pub endpoints: Option<Vec<EndpointRow>>,
    /// Shards.
    pub shards: Option<Vec<ShardRow>>,
    /// Text that was tolerated: before the first section, and sections nobody asked for.
    pub remarks: Vec<String>,
}

impl Report {
    /// Databases.
    pub fn databases(&self) -> Option<Vec<DatabaseRow>> {
        self.counted.as_ref().map(|databases| databases.iter().map(|database| database.row.clone()).collect())
    }
}

const CLUSTER: &str = "CLUSTER:";
const NODES: &str = "CLUSTER NODES:";
const DATABASES: &str = "DATABASES:";
const ENDPOINTS: &str = "ENDPOINTS:";
const SHARDS: &str = "SHARDS:";
const KNOWN: [&str; 5] = [CLUSTER, NODES, DATABASES, ENDPOINTS, SHARDS];

/// Reads `rladmin status extra all`, the only form that shows everything "all OK" depends on (fact sheet §3.5).
///
/// # Errors
/// When a section is missing, or rows contradict each other or their header.
pub fn parse(text: &str) -> Result<ClusterView, StatusError> {
    let report = parse_report(text)?;
    let missing = |section| StatusError::MissingSection { section };
    let (health, master) = report.cluster.ok_or(missing(CLUSTER))?;
    let nodes = report.nodes.ok_or(missing(NODES))?;
    let databases = report.counted.ok_or(missing(DATABASES))?;
    let endpoints = report.endpoints.ok_or(missing(ENDPOINTS))?;
    let shards = report.shards.ok_or(missing(SHARDS))?;
    let local = report.local.ok_or(StatusError::Local { count: 0 })?;
    whole::check_references(&nodes, &databases, &endpoints, &shards)?;
    let databases = whole::count_shards(databases, &shards);
    Ok(ClusterView { health, master, local, nodes, databases, endpoints, shards, remarks: report.remarks })
}

/// Reads any form: `status`, `status nodes`, `status shards`, a table after the progress of another command.
///
/// # Errors
/// When no known section is there, or one cannot be read.
pub fn parse_report(text: &str) -> Result<Report, StatusError> {
    let clean = strip_ansi(text);
    if clean.trim().is_empty() {
        return Err(StatusError::Empty);
    }
    if !clean.ends_with('\n') {
        return Err(StatusError::CutOff);
    }
    let lines: Vec<Line<'_>> =
        (1..).zip(clean.lines()).map(|(number, text)| Line { number, text: text.trim_end() }).collect();
    let mut report = Report::default();
    let mut rest: &[Line<'_>] = &lines;
    let mut seen = Vec::new();
    while let Some((first, tail)) = rest.split_first() {
        rest = if first.text.is_empty() {
            tail
        } else if let Some((title, body)) = section(first, tail, rest) {
            let length = body.iter().take_while(|line| !line.text.is_empty() && !is_title(line.text)).count();
            let (body, after) = body.split_at(length);
            read_section(&mut report, &mut seen, title, body)?;
            after
        } else {
            tolerate(&mut report, &seen, first)?;
            tail
        };
    }
    if seen.is_empty() { Err(StatusError::MissingSection { section: NODES }) } else { Ok(report) }
}

/// The section that starts at a line: by its title, or, where the title was not printed, by its header.
fn section<'a>(
    first: &Line<'a>,
    tail: &'a [Line<'a>],
    all: &'a [Line<'a>],
) -> Option<(&'a str, &'a [Line<'a>])> {
    if is_title(first.text) {
        return Some((first.text, tail));
    }
    let has = |name: &str| first.text.split_whitespace().any(|word| word == name);
    match first.text.split_whitespace().next() {
        Some("NODE:ID") if has("STATUS") || has("ROLE") => Some((NODES, all)),
        Some("DB:ID") if has("ENDPOINT") => Some((DATABASES, all)),
        Some("DB:ID") if has("SSL") => Some((ENDPOINTS, all)),
        Some("DB:ID") if has("SLOTS") => Some((SHARDS, all)),
        _ => None,
    }
}

/// A line such as `CLUSTER NODES:`; an error message is none.
pub(super) fn is_title(line: &str) -> bool {
    let name = line.strip_suffix(':').unwrap_or_default();
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|char| char.is_ascii_uppercase() || char == ' ')
        && !name.starts_with("ERROR")
}

/// Text before the first section is tolerated, unless it is an error; a stray line later may be a lost row.
fn tolerate(report: &mut Report, seen: &[&str], line: &Line<'_>) -> Result<(), StatusError> {
    if line.text.trim_start().starts_with("ERROR") {
        return Err(StatusError::Refused { answer: excerpt(line.text) });
    }
    if !seen.is_empty() {
        return Err(StatusError::Unexpected { line: line.number, text: excerpt(line.text) });
    }
    report.remarks.push(excerpt(line.text));
    Ok(())
}

fn read_section(
    report: &mut Report,
    seen: &mut Vec<&'static str>,
    title: &str,
    body: &[Line<'_>],
) -> Result<(), StatusError> {
    let Some(section) = KNOWN.into_iter().find(|known| *known == title) else {
        report.remarks.push(format!("the section `{title}` was not read"));
        return Ok(());
    };
    if seen.contains(&section) {
        return Err(StatusError::DuplicateSection { section });
    }
    seen.push(section);
    if section == CLUSTER {
        report.cluster = Some(cluster(body));
        return Ok(());
    }
    let table = Table::read(section, body)?;
    match section {
        NODES => read_nodes(report, &table)?,
        DATABASES => report.counted = Some(whole::unique_databases(rows::databases(&table)?)?),
        ENDPOINTS => report.endpoints = Some(rows::endpoints(&table)?),
        _ => report.shards = Some(whole::unique_shards(rows::shards(&table)?)?),
    }
    Ok(())
}

fn read_nodes(report: &mut Report, table: &Table<'_>) -> Result<(), StatusError> {
    let rows = rows::nodes(table)?;
    let mut local = rows.iter().filter(|(_, local)| *local).map(|(row, _)| row.uid);
    report.local = local.next();
    match local.count() {
        0 => {}
        more => return Err(StatusError::Local { count: 1 + more }),
    }
    report.nodes = Some(whole::unique_nodes(rows.into_iter().map(|(row, _)| row).collect())?);
    Ok(())
}

/// "CLUSTER block present, line 1 starts with `OK.`, `Cluster health: OK`" (fact sheet §3.5); a line nobody knows is not OK.
fn cluster(body: &[Line<'_>]) -> (Health, Option<NodeUid>) {
    let mut complaints = Vec::new();
    let first = body.first().map_or("", |line| line.text);
    let master = first.split_once("Cluster master: ").and_then(|(_, rest)| master_uid(rest));
    if !(first.starts_with("OK. Cluster master: ") && master.is_some()) {
        complaints.push(if first.is_empty() { "an empty CLUSTER block" } else { first });
    }
    let mut healthy = false;
    for line in body.iter().skip(1).map(|line| line.text) {
        match line.strip_prefix("Cluster health: ") {
            Some(health) if is_ok_with_rates(health) => healthy = true,
            None if line.starts_with("failures/minute - ") => {}
            _ => complaints.push(line),
        }
    }
    if !healthy && complaints.is_empty() {
        complaints.push("no line `Cluster health: OK`");
    }
    if complaints.is_empty() { (Health::Ok, master) } else { (Health::NotOk(complaints.join("; ")), master) }
}

/// `1 (198.51.100.2)`.
fn master_uid(text: &str) -> Option<NodeUid> {
    let (uid, address) = text.split_once(' ')?;
    let in_brackets = address.starts_with('(') && address.ends_with(')');
    uid.parse().ok().filter(|_| all_digits(uid) && in_brackets).map(NodeUid)
}

/// `OK` or `OK, [1, 0.13, 0.03]`. Rates above zero are no fault (fact sheet §3.5, 6).
fn is_ok_with_rates(health: &str) -> bool {
    let rates = health.strip_prefix("OK, [").and_then(|rest| rest.strip_suffix(']'));
    health == "OK" || rates.is_some_and(|rates| rates.split(", ").all(|rate| rate.parse::<f64>().is_ok()))
}
