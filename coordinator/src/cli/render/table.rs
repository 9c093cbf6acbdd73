//! Tables without borders: easy to read, easy to cut with other tools.

use comfy_table::{Cell, ContentArrangement, Table, presets};

/// A table as text, each line ended, no blanks at the ends of lines.
pub(super) fn table(header: &[&str], rows: Vec<Vec<Cell>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        // The same text on every terminal: whoever reads it decides about its width.
        .set_content_arrangement(ContentArrangement::Disabled)
        .enforce_styling()
        .set_header(header.iter().map(Cell::new))
        .add_rows(rows);
    table.style_text_only();
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A cell; what is not known is shown as `-`, never as nothing.
pub(super) fn cell(text: Option<&str>) -> Cell {
    Cell::new(super::printable(text.unwrap_or("-")))
}
