//! TCP ports somebody listens on.

use std::collections::BTreeSet;

use proto::Probe;

use super::sockets::{Protocol, sockets};
use crate::host::Product;

/// All listening ports, IPv4 and IPv6, ascending.
pub(super) fn listening_ports(product: &Product) -> Probe<Vec<u16>> {
    match sockets(product, Protocol::Tcp) {
        Ok(found) => {
            let ports: BTreeSet<u16> = found.iter().map(|socket| socket.port).collect();
            Probe::Known(ports.into_iter().collect())
        }
        Err(reason) => Probe::Unknown(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue\n";

    #[test]
    fn the_roots_own_table_comes_before_the_machines() {
        let root = tempfile::tempdir().unwrap();
        let net = root.path().join("proc/net");
        std::fs::create_dir_all(&net).unwrap();
        let product = Product::new(root.path().to_owned());
        std::fs::write(net.join("tcp"), format!("{HEAD} 0: 0100007F:0007 0:0 0A\n")).unwrap();
        assert_eq!(listening_ports(&product), Probe::Known(vec![7]));
        std::fs::write(net.join("tcp6"), format!("{HEAD} garbage\n")).unwrap();
        assert!(listening_ports(&product).as_result().unwrap_err().contains("cannot be read"));
    }

    #[test]
    fn a_listener_of_ours_is_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let product = Product::new("/".into());
        assert!(listening_ports(&product).known().unwrap().contains(&port));
    }
}
