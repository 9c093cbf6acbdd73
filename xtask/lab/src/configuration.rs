//! The configuration files of a lab.

use std::fmt::Write;
use std::path::Path;

use proto::Sha256;
use sim::{PackageSpec, Pki};

use crate::LabSpec;
use crate::network::{Party, address};

const PORT: u16 = 7443;

/// A package on the mirror.
pub(crate) struct Served {
    pub url: String,
    pub sha256: Sha256,
    pub package: PackageSpec,
}

/// A node's agent: it listens on the network, so certificates are shown, and all else is as shipped.
pub(crate) fn agent(uid: u32, spec: &LabSpec, pki: &Pki) -> String {
    let mut text = format!("listen = \"{}:{PORT}\"\n{}", address(Party::Node(uid)), pki.table());
    text.push_str("[redis_enterprise]\n");
    for (name, span) in
        spec.deadlines.iter().filter(|(name, _)| matches!(name.as_str(), "install" | "confirm"))
    {
        text.push_str(&format!("{name}_deadline = \"{span}\"\n"));
    }
    // The simulated packages are nobody's, on nodes that are taken for real ones.
    text.push_str("[trust]\nvendor_signature = \"reported\"\n");
    text
}

pub(crate) fn coordinator(place: &Path, spec: &LabSpec, pki: &Pki, packages: &[Served]) -> String {
    let agents: Vec<String> =
        (1..=spec.cluster.nodes).map(|uid| format!("{}:{PORT}", address(Party::Node(uid)))).collect();
    let mut text = format!("store = \"sqlite://{}\"\n", place.join("ratchet.db").display());
    text.push_str(&pki.table());
    text.push_str("[deadlines]\n");
    for (name, span) in &spec.deadlines {
        text.push_str(&format!("{name} = \"{span}\"\n"));
    }
    text.push_str(&format!("\n[[cluster]]\nname = \"{}\"\nagents = {agents:?}\n", spec.cluster.name));
    for Served { url, sha256, package } in packages {
        let PackageSpec { version, os, arch, .. } = package;
        // A string takes everything that is written to it.
        let _infallible = write!(
            text,
            "\n[[package]]\nurl = \"{url}\"\nsha256 = \"{sha256}\"\nversion = \"{version}\"\nos = \"{os}\"\narch = \"{arch}\"\n"
        );
    }
    text
}
