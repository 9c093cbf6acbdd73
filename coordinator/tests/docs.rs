//! The lists in `docs/` are what the program really holds.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::fmt::Write;
use std::path::Path;

use coordinator::advisories::facts::{self, Scope};
use coordinator::advisories::{Advisories, Advisory, Builds, Judged};
use coordinator::checks::{self, Severity};
use coordinator::metrics;
use coordinator::notify::Kind;

const BEGIN: &str = "<!-- the list begins -->\n";
const END: &str = "<!-- the list ends -->\n";

/// Compares the list in a document with what it must be; `UPDATE_DOCS=1` writes it instead.
fn holds(document: &str, list: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(document);
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(BEGIN).unwrap();
    let (old, tail) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{list}{END}{tail}")).unwrap();
        return;
    }
    let update = "UPDATE_DOCS=1 cargo test -p coordinator --test docs";
    assert!(old == list, "docs/{document} is not what the program holds; write it anew with: {update}");
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warn => "warning",
        Severity::Block => "block",
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

#[test]
fn every_check_is_listed() {
    let mut list = String::from(
        "\n| id | what holds when it passes | at most | promise | asked | source |\n|---|---|---|---|---|---|\n",
    );
    for check in checks::ALL {
        let promise = check.promise.unwrap_or_default();
        let (id, title, source) = (check.id, cell(check.title), cell(check.source));
        let (at_most, when) = (severity(check.severity), check.when.words());
        writeln!(list, "| `{id}` | {title} | {at_most} | {promise} | {when} | {source} |").unwrap();
    }
    list.push('\n');
    holds("checks.md", &list);
}

#[test]
fn every_advisory_and_every_fact_is_listed() {
    let vendor = Advisories::vendor().unwrap();
    let mut list = String::from(
        "\n## All of them\n\n| id | hazard | names | at most | from | to | fixed in | judged by |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    vendor.all().iter().for_each(|advisory| list.push_str(&row(advisory)));
    list.push_str("\n## What no machine can judge\n\n| name | why |\n|---|---|\n");
    for unchecked in vendor.unchecked() {
        writeln!(list, "| {} | {} |", unchecked.rule, cell(&unchecked.reason)).unwrap();
    }
    list.push_str(
        "\n## Facts that a condition may ask for\n\n| fact | of | is | says |\n|---|---|---|---|\n",
    );
    for fact in facts::ALL {
        let of = match fact.scope {
            Scope::Cluster => "the cluster",
            Scope::Node => "each node",
            Scope::Database => "each database",
        };
        writeln!(list, "| `{}` | {of} | {} | {} |", fact.id, fact.kind, cell(fact.title)).unwrap();
    }
    list.push('\n');
    holds("advisories.md", &list);
}

fn row(advisory: &Advisory) -> String {
    let ranges = |builds: &[Builds]| match builds {
        [] => "any".to_owned(),
        some => cell(&some.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")),
    };
    let fixed: Vec<String> = advisory.fixed_in.iter().map(ToString::to_string).collect();
    let judged = match &advisory.judged {
        Judged::Here(_) => "its condition".to_owned(),
        Judged::ByChecks(ids) => format!("check {}", ids.join(", ")),
        Judged::Never(reason) => format!("nobody: {}", cell(reason)),
    };
    format!(
        "| `{}` | {} | {} | {} | {} | {} | {} | {judged} |\n",
        advisory.id,
        cell(&advisory.title),
        advisory.rules.join(", "),
        severity(advisory.severity),
        ranges(&advisory.installed),
        ranges(&advisory.target),
        fixed.join(", "),
    )
}

#[test]
fn the_example_of_an_own_advisory_is_one() {
    let text = include_str!("../../docs/advisories.md");
    let example = text.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    let own = Advisories::vendor().unwrap().with_own(example, Path::new("own.toml")).unwrap();
    assert!(own.explain("our-old-openssl").is_some());
}

#[test]
fn every_metric_is_listed() {
    let mut list = String::from("\n| metric | kind | labels | says |\n|---|---|---|---|\n");
    for row in metrics::list::ALL {
        let (name, kind, labels, help) = (row.exposed(), row.kind, row.labels.join(", "), cell(row.help));
        writeln!(list, "| `{name}` | {kind} | {labels} | {help} |").unwrap();
    }
    list.push('\n');
    holds("metrics.md", &list);
}

#[test]
fn every_kind_of_news_is_explained() {
    let page = include_str!("../../docs/notifications.md");
    for kind in Kind::ALL {
        assert!(
            page.lines().any(|line| line.starts_with('|') && line.contains(&format!("`{kind}`"))),
            "{kind}"
        );
    }
}
