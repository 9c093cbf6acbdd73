//! Real inputs, from where the repository has them: nothing is kept twice.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Real outputs of the vendor's tools, by how their files' names begin.
pub fn samples(beginnings: &[&str]) -> Vec<Vec<u8>> {
    let directory = root().join("agent/tests/samples");
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    // Mutations are by number: the order must be the same everywhere.
    files.sort();
    let wanted = |file: &&PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        beginnings.iter().any(|beginning| name.starts_with(beginning))
    };
    files.iter().filter(wanted).map(|file| read(file)).collect()
}

/// A file of the repository, by its path from the root.
pub fn file(path: &str) -> Vec<u8> {
    read(&root().join(path))
}

/// A file of the repository in parts, each with what stands before the first: short inputs are tried far more often.
pub fn parts(path: &str, separator: &str) -> Vec<Vec<u8>> {
    let whole = String::from_utf8_lossy(&file(path)).into_owned();
    let mut parts = whole.split(separator);
    let head = parts.next().unwrap_or_default().to_owned();
    parts.map(|part| format!("{head}{separator}{part}").into_bytes()).collect()
}

/// What the documentation shows as TOML and what says this word: examples that people copy.
pub fn toml_blocks(directory: &str, word: &str) -> Vec<Vec<u8>> {
    let directory = root().join(directory);
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let pages = files.iter().filter(|file| file.is_file()).map(|file| read(file));
    let mut blocks = Vec::new();
    for page in pages {
        let page = String::from_utf8_lossy(&page).into_owned();
        let shown = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        blocks.extend(shown.filter(|block| block.contains(word)).map(|block| block.as_bytes().to_vec()));
    }
    blocks
}

/// Texts as seeds.
pub fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn read(file: &Path) -> Vec<u8> {
    fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
