//! What starts a node's services on a machine of its own: at its boot, and whenever the cluster says so.

use std::path::Path;
use std::process::Stdio;

use tokio::io::BufReader;
use tokio::net::UnixStream;

use crate::roots;
use crate::wire::{self, Command, Request, WireError};

/// Runs until the cluster's server is gone.
pub async fn run(root: &Path) -> Result<(), WireError> {
    let marker = roots::marker(root)?;
    let (read, mut write) = UnixStream::connect(&marker.socket).await?.into_split();
    let mut reader = BufReader::new(read);
    wire::send(&mut write, &Request::Supervisor { uid: marker.uid }).await?;
    while let Some(command) = wire::receive::<Command>(&mut reader).await? {
        if matches!(command, Command::Start) {
            let mut services = tokio::process::Command::new(&marker.binary)
                .arg("node-services")
                .arg("--root")
                .arg(root)
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .spawn()?;
            // The server notices by itself that they are gone; here they are only waited for.
            tokio::spawn(async move { drop(services.wait().await) });
        }
    }
    Err(WireError::Closed)
}
