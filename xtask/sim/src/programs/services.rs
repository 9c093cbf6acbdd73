//! A node's services process: it runs the node's shards for as long as the cluster's server is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::sync::mpsc;

use super::network;
use crate::roots;
use crate::wire::{self, Command, Launch, Report, Request, WireError};

/// Runs until told to quit or until the server is gone; then every shard is dead too.
pub async fn run(root: &Path) -> Result<(), WireError> {
    let marker = roots::marker(root)?;
    let version = roots::version_on_disk(root)?;
    let (read, mut write) = UnixStream::connect(&marker.socket).await?.into_split();
    let mut reader = BufReader::new(read);
    wire::send(&mut write, &Request::Services { uid: marker.uid, pid: std::process::id(), version }).await?;
    let (ended, mut reports) = mpsc::unbounded_channel();
    let mut network = network::listen(&marker).await?;
    let mut shards = Shards { root: root.to_owned(), binary: marker.binary, pids: BTreeMap::new(), ended };
    loop {
        tokio::select! {
            command = wire::receive::<Command>(&mut reader) => match command? {
                Some(Command::Launch(launch)) => {
                    let pid = shards.launch(&launch)?;
                    wire::send(&mut write, &Report::Shard { shard: launch.shard, pid }).await?;
                }
                Some(Command::Stop { shard }) => shards.signal(shard, Signal::KILL),
                Some(Command::Quit) => break,
                // Only a supervisor is told so.
                Some(Command::Start) => {}
                // The children die with this process.
                None => return Ok(()),
            },
            Some(shard) = reports.recv() => {
                shards.pids.remove(&shard);
                wire::send(&mut write, &Report::Shard { shard, pid: None }).await?;
            }
            Some(uids) = network.recv() => wire::send(&mut write, &Report::Hears { uids }).await?,
        }
    }
    shards.stop_all(&mut reports).await;
    Ok(())
}

#[derive(Debug)]
struct Shards {
    root: PathBuf,
    binary: PathBuf,
    pids: BTreeMap<u32, u32>,
    ended: mpsc::UnboundedSender<u32>,
}

impl Shards {
    fn launch(&mut self, launch: &Launch) -> std::io::Result<Option<u32>> {
        let dir = self.root.join(format!("var/opt/redislabs/persist/redis-{}", launch.shard));
        std::fs::create_dir_all(&dir)?;
        let log = self.root.join(format!("var/opt/redislabs/log/redis-{}.log", launch.shard));
        let child = tokio::process::Command::new(&self.binary)
            .args(["shard", "--parent", &std::process::id().to_string(), "--"])
            .args(redis_arguments(launch, &dir, &log))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let pid = child.id();
        if let Some(pid) = pid {
            self.pids.insert(launch.shard, pid);
        }
        tokio::spawn(report_end(child, launch.shard, self.ended.clone()));
        Ok(pid)
    }

    fn signal(&self, shard: u32, signal: Signal) {
        let pid = self.pids.get(&shard).and_then(|pid| i32::try_from(*pid).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended by itself, which its report will tell.
            let _ = kill_process(pid, signal);
        }
    }

    async fn stop_all(&mut self, reports: &mut mpsc::UnboundedReceiver<u32>) {
        for shard in self.pids.keys() {
            self.signal(*shard, Signal::TERM);
        }
        let all_ended = async {
            while !self.pids.is_empty() {
                let Some(shard) = reports.recv().await else { break };
                self.pids.remove(&shard);
            }
        };
        // What does not end in time is killed with this process.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(5), all_ended).await;
    }
}

async fn report_end(mut child: Child, shard: u32, ended: mpsc::UnboundedSender<u32>) {
    // Whatever the status: the process is gone; nobody is left to tell if the receiver is.
    let _ = child.wait().await;
    let _ = ended.send(shard);
}

fn redis_arguments(launch: &Launch, dir: &Path, log: &Path) -> Vec<String> {
    let append_only = if launch.append_only { "yes" } else { "no" };
    let (port, dir, log) = (launch.port.to_string(), dir.display().to_string(), log.display().to_string());
    let mut args: Vec<String> = [
        ("--port", port.as_str()),
        ("--bind", &launch.address),
        ("--dir", &dir),
        ("--logfile", &log),
        ("--save", ""),
        ("--appendonly", append_only),
        ("--protected-mode", "no"),
        ("--repl-diskless-sync-delay", "0"),
        ("--shutdown-timeout", "0"),
    ]
    .into_iter()
    .flat_map(|(name, value)| [name.to_owned(), value.to_owned()])
    .collect();
    if let Some((address, port)) = &launch.replica_of {
        args.extend(["--replicaof".to_owned(), address.clone(), port.to_string()]);
    }
    args
}
