//! What the program's verbs do: the process around the library, with its signals, its log and its supervisor.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use proto::StepId;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tracing::Instrument;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Config;
use crate::enrolling::{self, EnrollArgs, RenewArgs};
use crate::failures::chain;
use crate::{offline, runner, serve};

/// How a verb ends.
pub type Ended = Result<(), Box<dyn Error>>;

/// How long threads may go on after the end: what they do is unfinished and known to be.
const LAST_CALL: Duration = Duration::from_secs(2);

/// Says on stderr why it ends, and how.
pub fn complain(error: &dyn Error, code: ExitCode) -> ExitCode {
    // Nobody is left to be told that stderr is closed.
    let _written = writeln!(io::stderr(), "ratchet-agent: {}", chain(error));
    code
}

/// Logs to the journal under systemd, else to stderr. `RUST_LOG` beats `verbose`.
pub fn start_logging(verbose: u8) {
    let level = ["info", "debug", "trace"][usize::from(verbose.min(2))];
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(format!("warn,agent={level},proto={level}")));
    let in_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let journal = if in_journal { tracing_journald::layer().ok() } else { None };
    // The fields have no prefix: RUN, STEP, NODE, EPOCH, as in the coordinator's log.
    let journal = journal.map(|layer| layer.with_field_prefix(None));
    let stderr = journal.is_none().then(|| {
        tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal())
    });
    tracing_subscriber::registry().with(filter).with(journal).with(stderr).init();
}

/// Serves until a signal asks it to stop.
///
/// # Errors
/// When it cannot begin to serve, or serving breaks off.
pub fn serve(config: Config) -> Ended {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve_until_signal(config));
    runtime.shutdown_timeout(LAST_CALL);
    served
}

async fn serve_until_signal(config: Config) -> Ended {
    let listener = match config.listen {
        Some(address) => Some(TcpListener::bind(address).await?),
        None => None,
    };
    let address = listener.as_ref().map(TcpListener::local_addr).transpose()?;
    let coordinators = config.connect.join(", ");
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let asked_to_stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping; an installation that runs goes on");
        notify(&[NotifyState::Stopping]);
    };
    let watchdog = tokio::spawn(feed_watchdog());
    let serving = serve::run(config, listener, asked_to_stop);
    tokio::pin!(serving);
    // Polled once, it has opened its records: what fails until then is told before anybody is told that it listens.
    let ended = match futures::poll!(&mut serving) {
        std::task::Poll::Ready(ended) => ended,
        std::task::Poll::Pending => {
            let status = begun(address, &coordinators);
            notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
            serving.await
        }
    };
    watchdog.abort();
    Ok(ended?)
}

/// Says where the agent is to be found.
fn begun(address: Option<SocketAddr>, coordinators: &str) -> String {
    let runner_version = env!("CARGO_PKG_VERSION");
    match address {
        Some(address) => {
            tracing::info!(%address, runner_version, "listening");
            format!("listening on {address}")
        }
        None => {
            tracing::info!(coordinators, runner_version, "connecting");
            format!("connecting to {coordinators}")
        }
    }
}

/// Tells systemd that the runtime still turns, twice as often as it wants to hear it.
async fn feed_watchdog() {
    let Some(every) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = tokio::time::interval(every / 2);
    loop {
        ticks.tick().await;
        notify(&[NotifyState::Watchdog]);
    }
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd could not be told");
    }
}

/// Prints what the state directory says.
///
/// # Errors
/// When it cannot be read.
pub fn status(config: &Config) -> Ended {
    io::stdout().write_all(offline::render_status(config)?.as_bytes())?;
    Ok(())
}

/// Gets this node's certificate.
///
/// # Errors
/// When there is none.
pub fn enroll(args: &EnrollArgs) -> Ended {
    Ok(single_threaded()?.block_on(enrolling::enroll(args, &mut tell))?)
}

/// Gets a new certificate for this node.
///
/// # Errors
/// When there is none; the old one stays in use.
pub fn renew(config: &Config, args: &RenewArgs) -> Ended {
    Ok(single_threaded()?.block_on(enrolling::renew(config, args, &mut tell))?)
}

fn tell(line: &str) {
    // Nobody is left to be told that stderr is closed.
    let _written = writeln!(io::stderr(), "{line}");
}

/// Runs the installer of a step to its end.
///
/// # Errors
/// When the installer was not run by this process.
pub fn run_op(config: &Config, step: &StepId) -> Ended {
    let begun = || {
        // Whoever started it detached waits for this word; under systemd nobody does.
        let _told = io::stdout().write_all(b"begun\n").and_then(|()| io::stdout().flush());
    };
    let span = tracing::error_span!("step", %step);
    let ran = runner::run_op(config, step, begun).instrument(span.clone());
    let result = single_threaded()?.block_on(ran)?;
    span.in_scope(|| tracing::info!(?result, "the installation ended"));
    Ok(())
}

/// Starts the op runner of a step so that it outlives this process.
///
/// # Errors
/// When it did not begin.
pub fn detach_op(config: &Config, step: &StepId) -> Ended {
    Ok(single_threaded()?.block_on(runner::run_detached(config, step))?)
}

fn single_threaded() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
