//! What a step tells while it runs.

use super::WireError;
use super::field::{Field, message, record, word};
use crate::{
    Authenticity, Checked, Exit, Installed, Layer, LayerVerdict, StepEvent, StepHistory, StepOutcome,
    StepProgress, StepReport, pb, pb::exit, pb::step_outcome, pb::step_progress, pb::step_report,
};

record!(StepEvent => StepEvent as "event" { step, seq, at, what });
record!(StepHistory => StepHistory as "history" { step, kind, accepted_at, ended, cut_bytes, events });
record!(Checked => Checked { rlcheck, view });
record!(Installed => Installed { exit, took_ms, log_says_complete, log_errors, log_path });
record!(Authenticity => Authenticity { layer, verdict, detail });
word!(Layer { Sha256, Owner, Vendor, Version });
word!(LayerVerdict { Verified, NotAsked, NotChecked, Failed });
message!(StepProgress => StepProgress);
message!(StepOutcome => StepOutcome);
message!(StepReport => StepReport);
message!(Exit => Exit);

impl Field<pb::StepProgress> for StepProgress {
    fn put(&self) -> pb::StepProgress {
        use step_progress::Kind;
        let kind = match self {
            Self::Started { resumed } => Kind::Started(pb::Started { resumed: *resumed }),
            Self::Moved { doing, done, total } => {
                Kind::Moved(pb::Moved { doing: doing.clone(), done: *done, total: *total })
            }
            Self::Output(line) => Kind::Output(line.clone()),
            Self::Retry { cause, next_at, gives_up_at } => Kind::Retry(pb::Retry {
                cause: cause.clone(),
                next_at: next_at.put(),
                gives_up_at: gives_up_at.put(),
            }),
            Self::Finished(outcome) => Kind::Finished(outcome.as_ref().put()),
        };
        pb::StepProgress { kind: Some(kind) }
    }

    fn take(wire: pb::StepProgress) -> Result<Self, WireError> {
        use step_progress::Kind;
        match wire.kind.ok_or_else(WireError::nothing_set)? {
            Kind::Started(pb::Started { resumed }) => Ok(Self::Started { resumed }),
            Kind::Moved(pb::Moved { doing, done, total }) => Ok(Self::Moved { doing, done, total }),
            Kind::Output(line) => Ok(Self::Output(line)),
            Kind::Retry(wire) => retry(wire).map_err(|error| error.within("retry")),
            Kind::Finished(wire) => {
                let outcome = Field::take(wire).map_err(|error: WireError| error.within("finished"))?;
                Ok(Self::Finished(Box::new(outcome)))
            }
        }
    }
}

fn retry(wire: pb::Retry) -> Result<StepProgress, WireError> {
    let next_at = Field::take(wire.next_at).map_err(|error| error.within("next_at"))?;
    let gives_up_at = Field::take(wire.gives_up_at).map_err(|error| error.within("gives_up_at"))?;
    Ok(StepProgress::Retry { cause: wire.cause, next_at, gives_up_at })
}

impl Field<pb::StepOutcome> for StepOutcome {
    fn put(&self) -> pb::StepOutcome {
        use step_outcome::Kind;
        let kind = match self {
            Self::Completed { report, warnings } => {
                Kind::Completed(pb::Completed { report: report.put(), warnings: warnings.clone() })
            }
            Self::Failed(failure) => Kind::Failed(failure.put()),
            Self::Interrupted(reason) => Kind::Interrupted(reason.clone()),
            Self::Cancelled => Kind::Cancelled(()),
        };
        pb::StepOutcome { kind: Some(kind) }
    }

    fn take(wire: pb::StepOutcome) -> Result<Self, WireError> {
        use step_outcome::Kind;
        match wire.kind.ok_or_else(WireError::nothing_set)? {
            Kind::Completed(pb::Completed { report, warnings }) => {
                let report = Field::take(report).map_err(|error| error.within("completed.report"))?;
                Ok(Self::Completed { report, warnings })
            }
            Kind::Failed(wire) => Field::take(wire).map(Self::Failed).map_err(|error| error.within("failed")),
            Kind::Interrupted(reason) => Ok(Self::Interrupted(reason)),
            Kind::Cancelled(()) => Ok(Self::Cancelled),
        }
    }
}

impl Field<pb::StepReport> for StepReport {
    fn put(&self) -> pb::StepReport {
        use step_report::Kind;
        let kind = match self {
            Self::Fetch { size, source } => {
                Kind::Fetch(pb::FetchReport { size: *size, source: source.clone() })
            }
            Self::Unpack { files, size, authenticity } => {
                let authenticity = authenticity.put();
                Kind::Unpack(pb::UnpackReport { files: *files, size: *size, authenticity })
            }
            Self::Check(checked) => Kind::Check(checked.put()),
            Self::Install(installed) => Kind::Install(installed.put()),
            Self::Confirm { installed, checked } => {
                Kind::Confirm(pb::ConfirmReport { installed: installed.put(), checked: checked.put() })
            }
            Self::Collect { path, size } => {
                Kind::Collect(pb::CollectReport { path: path.clone(), size: *size })
            }
            Self::Restart => Kind::Restart(()),
            Self::Tune { now } => Kind::Tune(pb::TuneReport { now: *now }),
        };
        pb::StepReport { kind: Some(kind) }
    }

    fn take(wire: pb::StepReport) -> Result<Self, WireError> {
        use step_report::Kind;
        match wire.kind.ok_or_else(WireError::nothing_set)? {
            Kind::Fetch(pb::FetchReport { size, source }) => Ok(Self::Fetch { size, source }),
            Kind::Unpack(pb::UnpackReport { files, size, authenticity }) => {
                let authenticity = Field::take(authenticity)
                    .map_err(|error: WireError| error.within("unpack.authenticity"))?;
                Ok(Self::Unpack { files, size, authenticity })
            }
            Kind::Check(wire) => Field::take(wire).map(Self::Check).map_err(|error| error.within("check")),
            Kind::Install(wire) => {
                Field::take(wire).map(Self::Install).map_err(|error| error.within("install"))
            }
            Kind::Confirm(wire) => confirm(wire).map_err(|error| error.within("confirm")),
            Kind::Collect(pb::CollectReport { path, size }) => Ok(Self::Collect { path, size }),
            Kind::Restart(()) => Ok(Self::Restart),
            Kind::Tune(pb::TuneReport { now }) => Ok(Self::Tune { now }),
        }
    }
}

fn confirm(wire: pb::ConfirmReport) -> Result<StepReport, WireError> {
    let installed = Field::take(wire.installed).map_err(|error| error.within("installed"))?;
    let checked = Field::take(wire.checked).map_err(|error| error.within("checked"))?;
    Ok(StepReport::Confirm { installed, checked })
}

impl Field<pb::Exit> for Exit {
    fn put(&self) -> pb::Exit {
        let kind = match self {
            Self::Code(code) => exit::Kind::Code(*code),
            Self::Signal(signal) => exit::Kind::Signal(*signal),
            Self::Deadline => exit::Kind::Deadline(()),
        };
        pb::Exit { kind: Some(kind) }
    }

    fn take(wire: pb::Exit) -> Result<Self, WireError> {
        Ok(match wire.kind.ok_or_else(WireError::nothing_set)? {
            exit::Kind::Code(code) => Self::Code(code),
            exit::Kind::Signal(signal) => Self::Signal(signal),
            exit::Kind::Deadline(()) => Self::Deadline,
        })
    }
}
