//! Columns by header name and start offset: the way the vendor's tables must be read (fact sheet §3.2).

use super::status::StatusError;
use super::text::excerpt;

/// A line of the output with its number, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub number: usize,
    pub text: &'a str,
}

/// A table's header and rows.
#[derive(Debug)]
pub(super) struct Table<'a> {
    section: &'static str,
    columns: Vec<(usize, String)>,
    lines: &'a [Line<'a>],
}

/// One row, cut into cells.
#[derive(Debug)]
pub(super) struct Row<'t> {
    table: &'t Table<'t>,
    line: usize,
    cells: Vec<String>,
}

impl<'a> Table<'a> {
    /// Reads the header, the first of the lines.
    pub fn read(section: &'static str, lines: &'a [Line<'a>]) -> Result<Self, StatusError> {
        let (header, lines) = lines.split_first().ok_or(StatusError::NoHeader { section })?;
        // The vendor's field list writes this one name with a blank, its output with an underscore.
        let header = header.text.replace("EXTERNAL ADDRESS", "EXTERNAL_ADDRESS");
        Ok(Self { section, columns: words(&header), lines })
    }

    /// Whether the header has this column.
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|(_, name)| name == column)
    }

    /// Refuses a table without these columns.
    pub fn require(&self, columns: &[&'static str]) -> Result<(), StatusError> {
        match columns.iter().find(|column| !self.has(column)) {
            Some(column) => Err(StatusError::MissingColumn { section: self.section, column }),
            None => Ok(()),
        }
    }

    /// Its rows.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.lines.iter().map(|line| Row { table: self, line: line.number, cells: self.cut(line.text) })
    }

    /// A word belongs to the column whose header starts at or before the word does. That stands rows that are a little
    /// wider than the header; where it goes wrong, the typed cells do not parse, and that is an error.
    fn cut(&self, text: &str) -> Vec<String> {
        let mut cells: Vec<String> = vec![String::new(); self.columns.len()];
        let mut ends = vec![0; self.columns.len()];
        for (start, word) in words(text) {
            let column = self.columns.iter().rposition(|(column, _)| *column <= start).unwrap_or(0);
            if !cells[column].is_empty() {
                cells[column].push_str(&" ".repeat(start - ends[column]));
            }
            cells[column].push_str(&word);
            ends[column] = start + word.chars().count();
        }
        cells
    }

    fn index(&self, column: &'static str) -> Result<Option<usize>, StatusError> {
        let mut found =
            self.columns.iter().enumerate().filter(|(_, (_, name))| name == column).map(|(at, _)| at);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(StatusError::DuplicateColumn { section: self.section, column }),
            (first, None) => Ok(first),
        }
    }
}

impl Row<'_> {
    /// The text of a cell; `None` if there is no such column.
    pub fn text(&self, column: &'static str) -> Result<Option<&str>, StatusError> {
        Ok(self.table.index(column)?.map(|index| self.cells[index].as_str()))
    }

    /// A cell that cannot contain blanks. Blanks tell of a row that does not fit its header.
    pub fn word(&self, column: &'static str) -> Result<Option<&str>, StatusError> {
        match self.text(column)? {
            Some(text) if text.contains(char::is_whitespace) => Err(self.bad(column, "one word")),
            text => Ok(text),
        }
    }

    /// A cell that must be there, without blanks and not empty.
    pub fn required(&self, column: &'static str) -> Result<&str, StatusError> {
        match self.word(column)? {
            Some(word) if !word.is_empty() => Ok(word),
            _ => Err(self.bad(column, "one word")),
        }
    }

    /// A cell such as `node:3` that must be there, without its prefix.
    pub fn numbered(&self, column: &'static str, prefix: &'static str) -> Result<u32, StatusError> {
        let number = self.required(column)?.strip_prefix(prefix).filter(|rest| all_digits(rest));
        number.and_then(|digits| digits.parse().ok()).ok_or_else(|| self.bad(column, prefix))
    }

    /// The error that says what a cell should have held.
    pub fn bad(&self, column: &'static str, expected: &'static str) -> StatusError {
        let text = self.text(column).ok().flatten().unwrap_or_default();
        StatusError::Cell { line: self.line, column, text: excerpt(text), expected }
    }
}

/// Digits only: no sign, no blank.
pub(super) fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The words of a line with their offsets in characters, which is what the vendor pads by.
fn words(line: &str) -> Vec<(usize, String)> {
    let mut words: Vec<(usize, String)> = Vec::new();
    let mut in_word = false;
    for (offset, character) in line.chars().enumerate() {
        if character.is_whitespace() {
            in_word = false;
            continue;
        }
        match words.last_mut() {
            Some((_, word)) if in_word => word.push(character),
            _ => words.push((offset, character.to_string())),
        }
        in_word = true;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(header: &str, row: &str) -> Vec<String> {
        let lines = [Line { number: 1, text: header }, Line { number: 2, text: row }];
        let table = Table::read("TEST", &lines).unwrap();
        table.rows().next().unwrap().cells
    }

    #[test]
    fn empty_cells_blanks_inside_and_a_long_last_column() {
        assert_eq!(
            cells("ID  NAME     EXTERNAL STATUS", "1   my  name          DOWN, last seen 33s ago   "),
            ["1", "my  name", "", "DOWN, last seen 33s ago"]
        );
    }

    #[test]
    fn offsets_are_characters() {
        assert_eq!(cells("NAME  STATUS", "ééé   OK"), ["ééé", "OK"]);
    }

    #[test]
    fn a_column_named_twice_cannot_be_asked_for() {
        let lines =
            [Line { number: 1, text: "ID STATUS STATUS" }, Line { number: 2, text: "1  OK     DOWN" }];
        let table = Table::read("TEST", &lines).unwrap();
        let row = table.rows().next().unwrap();
        assert_eq!(
            row.text("STATUS"),
            Err(StatusError::DuplicateColumn { section: "TEST", column: "STATUS" })
        );
    }
}
