//! Facts of modules, by kind: the vendor's tools write one module's name in several ways.

use std::collections::BTreeSet;

use proto::{Details, Fact, Row};

use super::database::{cell, uid_of};
use crate::advisories::place::Place;
use crate::advisories::value::Value;

pub(super) fn held(place: &Place<'_>) -> Result<Value, String> {
    place.of_cluster(|details| kinds(details.rows(Fact::Modules)?.iter())).map(Value::Set)
}

/// What either the product's API or `rladmin` shows, so that none is missed.
pub(super) fn of_database(place: &Place<'_>) -> Result<Value, String> {
    let uid = uid_of(place)?;
    let listed = listed(place);
    let shown = place.of_cluster(|details| shown(details, uid));
    match (listed, shown) {
        (Ok(one), Ok(other)) => Ok(Value::Set(one.union(&other).cloned().collect())),
        (Ok(known), Err(_)) | (Err(_), Ok(known)) => Ok(Value::Set(known)),
        (Err(reason), Err(_)) => Err(reason),
    }
}

/// `module_list` of the product's API.
fn listed(place: &Place<'_>) -> Result<BTreeSet<String>, String> {
    let list = cell(place, "module_list")?;
    Ok(list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(kind).collect())
}

/// The rows of `rladmin status modules`: a database without modules has none.
fn shown(details: &Details, uid: u32) -> Result<BTreeSet<String>, String> {
    let rows = details.rows(Fact::DatabaseModules)?;
    if rows.iter().any(|row| !row.contains_key("database")) {
        return Err("a module's row does not tell its database".to_owned());
    }
    let number = uid.to_string();
    let is_its = |row: &&Row| {
        let told = row.get("database").map(|told| told.trim_start_matches("db:"));
        told == Some(number.as_str())
    };
    kinds(rows.iter().filter(is_its))
}

fn kinds<'a>(rows: impl Iterator<Item = &'a Row>) -> Result<BTreeSet<String>, String> {
    let of_row = |row: &Row| row.get("module").map(|name| kind(name));
    rows.map(of_row).collect::<Option<_>>().ok_or_else(|| "a row of modules has no name".to_owned())
}

/// `RediSearch 2`, `search`, `searchlight` and the like are all `search`; a name that the vendor does not use is `custom`.
fn kind(name: &str) -> String {
    let letters: String = name.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect();
    let kind = match letters.as_str() {
        "rg" => "gears",
        "bf" => "bloom",
        "ft" => "search",
        "ai" | "redisai" => "ai",
        name if name.contains("gears") => "gears",
        name if name.contains("graph") => "graph",
        name if name.contains("search") => "search",
        name if name.contains("json") => "json",
        name if name.contains("bloom") => "bloom",
        name if name.contains("timeseries") => "timeseries",
        _ => "custom",
    };
    kind.to_owned()
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn one_module_has_one_kind_however_it_is_written() {
        for (kind_of, names) in [
            ("search", ["RediSearch 2", "search", "ft"]),
            ("json", ["ReJSON", "RedisJSON", "rejson"]),
            ("bloom", ["bf", "RedisBloom", "RedisBloom 2"]),
            ("timeseries", ["timeseries", "RedisTimeSeries", "Redis Time Series"]),
            ("graph", ["graph", "RedisGraph", "RedisGraph 2"]),
            ("gears", ["rg", "RedisGears", "redisgears_2"]),
            ("custom", ["ours", "RoaringBitmap", ""]),
        ] {
            for name in names {
                assert_eq!(kind(name), kind_of, "{name}");
            }
        }
    }
}
