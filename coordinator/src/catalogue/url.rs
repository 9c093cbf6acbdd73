//! Where packages are fetched from, without what nobody else may know: a plan holds its packages' URLs, and a plan is in
//! journals, reports and exports.

/// A URL taken apart.
struct Parts<'u> {
    scheme: &'u str,
    user: Option<&'u str>,
    host: &'u str,
    path: &'u str,
    query: Option<&'u str>,
}

impl<'u> Parts<'u> {
    fn of(url: &'u str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (authority, rest) = rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        // Nobody is sent what comes after a hash.
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        Some(Self { scheme, user, host, path, query })
    }

    fn parameters(&self) -> impl Iterator<Item = &'u str> {
        let pairs = self.query.unwrap_or_default().split(['&', ';']).filter(|pair| !pair.is_empty());
        pairs.map(|pair| pair.split('=').next().unwrap_or_default())
    }
}

/// Names of parameters that are a credential, whole or in part.
const WHOLE: [&str; 7] = ["auth", "key", "pass", "pwd", "sas", "sig", "st"];
const WITHIN: [&str; 10] = [
    "accesskey",
    "apikey",
    "authorization",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "secret",
    "signature",
    "token",
];

fn is_credential(name: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.to_ascii_lowercase();
    // Nobody has a reason to hide what a parameter is called.
    let hidden = name.contains('%');
    hidden || WHOLE.contains(&letters.as_str()) || WITHIN.iter().any(|word| letters.contains(word))
}

/// Why a URL cannot be that of a package: it holds what nobody else may know. The words repeat none of it.
pub fn secret_in(url: &str) -> Option<String> {
    let parts = Parts::of(url)?;
    if parts.user.is_some() {
        return Some(
            "it holds a user's name or password, and every plan and journal would have it".to_owned(),
        );
    }
    let name = parts.parameters().find(|name| is_credential(name))?;
    Some(format!("its parameter `{name}` is a credential, and every plan and journal would have it"))
}

/// A URL as it may be told: without a user, and without what its parameters are set to.
pub fn shown_url(url: &str) -> String {
    let Some(parts) = Parts::of(url) else { return url.to_owned() };
    let Parts { scheme, host, path, .. } = parts;
    let said: Vec<String> = parts.parameters().map(|name| format!("{name}=…")).collect();
    let (mark, said) = (if said.is_empty() { "" } else { "?" }, said.join("&"));
    format!("{scheme}://{host}{path}{mark}{said}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credential_gets_into_a_plan() {
        for url in [
            "https://alice:hunter2@mirror/p.tar",
            "https://hunter2@mirror/p.tar",
            "https://mirror/p.tar?X-Amz-Algorithm=AWS4&X-Amz-Signature=hunter2",
            "https://mirror/p.tar?x-amz-security-token=hunter2",
            "https://mirror/p.tar?X-Goog-Credential=hunter2",
            "https://store.blob/p.tar?sv=2024&sig=hunter2",
            "https://mirror/p.tar?api_key=hunter2",
            "https://mirror/p.tar?a=1;access-token=hunter2#x",
            "https://mirror?PASSWORD=hunter2",
            "https://mirror/p.tar?X-Amz-Si%67nature=hunter2",
        ] {
            let why = secret_in(url).expect(url);
            assert!(!why.contains("hunter2") && !why.contains("alice"), "{why}");
            assert!(!shown_url(url).contains("hunter2"), "{}", shown_url(url));
        }
    }

    #[test]
    fn what_is_no_credential_is_left_alone() {
        for (url, shown) in [
            ("https://mirror:8443/a/p.tar", "https://mirror:8443/a/p.tar"),
            ("file:///srv/@mirror/p.tar", "file:///srv/@mirror/p.tar"),
            ("https://mirror/@redis/p.tar?version=7.4&raw", "https://mirror/@redis/p.tar?version=…&raw=…"),
            ("/srv/p.tar", "/srv/p.tar"),
        ] {
            assert_eq!((secret_in(url), shown_url(url).as_str()), (None, shown));
        }
    }
}
