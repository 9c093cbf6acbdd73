//! The vendor's tools on one node, answered out of the model in virtual time.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agent::host::{Call, Output, Programs};
use futures::future::BoxFuture;
use proto::ProgramFailure;
use sim::fault::RladminFault;
use sim::tools::{self, rlcheck, supervisorctl};
use tokio::time::Instant;

use super::Cluster;
use crate::life::Life;
use crate::rng::Stream;
use crate::slots::{self, Owner};

/// The programs of one node, as one life of its agent calls them.
#[derive(Debug)]
pub struct NodePrograms {
    cluster: Arc<Cluster>,
    uid: u32,
    life: Life,
    began: Instant,
    draws: Mutex<Stream>,
}

impl NodePrograms {
    /// The programs of a node. They never answer once that life is over.
    pub fn new(cluster: Arc<Cluster>, uid: u32, life: Life, began: Instant, draws: Stream) -> Self {
        Self { cluster, uid, life, began, draws: Mutex::new(draws) }
    }

    async fn takes(&self, least_ms: u64, most_ms: u64) {
        let ms = self.draws.lock().unwrap_or_else(PoisonError::into_inner).between(least_ms, most_ms);
        slots::wait(self.began, Owner::Node(self.uid), ms).await;
    }

    async fn answer(&self, call: &Call) -> Result<Output, ProgramFailure> {
        let said = match call.name() {
            "rladmin" => tokio::time::timeout(call.deadline(), self.rladmin(call.args())).await,
            "rlcheck" => tokio::time::timeout(call.deadline(), self.rlcheck(call.args())).await,
            "supervisorctl" => {
                self.takes(2, 30).await;
                Ok(self.cluster.change(|model, now| supervisorctl::run(model, self.uid, call.args(), now)))
            }
            "openssl" => Ok(tools::Output::ok("OpenSSL 3.0.2 15 Mar 2022\n")),
            _ => return Err(failed(call, "could not be started: there is no such program")),
        };
        match said {
            Ok(said) => Ok(Output {
                argv: call.argv(),
                status: ExitStatus::from_raw(i32::from(said.code) << 8),
                stdout: said.stdout,
                stderr: said.stderr,
            }),
            Err(_) => Err(failed(call, &format!("no answer within {:?}; it was killed", call.deadline()))),
        }
    }

    async fn rladmin(&self, args: &[String]) -> tools::Output {
        self.takes(2, 30).await;
        let fault = self.cluster.read(|model, _| model.nodes.get(&self.uid).and_then(|node| node.rladmin));
        match fault {
            Some(RladminFault::Hangs) => std::future::pending().await,
            Some(RladminFault::Garbage) => {
                tools::Output::ok("CLUSTER:\n\u{fffd}\u{0}OK OK OK\nNODE:ID STATUS\n*no")
            }
            Some(RladminFault::Empty) => tools::Output::default(),
            Some(RladminFault::Exits(code)) => tools::Output::fail(code, "ERROR: internal error\n"),
            None => self.cluster.rladmin(self.uid, args),
        }
    }

    async fn rlcheck(&self, args: &[String]) -> tools::Output {
        let options = match rlcheck::parse_options(args) {
            Ok(options) => options,
            Err(error) => return tools::Output::fail(2, format!("{error}\n")),
        };
        self.takes(200, 2000).await;
        let mut said = self.cluster.read(|model, _| rlcheck::run(model, self.uid, &options));
        for _ in 0..options.retry {
            if said.code == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_secs(options.retry_delay)).await;
            said = self.cluster.read(|model, _| rlcheck::run(model, self.uid, &options));
        }
        said
    }
}

impl Programs for NodePrograms {
    fn run(&self, call: Call) -> BoxFuture<'_, Result<Output, ProgramFailure>> {
        Box::pin(async move { self.life.while_alive(self.answer(&call)).await })
    }
}

fn failed(call: &Call, status: &str) -> ProgramFailure {
    ProgramFailure { argv: call.argv(), status: status.to_owned(), tail: Vec::new() }
}
