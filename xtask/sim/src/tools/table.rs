//! Tables in the vendor's form: a title, a header, rows; every column as wide as its widest cell (fact sheet §3.2).

use std::fmt::Write;

/// A table being built.
#[derive(Debug)]
pub(super) struct Table {
    title: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// The vendor's colours: headers bold and underlined, `OK` green (fact sheet §3.7).
const HEADER: &str = "\u{1b}[1m\u{1b}[4m";
const GREEN: &str = "\u{1b}[32m";
const RESET: &str = "\u{1b}[0m";

impl Table {
    pub(super) fn new(title: &'static str, columns: &[&'static str]) -> Self {
        Self { title, columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; cells are given as `(column, text)` and land under their column, in whatever order; columns that this
    /// version does not have are left out.
    pub(super) fn row(&mut self, cells: &[(&str, String)]) {
        let cell =
            |column: &&str| cells.iter().find(|(name, _)| name == column).map(|(_, text)| text.clone());
        self.rows.push(self.columns.iter().map(|column| cell(column).unwrap_or_default()).collect());
    }

    /// The text. Every cell is padded, the last one too: trailing blanks are what the real one prints.
    pub(super) fn render(&self, colours: bool) -> String {
        let widths: Vec<usize> = (0..self.columns.len()).map(|index| self.width(index)).collect();
        let mut text = format!("{}\n", self.title);
        let header: Vec<String> = self.columns.iter().map(|column| (*column).to_owned()).collect();
        write_line(&mut text, &header, &widths, |cell| {
            if colours { format!("{HEADER}{cell}{RESET}") } else { cell }
        });
        for row in &self.rows {
            let paint = |cell: String| {
                if colours && cell.trim_end() == "OK" { format!("{GREEN}{cell}{RESET}") } else { cell }
            };
            write_line(&mut text, row, &widths, paint);
        }
        text
    }

    fn width(&self, index: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[index].chars().count());
        cells.chain([self.columns[index].len()]).max().unwrap_or(0)
    }
}

fn write_line(text: &mut String, cells: &[String], widths: &[usize], paint: impl Fn(String) -> String) {
    for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let gap = if index == 0 { "" } else { " " };
        let padded = paint(format!("{cell:width$}"));
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{gap}{padded}");
    }
    text.push('\n');
}
