//! Where a redirect may lead: to this node itself or to a node of the cluster, in the same scheme. Only they may be shown
//! the credential (fact sheet §4: management requests are redirected to the master's internal address).

use std::net::IpAddr;

use reqwest::{StatusCode, Url};

use super::RestError;

/// Hops after which it goes in circles.
pub(super) const MOST_HOPS: usize = 3;

/// Whether a status sends a question elsewhere.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status, StatusCode::FOUND | StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT)
}

/// The URL that a `Location` leads to from `here`, if the credential may be shown there. `nodes` are the addresses of the
/// cluster's nodes, `home` is where the first question went.
pub(super) fn follow(home: &Url, here: &Url, location: &str, nodes: &[&str]) -> Result<Url, RestError> {
    let refused = |to: String, reason| RestError::Redirect { path: here.path().to_owned(), to, reason };
    let Ok(to) = here.join(location) else {
        return Err(refused("something that is no URL".to_owned(), "which cannot be followed"));
    };
    let shown = || format!("{}://{}", to.scheme(), host_and_port(&to));
    if !to.username().is_empty() || to.password().is_some() {
        return Err(refused(shown(), "with a credential in it, which is not used"));
    }
    if to.scheme() != home.scheme() {
        return Err(refused(shown(), "which is another scheme: the credential is not sent there"));
    }
    let host = to.host_str().unwrap_or_default();
    if to.origin() != home.origin() && !nodes.iter().any(|node| same(node, host)) {
        return Err(refused(shown(), "which is no node of this cluster"));
    }
    if to.scheme() == "http" && !address(host).is_some_and(|ip| ip.is_loopback()) && host != "localhost" {
        return Err(refused(
            shown(),
            "and a password is not sent to another machine in the clear; set an https `url` in [rest] of agent.toml",
        ));
    }
    Ok(to)
}

fn host_and_port(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}

/// Addresses only: a name is what somebody else says it is.
fn same(node: &str, host: &str) -> bool {
    address(node).is_some_and(|node| address(host) == Some(node))
}

fn address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: [&str; 3] = ["10.0.0.1", "fd00::1", "127.0.0.9"];

    fn followed(home: &str, location: &str) -> Result<String, String> {
        let home: Url = home.parse().unwrap();
        let here = home.join("/v1/cluster").unwrap();
        let to = follow(&home, &here, location, &NODES);
        to.map(|url| url.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn nodes_of_the_cluster_and_this_node_itself_are_followed_to() {
        let home = "https://localhost:9443";
        for (location, expected) in [
            ("https://10.0.0.1:9443/v1/cluster", "https://10.0.0.1:9443/v1/cluster"),
            ("https://[fd00::1]:9443/v1/cluster", "https://[fd00::1]:9443/v1/cluster"),
            ("/v1/cluster/", "https://localhost:9443/v1/cluster/"),
        ] {
            assert_eq!(followed(home, location).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn nobody_else_is_shown_the_credential() {
        let home = "https://localhost:9443";
        for location in [
            "https://10.0.0.2:9443/v1/cluster",
            "https://10.0.0.1.example.com/v1/cluster",
            "https://localhost:8443/v1/cluster",
            "//10.0.0.2/v1/cluster",
        ] {
            let reason = followed(home, location).unwrap_err();
            assert!(reason.contains("which is no node of this cluster"), "{location}: {reason}");
        }
        assert!(followed(home, "http://10.0.0.1:8080/v1/cluster").unwrap_err().contains("another scheme"));
        let reason = followed(home, "https://v:hunter2@10.0.0.1:9443/").unwrap_err();
        assert!(reason.contains("10.0.0.1:9443") && !reason.contains("hunter2"), "{reason}");
        assert!(followed(home, "https://[").is_err());
    }

    #[test]
    fn in_the_clear_the_password_stays_on_this_machine() {
        let home = "http://localhost:8080";
        assert!(followed(home, "http://10.0.0.1:8080/v1/cluster").unwrap_err().contains("in the clear"));
        assert!(followed(home, "http://127.0.0.9:8080/v1/cluster").is_ok());
        assert!(followed(home, "/v2").is_ok());
    }
}
