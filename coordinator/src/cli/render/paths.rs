//! `paths`: the vendor's table, or a way through it.

use comfy_table::Cell;

use super::printable;
use super::style::{bad, bullet, caution, command, good};
use super::table::{cell, table};
use crate::paths::{HopDocument, PathsDocument, RowDocument, Status};

/// The answer.
pub fn paths(document: &PathsDocument) -> String {
    let mut out = match document.supported {
        None => rows(document),
        Some(supported) => verdict(document, supported),
    };
    out.push_str(&format!(
        "\nThe vendor's table as of {}, {}, digest {}.\n",
        document.as_of,
        printable(&document.table_origin),
        document.table_digest.short()
    ));
    out
}

fn verdict(document: &PathsDocument, supported: bool) -> String {
    let name = |version: &Option<String>| version.clone().unwrap_or_else(|| "any".to_owned());
    let word = if supported { good("supported") } else { bad("not supported") };
    let mut out = format!("{} → {}: {word}\n", name(&document.from), name(&document.to));
    for hop in &document.hops {
        out.push_str(&of_hop(hop));
    }
    if let Some(reason) = &document.reason {
        out.push_str(&bullet(&bad("✗"), reason));
    }
    if !document.nearest.is_empty() {
        out.push_str(&bullet("→", &format!("nearest supported: {}", document.nearest.join(", "))));
    }
    for missing in &document.missing {
        let add = command("ratchet package add FILE|URL");
        out.push_str(&bullet(
            &caution("!"),
            &format!("no package of {missing} is at hand; add one with {add}"),
        ));
    }
    out
}

fn of_hop(hop: &HopDocument) -> String {
    let status = word(hop.status);
    bullet("•", &format!("{} → {}   {status}, {}", hop.from, hop.to, hop.source))
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Current => "current",
        Status::Historical => "historical",
    }
}

fn rows(document: &PathsDocument) -> String {
    if document.rows.is_empty() {
        return format!("{}\n", bad("no row of the vendor's table is about that version"));
    }
    let header = ["FROM", "TO", "", "STATUS", "SOURCE"];
    table(&header, document.rows.iter().map(row).collect())
}

fn row(row: &RowDocument) -> Vec<Cell> {
    let allowed = if row.allowed { "supported" } else { "not supported" };
    let status =
        if row.inferred { format!("{}, inferred", word(row.status)) } else { word(row.status).to_owned() };
    vec![
        cell(Some(&row.from)),
        cell(Some(&row.to.join("; "))),
        cell(Some(allowed)),
        cell(Some(&status)),
        cell(Some(&row.source)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::{Table, explain};

    fn text(from: Option<&str>, to: Option<&str>) -> String {
        let table = Table::vendor().unwrap();
        let spec = |text: &str| text.parse().unwrap();
        let document = explain(&table, from.map(spec), to.map(spec), &[]);
        anstream::adapter::strip_str(&paths(&document)).to_string()
    }

    #[test]
    fn a_way_names_its_hops_their_sources_and_what_is_missing() {
        let text = text(Some("5.6.0-30"), Some("6.4.2-30"));
        assert!(
            text.starts_with("5.6.0-30 → 6.4.2-30: supported\n  • 5.6.0-30 → 6.0.x   historical, "),
            "{text}"
        );
        assert!(text.contains("The vendor's table as of 2026-07-21, built in, digest "), "{text}");
        assert!(text.contains("no package of 6.4.2-30 is at hand"), "{text}");
    }

    #[test]
    fn no_way_says_why() {
        let text = text(Some("7.4.6-22"), Some("7.2.4-92"));
        assert!(text.contains("not supported") && text.contains("no downgrade"), "{text}");
    }

    #[test]
    fn the_table_is_listed() {
        let text = text(None, None);
        assert!(text.starts_with("FROM") && text.contains("historical, inferred"), "{text}");
    }
}
