//! The top of the file, its store, its listener and its security.

use std::net::SocketAddr;

use super::reader::{Mistakes, Reader};
use super::{
    Config, DEFAULT_STORE, Mistake, StoreLocation, agents, catalogue, deadlines, enrolment, files, hooks,
    inventory, metrics, notify, packages, security, settings, watch,
};
use crate::store;

pub(super) const KEYS: [&str; 19] = [
    "store",
    "listen",
    "advertise",
    "inventory",
    "tls",
    "insecure_loopback",
    "limits",
    "cluster",
    "catalogue",
    "package",
    "deadlines",
    "watch",
    "settings",
    "paths",
    "advisories",
    "hooks",
    "metrics",
    "enrolment",
    "notify",
];

/// The configuration a table holds, or everything that is wrong with it.
pub(super) fn config(table: toml::Table) -> Result<Config, Vec<Mistake>> {
    let mut mistakes = Mistakes::default();
    let mut top = Reader::new("", table);
    let store = store(&mut top, &mut mistakes);
    let listen = listen(&mut top, &mut mistakes);
    let advertise = advertise(&mut top, &mut mistakes);
    let inventory = inventory::inventory(top.table("inventory", &mut mistakes), &mut mistakes);
    let security = security::security(&mut top, &mut mistakes);
    let limits = security::limits(top.table("limits", &mut mistakes), &mut mistakes);
    let clusters = agents::clusters(top.tables("cluster", &mut mistakes), &mut mistakes);
    let catalogue = catalogue::catalogue(top.table("catalogue", &mut mistakes), &mut mistakes);
    let packages = packages::packages(top.tables("package", &mut mistakes), &mut mistakes);
    let deadlines = deadlines::deadlines(top.table("deadlines", &mut mistakes), &mut mistakes);
    let watch_every = watch::every(top.table("watch", &mut mistakes), &mut mistakes);
    let settings = settings::settings(top.table("settings", &mut mistakes), &mut mistakes);
    let paths = files::file(&mut top, "paths", &mut mistakes);
    let advisories = files::file(&mut top, "advisories", &mut mistakes);
    let hooks = hooks::hooks(top.table("hooks", &mut mistakes), &mut mistakes);
    let metrics = metrics::listen(top.table("metrics", &mut mistakes), &mut mistakes);
    let enrolment = enrolment::enrolment(top.table("enrolment", &mut mistakes), &mut mistakes);
    let notify = notify::notify(top.tables("notify", &mut mistakes), &mut mistakes);
    top.finish(&KEYS, &mut mistakes);
    let mistakes = mistakes.into_vec();
    match (security, mistakes.is_empty()) {
        (Some(security), true) => Ok(Config {
            store,
            security,
            limits,
            listen,
            advertise,
            inventory,
            clusters,
            catalogue,
            packages,
            deadlines,
            watch_every,
            settings,
            paths,
            advisories,
            hooks,
            metrics,
            enrolment,
            notify,
        }),
        _ => Err(mistakes),
    }
}

/// A location that could be a store. What is told of it is without its password.
fn store(top: &mut Reader, mistakes: &mut Mistakes) -> StoreLocation {
    let remedy = "write `sqlite:///absolute/path.db` or `postgres://user@host/database`";
    let Some(location) = top.text("store", remedy, mistakes) else {
        return StoreLocation(DEFAULT_STORE.to_owned());
    };
    if let Some((reason, remedy)) = store::mistake(&location) {
        mistakes.note("store", format!("`{}`: {reason}", store::shown(&location)), remedy);
    }
    StoreLocation(location)
}

fn listen(top: &mut Reader, mistakes: &mut Mistakes) -> Option<SocketAddr> {
    let remedy = "write an address and a port, like \"127.0.0.1:7444\"";
    let text = top.text("listen", remedy, mistakes)?;
    match text.parse() {
        Ok(address) => Some(address),
        Err(_) => {
            mistakes.note("listen", format!("`{text}` is not an IP address and a port"), remedy);
            None
        }
    }
}

/// A name, for instance one in the certificate, or an address; which of them can be dialled others will see.
fn advertise(top: &mut Reader, mistakes: &mut Mistakes) -> Option<String> {
    let remedy = "write a host and a port that others reach, like \"ops1.internal:7444\"";
    let text = top.text("advertise", remedy, mistakes)?;
    if let Err(reason) = agents::check_address(&text) {
        mistakes.note("advertise", format!("`{text}`: {reason}"), remedy);
    }
    Some(text)
}
