//! TCP ports somebody listens on, out of the kernel's tables.

use std::collections::BTreeSet;
use std::fs;
use std::io;

use proto::Probe;

use crate::host::Product;

/// The state `LISTEN` in the kernel's tables.
const LISTEN: &str = "0A";

/// All listening ports, IPv4 and IPv6, ascending.
pub(super) fn listening_ports(product: &Product) -> Probe<Vec<u16>> {
    let mut ports = BTreeSet::new();
    for (file, optional) in [("/proc/net/tcp", false), ("/proc/net/tcp6", true)] {
        match fs::read_to_string(product.of_machine(file)) {
            Ok(text) => match listening(&text) {
                Some(found) => ports.extend(found),
                None => return Probe::Unknown(format!("{file} has a line that cannot be read")),
            },
            // Without IPv6 there is no such table.
            Err(error) if optional && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Probe::Unknown(format!("{file} cannot be read: {error}")),
        }
    }
    Probe::Known(ports.into_iter().collect())
}

/// Listening ports in one table; `None` if a line is not understood.
fn listening(text: &str) -> Option<Vec<u16>> {
    let mut ports = Vec::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, state, ..] = fields.as_slice() else { return None };
        let (_, port) = local.rsplit_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        if *state == LISTEN {
            ports.push(port);
        }
    }
    Some(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue\n";

    #[test]
    fn only_listeners_count() {
        let text = format!(
            "{HEAD}   0: 0100007F:2490 00000000:0000 0A 00000000:00000000\n   1: 0100007F:2491 0100007F:1F90 01 0:0\n"
        );
        assert_eq!(listening(&text), Some(vec![0x2490]));
        assert_eq!(listening(&format!("{HEAD}   0: garbage\n")), None);
        assert_eq!(listening(&format!("{HEAD}   0: 0100007F:XY 0:0 0A\n")), None);
    }

    #[test]
    fn the_roots_own_table_comes_before_the_machines() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("proc/net")).unwrap();
        fs::write(root.path().join("proc/net/tcp"), format!("{HEAD} 0: 0100007F:0007 0:0 0A\n")).unwrap();
        fs::write(root.path().join("proc/net/tcp6"), HEAD).unwrap();
        assert_eq!(listening_ports(&Product::new(root.path().to_owned())), Probe::Known(vec![7]));
    }

    #[test]
    fn a_listener_of_ours_is_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let product = Product::new("/".into());
        assert!(listening_ports(&product).known().unwrap().contains(&port));
    }
}
