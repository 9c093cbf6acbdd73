//! `supervisorctl`: the node's own services (fact sheet §5.5, §7.1).

use jiff::Timestamp;

use super::Output;
use crate::model::{Happened, Model, Services};

/// The services every node runs.
pub const SERVICES: &[&str] = &[
    "alert_mgr",
    "ccs",
    "cm_server",
    "cnm_exec",
    "cnm_http",
    "dmcproxy",
    "mdns_server",
    "node_wd",
    "pdns_server",
    "redis_mgr",
];

/// Runs a command on a node.
pub fn run(model: &mut Model, uid: u32, args: &[String], now: Timestamp) -> Output {
    let Some(Services::Up { pid, since }) = model.nodes.get(&uid).map(|node| node.services) else {
        return Output::fail(4, "unix:///var/opt/redislabs/run/supervisor.sock no such file\n");
    };
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["status"] => status(model, uid, pid, (now.as_second() - since.as_second()).max(0)),
        [verb @ ("restart" | "start" | "stop"), service] => change(model, uid, verb, service, now),
        [verb, ..] => Output::fail(1, format!("*** Unknown syntax: {verb}\n")),
        [] => Output::fail(1, "Error: .ini file does not include supervisorctl section\n"),
    }
}

fn status(model: &Model, uid: u32, pid: u32, uptime: i64) -> Output {
    let stopped = |service: &str| model.nodes.get(&uid).is_some_and(|node| node.stopped.contains(service));
    let clock = format!("{}:{:02}:{:02}", uptime / 3600, uptime / 60 % 60, uptime % 60);
    let line = |service: &&str| {
        if stopped(service) {
            format!("{service:<32} STOPPED   Not started\n")
        } else {
            format!("{service:<32} RUNNING   pid {pid}, uptime {clock}\n")
        }
    };
    let any_stopped = SERVICES.iter().any(|service| stopped(service));
    Output {
        stdout: SERVICES.iter().map(line).collect(),
        code: if any_stopped { 3 } else { 0 },
        ..Output::default()
    }
}

fn change(model: &mut Model, uid: u32, verb: &str, service: &str, now: Timestamp) -> Output {
    if !SERVICES.contains(&service) {
        return Output::fail(1, format!("{service}: ERROR (no such process)\n"));
    }
    let Some(node) = model.nodes.get_mut(&uid) else { return Output::fail(1, "") };
    let (stopped, started) = (format!("{service}: stopped\n"), format!("{service}: started\n"));
    match verb {
        "stop" => {
            node.stopped.insert(service.to_owned());
            Output::ok(stopped)
        }
        "start" => {
            node.stopped.remove(service);
            Output::ok(started)
        }
        _ => {
            node.stopped.remove(service);
            model.note(now, Happened::ServiceRestarted { uid, service: service.to_owned() });
            Output::ok(stopped + &started)
        }
    }
}
