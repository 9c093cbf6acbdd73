//! Temporary PostgreSQL servers for tests: one alone, or a primary with a synchronous standby. They can be killed, frozen
//! and promoted, and are gone when they are dropped or when the test's process ends.

mod installed;
mod pair;
mod processes;
mod server;
mod tls;

pub use installed::{PASSWORD, USER, available};
pub use pair::Pair;
pub use server::Server;
pub use tls::Certificates;
