//! What is to be done: paths, order, plan. Pure: nothing in here reads or changes the world.

mod advice;
mod document;
mod explain;
mod make;
mod order;
mod path;
mod range;
mod search;
mod span;
mod spec;
mod table;
mod table_file;
mod way;

pub use advice::post_advice;
pub use document::{Plan, PlannedHop, PlannedNode, Turn};
pub use explain::{HopDocument, PathsDocument, RowDocument, explain};
pub use make::{Planned, make_plan};
pub use order::next_turn;
pub use path::{Hop, NoPath, UpgradePath, find_path, find_path_for};
pub use range::InvalidRange;
pub use spec::VersionSpec;
pub use table::{Bundled, PathVerdict, Status, Table};
pub use table_file::TableError;

#[cfg(test)]
mod tests;
