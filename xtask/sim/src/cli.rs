//! The command line.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use proto::{Arch, Version};
use sim::fault::{GRAMMAR, Stage};
use sim::programs::installer::Run;
use sim::programs::installer_checks::PackageInfo;
use sim::programs::{services, shard, supervisor, tool};
use sim::tools::Output;
use sim::wire::{Reply, Request, Tool};
use sim::{Cluster, ClusterSpec, DatabaseSpec, PackageSpec, ShardMode, build_package};

/// A simulated Redis Enterprise.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start a cluster and keep it until Ctrl-C or `down`.
    Up {
        /// Where its nodes live.
        #[arg(long)]
        dir: PathBuf,
        /// Its name.
        #[arg(long, default_value = "cluster")]
        name: String,
        /// How many nodes, 1 to 35.
        #[arg(long, default_value_t = 3)]
        nodes: u32,
        /// The version they run.
        #[arg(long)]
        version: Version,
        /// How many replicated databases.
        #[arg(long, default_value_t = 2)]
        databases: u32,
        /// Their operating system.
        #[arg(long, default_value = "jammy")]
        os: String,
        /// Their architecture.
        #[arg(long, default_value = "amd64")]
        arch: Arch,
        /// Shards without redis-server processes.
        #[arg(long)]
        modelled: bool,
        /// A statement of the fault language; see `faults`.
        #[arg(long)]
        fault: Vec<String>,
    },
    /// Add statements of the fault language to a running cluster.
    Fault {
        /// The cluster's directory.
        dir: PathBuf,
        /// The statements.
        text: String,
    },
    /// Explain the fault language.
    #[command(long_about = GRAMMAR)]
    Faults,
    /// Build a package.
    Package {
        /// Where to put it.
        #[arg(long)]
        out: PathBuf,
        /// Its version.
        #[arg(long)]
        version: Version,
        /// Its operating system.
        #[arg(long, default_value = "jammy")]
        os: String,
        /// Its architecture.
        #[arg(long, default_value = "amd64")]
        arch: Arch,
        /// Compress it.
        #[arg(long)]
        gzip: bool,
        /// Size of the main package inside, in bytes.
        #[arg(long, default_value_t = 65_536)]
        payload_bytes: u64,
    },
    /// Show a running cluster as JSON.
    Status {
        /// The cluster's directory.
        dir: PathBuf,
    },
    /// End a running cluster.
    Down {
        /// The cluster's directory.
        dir: PathBuf,
    },
    /// What a node's tools run.
    #[command(hide = true)]
    Tool {
        tool: Tool,
        #[arg(long)]
        root: PathBuf,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// What install.sh runs.
    #[command(hide = true)]
    Installer {
        stage: String,
        #[arg(long)]
        root: PathBuf,
        #[arg(long)]
        pid: u32,
        #[arg(long)]
        target: Option<Version>,
        #[arg(long, default_value = "")]
        os: String,
        #[arg(long, default_value = "")]
        arch: String,
        #[arg(long, default_value = "")]
        umask: String,
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// A node's services.
    #[command(hide = true)]
    NodeServices {
        #[arg(long)]
        root: PathBuf,
    },
    /// What starts a node's services where the node is a machine of its own.
    #[command(hide = true)]
    NodeSupervisor {
        #[arg(long)]
        root: PathBuf,
    },
    /// A shard.
    #[command(hide = true)]
    Shard {
        #[arg(long)]
        parent: u32,
        #[arg(last = true)]
        args: Vec<String>,
    },
}

/// Runs one verb.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Verb::Up { dir, name, nodes, version, databases, os, arch, modelled, fault } => {
            let databases =
                (1..=databases).map(|number| DatabaseSpec::replicated(&format!("db{number}"))).collect();
            let shards = if modelled { ShardMode::Modelled } else { ShardMode::Redis };
            let faults = fault.join("\n");
            let spec = ClusterSpec {
                name,
                nodes,
                databases,
                os,
                arch,
                shards,
                faults,
                ..ClusterSpec::three_nodes(version)
            };
            up(&dir, spec).await
        }
        Verb::Fault { dir, text } => ask(&dir, Request::Fault { text }).await,
        Verb::Faults => show(&Output::ok(GRAMMAR)),
        Verb::Package { out, version, os, arch, gzip, payload_bytes } => {
            let spec = PackageSpec { os, arch, gzip, payload_bytes, ..PackageSpec::new(version) };
            show(&Output::ok(format!("{}\n", build_package(&out, &spec)?.display())))
        }
        Verb::Status { dir } => ask(&dir, Request::Status).await,
        Verb::Down { dir } => ask(&dir, Request::Down).await,
        Verb::Tool { tool, root, args } => show(&tool::run(tool, &root, args).await),
        Verb::Installer { stage, root, pid, target, os, arch, umask, args } => {
            let run = Run::new(&root, pid).context("this host is not a node")?;
            let package = target.map(|version| PackageInfo { version, os, arch });
            Ok(ExitCode::from(installer(&run, &stage, package, &umask, args).await?))
        }
        Verb::NodeServices { root } => {
            services::run(&root).await?;
            Ok(ExitCode::SUCCESS)
        }
        Verb::NodeSupervisor { root } => {
            supervisor::run(&root).await?;
            Ok(ExitCode::SUCCESS)
        }
        Verb::Shard { parent, args } => {
            Err(shard::become_redis(parent, &args)).context("redis-server does not start")
        }
    }
}

async fn up(dir: &Path, spec: ClusterSpec) -> anyhow::Result<ExitCode> {
    let cluster = Cluster::start(dir, spec).await?;
    let nodes = cluster.snapshot().nodes;
    for node in nodes.values() {
        show(&Output::ok(format!(
            "node:{} {} {}\n",
            node.uid,
            node.address,
            cluster.root(node.uid).display()
        )))?;
    }
    show(&Output::ok("up; end it with Ctrl-C or `ratchet-sim down`\n"))?;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
        () = cluster.ended() => {}
    }
    cluster.stop();
    Ok(ExitCode::SUCCESS)
}

async fn ask(dir: &Path, request: Request) -> anyhow::Result<ExitCode> {
    let reply =
        sim::ask(dir, &request).await.with_context(|| format!("no cluster runs in {}", dir.display()))?;
    match reply {
        Reply::Output(output) => show(&output),
        Reply::Status(model) => show(&Output::ok(serde_json::to_string_pretty(&model)? + "\n")),
        Reply::Facts(_) | Reply::Directive(_) => {
            anyhow::bail!("the cluster gave an answer to another question")
        }
    }
}

async fn installer(
    run: &Run,
    stage: &str,
    package: Option<PackageInfo>,
    umask: &str,
    args: Vec<String>,
) -> anyhow::Result<u8> {
    Ok(match (stage, package) {
        ("begin", Some(package)) => {
            let umask = u32::from_str_radix(umask, 8).context("the umask is not an octal number")?;
            run.begin(&package, umask, args).await?
        }
        ("stop", _) => run.reach(Stage::Stop).await?,
        ("files", _) => run.reach(Stage::Files).await?,
        ("start", _) => run.reach(Stage::Start).await?,
        ("finish", _) => run.reach(Stage::Finish).await?,
        ("end", _) => run.end().await?,
        (other, _) => anyhow::bail!("`{other}` is not a stage"),
    })
}

fn show(output: &Output) -> anyhow::Result<ExitCode> {
    std::io::stdout().write_all(output.stdout.as_bytes())?;
    std::io::stderr().write_all(output.stderr.as_bytes())?;
    Ok(ExitCode::from(output.code))
}
