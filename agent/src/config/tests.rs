use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/etc/ratchet/agent.toml"))
}

fn mistakes(text: &str) -> Vec<Mistake> {
    match parse(text) {
        Err(ConfigError::Mistakes { mistakes, .. }) => mistakes,
        other => panic!("{other:?}"),
    }
}

const LEAST: &str = "[tls]\nca = '/a'\ncert = '/b'\nkey = '/c'\n";

/// The shipped file shows every key; a key that is commented out shows the default.
#[test]
fn the_shipped_default_says_what_the_code_does() {
    let shipped = include_str!("../../../systemd/agent.toml");
    let keys = [
        "listen",
        "state_dir",
        "insecure_loopback",
        "tls",
        "ca",
        "cert",
        "key",
        "limits",
        "connections",
        "connections_per_address",
        "greetings",
        "requests_per_second",
        "redis_enterprise",
        "root",
        "runner",
        "install_args",
        "install_deadline",
        "confirm_deadline",
        "rest",
        "url",
        "user",
        "password_file",
        "certificate",
        "archive",
        "max_entries",
        "max_bytes",
        "max_file_bytes",
        "max_ratio",
        "max_path",
        "max_depth",
    ];
    let uncommented: String = shipped
        .lines()
        .filter(|line| !line.starts_with("# "))
        .map(|line| format!("{}\n", line.strip_prefix('#').unwrap_or(line)))
        .collect();
    let table: toml::Table = uncommented.parse().unwrap();
    let below = |name: &str| table[name].as_table().unwrap().keys().cloned();
    let tables = ["tls", "limits", "redis_enterprise", "rest", "archive"];
    let mut found: Vec<String> = table.keys().cloned().chain(tables.into_iter().flat_map(below)).collect();
    let mut expected: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);

    let as_shipped = parse(shipped).unwrap();
    let all_shown = parse(&uncommented.replace("insecure_loopback = false\n", "")).unwrap();
    let defaults = parse(LEAST).unwrap();
    let shown = all_shown.rest.clone().unwrap();
    let least = parse(&format!("{LEAST}[rest]\nuser = 'v'\npassword_file = '/p'")).unwrap().rest.unwrap();
    assert_eq!(shown.url, least.url);
    assert_eq!(as_shipped, Config { rest: None, ..all_shown }, "without a table nobody is asked");
    assert_eq!(Config { security: defaults.security.clone(), ..as_shipped }, defaults);
}

#[test]
fn every_mistake_is_reported_at_once_with_its_key() {
    let found = mistakes(
        "listen = 'here'\nstate_dir = 'rel'\nlisen = 1\n[tls]\nca = 5\nkey = '/k'\ncrt = ''\n\
         [redis_enterprise]\nrunner = 'docker'\ninstall_deadline = '-1h'\nconfirm_deadline = 3\ninstall_args = '-y'\n",
    );
    let mut keys: Vec<&str> = found.iter().map(|mistake| mistake.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    let expected = [
        "lisen",
        "listen",
        "redis_enterprise.confirm_deadline",
        "redis_enterprise.install_args",
        "redis_enterprise.install_deadline",
        "redis_enterprise.runner",
        "state_dir",
        "tls.ca",
        "tls.cert",
        "tls.crt",
    ];
    assert_eq!(keys, expected, "{found:?}");
    assert!(found.iter().all(|mistake| !mistake.reason.is_empty() && !mistake.remedy.is_empty()));
}

#[test]
fn plain_is_for_loopback_only_and_never_by_accident() {
    assert_eq!(mistakes("")[0].key, "tls");
    assert_eq!(mistakes("insecure_loopback = true")[0].key, "listen");
    assert_eq!(
        mistakes(&format!("insecure_loopback = true\nlisten = '[::1]:1'\n{LEAST}"))[0].key,
        "insecure_loopback"
    );
    let config = parse("insecure_loopback = true\nlisten = '[::1]:0'").unwrap();
    assert_eq!(config.security, Security::InsecureLoopback);
}

/// Without `connect` nothing is as it was not before; with it, nothing is listened on that nobody asked for.
#[test]
fn an_agent_that_dials_listens_only_if_it_is_told_to() {
    let usual = parse(LEAST).unwrap();
    assert_eq!((usual.listen, usual.connect.len(), usual.name), (Some(([0, 0, 0, 0], 7443).into()), 0, None));
    let one = parse(&format!("connect = 'ops:7444'\n{LEAST}")).unwrap();
    assert_eq!((one.listen, one.connect), (None, vec!["ops:7444".to_owned()]));
    let both = "connect = ['ops-1:7444', 'ops-2:7444']\nname = 'db-1'\nlisten = '127.0.0.1:1'\n";
    let both = parse(&format!("{both}{LEAST}")).unwrap();
    assert_eq!((both.listen.is_some(), both.connect.len()), (true, 2));
    assert_eq!(both.name.unwrap().as_str(), "db-1");
    parse("insecure_loopback = true\nconnect = 'localhost:7444'").unwrap();
    for (text, key) in [
        (format!("connect = 'ops'\n{LEAST}"), "connect"),
        (format!("connect = []\n{LEAST}"), "connect"),
        (format!("connect = 7444\n{LEAST}"), "connect"),
        (format!("connect = 'ops:7444'\nname = 'db 1'\n{LEAST}"), "name"),
        ("insecure_loopback = true\nconnect = '10.0.0.1:7444'".to_owned(), "connect"),
        ("insecure_loopback = true\nconnect = 'localhost:1'\nlisten = '10.0.0.1:1'".to_owned(), "listen"),
    ] {
        assert_eq!(mistakes(&text)[0].key, key, "{text}");
    }
    let shipped = include_str!("../../../systemd/agent.toml");
    assert!(
        shipped.contains("\n# connect = ") && shipped.contains("\n# name = "),
        "the shipped file shows both"
    );
}

#[test]
fn a_stand_in_node_is_never_given_a_unit_unless_asked() {
    let config = parse(&format!("{LEAST}[redis_enterprise]\nroot = '/srv/node-1'")).unwrap();
    assert_eq!(config.runner(), RunnerKind::Process);
    let config =
        parse(&format!("{LEAST}[redis_enterprise]\nroot = '/srv/node-1'\nrunner = 'systemd'")).unwrap();
    assert_eq!(config.runner(), RunnerKind::Systemd);
}

#[test]
fn forbidden_install_arguments_are_read_so_that_a_check_can_name_them() {
    let config =
        parse(&format!("{LEAST}[redis_enterprise]\ninstall_args = ['-y', '--install-dir=/x']")).unwrap();
    assert_eq!(refused_install_args(&config.install_args), ["--install-dir=/x"]);
}

#[test]
fn hooks_are_where_somebody_says_so_and_nowhere_else() {
    assert_eq!(parse(LEAST).unwrap().hooks, None);
    let hooks = |text: &str| parse(&format!("{LEAST}[hooks]\n{text}")).map(|config| config.hooks.unwrap());
    let found = hooks("directory = '/etc/ratchet/hooks'").unwrap();
    assert_eq!(
        (found.directory.as_path(), found.deadline),
        (Path::new("/etc/ratchet/hooks"), DEFAULT_HOOK_DEADLINE)
    );
    assert_eq!(hooks("directory = '/h'\ndeadline = '5m'").unwrap().deadline, Duration::from_secs(300));
    for (text, key) in [
        ("", "hooks.directory"),
        ("directory = 'rel'", "hooks.directory"),
        ("directory = '/h'\ndeadline = '0s'", "hooks.deadline"),
        ("directory = '/h'\ndedline = '1s'", "hooks.dedline"),
    ] {
        assert_eq!(mistakes(&format!("{LEAST}[hooks]\n{text}"))[0].key, key, "{text}");
    }
    assert_eq!(mistakes(&format!("hooks = '/h'\n{LEAST}"))[0].key, "hooks");
    let shipped = include_str!("../../../systemd/agent.toml");
    let shown = "# [hooks]\n# directory = \"/etc/ratchet/hooks\"\n# deadline = \"60s\"\n";
    assert!(shipped.contains(shown), "the shipped file shows both keys, and the default of the second");
}

#[test]
fn certificates_may_be_revoked_and_named_and_the_port_has_limits() {
    let text = "[tls]\nca = '/a'\ncert = '/b'\nkey = '/c'\ncrl = '/d'\n[tls.names]\n'DB-1.internal' = \
                'spiffe://prod/agent/db-1'\n[limits]\ngreetings = 7\n";
    let config = parse(text).unwrap();
    let Security::Tls(tls) = config.security else { panic!("{config:?}") };
    assert_eq!(tls.crl.as_deref(), Some(Path::new("/d")));
    assert_eq!(tls.names["db-1.internal"].to_string(), "spiffe://prod/agent/db-1");
    assert_eq!((config.limits.greetings, config.limits.connections), (7, 256));
    let wrong =
        format!("{LEAST}crl = 'd'\n[tls.names]\nx = 'agent'\n[limits]\nconnections = 0\nconections = 1\n");
    let keys: Vec<String> = mistakes(&wrong).into_iter().map(|mistake| mistake.key).collect();
    assert_eq!(keys, ["tls.crl", "tls.names.x", "limits.connections", "limits.conections"]);
}

#[test]
fn whose_packages_are_trusted_is_said_here_or_by_nobody() {
    let trust = |text: &str| parse(&format!("{LEAST}[trust]\n{text}")).map(|config| config.trust);
    let untold = parse(LEAST).unwrap().trust;
    assert_eq!(untold, Trust::default());
    assert_eq!(trust("").unwrap(), untold);
    assert!(!untold.asks_owner());
    const KEY: &str = "RWQbFVsGegUVgLhSTk67e6wWE1w9M2jxw4w5fQffB3+lEFOazAiJBBQr";
    assert_eq!(trust(&format!("owner_keys = ['{KEY}', '{KEY}']")).unwrap().owner_keys.len(), 2);
    assert!(trust("owner_keys_file = '/k'").unwrap().asks_owner(), "also when there is no such file");
    assert_eq!(trust("vendor_signature = 'required'").unwrap().vendor_signature, VendorPolicy::Required);
    let spaced = trust("vendor_fingerprint = '5E8E FA24 09E5 C44F B529  BE20 EC5E C593 D7D1 529f'").unwrap();
    assert_eq!(spaced, untold);
    for (text, key) in [
        ("owner_keys = []", "trust.owner_keys"),
        ("owner_keys = ['RWQ']", "trust.owner_keys"),
        ("owner_keys = [1]", "trust.owner_keys"),
        ("owner_keys_file = 'rel'", "trust.owner_keys_file"),
        ("owner_key = 'RWQ'", "trust.owner_key"),
        ("fleet = ''", "trust.fleet"),
        ("vendor_signature = 'never'", "trust.vendor_signature"),
        ("vendor_fingerprint = 'D7D1529F'", "trust.vendor_fingerprint"),
        ("vendor_key = 'rel'", "trust.vendor_key"),
    ] {
        assert_eq!(mistakes(&format!("{LEAST}[trust]\n{text}"))[0].key, key, "{text}");
    }
    let shipped = include_str!("../../../systemd/agent.toml");
    let (_, below) = shipped.split_once("\n# [trust]\n").unwrap();
    let keys: String =
        below.lines().filter(|line| line.contains(" = ")).map(|line| format!("{}\n", &line[2..])).collect();
    let shown = trust(&keys).unwrap();
    assert_eq!(
        (shown.vendor_signature, shown.vendor_fingerprint),
        (untold.vendor_signature, untold.vendor_fingerprint)
    );
    assert!(
        !shown.owner_keys.is_empty() && shown.owner_keys_file.is_some(),
        "the shipped file shows every key"
    );
    assert!(shown.fleet.is_some() && shown.vendor_key.is_some(), "the shipped file shows every key");
}
