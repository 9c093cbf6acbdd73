//! Facts that are asked for by name, of a node in which all is well.

use std::collections::BTreeMap;

use crate::{Details, Fact, FactValue, NodeUid, Probe, Row};

/// Every fact, known and well.
pub fn healthy_details(uid: NodeUid) -> Details {
    Details(Fact::ALL.iter().map(|fact| (*fact, Probe::Known(healthy(*fact, uid)))).collect())
}

fn healthy(fact: Fact, uid: NodeUid) -> FactValue {
    let text = |text: &str| FactValue::Text(text.to_owned());
    match fact {
        Fact::EffectiveUser => FactValue::Number(0),
        Fact::Root => text("/"),
        Fact::Umask => text("0022"),
        Fact::Orchestrator => text("none"),
        Fact::TimeSynchronised => FactValue::Flag(true),
        Fact::Fips | Fact::LogrotateChanged => FactValue::Flag(false),
        Fact::Repositories => FactValue::Lines(vec!["/etc/apt/sources.list".to_owned()]),
        Fact::SecurityAgents | Fact::CircularLinks => FactValue::Lines(Vec::new()),
        rows => FactValue::Rows(table(rows, uid)),
    }
}

fn table(fact: Fact, uid: NodeUid) -> Vec<Row> {
    let (last_night, id) = ("2026-05-31T23:00:00Z", uid.0.to_string());
    match fact {
        Fact::Listeners => vec![row(&[
            ("protocol", "tcp"),
            ("address", "0.0.0.0"),
            ("port", "9443"),
            ("process", "nginx"),
            ("pid", "700"),
            ("product", "yes"),
        ])],
        Fact::OsRelease => vec![row(&[
            ("ID", "ubuntu"),
            ("VERSION_ID", "22.04"),
            ("ID_LIKE", "debian"),
            ("PRETTY_NAME", "Ubuntu 22.04"),
        ])],
        Fact::Certificates => vec![row(&[
            ("file", "/etc/opt/redislabs/proxy_cert.pem"),
            ("subject", "CN=cluster.local"),
            ("not_before", "2026-01-01T00:00:00Z"),
            ("not_after", "2027-06-01T00:00:00Z"),
            ("comments", "no"),
        ])],
        Fact::Services => ["cnm_exec", "node_wd", "dmcproxy"]
            .map(|service| row(&[("service", service), ("state", "RUNNING")]))
            .to_vec(),
        Fact::ClusterInfo => vec![row(&[
            ("upgrade mode", "disabled"),
            ("redis_upgrade_policy", "major"),
            ("slave_ha_grace_period", "600"),
            ("parallel_shards_upgrade", "0"),
            ("cnm_https_port", "9443"),
        ])],
        Fact::NodeInfo => vec![row(&[("quorum only", "disabled"), ("max redis servers", "100")])],
        Fact::DatabaseInfo => vec![row(&[("uid", "1"), ("name", "db1"), ("maxclients", "10000")])],
        Fact::Cluster => vec![row(&[
            ("name", "cluster.local"),
            ("upgrade_mode", "false"),
            ("min_control_TLS_version", "1.2"),
            ("min_data_TLS_version", "1.2"),
            ("control_cipher_suites", "HIGH:!3DES:!aDH"),
            ("data_cipher_list", "HIGH:!3DES:!aDH"),
        ])],
        Fact::ClusterPolicy => vec![row(&[
            ("redis_upgrade_policy", "major"),
            ("slave_ha", "true"),
            ("slave_ha_grace_period", "600"),
            ("parallel_shards_upgrade", "0"),
        ])],
        Fact::Ldap => vec![row(&[("control_plane", "false"), ("data_plane", "false")])],
        Fact::Licence => vec![row(&[
            ("expired", "false"),
            ("expiration_date", "2027-06-01T00:00:00Z"),
            ("shards_limit", "100"),
        ])],
        Fact::Databases => vec![row(&[
            ("uid", "1"),
            ("name", "db1"),
            ("redis_version", "7.2"),
            ("replication", "true"),
            ("data_persistence", "aof"),
            ("crdt", "false"),
            ("auto_upgrade", "false"),
            ("bigstore", "false"),
            ("module_list", ""),
            ("backup", "true"),
            ("last_backup_time", last_night),
        ])],
        Fact::HealthReport => {
            let of_node = |key: &str| format!("node:{id}.{key}");
            let mut report = row(&[("status", "ok")]);
            report.insert(of_node("in_maintenance"), "false".to_owned());
            report.insert(of_node("quorum_only"), "false".to_owned());
            report.insert(of_node("status"), "active".to_owned());
            vec![report]
        }
        _ => Vec::new(),
    }
}

fn row(cells: &[(&str, &str)]) -> Row {
    cells.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_is_of_its_kind() {
        for (fact, probe) in healthy_details(NodeUid(1)).0 {
            assert_eq!(probe.known().unwrap().kind(), fact.kind(), "{fact}");
        }
    }
}
