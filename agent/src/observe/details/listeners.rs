//! Who listens where, and whether that is the product itself (fact sheet §6, no. 17 and 18).

use std::fs;
use std::path::{Path, PathBuf};

use proto::{FactValue, Installation, Probe, Row};

use super::Look;
use super::blocking::blocking;
use super::processes::{Process, holders, processes};
use crate::host::Product;
use crate::observe::sockets::{Protocol, Socket, proc_directory, sockets};

pub(super) async fn listeners(look: &Look<'_>) -> Probe<FactValue> {
    let product = look.product.clone();
    blocking("listeners", move || rows(&product).map(FactValue::Rows)).await
}

fn rows(product: &Product) -> Result<Vec<Row>, String> {
    let mut all = sockets(product, Protocol::Tcp)?;
    all.extend(sockets(product, Protocol::Udp)?);
    // Without a list of processes the ports are known all the same.
    let processes = processes(&proc_directory(product)).unwrap_or_default();
    let (holders, own) = (holders(&processes), Own::of(product));
    let holder = |socket: &Socket| socket.inode.and_then(|inode| holders.get(&inode).copied());
    Ok(all.iter().map(|socket| row(socket, holder(socket), &own)).collect())
}

fn row(socket: &Socket, holder: Option<&Process>, own: &Own) -> Row {
    let user = socket.user.or_else(|| holder.and_then(Process::user));
    let product = own.owns(user, holder.and_then(|process| process.program.as_deref()));
    let cells = [
        ("protocol", Some(socket.protocol.word().to_owned())),
        ("address", Some(socket.address.to_string())),
        ("port", Some(socket.port.to_string())),
        ("process", holder.and_then(|process| process.name.clone())),
        ("pid", holder.map(|process| process.pid.to_string())),
        ("product", product.map(|is| if is { "yes" } else { "no" }.to_owned())),
    ];
    cells.into_iter().filter_map(|(key, cell)| Some((key.to_owned(), cell?))).collect()
}

/// What the product is known by.
#[derive(Debug)]
struct Own {
    /// Its directories, as they are written and as they are resolved.
    directories: Vec<PathBuf>,
    /// The number of its user, where it is known.
    user: Option<u32>,
}

impl Own {
    fn of(product: &Product) -> Self {
        let Ok(found) = product.installation() else { return Self { directories: Vec::new(), user: None } };
        let written =
            [&found.install_dir, &found.config_dir, &found.var_dir].map(|path| product.rooted(path));
        let resolved = written.iter().filter_map(|path| fs::canonicalize(path).ok());
        let directories = resolved.chain(written.iter().cloned()).collect();
        Self { directories, user: user(product, &found) }
    }

    /// Whether it is the product's; `None` where that cannot be told.
    fn owns(&self, user: Option<u32>, program: Option<&Path>) -> Option<bool> {
        let below =
            program.map(|program| self.directories.iter().any(|directory| program.starts_with(directory)));
        // What root runs may be anybody's, also where the product runs as root.
        let its_user = self.user.zip(user).map(|(own, user)| own == user && own != 0);
        match (below, its_user) {
            _ if self.directories.is_empty() => None,
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            (None, _) | (_, None) => None,
        }
    }
}

/// The number of the product's user, out of the machine's own files; its name may be the number.
fn user(product: &Product, found: &Installation) -> Option<u32> {
    let text = fs::read_to_string(product.of_machine("/etc/passwd")).ok()?;
    let mut entries = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let entry = entries.find(|fields| fields.first() == Some(&found.user.as_str()));
    entry.and_then(|fields| fields.get(2)?.parse().ok()).or_else(|| found.user.parse().ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const HEAD: &str = "  sl  local_address rem_address   st\n";

    fn write(file: PathBuf, text: &str) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn process(root: &Path, pid: u32, name: &str, program: &str, inode: u64) {
        let directory = root.join(format!("proc/{pid}"));
        write(directory.join("comm"), &format!("{name}\n"));
        fs::create_dir_all(directory.join("fd")).unwrap();
        symlink(program, directory.join("exe")).unwrap();
        symlink(format!("socket:[{inode}]"), directory.join("fd/3")).unwrap();
    }

    fn listener(port: u16, uid: u32, inode: u64, state: &str) -> String {
        format!(" 0: 00000000:{port:04X} 00000000:0000 {state} 0:0 00:0 0 {uid} 0 {inode} 1\n")
    }

    fn node(config: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        write(root.path().join("opt/redislabs/bin/rladmin"), "");
        write(root.path().join("etc/passwd"), "root:x:0:0::/:/bin/sh\nrl:x:777:777::/:/bin/sh\n");
        write(root.path().join("etc/opt/redislabs/redislabs_env_config.sh"), config);
        root
    }

    fn seen(root: &Path) -> Vec<(String, Option<String>, Option<String>)> {
        let rows = rows(&Product::new(root.to_owned())).unwrap();
        let cell = |row: &Row, key: &str| row.get(key).cloned();
        let of = |row: &Row| {
            let at = format!("{}/{}", row["protocol"], row["port"]);
            (at, cell(row, "process"), cell(row, "product"))
        };
        rows.iter().map(of).collect()
    }

    #[test]
    fn the_product_is_known_by_its_directories_and_by_its_user() {
        let root = node("osuser=rl\n");
        let table = [listener(9443, 0, 1, "0A"), listener(8443, 777, 2, "0A"), listener(53, 0, 3, "0A")];
        write(root.path().join("proc/net/tcp"), &format!("{HEAD}{}", table.concat()));
        write(root.path().join("proc/net/udp"), &format!("{HEAD}{}", listener(53, 101, 4, "07")));
        let nginx = root.path().join("opt/redislabs/bin/nginx").display().to_string();
        process(root.path(), 10, "nginx", &nginx, 1);
        process(root.path(), 11, "python3", "/usr/bin/python3", 2);
        process(root.path(), 12, "dnsmasq", "/usr/sbin/dnsmasq", 3);
        let text = |text: &str| Some(text.to_owned());
        let expected = [
            ("tcp/9443".to_owned(), text("nginx"), text("yes")),
            ("tcp/8443".to_owned(), text("python3"), text("yes")),
            ("tcp/53".to_owned(), text("dnsmasq"), text("no")),
            // Whose it is cannot be told: nobody is seen to hold it.
            ("udp/53".to_owned(), None, None),
        ];
        assert_eq!(seen(root.path()), expected);
    }

    #[test]
    fn where_the_product_runs_as_root_not_all_that_root_runs_is_the_product() {
        let root = node("osuser=root\n");
        write(root.path().join("proc/net/tcp"), &format!("{HEAD}{}", listener(53, 0, 3, "0A")));
        process(root.path(), 12, "named", "/usr/sbin/named", 3);
        assert_eq!(seen(root.path())[0].2.as_deref(), Some("no"));
    }

    #[test]
    fn without_an_installation_nothing_is_said_to_be_or_not_to_be_the_products() {
        let root = tempfile::tempdir().unwrap();
        write(root.path().join("proc/net/tcp"), &format!("{HEAD}{}", listener(53, 0, 3, "0A")));
        process(root.path(), 12, "named", "/usr/sbin/named", 3);
        assert_eq!(seen(root.path())[0], ("tcp/53".to_owned(), Some("named".to_owned()), None));
    }

    #[tokio::test]
    async fn a_listener_of_ours_is_seen_with_its_process() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let product = Product::new("/".into());
        let look = Look { product: &product, node: None, view: None, rest: None };
        let Probe::Known(FactValue::Rows(rows)) = listeners(&look).await else { panic!("known as rows") };
        let ours = rows.iter().find(|row| row["port"] == port).unwrap();
        assert_eq!(ours["pid"], std::process::id().to_string());
        assert_eq!((ours["protocol"].as_str(), ours["address"].as_str()), ("tcp", "127.0.0.1"));
    }
}
