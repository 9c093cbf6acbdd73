//! Sockets that wait for somebody, out of the kernel's tables.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use crate::host::Product;

/// A socket that a port is taken by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Socket {
    pub(super) protocol: Protocol,
    pub(super) address: IpAddr,
    pub(super) port: u16,
    /// The user it belongs to, where the table says so.
    pub(super) user: Option<u32>,
    /// What `/proc/PID/fd` knows it by, where the table says so.
    pub(super) inode: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    /// The state of a socket that waits: `LISTEN`, or bound and not connected.
    fn waiting(self) -> &'static str {
        match self {
            Self::Tcp => "0A",
            Self::Udp => "07",
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// Where the kernel's tables and processes are: those of the root, if it has tables of its own, and then nothing of the
/// machine's.
pub(super) fn proc_directory(product: &Product) -> PathBuf {
    let own = product.rooted("/proc");
    if own.join("net/tcp").exists() { own } else { "/proc".into() }
}

/// The sockets of a protocol, IPv4 and IPv6, in the order of the tables. Blocks.
///
/// # Errors
/// When a table cannot be read or understood.
pub(super) fn sockets(product: &Product, protocol: Protocol) -> Result<Vec<Socket>, String> {
    let directory = proc_directory(product);
    // The kernel always has these; a root with tables of its own may have left one out.
    let stand_in = directory != Path::new("/proc");
    let (v4, v6) = (protocol.word().to_owned(), format!("{}6", protocol.word()));
    let mut all = Vec::new();
    // Without IPv6 there is no such table.
    for (table, optional) in [(v4, stand_in), (v6, true)] {
        let file = directory.join("net").join(&table);
        match fs::read_to_string(&file) {
            Ok(text) => all.extend(
                waiting(&text, protocol)
                    .ok_or_else(|| format!("{} has a line that cannot be read", file.display()))?,
            ),
            Err(error) if optional && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{} cannot be read: {error}", file.display())),
        }
    }
    Ok(all)
}

/// The sockets of one table that wait; `None` if a line is not understood.
pub(super) fn waiting(text: &str, protocol: Protocol) -> Option<Vec<Socket>> {
    let mut found = Vec::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, state, ..] = fields.as_slice() else { return None };
        let (address, port) = local.rsplit_once(':')?;
        let (address, port) = (ip(address)?, u16::from_str_radix(port, 16).ok()?);
        if *state == protocol.waiting() {
            let user = fields.get(7).and_then(|uid| uid.parse().ok());
            let inode = fields.get(9).and_then(|inode| inode.parse().ok());
            found.push(Socket { protocol, address, port, user, inode });
        }
    }
    Some(found)
}

/// The kernel prints the address word by word, each as a number of the machine.
fn ip(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let word = u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue\n";

    #[test]
    fn only_those_that_wait_count() {
        let text = format!(
            "{HEAD}   0: 0100007F:2490 00000000:0000 0A 0:0 00:00000000 00000000   990        0 4711 1 0 100\n\
             {}1: 0100007F:2491 0100007F:1F90 01 0:0\n",
            "   "
        );
        let found = waiting(&text, Protocol::Tcp).unwrap();
        assert_eq!(found.len(), 1);
        let address = IpAddr::from(0x0100_007F_u32.to_ne_bytes());
        let expected = (address, 0x2490, Some(990), Some(4711));
        assert_eq!((found[0].address, found[0].port, found[0].user, found[0].inode), expected);
        assert_eq!(waiting(&text, Protocol::Udp), Some(Vec::new()));
        for broken in ["garbage", "0: 0100007F:XY 0:0 0A", "0: 01007F:0007 0:0 0A", "0: 0100007Z:0007 0:0 0A"]
        {
            assert_eq!(waiting(&format!("{HEAD}   {broken}\n"), Protocol::Tcp), None, "{broken}");
        }
    }

    #[test]
    fn both_families_are_read_as_the_kernel_writes_them() {
        let tcp = std::net::TcpListener::bind("[::1]:0").unwrap();
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let product = Product::new("/".into());
        for (protocol, address) in [(Protocol::Tcp, tcp.local_addr()), (Protocol::Udp, udp.local_addr())] {
            let address = address.unwrap();
            let found = sockets(&product, protocol).unwrap();
            let ours = found.iter().find(|socket| socket.port == address.port()).unwrap();
            assert_eq!(ours.address, address.ip());
            assert_eq!(ours.user, Some(rustix::process::geteuid().as_raw()));
            assert!(ours.inode.is_some_and(|inode| inode > 0));
        }
    }

    #[test]
    fn a_root_with_tables_of_its_own_shows_nothing_of_the_machine() {
        let _taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let root = tempfile::tempdir().unwrap();
        let product = Product::new(root.path().to_owned());
        fs::create_dir_all(root.path().join("proc/net")).unwrap();
        assert!(!sockets(&product, Protocol::Udp).unwrap().is_empty(), "the machine's");
        fs::write(root.path().join("proc/net/tcp"), HEAD).unwrap();
        assert_eq!(sockets(&product, Protocol::Udp), Ok(Vec::new()));
    }
}
