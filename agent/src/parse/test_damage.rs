//! Damaged copies of an answer, for tests.

/// The text cut off before each of its bytes, and without each of its lines.
pub(super) fn damaged(text: &str) -> impl Iterator<Item = String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let without = |gone: usize| [&lines[..gone], &lines[gone + 1..]].concat().concat();
    let lost: Vec<String> = (0..lines.len()).map(without).collect();
    let bytes = text.as_bytes();
    (0..bytes.len()).map(|end| String::from_utf8_lossy(&bytes[..end]).into_owned()).chain(lost)
}
