//! Kernel settings and programs that the vendor has an opinion on (fact sheet §5.3, §6).

use std::fs;
use std::path::Path;

use proto::{Probe, System};

use super::ports::listening_ports;
use crate::host::{Action, Product, with_causes};

/// Reads them all.
pub(super) async fn system(product: &Product) -> System {
    let setting = |path| setting(&product.of_machine(path));
    let meminfo = setting("/proc/meminfo");
    System {
        kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
        overcommit_memory: setting("/proc/sys/vm/overcommit_memory"),
        transparent_hugepage: chosen(setting("/sys/kernel/mm/transparent_hugepage/enabled")),
        somaxconn: setting("/proc/sys/net/core/somaxconn"),
        local_port_range: one_blank(setting("/proc/sys/net/ipv4/ip_local_port_range")),
        swap_total: kilobytes(&meminfo, "SwapTotal:"),
        memory_total: kilobytes(&meminfo, "MemTotal:"),
        openssl: openssl(product).await,
        listening_ports: listening_ports(product),
    }
}

fn setting(file: &Path) -> Probe<String> {
    match fs::read_to_string(file) {
        Ok(text) => Probe::Known(text.trim().to_owned()),
        Err(error) => Probe::Unknown(format!("{} cannot be read: {error}", file.display())),
    }
}

/// The word in brackets of `always madvise [never]`.
fn chosen(setting: Probe<String>) -> Probe<String> {
    let Probe::Known(text) = setting else { return setting };
    let word = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    word.map_or_else(
        || Probe::Unknown(format!("`{text}` has no chosen word")),
        |(word, _)| Probe::Known(word.to_owned()),
    )
}

fn one_blank(setting: Probe<String>) -> Probe<String> {
    match setting {
        Probe::Known(text) => Probe::Known(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        other => other,
    }
}

/// A line such as `MemTotal:  16384 kB`, in bytes.
fn kilobytes(meminfo: &Probe<String>, name: &str) -> Probe<u64> {
    let text = match meminfo.as_result() {
        Ok(text) => text,
        Err(reason) => return Probe::Unknown(reason.to_owned()),
    };
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    let bytes = value.and_then(|kilobytes| kilobytes.checked_mul(1024));
    bytes.map_or_else(|| Probe::Unknown(format!("/proc/meminfo has no `{name}`")), Probe::Known)
}

async fn openssl(product: &Product) -> Probe<String> {
    match product.ask(Action::OpensslVersion).await {
        Ok(output) if output.success() && !output.stdout.trim().is_empty() => {
            Probe::Known(output.stdout.trim().to_owned())
        }
        Ok(output) => Probe::Unknown(format!("`openssl version` failed: {}", output.failure().status)),
        Err(error) => Probe::Unknown(with_causes(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str) -> Probe<String> {
        Probe::Known(text.to_owned())
    }

    #[test]
    fn settings_are_read_in_the_kernels_forms() {
        assert_eq!(chosen(known("always madvise [never]")), known("never"));
        assert!(chosen(known("never")).known().is_none());
        assert_eq!(one_blank(known("30000\t65535")), known("30000 65535"));
        assert_eq!(
            kilobytes(&known("MemTotal:       16 kB\nSwapTotal:   0 kB"), "SwapTotal:"),
            Probe::Known(0)
        );
        assert_eq!(kilobytes(&known("MemTotal:       16 kB"), "MemTotal:"), Probe::Known(16_384));
        assert!(kilobytes(&known("MemTotal:       16 kB"), "SwapTotal:").known().is_none());
        assert!(setting(Path::new("/proc/nonexistent")).known().is_none());
    }

    #[tokio::test]
    async fn the_root_s_own_openssl_comes_before_the_machine_s() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let program = root.path().join("usr/bin/openssl");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(&program, "#!/bin/sh\necho OpenSSL 3.0.7 1 Nov 2022\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let product = Product::new(root.path().to_owned());
        assert_eq!(openssl(&product).await, known("OpenSSL 3.0.7 1 Nov 2022"));
    }
}
