//! Reading and writing the fleet owner's files.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use proto::{CatalogueError, Failure, MAX_CATALOGUE, OwnedCatalogue};
use serde::Serialize;

use crate::cli::context::Context;

/// A file's text.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    let unreadable = |cause: String| {
        Failure::operator("usage", format!("{} cannot be read", path.display()), "name a file that exists")
            .because(cause)
    };
    let length = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if length > MAX_CATALOGUE as u64 {
        return Err(unreadable(format!(
            "it has {length} bytes, and no such file has more than {MAX_CATALOGUE}"
        )));
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))
}

/// The catalogue in a text.
pub(super) fn parsed(text: &str, path: &Path) -> Result<OwnedCatalogue, Failure> {
    OwnedCatalogue::parse(text).map_err(|error| no_catalogue(path, &error))
}

/// A file is not what it is taken for.
pub(super) fn no_catalogue(path: &Path, error: &CatalogueError) -> Failure {
    let message = format!("{} is not a catalogue that may be used", path.display());
    let remedy = "make it anew: ratchet catalogue new FILE; ratchet catalogue sign FILE --secret KEY";
    Failure::operator("catalogue", message, remedy).because(error.to_string())
}

/// Writes a file beside its place and moves it there, so that nobody reads half of it.
pub(super) fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let beside =
        path.with_file_name(format!(".{}.new", path.file_name().unwrap_or_default().to_string_lossy()));
    let written = || {
        // What an earlier attempt has left may have another mode, or be a link.
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    written().map_err(|error| unwritable(path, &error))
}

/// Writes a file that is not there yet: keys are not overwritten.
pub(super) fn create(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let created = options.write(true).create_new(true).mode(mode).open(path);
    let written = created.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let remedy = "name a file that does not exist yet, in a directory that you may write";
    Failure::operator("usage", format!("{} cannot be written", path.display()), remedy)
        .because(error.to_string())
}

/// Gives an answer that no coordinator gave.
pub(super) fn answer<D: Serialize>(
    context: &mut Context,
    document: &D,
    render: impl FnOnce(&D) -> String,
) -> Result<(), Failure> {
    if !context.out.is_json() {
        return context.out.print(&render(document));
    }
    let json = serde_json::to_string(document)
        .map_err(|error| Failure::bug("an answer cannot be written as JSON").because(error.to_string()))?;
    context.out.json(&json)
}
