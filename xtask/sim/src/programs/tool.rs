//! `rladmin`, `rlcheck` and `supervisorctl`, asked of the cluster's server.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::roots;
use crate::tools::{Output, rlcheck};
use crate::wire::{self, Reply, Request, Tool, WireError};

/// Runs a tool on the node with this root; gives what to print.
pub async fn run(tool: Tool, root: &Path, args: Vec<String>) -> Output {
    if tool == Tool::Rladmin && !root.join("etc/opt/redislabs/node.id").exists() {
        // A node that is in no cluster knows no such words (fact sheet §3.8).
        let word = args.first().map(String::as_str).unwrap_or_default();
        return Output::fail(1, format!("ERROR: invalid token '{word}'\n"));
    }
    match tool {
        Tool::Rlcheck => run_rlcheck(root, args).await,
        Tool::Rladmin | Tool::Supervisorctl => ask(tool, root, args).await,
    }
}

async fn ask(tool: Tool, root: &Path, args: Vec<String>) -> Output {
    match try_ask(tool, root, args).await {
        Ok(output) => output,
        Err(error) => Output::fail(1, format!("ERROR: [Errno 111] Connection refused ({error})\n")),
    }
}

async fn try_ask(tool: Tool, root: &Path, args: Vec<String>) -> Result<Output, WireError> {
    let marker = roots::marker(root)?;
    match wire::call(&marker.socket, &Request::Tool { tool, uid: marker.uid, args }).await? {
        Reply::Output(output) => Ok(output),
        _ => Err(WireError::Closed),
    }
}

async fn run_rlcheck(root: &Path, args: Vec<String>) -> Output {
    let options = match rlcheck::parse_options(&args) {
        Ok(options) if options.help => return Output::ok(HELP),
        Ok(options) => options,
        Err(error) => return Output::fail(2, format!("{error}\n")),
    };
    let mut output = ask(Tool::Rlcheck, root, args.clone()).await;
    for _ in 0..options.retry {
        if output.code == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_secs(options.retry_delay)).await;
        output = ask(Tool::Rlcheck, root, args.clone()).await;
    }
    let log = options
        .file_path
        .unwrap_or_else(|| root.join("var/opt/redislabs/log/rlcheck.log").display().to_string());
    if let Err(error) = fs::write(&log, &output.stdout) {
        return Output::fail(1, format!("Error: cannot write {log}: {error}\n"));
    }
    output.stdout.insert_str(0, &format!("Saving to file: {log}\n"));
    output
}

const HELP: &str = "Usage: rlcheck [OPTIONS]\n\nOptions:\n  --suppress-tests TEXT\n  --retry-delay INTEGER\n  --retry INTEGER\n  \
    --file-path TEXT\n  --continue-on-error\n  --help\n";
