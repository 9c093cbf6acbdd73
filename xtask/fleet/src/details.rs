//! Facts that are asked for by name: those of a node in which all is well, made true for its cluster and its time.

use jiff::{SignedDuration, Timestamp};
use proto::{Details, Fact, FactValue, NodeUid, Probe, Row, sample};

use crate::cluster::SimCluster;
use crate::spec;

/// How long certificates and licences are good for.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24 * 300);
/// How long ago the last backup was made.
const BACKUP: SignedDuration = SignedDuration::from_hours(3);

/// The facts that were asked for.
pub(crate) fn details(cluster: &SimCluster, node: NodeUid, asked: &[Fact], now: Timestamp) -> Details {
    if asked.is_empty() {
        return Details::default();
    }
    let mut details = sample::healthy_details(node);
    details.0.retain(|fact, _| asked.contains(fact));
    if asked.contains(&Fact::Root) {
        // No real node: its packages have none of the vendor's checksums.
        details.0.insert(Fact::Root, Probe::Known(FactValue::Text("/simulated".to_owned())));
    }
    let good_until = (now + GOOD_FOR).to_string();
    let domain = spec::domain(cluster.number);
    set(
        &mut details,
        Fact::Certificates,
        &[
            ("subject", format!("CN={domain}")),
            ("not_before", (now - GOOD_FOR).to_string()),
            ("not_after", good_until.clone()),
        ],
    );
    set(&mut details, Fact::Licence, &[("expiration_date", good_until)]);
    set(&mut details, Fact::Cluster, &[("name", domain)]);
    set(
        &mut details,
        Fact::Databases,
        &[
            ("last_backup_time", (now - BACKUP).to_string()),
            ("crdt", (!cluster.partners.is_empty()).to_string()),
        ],
    );
    if asked.contains(&Fact::ActiveActive) {
        let rows = cluster.partners.iter().map(|partner| shared(cluster.number, *partner)).collect();
        details.0.insert(Fact::ActiveActive, Probe::Known(FactValue::Rows(rows)));
    }
    details
}

fn set(details: &mut Details, fact: Fact, cells: &[(&str, String)]) {
    if let Some(Probe::Known(FactValue::Rows(rows))) = details.0.get_mut(&fact) {
        for row in rows {
            row.extend(cells.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        }
    }
}

/// The Active-Active database that two clusters have in common.
fn shared(one: u32, other: u32) -> Row {
    let (low, high) = (one.min(other), one.max(other));
    Row::from([
        ("guid".to_owned(), format!("crdb-{low}-{high}")),
        ("name".to_owned(), "db1".to_owned()),
        ("protocol_version".to_owned(), "1".to_owned()),
        ("featureset_version".to_owned(), "5".to_owned()),
        ("clusters".to_owned(), format!("{},{}", spec::domain(low), spec::domain(high))),
    ])
}
