//! What every verb works with: the configuration, the coordinator, the streams.

use std::path::{Path, PathBuf};

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use proto::transport::{Security, Timeouts, TransportError, check_own, dial};
use proto::{Failure, Role};

use super::Global;
use super::client::{Channel, Client};
use super::output::Output;
use super::stops::Stops;
use crate::config::{Config, DEFAULT_PATH};
use crate::documents::expiring;
use crate::failures::chain;

/// Whose certificates a command line may show. A coordinator's gets an answer, too: what it may do there.
const COMMAND_LINE: [Role; 3] = [Role::Operator, Role::Viewer, Role::Coordinator];

/// Something that is done with a configuration.
pub type Door<T> = Box<dyn Fn(Config) -> BoxFuture<'static, Result<T, Failure>> + Send + Sync>;

/// Something that is done with a configuration until a future ends.
pub type Serve =
    Box<dyn Fn(Config, BoxFuture<'static, ()>) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// What the command line does not do itself: hosting a coordinator, in this process or for others.
pub struct Host {
    /// Hosts a coordinator in this process and gives the channel to it.
    pub embedded: Door<Channel>,
    /// Hosts a coordinator for others until the future ends.
    pub serve: Serve,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

/// What every verb works with.
#[derive(Debug)]
pub struct Context {
    /// Where words go.
    pub out: Output,
    /// Ctrl-C and SIGTERM.
    pub stops: Stops,
    global: Global,
    host: Host,
}

impl Context {
    /// Puts it together.
    pub fn new(global: Global, out: Output, stops: Stops, host: Host) -> Self {
        Self { out, stops, global, host }
    }

    /// Whether this process hosts the coordinator, and so drives the runs it starts.
    pub fn is_embedded(&self) -> bool {
        self.global.coordinator.is_none()
    }

    /// The configuration.
    ///
    /// # Errors
    /// The file is missing or wrong, or a table of upgrade paths is named for somebody else's coordinator.
    pub fn config(&self) -> Result<Config, Failure> {
        let named = self.paths()?;
        let config = Config::load(&self.config_path())?;
        Ok(Config { paths: named.map(Path::to_owned).or_else(|| config.paths.clone()), ..config })
    }

    /// The table of upgrade paths that `--paths` names.
    ///
    /// # Errors
    /// Another coordinator is asked, which reads its own.
    pub fn paths(&self) -> Result<Option<&Path>, Failure> {
        if self.global.paths.is_some() && !self.is_embedded() {
            let remedy = "leave out --paths; name the file as `paths` in the coordinator's ratchet.toml";
            let message =
                "`--paths` does not reach a coordinator that runs elsewhere: it reads its own table";
            return Err(Failure::operator("usage", message, remedy));
        }
        Ok(self.global.paths.as_deref())
    }

    /// Whether there is neither a coordinator nor a configuration, and nobody named one: enough for verbs
    /// that only look into tables shipped with the program.
    pub fn is_bare(&self) -> bool {
        self.is_embedded() && self.global.config.is_none() && !Path::new(DEFAULT_PATH).exists()
    }

    /// The coordinator: the one named, or one hosted in this process.
    ///
    /// # Errors
    /// The configuration is missing or wrong, or the coordinator cannot be set up.
    pub async fn client(&self) -> Result<Client, Failure> {
        let config = self.config()?;
        let Some(addresses) = &self.global.coordinator else {
            return Ok(Client::new((self.host.embedded)(config).await?));
        };
        check_own(&config.security, &COMMAND_LINE).map_err(no_dial)?;
        let addresses = addresses.split(',').map(str::trim).filter(|address| !address.is_empty());
        let mut peers = Vec::new();
        for address in addresses {
            let channel =
                dial(address, Role::Coordinator, &config.security, Timeouts::default()).map_err(no_dial)?;
            peers.push((address.to_owned(), channel));
        }
        Client::among(peers).await
    }

    /// What is to be said of this command's own certificate, if it expires soon. Of a coordinator in this process, the
    /// answer says it.
    ///
    /// # Errors
    /// The configuration is missing or wrong.
    pub fn expiring(&self, now: Timestamp) -> Result<Option<String>, Failure> {
        let Security::Tls(tls) = self.config()?.security else { return Ok(None) };
        let until = match tls.expiries() {
            [_, ("cert", Ok(until))] if !self.is_embedded() => until,
            _ => return Ok(None),
        };
        let its = format!("this command's certificate, {},", tls.cert.display());
        Ok(expiring(&its, until, now).map(|warning| format!("warning: {warning}")))
    }

    /// Hosts a coordinator for others until it is stopped.
    ///
    /// # Errors
    /// The configuration is missing or wrong, or the coordinator failed.
    pub async fn serve(&mut self) -> Result<(), Failure> {
        if !self.is_embedded() {
            let remedy = "leave out --coordinator, and unset RATCHET_COORDINATOR";
            return Err(Failure::operator("usage", "`serve` is the coordinator and asks no other", remedy));
        }
        let config = self.config()?;
        self.stops
            .listen()
            .map_err(|error| Failure::bug("signals cannot be listened to").because(error.to_string()))?;
        let mut stops = self.stops.take();
        let stop = async move {
            stops.next().await;
        };
        (self.host.serve)(config, stop.boxed()).await
    }

    fn config_path(&self) -> PathBuf {
        self.global.config.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_PATH))
    }
}

fn no_dial(error: TransportError) -> Failure {
    let remedy = "correct --coordinator, or `[tls]` and `insecure_loopback` in the configuration";
    Failure::operator("configuration", "the coordinator cannot be dialled", remedy).because(chain(&error))
}
