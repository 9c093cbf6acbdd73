//! Samples of what is said about the fleet as a whole.

use super::at;
use crate::documents::{
    CoordinatorRow, ErrorRow, FleetHaltRow, HaltDocument, HaltedRunRow, InventoryClusterRow,
    InventoryDocument, LeaderDocument, UnassignedRow, UntoldRow,
};

fn error(message: &str) -> ErrorRow {
    let (id, message) = ("unreachable".to_owned(), message.to_owned());
    ErrorRow { id, message, cause: None, remedy: None }
}

fn halt() -> FleetHaltRow {
    FleetHaltRow { by: "alice@ops1".to_owned(), why: "the network is being moved".to_owned(), at: at(60) }
}

/// One of three leads, one stands by, one is gone.
pub(crate) fn leader() -> LeaderDocument {
    let row = |address: &str, leads| CoordinatorRow { address: address.to_owned(), leads, error: None };
    let gone = CoordinatorRow { error: Some(error("the call was not answered")), ..row("ops3:7444", None) };
    LeaderDocument {
        schema: "ratchet.leader/1".to_owned(),
        leads: false,
        answered_by: "ratchet@ops2 (process 4)".to_owned(),
        holder: Some("ratchet@ops1 (process 7)".to_owned()),
        epoch: Some(12),
        since: Some(at(0)),
        address: Some("ops1:7444".to_owned()),
        coordinators: vec![row("ops1:7444", Some(true)), row("ops2:7444", Some(false)), gone],
    }
}

/// A halt that one agent does not know of.
pub(crate) fn fleet_halt() -> HaltDocument {
    let run = |run: &str, state: &str, command: Option<&str>| HaltedRunRow {
        run: run.to_owned(),
        cluster: "orders".to_owned(),
        state: state.to_owned(),
        command: command.map(str::to_owned),
    };
    HaltDocument {
        schema: "ratchet.halt/1".to_owned(),
        at: at(61),
        halt: Some(halt()),
        told: 5,
        untold: vec![UntoldRow {
            cluster: "orders".to_owned(),
            agent: "10.0.0.3:7443".to_owned(),
            error: error("agent 10.0.0.3:7443 cannot be reached"),
        }],
        runs: vec![
            run("orders-1", "pausing", None),
            run("billing-1", "paused", Some("ratchet resume billing-1")),
        ],
        exit_code: 6,
    }
}

/// A healthy cluster, one that is not, and one that nobody has looked at yet.
pub(crate) fn inventory() -> InventoryDocument {
    let seen = InventoryClusterRow {
        name: "orders".to_owned(),
        seen_at: Some(at(50)),
        age_seconds: Some(11),
        healthy: Some(true),
        problems: Vec::new(),
        version: Some("7.4.6-22".to_owned()),
        master: Some(1),
        nodes: 3,
        reachable: 3,
        run: None,
        halted: true,
        partners: vec!["orders-us".to_owned()],
    };
    let ill = InventoryClusterRow {
        name: "billing".to_owned(),
        healthy: Some(false),
        problems: vec!["node:2: status is DOWN".to_owned()],
        reachable: 2,
        run: Some("billing-1".to_owned()),
        version: None,
        master: None,
        halted: false,
        ..seen.clone()
    };
    let new = InventoryClusterRow { name: "users".to_owned(), nodes: 3, ..InventoryClusterRow::default() };
    InventoryDocument {
        schema: "ratchet.inventory/1".to_owned(),
        at: at(61),
        fleet_halt: Some(halt()),
        clusters: vec![seen, ill, new],
        unassigned: vec![UnassignedRow {
            agent: "rs7".to_owned(),
            version: "0.1.0".to_owned(),
            connected: true,
            first_seen: at(40),
            reason: "no `connecting` in ratchet.toml fits its name".to_owned(),
        }],
    }
}
