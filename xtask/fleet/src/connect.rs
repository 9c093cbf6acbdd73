//! Agents that open the connection themselves: they introduce themselves in one line, then the roles turn.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use crate::agent::SimAgent;
use crate::fleet::Fleet;
use crate::line::{Line, Wire};

/// The longest answer that is read.
const LONGEST_ANSWER: usize = 16 * 1024;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The first pause is at most this long; they double.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Fleet {
    /// Every agent connects to one of the coordinators and comes back whenever the connection breaks. Needs a tokio
    /// runtime.
    pub fn connect(&mut self, coordinators: &[String]) {
        for agent in self.agents().to_vec() {
            self.tasks.spawn(stay_connected(agent, coordinators.to_vec(), self.lines.clone()));
        }
    }
}

/// As the real agent does it: the addresses in turn, with back-off and full jitter.
async fn stay_connected(
    agent: Arc<SimAgent>,
    coordinators: Vec<String>,
    lines: mpsc::Sender<io::Result<Line>>,
) {
    let mut failures = 0_u32;
    for coordinator in coordinators.iter().cycle() {
        match tokio::time::timeout(PATIENCE, introduced(&agent, coordinator)).await {
            Ok(Ok(stream)) => {
                failures = 0;
                let (open, closed) = oneshot::channel();
                if lines.send(Ok(Line::new(stream, Arc::clone(&agent), Some(open)))).await.is_err() {
                    return;
                }
                // Its end is all that is told.
                let _dropped = closed.await;
            }
            Ok(Err(_)) | Err(_) => failures = failures.saturating_add(1),
        }
        tokio::time::sleep(pause(failures)).await;
    }
}

/// Anything between nothing and a bound that doubles with each failure.
fn pause(failures: u32) -> Duration {
    let most = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_PAUSE);
    most.mul_f64(rand::rng().random_range(0.0..1.0))
}

/// A connection on which the coordinator has accepted the agent.
async fn introduced(agent: &SimAgent, coordinator: &str) -> io::Result<Box<dyn Wire>> {
    let mut stream = connected(agent, coordinator).await?;
    let hello =
        json!({ "name": agent.name(), "memory": agent.memory(), "version": env!("CARGO_PKG_VERSION") });
    stream.write_all(format!("RATCHET-AGENT/1 {hello}\n").as_bytes()).await?;
    stream.flush().await?;
    match answer(&mut stream).await?.as_str() {
        "OK" => Ok(stream),
        refused => Err(io::Error::other(refused.to_owned())),
    }
}

async fn connected(agent: &SimAgent, coordinator: &str) -> io::Result<Box<dyn Wire>> {
    let stream = TcpStream::connect(coordinator).await?;
    stream.set_nodelay(true)?;
    let Some(certificates) = &agent.common.certificates else { return Ok(Box::new(stream)) };
    let connector = certificates.connector(&agent.name()).map_err(io::Error::other)?;
    let host = stream.peer_addr()?.ip().into();
    Ok(Box::new(connector.connect(host, stream).await?))
}

/// The line that is answered, and not a byte more: what follows is HTTP/2.
async fn answer(stream: &mut Box<dyn Wire>) -> io::Result<String> {
    let mut line = Vec::new();
    while line.len() < LONGEST_ANSWER {
        match stream.read_u8().await? {
            b'\n' => return String::from_utf8(line).map_err(io::Error::other),
            byte => line.push(byte),
        }
    }
    Err(io::Error::other("the answer has no end"))
}
