//! A run for the record: what was approved, what was accepted and why, what happened, and how it ended. Times are UTC.

use jiff::Timestamp;
use pulldown_cmark::{Options, Parser, html};

use super::authenticity::by_layer;
use super::run::{node_state, state};
use super::units::elapsed;
use crate::catalogue::shown_url;
use crate::checks::{Finding, Verdict};
use crate::documents::{AskedRow, EventDocument, ReportDocument, RunDocument, RunNodeRow};
use crate::plan::Plan;

/// The report as Markdown.
pub fn report(document: &ReportDocument) -> String {
    let ReportDocument { run, plan, .. } = document;
    let mut out = format!("# Upgrade of {} to {}\n\n", safe(&run.cluster), safe(&run.target));
    out.push_str(&summary(document));
    out.push_str(&section("Who asked for what", &asked(run)));
    out.push_str(&section("How it ended", &ended(run)));
    out.push_str(&section("Nodes", &nodes(run)));
    out.push_str(&section("Who made the packages", &authenticity(run)));
    out.push_str(&section("Accepted although it stood in the way", &accepted(plan)));
    out.push_str(&section("Changed by somebody else and not acknowledged", &foreign(run)));
    out.push_str(&section("What was approved", &approved(plan)));
    out.push_str(&section("What the checks and advisories found before", &findings(&plan.findings)));
    out.push_str(&section("Left to a person", &list(&run.advice)));
    out.push_str(&section("Everything that happened", &events(run.events.as_deref().unwrap_or_default())));
    out
}

/// The report as a page of its own.
pub fn report_page(document: &ReportDocument) -> String {
    let text = report(document);
    let mut body = String::new();
    html::push_html(&mut body, Parser::new_ext(&text, Options::ENABLE_TABLES));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n{body}</body>\n</html>\n",
        safe(&document.run.id)
    )
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c}\
    table{border-collapse:collapse;margin:.5rem 0;font-size:14px}th,td{border:1px solid #ccc;padding:.25rem .6rem;\
    text-align:left;vertical-align:top}th{background:#f3f3f3}code{background:#f3f3f3;padding:0 .2rem}";

fn summary(document: &ReportDocument) -> String {
    let run = &document.run;
    let rows = [
        ("run", run.id.clone()),
        ("state", state(run.state).to_owned()),
        ("asked for by", run.asked.first().map(|asked| asked.by.clone()).unwrap_or_default()),
        ("created", second(run.created_at)),
        ("last written", second(run.updated_at)),
        ("took", elapsed(run.created_at, run.updated_at)),
        ("driven by", format!("{} (epoch {})", run.driver, run.epoch)),
        ("plan digest", document.plan_digest.clone()),
        ("head of the journal", document.head.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("report made", second(document.made_at)),
    ];
    table(&["", ""], rows.map(|(name, value)| vec![name.to_owned(), value]).to_vec())
}

fn asked(run: &RunDocument) -> String {
    let row = |of: &AskedRow| vec![second(of.at), of.by.clone(), of.text.clone()];
    table(&["at", "by", "for"], run.asked.iter().map(row).collect())
}

fn ended(run: &RunDocument) -> String {
    let mut out = format!("{}\n", safe(&run.doing));
    if let Some(halt) = &run.halt {
        let node = halt.node.map(|uid| format!(" on node {uid}")).unwrap_or_default();
        out.push_str(&format!("\n**{}{node}**\n", safe(&halt.error.message)));
        let because = [("why", &halt.error.cause), ("do", &halt.error.remedy)];
        for (name, text) in because {
            out.push_str(
                &text.as_ref().map(|text| format!("\n- {name}: {}", safe(text))).unwrap_or_default(),
            );
        }
        out.push('\n');
    }
    out
}

fn nodes(run: &RunDocument) -> String {
    let row = |node: &RunNodeRow| {
        let witnesses: Vec<String> = node.witnesses.iter().map(ToString::to_string).collect();
        let turn = node.turn_started_at.zip(node.turn_ended_at).map(|(from, to)| elapsed(from, to));
        vec![
            node.uid.to_string(),
            node.hostname.clone(),
            node.role.clone(),
            node.version.clone(),
            node_state(node.state).to_owned(),
            node.installs.to_string(),
            node.turn_started_at.map(second).unwrap_or_default(),
            turn.unwrap_or_default(),
            witnesses.join(", "),
        ]
    };
    let header = [
        "node",
        "host",
        "role",
        "version",
        "state",
        "installs",
        "last turn began",
        "took",
        "confirmed by nodes",
    ];
    table(&header, run.nodes.iter().map(row).collect())
}

fn authenticity(run: &RunDocument) -> String {
    let row = |(layer, nodes): (&proto::Authenticity, String)| {
        vec![nodes, layer.layer.to_string(), layer.verdict.to_string(), layer.detail.clone()]
    };
    table(&["nodes", "layer", "verdict", "of"], by_layer(&run.nodes).into_iter().map(row).collect())
}

fn accepted(plan: &Plan) -> String {
    let row = |of: &crate::checks::Acceptance| vec![of.id.clone(), of.reason.clone()];
    table(&["check", "reason"], plan.accepted.iter().map(row).collect())
}

fn foreign(run: &RunDocument) -> String {
    list(&run.foreign_changes.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn approved(plan: &Plan) -> String {
    let hop = |hop: &crate::plan::PlannedHop| {
        let turns: Vec<String> = hop.turns.iter().map(|turn| turn.node.0.to_string()).collect();
        vec![hop.from.to_string(), hop.to.to_string(), turns.join(", "), hop.source.clone()]
    };
    let package = |package: &proto::Package| {
        let sources: Vec<String> = package.sources.iter().map(|source| shown_url(source)).collect();
        vec![package.to_string(), package.sha256.to_string(), sources.join(" ")]
    };
    format!(
        "{}\n{}\nTable of upgrade paths: SHA-256 `{}`. Advisories: {}.\n",
        table(&["from", "to", "turns, as expected", "supported by"], plan.hops.iter().map(hop).collect()),
        table(&["package", "SHA-256", "from"], plan.packages.iter().map(package).collect()),
        plan.table_digest,
        plan.advisories_digest.map_or_else(|| "none".to_owned(), |digest| format!("SHA-256 `{digest}`"))
    )
}

fn findings(findings: &[Finding]) -> String {
    let mut noted: Vec<&Finding> =
        findings.iter().filter(|finding| finding.verdict != Verdict::Pass).collect();
    noted.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    let row = |finding: &&Finding| {
        let node = finding.node.map(|node| node.0.to_string()).unwrap_or_default();
        let remedy = finding.remedy.clone().unwrap_or_default();
        vec![
            finding.verdict.to_string(),
            finding.check.clone(),
            node,
            finding.saw.clone(),
            remedy,
            finding.source.clone(),
        ]
    };
    let mut passed: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Pass)
        .map(|of| of.check.as_str())
        .collect();
    passed.dedup();
    let header = ["verdict", "check", "node", "seen", "remedy", "source"];
    format!("{}\nPassed: {}\n", table(&header, noted.iter().map(row).collect()), safe(&passed.join(", ")))
}

fn events(events: &[EventDocument]) -> String {
    let row = |event: &EventDocument| {
        let node = event.node.map(|uid| uid.to_string()).unwrap_or_default();
        vec![event.seq.to_string(), second(event.at), node, event.kind.clone(), event.text.clone()]
    };
    table(&["no.", "at", "node", "event", ""], events.iter().map(row).collect())
}

/// A section, unless there is nothing to say.
fn section(title: &str, body: &str) -> String {
    if body.is_empty() { String::new() } else { format!("\n## {title}\n\n{body}") }
}

fn list(lines: &[String]) -> String {
    lines.iter().map(|line| format!("- {}\n", safe(line))).collect()
}

/// A table; nothing if it has no rows.
fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut out = line(header.iter().map(|name| (*name).to_owned()).collect());
    out.push_str(&line(header.iter().map(|_| "---".to_owned()).collect()));
    out.extend(rows.into_iter().map(|row| line(row.iter().map(|cell| safe(cell)).collect())));
    out
}

/// Text of others, without anything that Markdown or a browser would take for its own.
fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in super::printable(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '!' => out.extend(['\\', character]),
            other => out.push(other),
        }
    }
    out
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Acceptance;
    use crate::cli::render::sample;
    use crate::documents::HeadRow;

    fn document() -> ReportDocument {
        let mut plan = sample::plan_answer().plan.unwrap();
        plan.accepted = vec![Acceptance { id: "disk".to_owned(), reason: "<b>we | know</b>".to_owned() }];
        ReportDocument {
            schema: "ratchet.report/1".to_owned(),
            made_at: "2026-11-22T03:00:00Z".parse().unwrap(),
            run: sample::halted(),
            plan,
            plan_digest: "cd".repeat(32),
            head: Some(HeadRow { seq: 46, digest: "ef".repeat(32) }),
        }
    }

    #[test]
    fn a_report_has_the_approval_the_acceptances_and_the_end() {
        let text = report(&document());
        for expected in [
            "# Upgrade of orders to 7.4.6-22",
            "| plan digest | cdcdcd",
            "| asked for by | alice@ops1 |",
            "| bob@ops1 asked for a pause |",
            "| head of the journal | event 46, efefef",
            "## How it ended",
            "## Nodes",
            "| disk | &lt;b&gt;we \\| know&lt;/b&gt; |",
            "## What was approved",
            "| warn | replication |",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert!(!text.contains("## Changed by somebody else"), "nobody has: {text}");
    }

    #[test]
    fn a_page_has_tables_and_no_foreign_markup() {
        let page = report_page(&document());
        assert!(page.contains("<table>") && page.contains("<h2>Nodes</h2>"), "{page}");
        assert!(!page.contains("<b>we") && page.contains("we | know"), "{page}");
    }
}
