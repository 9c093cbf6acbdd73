//! Attempts to get past the transport's rules, over real sockets on free ports.

mod address;
mod arriving;
mod connections;
mod files;
mod stand;
