//! `[metrics]`: where Prometheus may ask.

use std::net::SocketAddr;

use super::reader::{Mistakes, Reader};

/// No table, no listener. A table without an address is a mistake: somebody believes that there is one.
pub(super) fn listen(table: Option<Reader>, mistakes: &mut Mistakes) -> Option<SocketAddr> {
    let mut table = table?;
    let address = table.parsed("listen", "write an address and a port, like \"127.0.0.1:9464\"", mistakes);
    table.finish(&["listen"], mistakes);
    address
}
