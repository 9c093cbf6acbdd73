//! `[rest]`: how the agent asks the product's own REST API on this node, where its operator lets it.

use std::net::IpAddr;
use std::path::PathBuf;

use reqwest::Url;

use super::table::Keys;

/// The API on the node itself (fact sheet §4).
const DEFAULT_URL: &str = "https://localhost:9443";

/// A viewer's credential for the product's REST API, and how its server is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Scheme, loopback host and port. Never the address of another machine.
    pub url: Url,
    /// The user; the role `cluster_viewer` is enough.
    pub user: String,
    /// The file with the user's password. It is read at each look.
    pub password_file: PathBuf,
    /// PEM file with the certificates, or the authorities, that the API is trusted by. Without it `https` tells nothing.
    pub certificate: Option<PathBuf>,
}

/// The table, if it is there.
pub(super) fn rest(keys: &mut Keys) -> Option<Rest> {
    if !keys.has("rest") {
        return None;
    }
    let mut table = keys.table("rest");
    let rest = Rest {
        url: url(&mut table),
        user: user(&mut table),
        password_file: password_file(&mut table),
        certificate: table.has("certificate").then(|| table.absolute_path("certificate", "")),
    };
    keys.put_back(table);
    Some(rest)
}

fn url(table: &mut Keys) -> Url {
    let text = table.string("url", DEFAULT_URL);
    let remedy = "write it like \"https://localhost:9443\"";
    match text.parse::<Url>() {
        // What is written instead of a password must not end up in a log either.
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            let remedy = "give the credential with `user` and `password_file`";
            table.mistake("url", "it holds a credential", remedy);
            url
        }
        Ok(url) => {
            if let Some(reason) = refused(&url) {
                table.mistake("url", format!("`{text}` {reason}"), remedy);
            }
            url
        }
        Err(error) => {
            table.mistake("url", format!("it is no URL: {error}"), remedy);
            nowhere()
        }
    }
}

/// What stands for a URL that was refused: the configuration as a whole is not used.
fn nowhere() -> Url {
    DEFAULT_URL.parse().unwrap_or_else(|_| unreachable!("a URL as written above"))
}

fn refused(url: &Url) -> Option<&'static str> {
    if !matches!(url.scheme(), "http" | "https") {
        return Some("is neither http nor https");
    }
    if !url.host_str().is_some_and(is_loopback) {
        return Some("is not this machine: the agent asks its own node only");
    }
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    (!bare).then_some("has more than a host and a port")
}

/// Whether a URL's host is this machine whatever a name server says.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn user(table: &mut Keys) -> String {
    let user = table.string("user", "");
    if user.is_empty() || user.contains(':') || user.chars().any(char::is_control) {
        let reason = if user.is_empty() { "it is missing" } else { "it has a colon or a control character" };
        table.mistake("user", reason, "name a user of the cluster with the role cluster_viewer");
    }
    user
}

fn password_file(table: &mut Keys) -> PathBuf {
    if !table.has("password_file") {
        let remedy = "name a file that holds the user's password and that only its owner can read";
        table.mistake("password_file", "it is missing", remedy);
        return PathBuf::new();
    }
    table.absolute_path("password_file", "")
}

#[cfg(test)]
mod tests {
    use super::super::{Config, ConfigError};
    use super::*;

    const HEAD: &str = "insecure_loopback = true\nlisten = '127.0.0.1:0'\n[rest]\n";
    const USER: &str = "user = 'v'\npassword_file = '/p'\n";

    fn parse(text: &str) -> Result<Option<Rest>, Vec<String>> {
        let text = format!("{HEAD}{text}");
        match Config::parse(&text, "/etc/ratchet/agent.toml".as_ref()) {
            Ok(config) => Ok(config.rest),
            Err(ConfigError::Mistakes { mistakes, .. }) => {
                assert!(mistakes.iter().all(|mistake| !mistake.remedy.is_empty()), "{mistakes:?}");
                Err(mistakes.iter().map(|mistake| format!("{}: {}", mistake.key, mistake.reason)).collect())
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn this_machine_is_asked_in_every_way_to_say_so_and_no_other() {
        for url in [
            "https://localhost:9443",
            "https://127.0.0.1",
            "https://127.3.2.1:1",
            "https://[::1]:9443",
            "http://localhost:8080/",
        ] {
            let rest = parse(&format!("{USER}url = '{url}'")).unwrap().unwrap();
            assert_eq!(rest.url, url.parse().unwrap());
        }
        for url in [
            "https://10.0.0.1:9443",
            "https://localhost.example.com:9443",
            "http://redis-1:8080",
            "https://[::ffff:10.0.0.1]:9443",
            "ftp://localhost",
            "localhost:9443",
            "https://localhost:9443/v1",
            "https://localhost:9443/?x=1",
            "nonsense",
        ] {
            let mistakes = parse(&format!("{USER}url = '{url}'")).unwrap_err();
            assert!(mistakes.len() == 1 && mistakes[0].starts_with("rest.url"), "{url}: {mistakes:?}");
        }
    }

    #[test]
    fn a_password_in_the_url_is_refused_and_not_repeated() {
        let mistakes = parse(&format!("{USER}url = 'https://v:hunter2@localhost:9443'")).unwrap_err();
        assert!(mistakes.len() == 1 && !mistakes[0].contains("hunter2"), "{mistakes:?}");
    }

    #[test]
    fn the_default_is_the_nodes_own_https_without_trust_in_anybody() {
        let rest = parse(USER).unwrap().unwrap();
        assert_eq!((rest.url.as_str(), rest.certificate), ("https://localhost:9443/", None));
        assert_eq!((rest.user.as_str(), rest.password_file), ("v", "/p".into()));
    }

    #[test]
    fn all_mistakes_of_the_table_come_at_once() {
        let found = parse("url = 'x'\nuser = 'a:b'\npassword_file = 'p'\ncertificate = 'c'\npassword = 'p'")
            .unwrap_err();
        let keys: Vec<&str> =
            found.iter().filter_map(|line| line.split_once(':')).map(|(key, _)| key).collect();
        let expected = ["url", "user", "password_file", "certificate", "password"];
        assert_eq!(keys, expected.map(|key| format!("rest.{key}")));
        assert_eq!(parse("").unwrap_err().len(), 2, "a user and a password file are needed");
    }
}
