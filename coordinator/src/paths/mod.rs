//! Which upgrades the vendor supports: its table, and the way from one version to another. Pure.

mod explain;
mod gate;
mod origin;
mod path;
mod range;
mod search;
mod span;
mod spec;
mod table;
mod table_file;
mod way;

pub use explain::{HopDocument, PathsDocument, RowDocument, explain};
pub use gate::{Gate, Weight};
pub use origin::Origin;
pub use path::{Hop, NoPath, UpgradePath, find_path, find_path_for};
pub use range::InvalidRange;
pub use spec::VersionSpec;
pub use table::{Bundled, PathVerdict, Status, Table};
pub use table_file::TableError;

#[cfg(test)]
pub(crate) mod tests;
