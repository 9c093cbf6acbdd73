//! Gathers logs and status after a failure into one bundle (fact sheet §7.3, at its end). What cannot be had is named in
//! the bundle; that alone fails nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use proto::{Failure, StepId, StepReport};

use super::{Done, StepContext, Stop};
use crate::durable::{self, Disk, StateError};
use crate::failures::chain;
use crate::host::Action;
use crate::runner;

const TOOL_DEADLINE: Duration = Duration::from_secs(60);
/// Of a longer file only the end is taken.
const MOST_BYTES: u64 = 64 << 20;

pub(super) async fn run(context: &StepContext, about: &StepId) -> Result<Done, Stop> {
    let mut parts = answers(context).await;
    let files = files(context, about);
    let path = context.door.state.bundles().join(format!("{}.tar.gz", context.record.step));
    let (target, disk) = (path.clone(), context.door.disk.clone());
    let written = tokio::task::spawn_blocking(move || {
        parts.extend(files.into_iter().map(|(name, path)| read_part(name, &path)));
        write_bundle(&disk, &target, &parts)
    });
    let written =
        written.await.map_err(|error| Failure::bug("the bundle broke off").because(error.to_string()))?;
    let size = written?;
    Ok(Done::new(StepReport::Collect { path: path.display().to_string(), size }))
}

/// One file of the bundle.
struct Part {
    name: String,
    bytes: Vec<u8>,
}

/// What the product's tools say now.
async fn answers(context: &StepContext) -> Vec<Part> {
    let calls = [
        ("rladmin-status-extra-all.txt", Action::Status),
        ("rladmin-running-actions.txt", Action::RunningActions),
        ("rladmin-info-cluster.txt", Action::InfoCluster),
        ("supervisorctl-status.txt", Action::Services),
    ];
    let product = context.door.node.product();
    let mut parts = Vec::new();
    for (name, action) in calls {
        let text = match product.ask_within(action, TOOL_DEADLINE).await {
            Ok(output) => format!("{}{}", output.stdout, output.stderr),
            Err(error) => format!("not to be had: {}\n", chain(&error)),
        };
        parts.push(Part { name: name.to_owned(), bytes: text.into_bytes() });
    }
    parts
}

/// The files that tell what happened: ours, the installer's and the product's.
fn files(context: &StepContext, about: &StepId) -> Vec<(String, PathBuf)> {
    let root = &context.door.config.root;
    let step = context.door.state.step(about);
    let own = ["spec.json", "events", "started.json", "child.json", "result.json", "runner.log"];
    let logs = ["install.log", "rlcheck.log", "cnm_exec.log", "node_mgr.log", "dmcproxy.log"];
    let own = own.into_iter().map(|name| (format!("step/{name}"), step.join(name)));
    let output = [("step/output.log".to_owned(), runner::output_log(&step))];
    let logs = logs.into_iter().map(|name| (name.to_owned(), root.join("var/opt/redislabs/log").join(name)));
    let tmp = [("tmp-install.log".to_owned(), root.join("tmp/install.log"))];
    own.chain(output).chain(logs).chain(tmp).collect()
}

fn read_part(name: String, path: &Path) -> Part {
    let bytes = read_end(path).unwrap_or_else(|error| format!("not to be had: {error}\n").into_bytes());
    Part { name, bytes }
}

fn read_end(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MOST_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn write_bundle(disk: &Disk, path: &Path, parts: &[Part]) -> Result<u64, StateError> {
    let half_done = path.with_extension("half-done");
    let written = write_archive(&half_done, parts).map_err(StateError::io("write", &half_done));
    if let Err(error) = written {
        durable::remove(&half_done)?;
        return Err(error);
    }
    disk.rename(&half_done, path)?;
    Ok(fs::metadata(path).map_err(StateError::io("read", path))?.len())
}

fn write_archive(path: &Path, parts: &[Part]) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let mut builder = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    for part in parts {
        let mut header = tar::Header::new_gnu();
        header.set_size(part.bytes.len() as u64);
        header.set_mode(0o600);
        builder.append_data(&mut header, &part.name, part.bytes.as_slice())?;
    }
    let mut file = builder.into_inner()?.finish()?;
    file.flush()?;
    file.sync_all()
}
