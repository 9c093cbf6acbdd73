//! The door to the machine: programs are run and the product's files are read here and nowhere else.

pub mod allowed;
mod error;
mod install_dirs;
mod outcome;
pub mod product;
pub mod programs;
pub mod starts;

pub use allowed::Action;
pub use error::{HostError, with_causes};
pub use product::{Deadlines, Product};
pub use programs::{Call, Output, Programs, SystemPrograms};
