//! What the op runner proves before it runs anything as root. The order in the step's directory is not believed
//! because it is there.

use jiff::Timestamp;
use proto::{Failure, InstallSpec, StepSpec};

use crate::answers;
use crate::claims::ClaimRecord;
use crate::config::{Config, refused_install_args};
use crate::durable;
use crate::executor::StepRecord;
use crate::failures::{self, chain};
use crate::package::{self, Manifest, Owner, TreeError, signature};
use crate::state::StateDir;

/// Why an order for an install is not carried out, as far as it can be told from the order, the configuration and the
/// node's claim; `None` if nothing is against it. Cheap.
pub fn refused_order(spec: &InstallSpec, config: &Config) -> Option<Failure> {
    let refused = refused_install_args(&spec.args);
    if !refused.is_empty() {
        let message = format!("install.sh must not be given {} in an upgrade", refused.join(" "));
        let remedy = "correct install_args in the agent's configuration, restart it, and make a new plan";
        return Some(Failure::operator("install-args-refused", message, remedy));
    }
    if spec.args != config.install_args {
        let message = "the plan's arguments for install.sh are not the agent's";
        let cause = format!("the plan says {:?}, the agent {:?}", spec.args, config.install_args);
        let remedy = "make a new plan, or correct install_args in the agent's configuration";
        return Some(Failure::operator("install-args-differ", message, remedy).because(cause));
    }
    None
}

/// Proves an order against everything that is on this node; the directory to run in. Blocks: it reads every byte.
pub(super) fn verified(
    record: &StepRecord,
    config: &Config,
    state: &StateDir,
    now: Timestamp,
) -> Result<(InstallSpec, std::path::PathBuf), Box<Failure>> {
    let StepSpec::Install(spec) = &record.spec else {
        return Err(Box::new(Failure::bug(format!("step {} is no install", record.step))));
    };
    if let Some(failure) = refused_order(spec, config) {
        return Err(Box::new(failure));
    }
    let claims: ClaimRecord = durable::read_json(&state.claim())?.unwrap_or_default();
    if claims.claim.as_ref().is_none_or(|claim| claim.run != record.run) {
        let message = format!("run {} does not hold this node any more", record.run);
        return Err(Box::new(Failure::operator("not-claimed", message, "look with `ratchet status`")));
    }
    answers::unchanged(config, &state.step(&record.step))?;
    verify_archive(spec, state)?;
    let dir = state.unpacked(&spec.unpacked_by);
    let manifest = authentic_manifest(spec, config, state, now)?;
    let tree = Manifest::tree(&dir);
    manifest.verify(&tree).map_err(|error| tampered(&error))?;
    Ok((spec.clone(), tree))
}

/// The manifest of the directory that an install is to use, if it was made from the right archive, and what the node's own
/// configuration asks of a package's makers holds at this moment. Whoever sent the order has no say in that.
pub(crate) fn authentic_manifest(
    spec: &InstallSpec,
    config: &Config,
    state: &StateDir,
    now: Timestamp,
) -> Result<Manifest, Box<Failure>> {
    Owner::of(config, state).admit_as(&spec.package, spec.target, now)?;
    let manifest = manifest_for(spec, state)?;
    signature::refuse_unproven(config, &manifest)?;
    Ok(manifest)
}

/// The manifest of the directory that an install is to use, if it was made from the right archive.
fn manifest_for(spec: &InstallSpec, state: &StateDir) -> Result<Manifest, Box<Failure>> {
    let manifest = Manifest::read(&state.unpacked(&spec.unpacked_by))?;
    let fits = |made: &Manifest| made.package == spec.package && made.version == spec.target;
    manifest.filter(fits).ok_or_else(|| {
        let message =
            format!("step {} has not unpacked {} {}", spec.unpacked_by, spec.target, spec.package.short());
        Box::new(Failure::operator("not-unpacked", message, "prepare the node again: `ratchet retry` does"))
    })
}

fn verify_archive(spec: &InstallSpec, state: &StateDir) -> Result<(), Box<Failure>> {
    let archive = state.archive(&spec.package);
    let remedy = "prepare the node again: `ratchet retry` does";
    let failure = |message: String| Failure::operator("digest-mismatch", message, remedy);
    let actual = package::sha256_of_file(&archive, None).map_err(|error| {
        failure(format!("the archive {} cannot be read", archive.display())).because(error.to_string())
    })?;
    if actual == spec.package {
        return Ok(());
    }
    let cause = format!("the plan names {}, its SHA-256 is {actual}", spec.package);
    Err(Box::new(failure(format!("the archive {} has changed", archive.display())).because(cause)))
}

fn tampered(error: &TreeError) -> Box<Failure> {
    let message = "the unpacked package is not what was unpacked";
    let remedy = "find out who changes files there, then unpack again: `ratchet retry` does";
    Box::new(Failure::operator("tree-changed", message, remedy).because(chain(error)))
}

impl From<durable::StateError> for Failure {
    fn from(error: durable::StateError) -> Self {
        failures::of_state(&error)
    }
}
