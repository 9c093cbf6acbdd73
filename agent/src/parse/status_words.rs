//! Which words of a status column are good (fact sheet §3.4): a closed list, because the vendor has no complete one.

use proto::Health;

/// Remarks behind `OK,` that mean "works, and a database upgrade is available": expected during and after an upgrade.
const OLD: [&str; 5] = [
    "OLD REDIS VERSION",
    "OLD CRDB PROTOCOL VERSION",
    "OLD CRDB FEATURESET VERSION",
    "OLD MODULE VERSION",
    "OLD VERSION",
];

/// A status or watchdog cell of a node, shard or endpoint; `None` where there is no such column.
///
/// "Every shard: first token of STATUS and of WATCHDOG_STATUS is `OK`" (fact sheet §3.5), and stricter: a remark nobody
/// knows is not OK either.
pub(super) fn health(cell: Option<&str>) -> Health {
    let Some(cell) = cell.map(str::trim) else { return Health::NotShown };
    if cell == "OK" {
        return Health::Ok;
    }
    match cell.strip_prefix("OK, ") {
        Some(remarks) if remarks.split(", ").all(|remark| OLD.contains(&remark)) => {
            Health::OkWith(remarks.to_owned())
        }
        _ => Health::NotOk(cell.to_owned()),
    }
}

/// A database's status, which is `active` and never `OK` when it is good.
pub(super) fn database_health(cell: Option<&str>) -> Health {
    match cell.map(str::trim) {
        Some("active") => Health::Ok,
        Some(other) => Health::NotOk(other.to_owned()),
        None => Health::NotShown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_are_ok() {
        assert_eq!(health(Some("OK   ")), Health::Ok);
        for remark in OLD {
            assert!(health(Some(&format!("OK, {remark}"))).is_ok());
        }
        assert!(health(Some("OK, OLD REDIS VERSION, OLD CRDB PROTOCOL VERSION")).is_ok());
        for bad in
            ["", "-", "ok", "OK,", "OK, ", "OK OK", "OK, DEGRADED", "OK, OLD REDIS VERSION, DOWN", "active"]
        {
            assert_eq!(health(Some(bad)), Health::NotOk(bad.trim().to_owned()), "{bad:?}");
        }
        assert_eq!(health(None), Health::NotShown);
    }

    #[test]
    fn a_database_is_active_or_not_ok() {
        assert_eq!(database_health(Some("active")), Health::Ok);
        for bad in ["OK", "active-change-pending", "pending", "recovery", "import-pending", "Active", ""] {
            assert!(!database_health(Some(bad)).is_ok(), "{bad:?}");
        }
        assert_eq!(database_health(None), Health::NotShown);
    }
}
