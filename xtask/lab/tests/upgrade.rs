//! A whole upgrade on booted nodes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anyhow::Result;
use lab::{Lab, LabSpec, sealed};

#[test]
fn a_cluster_of_booted_nodes_is_upgraded() -> Result<()> {
    sealed("a_cluster_of_booted_nodes_is_upgraded", async |place| {
        let spec = LabSpec::new("7.4.2-54".parse()?, &["7.22.0-95".parse()?]);
        let began = std::time::Instant::now();
        let lab = Lab::boot(place, &spec).await?;
        eprintln!("booted in {:?}", began.elapsed());
        let said = lab.ratchet(&["upgrade", "orders", "--to", "7.22.0-95", "--yes"])?;
        eprintln!("upgraded after {:?}", began.elapsed());
        assert_eq!(said.code, 0, "{said:?}");
        for uid in lab.uids() {
            assert_eq!(lab.cluster.version(uid)?.to_string(), "7.22.0-95");
            assert_eq!(lab.cluster.installs(uid).len(), 1);
        }
        assert_eq!(lab.cluster.overlaps(), []);
        Ok(())
    })
}
