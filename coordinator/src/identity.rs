//! Who this process is, for people who find its name on a claim, and who asks something of it.

use proto::Caller;

/// Who asks for something, as it is written down: a certificate's owner by its identity, somebody on this machine as this
/// process's own user, since they can do all that it can.
pub fn asker(caller: &Caller) -> String {
    match caller {
        Caller::Known(identity) => identity.to_string(),
        Caller::Local => person(),
        Caller::Anonymous => caller.to_string(),
    }
}

/// User, host and process, for instance `alice@ops1 (process 4711)`.
pub fn holder() -> String {
    format!("{} (process {})", person(), std::process::id())
}

/// Who holds something on somebody's word.
pub fn holder_for(by: &str) -> String {
    // This process's own user is in its name already.
    if by == person() { holder() } else { format!("{} for {by}", holder()) }
}

/// User and host, for instance `alice@ops1`.
pub fn person() -> String {
    let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
    let user = user.unwrap_or_else(|_| format!("uid {}", rustix::process::getuid().as_raw()));
    let host = rustix::system::uname();
    format!("{user}@{}", host.nodename().to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_written_down_as_it_is_and_nobody_else_as_one() {
        let identity = "spiffe://prod/operator/alice";
        assert_eq!(asker(&Caller::Known(identity.parse().unwrap())), identity);
        assert_eq!(asker(&Caller::Local), person());
        assert!(!asker(&Caller::Local).starts_with(proto::IDENTITY_SCHEME));
        assert_eq!(asker(&Caller::Anonymous), "somebody without a certificate");
    }
}
