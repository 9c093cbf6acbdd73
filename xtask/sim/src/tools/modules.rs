//! `rladmin status modules`: the cluster's modules and those of its databases (fact sheet §3.3).

use super::rladmin::invalid;
use super::table::Table;
use crate::model::Model;
use crate::spec::{Module, UsedModule};

/// The two tables that the words behind `status modules` ask for.
pub(super) fn tables(model: &Model, words: &[&str]) -> Result<[Table; 2], String> {
    let extra: &[&str] = match words {
        [] => &[],
        ["extra", "all"] => &["MIN_REDIS_VERSION", "ID"],
        ["extra", "min_redis_version"] => &["MIN_REDIS_VERSION"],
        ["extra", "module_id"] => &["ID"],
        ["extra", word, ..] | [word, ..] => return Err(invalid(word)),
    };
    Ok([cluster(model, extra), databases(model)])
}

fn cluster(model: &Model, extra: &[&'static str]) -> Table {
    let columns = [&["MODULE", "VERSION"], extra].concat();
    let mut table = Table::new("CLUSTER MODULES:", &columns);
    for module in &model.modules {
        table.row(&[
            ("MODULE", module.name.clone()),
            ("VERSION", module.version.clone()),
            ("MIN_REDIS_VERSION", module.min_redis_version.clone()),
            ("ID", id(module)),
        ]);
    }
    table
}

fn databases(model: &Model) -> Table {
    let mut table =
        Table::new("DATABASE MODULES:", &["DB:ID", "NAME", "MODULE", "VERSION", "ARGS", "STATUS"]);
    for database in model.databases.values() {
        for module in &database.modules {
            let old = model.modules.iter().any(|newer| replaces(newer, module));
            table.row(&[
                ("DB:ID", format!("db:{}", database.id)),
                ("NAME", database.name.clone()),
                ("MODULE", module.name.clone()),
                ("VERSION", module.version.clone()),
                ("ARGS", module.args.clone()),
                ("STATUS", if old { "OK, OLD MODULE VERSION" } else { "OK" }.to_owned()),
            ]);
        }
    }
    table
}

fn replaces(newer: &Module, used: &UsedModule) -> bool {
    let numbers =
        |version: &str| version.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>();
    newer.name == used.name && numbers(&newer.version) > numbers(&used.version)
}

/// 32 hexadecimal digits that differ between modules and versions, as the product's own do.
fn id(module: &Module) -> String {
    let bytes = module.name.bytes().chain(module.version.bytes());
    let mixed = bytes.fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |sum, byte| {
        (sum ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    format!("{mixed:032x}")
}
