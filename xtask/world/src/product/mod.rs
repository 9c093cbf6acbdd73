//! The product: the simulator's model under virtual time, with its tools and its installer, and no process at all.

mod cluster;
mod files;
mod programs;

pub use cluster::Cluster;
pub use files::{Package, Packages, memory_dir, write_root};
pub use programs::NodePrograms;
