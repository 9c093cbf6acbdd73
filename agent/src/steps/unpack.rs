//! Unpacks a held package into a directory of this step's own: "re-extract for every attempt" (fact sheet §5.4).

use proto::{Failure, Sha256, StepReport, Version};
use tokio_util::sync::CancellationToken;

use super::{Done, StepContext, Stop};
use crate::durable;
use crate::package::{self, Manifest, UnpackError, Unpacking};

pub(super) async fn run(context: &StepContext, package: Sha256, version: Version) -> Result<Done, Stop> {
    // Cancelled when this future is dropped: the thread that unpacks cannot be.
    let dropped = CancellationToken::new();
    let _guard = dropped.clone().drop_guard();
    let context = context.clone();
    let unpacked = tokio::task::spawn_blocking(move || unpack(&context, package, version, &dropped)).await;
    unpacked.map_err(|error| Failure::bug("unpacking broke off").because(error.to_string()))?
}

fn unpack(
    context: &StepContext,
    package: Sha256,
    version: Version,
    dropped: &CancellationToken,
) -> Result<Done, Stop> {
    let into = context.door.state.unpacked(&context.record.step);
    if let Some(manifest) =
        Manifest::read(&into)?.filter(|made| made.package == package && made.version == version)
        && manifest.verify(&Manifest::tree(&into)).is_ok()
    {
        return Ok(done(manifest));
    }
    let archive = context.door.packages.archive(&package);
    let size = std::fs::metadata(&archive).map_err(|_| not_held(&package))?.len();
    let progress = |bytes| {
        context.report.moved_blocking("unpacking", bytes, Some(size).filter(|&size| size >= bytes));
        !dropped.is_cancelled() && !context.cancel.is_cancelled()
    };
    let (limits, disk) = (context.door.config.archive, &context.door.disk);
    let job = Unpacking { archive: &archive, package, version, into: &into, limits, disk };
    match package::unpack(job, &progress) {
        Ok(manifest) => Ok(done(manifest)),
        Err(UnpackError::Stopped) => Err(Stop::Cancelled),
        Err(error) => {
            if matches!(error, UnpackError::Digest { .. }) {
                // A spoiled archive is not held: the next fetch gets it again.
                durable::remove(&archive)?;
            }
            Err(error.failure().into())
        }
    }
}

fn done(manifest: Manifest) -> Done {
    let (files, size) = manifest.totals();
    Done { report: StepReport::Unpack { files, size }, warnings: manifest.warnings }
}

fn not_held(package: &Sha256) -> Failure {
    let message = format!("package {} is not on this node", package.short());
    Failure::operator("package-not-held", message, "fetch it first: `ratchet prepare` does")
}
