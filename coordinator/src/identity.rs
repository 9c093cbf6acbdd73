//! Who this process is, for people who find its name on a claim.

/// User, host and process, for instance `alice@ops1 (process 4711)`.
pub fn holder() -> String {
    format!("{} (process {})", person(), std::process::id())
}

/// User and host, for instance `alice@ops1`.
pub fn person() -> String {
    let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
    let user = user.unwrap_or_else(|_| format!("uid {}", rustix::process::getuid().as_raw()));
    let host = rustix::system::uname();
    format!("{user}@{}", host.nodename().to_string_lossy())
}
