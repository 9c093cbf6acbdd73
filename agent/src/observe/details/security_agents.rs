//! Programs that guard a machine and are known to stand in an installer's way (fact sheet §6, no. 40).

use std::collections::BTreeSet;

use proto::{FactValue, Probe};

use super::Look;
use super::blocking::blocking;
use super::processes::processes;
use crate::observe::sockets::proc_directory;

/// Whole names.
const NAMES: [&str; 14] = [
    "auditbeat",
    "cbagentd",
    "cbdaemon",
    "cylancesvc",
    "ds_agent",
    "ds_am",
    "isectpd",
    "mdatp",
    "mfetpd",
    "s1-agent",
    "sentinelctl",
    "tmxbc",
    "wdavdaemon",
    "xagt",
];
/// Beginnings of names: some have many programs, and the kernel cuts a name after 15 characters.
const FAMILIES: [&str; 6] =
    ["elastic-endpoin", "falcon-sensor", "oneagent", "pmd_traps", "sentinelone", "traps_pmd"];

pub(super) async fn security_agents(look: &Look<'_>) -> Probe<FactValue> {
    let proc = proc_directory(look.product);
    blocking("security agents", move || {
        let names = processes(&proc)?.into_iter().filter_map(|process| process.name);
        let found: BTreeSet<String> = names.filter(|name| is_one(name)).collect();
        Ok(FactValue::Lines(found.into_iter().collect()))
    })
    .await
}

fn is_one(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str()) || FAMILIES.iter().any(|family| name.starts_with(family))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::host::Product;

    #[tokio::test]
    async fn they_are_found_once_by_name_and_by_family() {
        let root = tempfile::tempdir().unwrap();
        let running = ["oneagentwatchdo", "falcon-sensor-b", "xagt", "xagt", "xagtools", "redis-server"];
        for (pid, name) in running.into_iter().enumerate() {
            let directory = root.path().join(format!("proc/{}", pid + 1));
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join("comm"), format!("{name}\n")).unwrap();
        }
        fs::create_dir_all(root.path().join("proc/net")).unwrap();
        fs::write(root.path().join("proc/net/tcp"), "head\n").unwrap();
        let product = Product::new(root.path().to_owned());
        let look = Look { product: &product, node: None, view: None, rest: None };
        let expected = ["falcon-sensor-b", "oneagentwatchdo", "xagt"].map(str::to_owned).to_vec();
        assert_eq!(security_agents(&look).await, Probe::Known(FactValue::Lines(expected)));
    }
}
