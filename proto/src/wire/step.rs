//! What a step is to do.

use super::WireError;
use super::field::{Field, message, record, word};
use crate::{InstallSpec, RestartableService, Setting, StepKind, StepSpec, pb, pb::step_spec::Kind};

word!(StepKind { Fetch, Unpack, Check, Install, Confirm, Collect, Restart, Tune });
word!(Setting { ReplicaHaGracePeriod, ParallelShardsUpgrade });
word!(RestartableService { CnmExec });
record!(InstallSpec => InstallSpec {
    unpacked_by, package, target, expected_installed, expected_role, args, deadline
});
message!(StepSpec => StepSpec as "spec");

impl Field<pb::StepSpec> for StepSpec {
    fn put(&self) -> pb::StepSpec {
        let kind = match self {
            Self::Fetch { package, rate_limit } => {
                Kind::Fetch(pb::FetchSpec { package: package.put(), rate_limit: *rate_limit })
            }
            Self::Unpack { package, version } => {
                Kind::Unpack(pb::UnpackSpec { package: package.put(), version: version.put() })
            }
            Self::Check => Kind::Check(()),
            Self::Install(spec) => Kind::Install(spec.put()),
            Self::Confirm { target, deadline } => {
                Kind::Confirm(pb::ConfirmSpec { target: target.put(), deadline: deadline.put() })
            }
            Self::Collect { about } => Kind::Collect(pb::CollectSpec { about: about.put() }),
            Self::Restart { service } => Kind::Restart(pb::RestartSpec { service: service.put() }),
            Self::Tune { setting, value } => {
                Kind::Tune(pb::TuneSpec { setting: setting.put(), value: *value })
            }
        };
        pb::StepSpec { kind: Some(kind) }
    }

    fn take(wire: pb::StepSpec) -> Result<Self, WireError> {
        match wire.kind.ok_or_else(WireError::nothing_set)? {
            Kind::Fetch(spec) => fetch(spec).map_err(|error| error.within("fetch")),
            Kind::Unpack(spec) => unpack(spec).map_err(|error| error.within("unpack")),
            Kind::Check(()) => Ok(Self::Check),
            Kind::Install(spec) => {
                Field::take(spec).map(Self::Install).map_err(|error| error.within("install"))
            }
            Kind::Confirm(spec) => confirm(spec).map_err(|error| error.within("confirm")),
            Kind::Collect(spec) => {
                let about = Field::take(spec.about).map_err(|error| error.within("collect.about"))?;
                Ok(Self::Collect { about })
            }
            Kind::Restart(spec) => {
                let service = Field::take(spec.service).map_err(|error| error.within("restart.service"))?;
                Ok(Self::Restart { service })
            }
            Kind::Tune(spec) => {
                let setting = Field::take(spec.setting).map_err(|error| error.within("tune.setting"))?;
                Ok(Self::Tune { setting, value: spec.value })
            }
        }
    }
}

fn fetch(spec: pb::FetchSpec) -> Result<StepSpec, WireError> {
    let package = Field::take(spec.package).map_err(|error| error.within("package"))?;
    Ok(StepSpec::Fetch { package, rate_limit: spec.rate_limit })
}

fn unpack(spec: pb::UnpackSpec) -> Result<StepSpec, WireError> {
    let package = Field::take(spec.package).map_err(|error| error.within("package"))?;
    let version = Field::take(spec.version).map_err(|error| error.within("version"))?;
    Ok(StepSpec::Unpack { package, version })
}

fn confirm(spec: pb::ConfirmSpec) -> Result<StepSpec, WireError> {
    let target = Field::take(spec.target).map_err(|error| error.within("target"))?;
    let deadline = Field::take(spec.deadline).map_err(|error| error.within("deadline"))?;
    Ok(StepSpec::Confirm { target, deadline })
}
