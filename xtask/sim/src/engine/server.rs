//! Connections and the beat.

use std::sync::Arc;

use tokio::io::BufReader;
use tokio::net::{UnixListener, UnixStream};

use super::peer::pid_here;
use super::shards::Connections;
use super::{BEAT, Engine};
use crate::fault::{self, RladminFault};
use crate::model::InstallState;
use crate::tools::{Output, rladmin, rlcheck, supervisorctl};
use crate::wire::{self, Reply, Request, Tool, WireError};

/// Serves until the engine is told to end. Every process it started is dead when this returns.
pub(crate) async fn serve(engine: Arc<Engine>, listener: UnixListener) {
    let beat = tokio::spawn(beat(Arc::clone(&engine)));
    loop {
        tokio::select! {
            () = engine.ended() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(tokio::spawn(connection(Arc::clone(&engine), stream))),
                Err(error) => tracing::warn!(%error, "a connection was not accepted"),
            },
        }
    }
    beat.abort();
    engine.bury_children().await;
}

async fn connection(engine: Arc<Engine>, stream: UnixStream) {
    let served = tokio::select! {
        served = answer(&engine, stream) => served,
        () = engine.ended() => Ok(()),
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(engine: &Arc<Engine>, stream: UnixStream) -> Result<(), WireError> {
    let peer = stream.peer_cred().ok().and_then(|peer| peer.pid());
    let (read, mut write) = stream.into_split();
    let mut reader = BufReader::new(read);
    let Some(request) = wire::receive::<Request>(&mut reader).await? else { return Ok(()) };
    let reply = match request {
        Request::Services { uid, pid, version } => {
            engine.serve_services((uid, pid_here(peer, pid), version), reader, write).await;
            return Ok(());
        }
        Request::Supervisor { uid } => return engine.serve_supervisor(uid, reader, write).await,
        Request::Tool { tool, uid, args } => {
            if !engine.hang(tool, uid, &mut reader).await {
                return Ok(());
            }
            Reply::Output(engine.tool(tool, uid, &args))
        }
        Request::InstallBegin { uid, pid, target, args } => {
            engine.install_begins(uid, pid_here(peer, pid), target, args).await
        }
        Request::InstallReach { uid, pid, stage } => {
            engine.install_reaches(uid, pid_here(peer, pid), stage).await
        }
        Request::InstallEnd { uid, pid } => engine.install_ends(uid, pid_here(peer, pid)),
        Request::Fault { text } => Reply::Output(engine.inject(&text).await),
        Request::Status => Reply::Status(engine.read(|model| serde_json::to_value(model))?),
        Request::Down => {
            wire::send(&mut write, &Reply::Output(Output::ok("the cluster ends\n"))).await?;
            engine.end();
            return Ok(());
        }
    };
    wire::send(&mut write, &reply).await
}

/// Elections, fail-overs, shard states and dead installers.
async fn beat(engine: Arc<Engine>) {
    let mut connections = Connections::new();
    let mut ticks = tokio::time::interval(BEAT);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let due = engine.change(|model, now| {
            model.elect(now);
            model.advance_modelled(now);
            model.due_promotions(now)
        });
        for promotion in due {
            engine.fail_over(promotion).await;
        }
        engine.bury_installers();
        engine.poll_shards(&mut connections).await;
    }
}

impl Engine {
    /// Adds statements; those for `now` are carried out before this returns.
    pub(crate) async fn inject(self: &Arc<Self>, text: &str) -> Output {
        match fault::parse(text) {
            Err(error) => Output { stderr: format!("{error}\n"), code: 2, ..Output::default() },
            Ok(rules) => {
                let now = self.change(|model, _| model.script.add(rules));
                self.apply(now, None).await;
                Output::default()
            }
        }
    }

    fn tool(&self, tool: Tool, uid: u32, args: &[String]) -> Output {
        match tool {
            Tool::Rladmin => self.rladmin(uid, args),
            Tool::Supervisorctl => self.change(|model, now| supervisorctl::run(model, uid, args, now)),
            Tool::Rlcheck => match rlcheck::parse_options(args) {
                Ok(options) => self.read(|model| rlcheck::run(model, uid, &options)),
                Err(error) => Output::fail(2, format!("{error}\n")),
            },
        }
    }

    fn rladmin(&self, uid: u32, args: &[String]) -> Output {
        match self.read(|model| model.nodes.get(&uid).and_then(|node| node.rladmin)) {
            Some(RladminFault::Garbage) => Output::ok("CLUSTER:\n\u{fffd}\u{0}OK OK OK\nNODE:ID STATUS\n*no"),
            Some(RladminFault::Empty) => Output::default(),
            Some(RladminFault::Exits(code)) => Output::fail(code, "ERROR: internal error\n"),
            Some(RladminFault::Hangs) | None => self.change(|model, now| rladmin::run(model, uid, args, now)),
        }
    }

    /// Closes the books on installers whose process is gone.
    fn bury_installers(&self) {
        let running = self.read(|model| {
            let open = model.installs.iter().filter(|install| install.ended.is_none());
            open.map(|install| (install.uid, install.pid)).collect::<Vec<_>>()
        });
        for (uid, pid) in running.into_iter().filter(|(_, pid)| !is_alive(*pid)) {
            self.change(|model, now| model.install_ends(uid, pid, InstallState::Died, now));
        }
    }
}

/// Whether a process runs; one that is dead but not yet waited for does not.
pub(crate) fn is_alive(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
    !matches!(state, Some("Z" | "X") | None)
}
