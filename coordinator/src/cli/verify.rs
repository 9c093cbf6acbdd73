//! Verifying a run that `ratchet export` wrote to a file: nothing but the file is needed.

use std::path::Path;

use proto::{Epoch, Failure, RunId, Sha256};

use super::client::Answer;
use crate::documents::{Document, ExportDocument, ExportedEvent, MisfitRow, VerificationDocument};
use crate::run::Event;
use crate::store::{StoredEvent, format};

/// What the journal in a file proves.
pub(super) fn file(path: &Path, head: Option<&Sha256>) -> Result<Answer<VerificationDocument>, Failure> {
    let export = read(path)?;
    let run: RunId = export.run.parse().map_err(|error: proto::InvalidName| unreadable(path, &error))?;
    let events: Vec<StoredEvent> = export.records.iter().map(stored).collect();
    let document = VerificationDocument::of_run(&run, &events);
    let document = match beside(&export) {
        Some(misfit) => document.with_misfit(misfit),
        None => document,
    };
    let document = match head {
        Some(head) => document.led_through(head, &events),
        None => document,
    };
    let json = serde_json::to_string(&document)
        .map_err(|error| Failure::bug("an answer cannot be written down").because(error.to_string()))?;
    Ok(Answer { json, document })
}

fn read(path: &Path) -> Result<ExportDocument, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    let export: ExportDocument = serde_json::from_str(&text).map_err(|error| unreadable(path, &error))?;
    match export.schema == ExportDocument::SCHEMA {
        true => Ok(export),
        false => Err(unreadable(path, &format!("it is a `{}`", export.schema))),
    }
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    let message = format!("{} cannot be read as a run that was exported", path.display());
    let remedy = "name a whole file that was written by: ratchet export RUN --to FILE";
    Failure::operator("usage", message, remedy).because(why.to_string())
}

fn stored(event: &ExportedEvent) -> StoredEvent {
    let ExportedEvent { seq, epoch, at, format, body, chain, event } = event.clone();
    // A file of an earlier version has no text of its own, and nothing that could be proved either.
    let body = if body.is_empty() && chain.is_empty() { event.to_string() } else { body };
    StoredEvent { seq, epoch: Epoch(epoch), at, kind: None, format, body, chain }
}

/// What the file says beside the chained text must be what that text says: people read the one, and the digest covers
/// the other.
fn beside(export: &ExportDocument) -> Option<MisfitRow> {
    let differs = |record: &&ExportedEvent| {
        !record.body.is_empty() && serde_json::from_str(&record.body).ok().as_ref() != Some(&record.event)
    };
    if let Some(record) = export.records.iter().find(differs) {
        let why = "its `event` is not what its `body` says".to_owned();
        return Some(MisfitRow { seq: record.seq, why });
    }
    let first = stored(export.records.first()?);
    let Ok(Event::Created { plan, .. }) = format::read(first.format, &first.body) else { return None };
    let same = export.plan == *plan
        && plan.digest().is_ok_and(|digest| digest.to_string() == export.plan_digest)
        && plan.cluster.as_str() == export.cluster
        && plan.target.to_string() == export.target;
    let why = "the plan, its digest, the cluster or the target beside it are not its own".to_owned();
    (!same).then_some(MisfitRow { seq: 1, why })
}
