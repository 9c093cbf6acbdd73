//! Unpacks a held package into a directory of this step's own: "re-extract for every attempt" (fact sheet §5.4).

use proto::{Authenticity, Failure, Layer, LayerVerdict, Sha256, StepReport, Version};
use tokio_util::sync::CancellationToken;

use super::{Done, StepContext, Stop};
use crate::durable;
use crate::package::signature::{self, Inspection, Programs};
use crate::package::{self, Manifest, Owner, UnpackError, Unpacking};

pub(super) async fn run(context: &StepContext, package: Sha256, version: Version) -> Result<Done, Stop> {
    let door = &context.door;
    let owner = Owner::of(&door.config, &door.state).admit_as(&package, version, door.clock.now())?;
    let manifest = unpacked(context, package, version).await?;
    // It writes nothing that outlives it, and may be dropped at any moment.
    let authentic = context.cancel.run_until_cancelled(authentic(context, manifest, owner)).await;
    Ok(done(authentic.unwrap_or(Err(Stop::Cancelled))?))
}

/// Finds out who made the packages inside, once for each directory; what nothing vouches for does not stay.
async fn authentic(context: &StepContext, manifest: Manifest, owner: Authenticity) -> Result<Manifest, Stop> {
    let (door, dir) = (&context.door, context.door.state.unpacked(&context.record.step));
    if !manifest.authenticity.is_empty() && signature::refuse_unproven(&door.config, &manifest).is_ok() {
        return Ok(manifest);
    }
    let digest = Authenticity::new(Layer::Sha256, LayerVerdict::Verified, manifest.package.to_string());
    let mut told = vec![digest, owner];
    let (config, disk, programs) = (&door.config, &door.disk, Programs::of_the_system());
    let inspection = Inspection { dir: &dir, manifest: &manifest, config, programs: &programs, disk };
    match inspection.look().await {
        Ok(found) => told.extend(found),
        Err(failure) => {
            durable::remove(&dir)?;
            return Err(failure.into());
        }
    }
    Ok(manifest.found_authentic(disk, &dir, told)?)
}

async fn unpacked(context: &StepContext, package: Sha256, version: Version) -> Result<Manifest, Stop> {
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
) -> Result<Manifest, Stop> {
    let into = context.door.state.unpacked(&context.record.step);
    if let Some(manifest) =
        Manifest::read(&into)?.filter(|made| made.package == package && made.version == version)
        && manifest.verify(&Manifest::tree(&into)).is_ok()
    {
        return Ok(manifest);
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
        Ok(manifest) => Ok(manifest),
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
    let authenticity = manifest.authenticity;
    Done { report: StepReport::Unpack { files, size, authenticity }, warnings: manifest.warnings }
}

fn not_held(package: &Sha256) -> Failure {
    let message = format!("package {} is not on this node", package.short());
    Failure::operator("package-not-held", message, "fetch it first: `ratchet prepare` does")
}
