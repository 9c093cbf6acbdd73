//! JSON documents that name their format, so that no version of the agent takes those of a later one for damage.

use std::fs;
use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::StateError;

/// The format that documents are written in, and the newest that is read. A document without one is of format 1.
pub const FORMAT: u32 = 1;

/// A document as it is in its file.
#[derive(Serialize, Deserialize)]
struct Document<T> {
    #[serde(default = "first")]
    format: u32,
    #[serde(flatten)]
    content: T,
}

/// What can be read of a document of any format.
#[derive(Deserialize)]
struct Named {
    #[serde(default = "first")]
    format: u32,
}

fn first() -> u32 {
    1
}

/// A document's text.
pub(super) fn text_of<T: Serialize>(path: &Path, content: &T) -> Result<Vec<u8>, StateError> {
    serde_json::to_vec_pretty(&Document { format: FORMAT, content }).map_err(StateError::damaged(path))
}

/// Reads a document; `None` if there is no such file.
///
/// # Errors
/// [`StateError::Io`], [`StateError::Format`] or [`StateError::Damaged`].
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StateError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StateError::io("read", path)(error)),
    };
    let named: Named = serde_json::from_slice(&bytes).map_err(StateError::damaged(path))?;
    match named.format {
        1 => read_first(path, &bytes).map(Some),
        other => Err(StateError::Format { path: path.to_owned(), found: other.to_string(), known: FORMAT }),
    }
}

/// Format 1: the content's fields, with or without a `format` beside them.
fn read_first<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, StateError> {
    let document: Document<T> = serde_json::from_slice(bytes).map_err(StateError::damaged(path))?;
    Ok(document.content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Held {
        run: String,
    }

    fn read(text: &str) -> Result<Option<Held>, StateError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("claim.json");
        fs::write(&path, text).unwrap();
        let read = read_json(&path);
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "reading changes nothing");
        read
    }

    #[test]
    fn a_document_of_before_formats_were_named_is_of_the_first() {
        for text in [r#"{"run":"r1"}"#, r#"{"format":1,"run":"r1"}"#, r#"{"run":"r1","format":1}"#] {
            assert_eq!(read(text).unwrap(), Some(Held { run: "r1".to_owned() }), "{text}");
        }
        assert_eq!(read_json::<Held>(Path::new("/no/such/file")).unwrap(), None);
    }

    #[test]
    fn a_later_format_is_refused_by_name_whatever_else_it_holds() {
        for text in
            [r#"{"format":2,"runs":["r1"]}"#, r#"{"format":2,"run":"r1"}"#, r#"{"format":0,"run":"r1"}"#]
        {
            let error = read(text).unwrap_err();
            assert!(matches!(&error, StateError::Format { known: FORMAT, .. }), "{error}");
            let said = error.to_string();
            assert!(
                said.contains("claim.json has format ") && said.contains("install the version"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_damaged_file_is_an_error_and_not_an_absent_one() {
        for text in ["", "{", "[]", "null", r#"{"format":"1","run":"r1"}"#, r#"{"format":1}"#] {
            let error = read(text).unwrap_err();
            assert!(matches!(error, StateError::Damaged { .. }), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_written_names_its_format_first() {
        let text = text_of(Path::new("x"), &Held { run: "r1".to_owned() }).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), "{\n  \"format\": 1,\n  \"run\": \"r1\"\n}");
    }
}
