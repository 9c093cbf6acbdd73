//! `connect`, `name` and what they make of `listen`.

use std::net::SocketAddr;

use proto::AgentName;
use proto::transport::{Security, check_dial};

use super::table::Keys;

const LIKE: &str = "write it like \"coordinator:7444\" or [\"ops-1:7444\", \"ops-2:7444\"]";

/// The coordinators to dial.
pub(super) fn addresses(keys: &mut Keys) -> Vec<String> {
    keys.one_or_more("connect", LIKE)
}

/// The agent's name where it dials.
pub(super) fn name(keys: &mut Keys) -> Option<AgentName> {
    if !keys.has("name") {
        return None;
    }
    let text = keys.string("name", "");
    match text.parse() {
        Ok(name) => Some(name),
        Err(error) => {
            keys.mistake("name", error.to_string(), "give the agent a short name, like \"db-1\"");
            None
        }
    }
}

/// An agent that dials need not listen, and does so only if it is told to.
pub(super) fn listen(keys: &mut Keys, dials: bool) -> Option<SocketAddr> {
    (!dials || keys.has("listen")).then(|| keys.address("listen", "0.0.0.0:7443"))
}

/// What cannot be dialled is told at the start, and not by a log.
pub(super) fn check(keys: &mut Keys, addresses: &[String], security: &Security) {
    for address in addresses {
        if let Err(error) = check_dial(address, security) {
            keys.mistake("connect", error.to_string(), LIKE);
        }
    }
}
