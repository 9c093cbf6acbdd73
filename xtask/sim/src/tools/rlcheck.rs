//! `rlcheck`: the node's own settings check (fact sheet §2).

use super::Output;
use crate::fault::{RlcheckLie, ShardHold};
use crate::model::{Model, Node};

/// Tests up to 6.x, in order.
const OLD_TESTS: &[&str] = &[
    "verify_bootstrap_status",
    "verify_processes",
    "verify_pidfiles",
    "verify_dmcproxy",
    "verify_port_range",
    "verify_existing_sockets",
    "verify_host_settings",
    "verify_tcp_connectivity",
];

/// Tests from 7.x on, in order.
const TESTS: &[&str] = &[
    "verify_owner_and_group",
    "verify_bootstrap_status",
    "verify_services",
    "verify_port_range",
    "verify_pidfiles",
    "verify_capabilities",
    "verify_existing_sockets",
    "verify_host_settings",
    "verify_tcp_connectivity",
    "verify_encrypted_gossip",
];

/// What `rlcheck` was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `--suppress-tests`.
    pub suppressed: Vec<String>,
    /// `--retry`.
    pub retry: u32,
    /// `--retry-delay`, seconds.
    pub retry_delay: u64,
    /// `--file-path`.
    pub file_path: Option<String>,
    /// `--continue-on-error`.
    pub continue_on_error: bool,
    /// `--help`.
    pub help: bool,
}

/// Parses the arguments; `--name value` and `--name=value` alike.
pub fn parse_options(args: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut words = args.iter().flat_map(|arg| match arg.split_once('=') {
        Some((name, value)) if name.starts_with("--") => vec![name.to_owned(), value.to_owned()],
        _ => vec![arg.clone()],
    });
    while let Some(name) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("Error: {name} option requires an argument"));
        match name.as_str() {
            "--suppress-tests" => {
                options.suppressed = value()?.split(',').map(|test| test.trim().to_owned()).collect()
            }
            "--retry" => options.retry = integer(&value()?)?,
            "--retry-delay" => options.retry_delay = u64::from(integer(&value()?)?),
            "--file-path" => options.file_path = Some(value()?),
            "--continue-on-error" => options.continue_on_error = true,
            "--help" => options.help = true,
            other => return Err(format!("Error: no such option: {other}")),
        }
    }
    Ok(options)
}

fn integer(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("Error: {text} is not a valid integer"))
}

/// One run of all tests on a node. It is local to the host, so it answers also when the node's services are down.
pub fn run(model: &Model, uid: u32, options: &Options) -> Output {
    let Some(node) = model.nodes.get(&uid) else {
        return Output::fail(1, "Error: this host is not a node\n");
    };
    let mut text = String::new();
    if !options.continue_on_error {
        text.push_str("(Remark : Will stop on first failure)\n");
    }
    text.push_str(&banner(node));
    let mut failed = Vec::new();
    for test in if node.version.release.major >= 7 { TESTS } else { OLD_TESTS } {
        if options.suppressed.iter().any(|name| name == test) {
            text.push_str(&format!("Skipping test: {test}\n"));
            continue;
        }
        text.push_str(&format!("Running test: {test}\n"));
        match failure(node, test) {
            None => text.push_str("\t\t                PASS\n"),
            Some(reason) => {
                text.push_str(&format!("\t\t                FAILED\n{reason}\n"));
                failed.push(*test);
                if !options.continue_on_error {
                    break;
                }
            }
        }
    }
    text.push_str("Summary:\n-------\n");
    if failed.is_empty() {
        return Output::ok(format!("{text}ALL TESTS PASSED.\n"));
    }
    Output::fail(1, format!("{text}{} TEST(S) FAILED: {}\n", failed.len(), failed.join(", ")))
}

fn banner(node: &Node) -> String {
    let product = match node.version.release.major {
        ..=5 => "RedisLabs Enterprise",
        6 | 7 => "Redis Enterprise",
        _ => "Redis Software",
    };
    format!("##### Welcome to {product} Cluster settings verification utility ####\n")
}

/// Why a test fails on this node, none if it passes.
fn failure(node: &Node, test: &str) -> Option<String> {
    match &node.rlcheck {
        Some(RlcheckLie::Passes) => return None,
        Some(RlcheckLie::Fails(name)) if name == test => return Some(format!("{test} failed")),
        Some(RlcheckLie::Fails(_) | RlcheckLie::Hangs) | None => {}
    }
    let refused = |process: &str| {
        format!("process {process} is not running or not responding ([Errno 111] Connection refused)")
    };
    match test {
        "verify_services" | "verify_processes" if !node.is_up() => Some(refused("node_wd")),
        "verify_services" | "verify_processes" => node.stopped.first().map(|service| refused(service)),
        "verify_dmcproxy" if !node.is_up() || node.stopped.contains("dmcproxy") => Some(refused("dmcproxy")),
        "verify_bootstrap_status" if !node.is_up() => {
            Some("bootstrap request to cnm_http failed,resp_code: 0".to_owned())
        }
        "verify_pidfiles" if !node.is_up() || node.hold == Some(ShardHold::Down) => {
            Some("pid file of an active local shard is missing".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_in_both_forms_and_unknown_ones_refused() {
        let args = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let options =
            parse_options(&args("--suppress-tests=a,b --retry 3 --retry-delay=1 --continue-on-error"))
                .unwrap();
        assert_eq!(options.suppressed, ["a", "b"]);
        assert_eq!((options.retry, options.retry_delay, options.continue_on_error), (3, 1, true));
        assert!(parse_options(&args("--fix")).unwrap_err().contains("--fix"));
        assert!(parse_options(&args("--retry")).is_err());
    }
}
