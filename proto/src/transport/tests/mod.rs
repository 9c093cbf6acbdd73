//! Attempts to get past the transport's rules, over real sockets on free ports.

mod address;
mod arriving;
mod behalf;
mod connections;
mod files;
mod flood;
mod pinned;
mod raw;
mod renewal;
mod stand;
mod stolen;
mod table;
