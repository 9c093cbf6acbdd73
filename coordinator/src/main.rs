//! `ratchet`: the coordinator and its command line.

use std::io::{BufReader, IsTerminal, stderr, stdin};
use std::process::ExitCode;

use coordinator::cli::context::{Context, Host};
use coordinator::cli::output::{Output, Streams};
use coordinator::cli::stops::Stops;
use coordinator::cli::{self, Cli, Exit, Verb};
use coordinator::server;
use futures::FutureExt;
use jiff::tz::TimeZone;

fn main() -> ExitCode {
    let cli = match cli::parse(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(exit) => return exit.into(),
    };
    log(&cli);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            anstream::eprintln!("error: the runtime cannot be started: {error}");
            return Exit::Unexpected.into();
        }
    };
    let mut context = context(&cli);
    let exit = runtime.block_on(cli::run(&cli.verb, &mut context));
    // Whoever left at once must not wait for what is still at work; the journal holds all that counts.
    runtime.shutdown_background();
    exit.into()
}

fn context(cli: &Cli) -> Context {
    let streams = Streams {
        stdout: Box::new(anstream::stdout()),
        stderr: Box::new(anstream::stderr()),
        stdin: Box::new(BufReader::new(stdin())),
        interactive: stdin().is_terminal() && stderr().is_terminal(),
        live: stderr().is_terminal(),
        zone: TimeZone::system(),
    };
    let host = Host {
        embedded: Box::new(|config| server::embedded(config).boxed()),
        serve: Box::new(|config, stop| server::serve(config, stop).boxed()),
    };
    Context::new(cli.global.clone(), Output::new(cli.global.output, streams), Stops::from_signals(), host)
}

/// A service tells what it does, a command only what is wrong, unless asked for more.
fn log(cli: &Cli) {
    let service = matches!(cli.verb, Verb::Serve(_));
    let level = match (service, cli.global.verbose) {
        (true, 0) | (_, 1) => "info",
        (false, 0) => "error",
        (_, 2) => "debug",
        _ => "trace",
    };
    coordinator::logging::start(service, level);
}
