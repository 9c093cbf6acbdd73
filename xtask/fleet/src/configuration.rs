//! The configuration of a coordinator for the fleet.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;

use proto::{ClusterName, Sha256, Version};
use serde::{Deserialize, Serialize};

use crate::facts::ARCHIVE;

/// A cluster as a configuration lists it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Listed {
    /// Its name.
    pub name: ClusterName,
    /// The addresses of its agents.
    pub agents: Vec<String>,
    /// What rollouts select it by.
    pub labels: BTreeMap<String, String>,
}

/// What a configuration says besides the clusters.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where runs are kept.
    pub store: String,
    /// Where `ratchet serve` listens.
    pub listen: Option<SocketAddr>,
    /// Versions there is a package of.
    pub packages: Vec<Version>,
    /// Further lines at the top, and tables.
    pub more: String,
}

/// The text of a `ratchet.toml` for these clusters. Waits are short: nothing takes long on simulated nodes.
pub fn ratchet_toml(place: &Place, clusters: &[Listed]) -> String {
    // Either that, or certificates.
    let security = if place.more.contains("[tls]") { "" } else { "insecure_loopback = true\n" };
    let mut text = format!("{security}store = {:?}\n", place.store);
    if let Some(listen) = place.listen {
        let _fits = writeln!(text, "listen = \"{listen}\"");
    }
    let deadlines = ["reach", "gate", "check", "confirm"].map(|wait| format!("{wait} = \"30s\"\n")).concat();
    text += &format!("{}\n[watch]\nevery = \"1s\"\n[deadlines]\n{deadlines}", place.more);
    text.extend(place.packages.iter().map(|version| package(*version)));
    text.extend(clusters.iter().map(cluster));
    text
}

/// A package that no node ever really fetches.
fn package(version: Version) -> String {
    format!(
        "\n[[package]]\nurl = \"https://mirror.example/redislabs-{version}-jammy-amd64.tar\"\nsha256 = \"{}\"\n\
         version = \"{version}\"\nos = \"jammy\"\narch = \"amd64\"\nsize = {ARCHIVE}\n",
        Sha256::of(version.to_string().as_bytes())
    )
}

fn cluster(listed: &Listed) -> String {
    let Listed { name, agents, labels } = listed;
    let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key} = {value:?}")).collect();
    let labels =
        if labels.is_empty() { String::new() } else { format!("labels = {{ {} }}\n", labels.join(", ")) };
    format!("\n[[cluster]]\nname = \"{name}\"\nagents = {agents:?}\n{labels}")
}
