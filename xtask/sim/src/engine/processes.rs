//! Starting, stopping and listening to the services processes.

use std::fs::OpenOptions;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use proto::Version;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufRead, AsyncWrite};
use tokio::sync::mpsc;

use super::{Engine, lock};
use crate::model::{Node, Role, Services};
use crate::roots;
use crate::spec::ShardMode;
use crate::wire::{self, Command, Launch, Report, WireError};

/// How long services may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(20);

impl Engine {
    /// Starts a node's services and waits until they have reported; false if they do not in time. Nothing to do if they run.
    pub(super) async fn start_services(self: &Arc<Self>, uid: u32) -> bool {
        let is_up = move |model: &crate::model::Model| model.nodes.get(&uid).is_some_and(Node::is_up);
        if self.read(is_up) {
            return true;
        }
        if let Err(error) = self.spawn_services(uid) {
            tracing::error!(uid, %error, "the services process does not start");
            return false;
        }
        self.wait_until(PATIENCE, is_up).await
    }

    fn spawn_services(self: &Arc<Self>, uid: u32) -> std::io::Result<()> {
        if let Some(supervisors) = &self.supervisors {
            let told = lock(supervisors).get(&uid).is_some_and(|to| to.send(Command::Start).is_ok());
            return if told { Ok(()) } else { Err(std::io::Error::other("the machine is off")) };
        }
        let root = roots::root(&self.dir, uid);
        let log = root.join("var/opt/redislabs/log/node_services.log");
        let log = OpenOptions::new().create(true).append(true).open(log)?;
        let mut child = tokio::process::Command::new(&self.binary)
            .arg("node-services")
            .arg("--root")
            .arg(&root)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let engine = Arc::clone(self);
        let child = tokio::spawn(async move {
            tokio::select! {
                _ = child.wait() => {}
                () = engine.ended() => drop(child.kill().await),
            }
        });
        lock(&self.children).push(child);
        Ok(())
    }

    /// Waits for the end of every services process, which the engine's own end brings about, and of the shards that die
    /// with it.
    pub(super) async fn bury_children(&self) {
        let shards: Vec<u32> =
            self.read(|model| model.shards.values().filter_map(|shard| shard.pid).collect());
        let children = std::mem::take(&mut *lock(&self.children));
        for child in children {
            if let Err(error) = child.await {
                tracing::error!(%error, "a services process may be left");
            }
        }
        let all_dead = async {
            // Grandchildren cannot be waited for, only looked at.
            while shards.iter().any(|pid| super::server::is_alive(*pid)) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, all_dead).await.is_err() {
            tracing::error!(?shards, "a redis-server may be left");
        }
    }

    /// Kills a node's services as a crash would, and waits until the loss is known.
    pub(super) async fn kill_services(&self, uid: u32) {
        let services = self.read(|model| model.nodes.get(&uid).map(|node| node.services));
        let Some(Services::Up { pid, .. }) = services else { return };
        if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
            // It may be dead already, which is what is wanted.
            let _ = kill_process(pid, Signal::KILL);
        }
        self.wait_until(PATIENCE, |model| !model.nodes.get(&uid).is_some_and(Node::is_up)).await;
    }

    /// Stops a node's services politely: planned takeovers first, then an orderly end.
    pub(super) async fn stop_services(&self, uid: u32) {
        self.take_over_from(uid).await;
        self.command(uid, Command::Quit);
        let is_down = |model: &crate::model::Model| !model.nodes.get(&uid).is_some_and(Node::is_up);
        if !self.wait_until(PATIENCE, is_down).await {
            self.kill_services(uid).await;
        }
    }

    /// Tells a node's services something; without services nobody listens.
    pub(super) fn command(&self, uid: u32, command: Command) {
        if let Some(sender) = lock(&self.services).get(&uid) {
            // A closed channel means that the services are about to be noticed as gone.
            let _ = sender.send(command);
        }
    }

    /// Serves the connection of a machine's supervisor until the machine goes down. A machine that boots starts its node's
    /// services.
    pub(super) async fn serve_supervisor(
        self: &Arc<Self>,
        uid: u32,
        mut reader: impl AsyncBufRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) -> Result<(), WireError> {
        let Some(supervisors) = &self.supervisors else { return Err(WireError::Closed) };
        let (sender, mut commands) = mpsc::unbounded_channel();
        lock(supervisors).insert(uid, sender.clone());
        let _heard_below = sender.send(Command::Start);
        loop {
            tokio::select! {
                Some(command) = commands.recv() => wire::send(&mut writer, &command).await?,
                // It says nothing: what comes is the end.
                _ = wire::receive::<Report>(&mut reader) => break,
            }
        }
        let mut supervisors = lock(supervisors);
        if supervisors.get(&uid).is_some_and(|known| known.same_channel(&sender)) {
            supervisors.remove(&uid);
        }
        Ok(())
    }

    /// Serves the connection of a services process until it ends, and with it the process.
    pub(super) async fn serve_services(
        self: &Arc<Self>,
        (uid, pid, version): (u32, u32, Version),
        mut reader: impl AsyncBufRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) {
        let (sender, mut commands) = mpsc::unbounded_channel();
        lock(&self.services).insert(uid, sender);
        self.change(|model, now| model.services_up(uid, pid, version, now));
        self.launch_shards(uid).await;
        loop {
            tokio::select! {
                Some(command) = commands.recv() => {
                    if wire::send(&mut writer, &command).await.is_err() {
                        break;
                    }
                }
                report = wire::receive::<Report>(&mut reader) => match report {
                    Ok(Some(report)) => self.note_report(uid, report),
                    _ => break,
                },
            }
        }
        lock(&self.services).remove(&uid);
        self.change(|model, now| model.services_down(uid, now));
    }

    fn note_report(&self, uid: u32, report: Report) {
        self.change(|model, now| match report {
            Report::Shard { shard, pid } => {
                if let Some(shard) = model.shards.get_mut(&shard) {
                    shard.pid = pid;
                }
            }
            Report::Hears { uids } => model.hears(uid, uids, now),
        });
    }

    /// Launches those shards of a node that have no process, unless a fault holds them down.
    pub(super) async fn launch_shards(&self, uid: u32) {
        let _roles = self.roles.lock().await;
        for launch in self.read(|model| launches(model, uid)) {
            self.command(uid, Command::Launch(launch));
        }
    }

    /// Stops the processes of a node's shards.
    pub(super) fn stop_shards(&self, uid: u32) {
        let of_node = |model: &crate::model::Model| {
            model.shards.values().filter(|shard| shard.node == uid).map(|shard| shard.id).collect::<Vec<_>>()
        };
        for shard in self.read(of_node) {
            self.command(uid, Command::Stop { shard });
        }
    }
}

fn launches(model: &crate::model::Model, uid: u32) -> Vec<Launch> {
    let Some(node) = model.nodes.get(&uid) else { return Vec::new() };
    if model.mode != ShardMode::Redis || node.hold == Some(crate::fault::ShardHold::Down) {
        return Vec::new();
    }
    let primary_address = |shard: &crate::model::Shard| {
        let primary = model.primary_of(shard.db, shard.group)?;
        Some((model.nodes.get(&primary.node)?.address.clone(), primary.port))
    };
    let idle = model.shards.values().filter(|shard| shard.node == uid && shard.pid.is_none());
    let launch = |shard: &crate::model::Shard| Launch {
        shard: shard.id,
        address: node.address.clone(),
        port: shard.port,
        replica_of: if shard.role == Role::Replica { primary_address(shard) } else { None },
        append_only: model.databases.get(&shard.db).is_some_and(|db| db.persistence),
    };
    idle.map(launch).collect()
}
