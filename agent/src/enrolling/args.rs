//! The command lines of `enroll` and `renew`.

use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use proto::{EnrolToken, PeerName};
use zeroize::Zeroizing;

use super::EnrolError;

/// Where certificates are kept unless told otherwise.
const DEFAULT_OUT: &str = "/etc/ratchet/pki";

/// Arguments of `enroll`.
#[derive(clap::Args)]
pub struct EnrollArgs {
    /// The coordinator.
    #[arg(long, value_name = "HOST:PORT")]
    pub coordinator: String,
    /// The token, from `ratchet pki token`; `-` reads it from standard input. Others on this machine see it while this
    /// runs: --token-file is better.
    #[arg(long, required_unless_present = "token_file", conflicts_with = "token_file")]
    token: Option<String>,
    /// A file with the token.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The name that the node is to be known by; the host name unless given.
    #[arg(long)]
    pub name: Option<PeerName>,
    /// A name or an IP address at which the coordinator dials this node; once for each. The host name unless given.
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// Where the certificate and its key are put.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_OUT)]
    pub out: PathBuf,
    /// How long to wait for somebody to accept this node.
    #[arg(long, value_name = "SPAN", default_value = "1h", value_parser = span)]
    pub wait: Duration,
}

/// Nothing of a token gets into a log by accident.
impl std::fmt::Debug for EnrollArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrollArgs").field("coordinator", &self.coordinator).finish_non_exhaustive()
    }
}

/// Arguments of `renew`.
#[derive(Debug, clap::Args)]
pub struct RenewArgs {
    /// The coordinator; those of `connect` in the configuration unless given.
    #[arg(long, value_name = "HOST:PORT")]
    pub coordinator: Vec<String>,
    /// Do nothing unless less than a third of the certificate's time is left.
    #[arg(long)]
    pub due: bool,
}

fn span(text: &str) -> Result<Duration, String> {
    let span: SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(span).map_err(|_| "it lies in the past".to_owned())
}

impl EnrollArgs {
    /// The token that was given, in one of three ways.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn token(&self) -> Result<EnrolToken, EnrolError> {
        let text = match (&self.token, &self.token_file) {
            (Some(token), _) if token == "-" => {
                stdin().map_err(|error| unreadable("standard input", &error))?
            }
            (Some(token), _) => Zeroizing::new(token.clone()),
            (None, Some(file)) => std::fs::read_to_string(file)
                .map(Zeroizing::new)
                .map_err(|error| unreadable(&file.display().to_string(), &error))?,
            (None, None) => return Err(EnrolError::Usage("give --token-file FILE".to_owned())),
        };
        text.parse().map_err(|error: proto::InvalidToken| EnrolError::Usage(format!("the token: {error}")))
    }
}

fn stdin() -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    io::stdin().take(4096).read_to_string(&mut text)?;
    Ok(text)
}

fn unreadable(what: &str, error: &io::Error) -> EnrolError {
    EnrolError::Usage(format!("the token cannot be read from {what}: {error}; name the file that holds it"))
}
