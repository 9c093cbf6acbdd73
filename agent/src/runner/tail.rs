//! Reading a growing file line by line, from where it was read to.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A line longer than this is cut, for people's sake; the file has it whole.
const LONGEST: usize = 2048;
/// Bytes read at once.
const AT_ONCE: u64 = 1 << 20;

/// A place in a growing file.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    offset: u64,
}

/// Lines and the place behind them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) lines: Vec<String>,
    end: u64,
}

impl Tail {
    /// The place behind the first lines of a file.
    pub(super) fn behind(path: &Path, lines: usize) -> Self {
        let mut tail = Self { path: path.to_owned(), offset: 0 };
        let mut left = lines;
        while left > 0 {
            let Ok(bytes) = tail.bytes() else { break };
            let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
            let passed: Vec<usize> = ends.take(left).collect();
            let Some(&last) = passed.last() else { break };
            tail.offset += last as u64;
            left -= passed.len();
        }
        tail
    }

    /// Whole lines behind the place; with `rest`, also what follows without an end of line. No file has no lines.
    pub(super) fn read(&self, rest: bool) -> io::Result<Lines> {
        let bytes = self.bytes()?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        // What has no end within one reading is cut into pieces rather than waited for.
        let take = if rest || (whole == 0 && bytes.len() as u64 == AT_ONCE) { bytes.len() } else { whole };
        let text = &bytes[..take];
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let lines =
            if take == 0 { Vec::new() } else { text.split(|byte| *byte == b'\n').map(shown).collect() };
        Ok(Lines { lines, end: self.offset + take as u64 })
    }

    /// Moves the place behind lines that were read.
    pub(super) fn pass(&mut self, lines: &Lines) {
        self.offset = lines.end;
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.take(AT_ONCE).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(LONGEST)]);
    text.trim_end_matches('\r').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_are_told_once_whole_and_from_where_it_was_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("output.log");
        let mut tail = Tail::behind(&path, 0);
        assert_eq!(tail.read(true).unwrap().lines, Vec::<String>::new());
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one\n\ntw").unwrap();
        let lines = tail.read(false).unwrap();
        assert_eq!(lines.lines, ["one", ""]);
        assert_eq!(tail.read(false).unwrap(), lines, "what was not passed is read again");
        tail.pass(&lines);
        file.write_all(b"o\r\nthree \xff").unwrap();
        let lines = tail.read(false).unwrap();
        assert_eq!(lines.lines, ["two"]);
        tail.pass(&lines);
        assert_eq!(tail.read(true).unwrap().lines, ["three \u{fffd}"]);
        assert_eq!(Tail::behind(&path, 2).read(true).unwrap().lines, ["two", "three \u{fffd}"]);
        assert_eq!(Tail::behind(&path, 99).read(true).unwrap().lines, ["three \u{fffd}"]);
    }
}
