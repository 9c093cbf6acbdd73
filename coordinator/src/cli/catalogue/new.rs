//! `ratchet catalogue new FILE [--valid 90d] [--serial N] [--fleet NAME]`.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use proto::{Failure, FleetName, OwnedCatalogue, OwnedPackage};

use super::files;
use crate::cli::context::Context;
use crate::cli::{Exit, render};
use crate::documents::{CatalogueDocument, PackageRow};
use crate::tables::signature_of;

/// Arguments of `catalogue new`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to write; if there is one, the new catalogue takes its place and counts on from its serial
    file: PathBuf,
    /// How long it holds: `90d`, `6 months`
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = span)]
    valid: Span,
    /// Its serial, if it is not to count on
    #[arg(long, value_name = "N")]
    serial: Option<u64>,
    /// The only fleet it is for, as `fleet` in [trust] of agent.toml names it
    #[arg(long, value_name = "NAME")]
    fleet: Option<FleetName>,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let serial = self.serial()?;
        let expires = expires(Timestamp::now(), self.valid)?;
        let rows = context.client().await?.list_packages().await?.document.packages;
        let packages = rows.iter().map(package).collect::<Result<Vec<_>, _>>()?;
        let catalogue = OwnedCatalogue::new(serial, expires, self.fleet.clone(), packages)
            .map_err(|error| files::no_catalogue(&self.file, &error))?;
        let text = catalogue.render().map_err(|error| files::no_catalogue(&self.file, &error))?;
        // The signature of the one before would not be over this one.
        match std::fs::remove_file(signature_of(&self.file)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let message = "the signature of the catalogue before cannot be removed";
                return Err(Failure::operator("usage", message, "remove it").because(error.to_string()));
            }
            _ => {}
        }
        files::write(&self.file, &text, 0o644)?;
        let file = self.file.display().to_string();
        files::answer(context, &CatalogueDocument::of(&catalogue, file, None, false), render::catalogue)?;
        Ok(Exit::Done)
    }

    /// One more than that of the catalogue in the file.
    fn serial(&self) -> Result<u64, Failure> {
        if let Some(serial) = self.serial {
            return Ok(serial);
        }
        if !self.file.exists() {
            return Ok(1);
        }
        let before = files::parsed(&files::read(&self.file)?, &self.file)?;
        Ok(before.serial.saturating_add(1))
    }
}

fn span(text: &str) -> Result<Span, String> {
    let span: Span = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    if span.is_negative() || span.is_zero() {
        return Err("it is over at once".to_owned());
    }
    Ok(span)
}

/// Days and months are those of UTC; parts of a second are of no use to anybody.
fn expires(now: Timestamp, valid: Span) -> Result<Timestamp, Failure> {
    let second = Timestamp::from_second(now.as_second());
    let expires = second.and_then(|now| now.to_zoned(TimeZone::UTC).checked_add(valid)).map_err(|error| {
        let message = format!("`{valid:#}` from now is no moment");
        Failure::operator("usage", message, "give a shorter span, like `90d`").because(error.to_string())
    })?;
    Ok(expires.timestamp())
}

fn package(row: &PackageRow) -> Result<OwnedPackage, Failure> {
    let wrong = |error: String| {
        Failure::bug("the coordinator's catalogue has a package that cannot be read").because(error)
    };
    Ok(OwnedPackage {
        version: row.version.parse().map_err(|error: proto::InvalidVersion| wrong(error.to_string()))?,
        os: proto::OsToken(row.os.clone()),
        arch: row.arch.parse().map_err(|error: proto::InvalidArch| wrong(error.to_string()))?,
        sha256: row.sha256.parse().map_err(|error: proto::InvalidDigest| wrong(error.to_string()))?,
        size: row.size,
    })
}
