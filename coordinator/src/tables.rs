//! The table of upgrade paths and the advisories, with what an operator's files say.

mod signed;

use std::path::Path;

use proto::Failure;

use crate::advisories::Advisories;
use crate::failures::chain;
use crate::paths::{Origin, Table};
pub use signed::{SignedFile, signature_of};

/// The table of a file that the operator names, or the built-in one.
///
/// # Errors
/// The table cannot be read or a row of it is wrong; the failure names the file, the row and what to do.
pub fn table(path: Option<&Path>) -> Result<Table, Failure> {
    let Some(path) = path else {
        let damaged = Failure::bug("the built-in table is damaged");
        return Table::vendor().map_err(|error| damaged.because(chain(&error)));
    };
    let remedy = format!(
        "correct {}, or leave out --paths and `paths` in ratchet.toml: then the built-in table is used",
        path.display()
    );
    let text = read(path, &remedy)?;
    Table::parse(&text, Origin::File(path.to_owned())).map_err(|error| {
        let message = format!("{} is no table of upgrade paths", path.display());
        Failure::operator("configuration", message, remedy).because(chain(&error).trim_end().to_owned())
    })
}

/// The vendor's advisories, and those of a file that the operator names.
///
/// # Errors
/// The file cannot be read, or something is wrong with it; the failure names the file and everything that is wrong.
pub fn advisories(path: Option<&Path>) -> Result<Advisories, Failure> {
    let vendor = Advisories::vendor()?;
    let Some(path) = path else { return Ok(vendor) };
    let remedy = format!("correct {}, or take `advisories` out of ratchet.toml", path.display());
    Ok(vendor.with_own(&read(path, &remedy)?, path)?)
}

fn read(path: &Path, remedy: &str) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        let message = format!("{} cannot be read", path.display());
        Failure::operator("configuration", message, remedy).because(error.to_string())
    })
}

#[cfg(test)]
mod tests;
