//! The door to the machine: programs are run and the product's files are read here and nowhere else.

mod error;
mod install_dirs;
mod outcome;
pub mod product;
pub mod programs;

pub use error::{HostError, with_causes};
pub use product::{Deadlines, Product};
pub use programs::{Call, Output, Programs, SystemPrograms};
