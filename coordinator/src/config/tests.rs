use proto::Failure;

use super::*;

const SHIPPED: &str = include_str!("../../../systemd/ratchet.toml");
const PLAIN: &str = "insecure_loopback = true\n";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("ratchet.toml"))
}

fn mistakes(text: &str) -> Vec<Mistake> {
    match parse(text) {
        Err(ConfigError::Mistakes { mistakes, .. }) => mistakes,
        other => panic!("{other:?}"),
    }
}

/// The keys that are wrong, in the order of the file's parts.
fn wrong(text: &str) -> Vec<String> {
    mistakes(&format!("{PLAIN}{text}")).into_iter().map(|mistake| mistake.key).collect()
}

/// The shipped file with every key switched on.
fn all_on() -> String {
    let on = |line: &str| match line.strip_prefix("# ").map(|line| line.trim_start_matches("# ")) {
        Some(code) if code.starts_with('[') || is_assignment(code) => format!("{code}\n"),
        Some(_) | None => format!("{line}\n"),
    };
    SHIPPED.lines().map(on).collect()
}

fn is_assignment(text: &str) -> bool {
    text.split_once(" = ").is_some_and(|(key, _)| {
        key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    })
}

#[test]
fn the_shipped_file_says_the_defaults() {
    let config = parse(SHIPPED).unwrap();
    assert_eq!(config.store.0, DEFAULT_STORE);
    assert_eq!(config.listen, Some(DEFAULT_LISTEN));
    assert_eq!(config.deadlines, Deadlines::default());
    assert_eq!(config.watch_every, DEFAULT_WATCH);
    assert_eq!((config.inventory, config.advertise), (InventoryConfig::default(), None));
    assert_eq!(config.settings, BTreeMap::new(), "nothing is changed that nobody asked for");
    assert_eq!((config.paths, config.advisories, config.hooks), (None, None, None));
    assert_eq!((config.metrics, config.notify), (None, Vec::new()));
    assert_eq!((config.clusters, config.packages), (Vec::new(), Vec::new()));
    assert!(matches!(config.security, Security::Tls(_)));
}

#[test]
fn the_shipped_file_names_every_key_and_no_other() {
    let text = all_on().replacen("insecure_loopback = true\n", "", 1);
    assert_ne!(text, all_on(), "insecure_loopback is not explained");
    let config = parse(&text).unwrap();
    assert_eq!(config.clusters[0].agents.len(), 3);
    assert_eq!(config.clusters[0].labels["env"], "prod");
    assert!(config.packages[0].size.is_some());
    let table: toml::Table = all_on().parse().unwrap();
    let mut keys: Vec<&str> = table.keys().map(String::as_str).collect();
    keys.sort_unstable();
    let mut known = parse::KEYS;
    known.sort_unstable();
    assert_eq!(keys, known);
    for (name, keys) in [
        ("deadlines", &deadlines::KEYS[..]),
        ("settings", &settings::KEYS),
        ("watch", &["every"]),
        ("inventory", &inventory::KEYS),
        ("hooks", &hooks::KEYS),
        ("metrics", &["listen"]),
        ("tls", &security::TLS_KEYS),
        ("limits", &security::LIMITS_KEYS),
        ("catalogue", &catalogue::KEYS),
    ] {
        let mut named: Vec<&str> = table[name].as_table().unwrap().keys().map(String::as_str).collect();
        let mut keys = keys.to_vec();
        named.sort_unstable();
        keys.sort_unstable();
        assert_eq!(named, keys, "{name}");
    }
    assert_eq!(table["package"][0].as_table().unwrap().len(), packages::KEYS.len());
    let receivers = table["notify"].as_array().unwrap().iter();
    let named: std::collections::BTreeSet<&str> =
        receivers.flat_map(|table| table.as_table().unwrap().keys().map(String::as_str)).collect();
    assert_eq!(named, notify::KEYS.into_iter().collect());
}

#[test]
fn what_is_not_said_is_the_default() {
    let config = parse(PLAIN).unwrap();
    assert_eq!(config.store.0, DEFAULT_STORE);
    assert_eq!(config.listen, None);
    assert_eq!(config.security, Security::InsecureLoopback);
    assert_eq!(config.deadlines, Deadlines::default());
    assert_eq!(config.watch_every, DEFAULT_WATCH);
    assert_eq!(config.settings, BTreeMap::new(), "nothing is changed that nobody asked for");
}

#[test]
fn every_wait_the_watch_and_every_setting_can_be_set() {
    let spans: String =
        deadlines::KEYS.iter().enumerate().map(|(at, key)| format!("{key} = \"{}m\"\n", at + 1)).collect();
    let text = format!(
        "{PLAIN}[deadlines]\n{spans}[watch]\nevery = \"3s\"\n\
         [settings]\nreplica_ha_grace_period = \"90m\"\nparallel_shards_upgrade = 0\n"
    );
    let config = parse(&text).unwrap();
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    let expected = Deadlines {
        reach: minutes(1),
        fetch: minutes(2),
        unpack: minutes(3),
        gate: minutes(4),
        check: minutes(5),
        install: minutes(6),
        confirm: minutes(7),
        collect: minutes(8),
        tune: minutes(9),
        hook: minutes(10),
    };
    assert_eq!(config.deadlines, expected);
    assert_eq!(config.watch_every, Duration::from_secs(3));
    let settings =
        BTreeMap::from([(Setting::ReplicaHaGracePeriod, 5400), (Setting::ParallelShardsUpgrade, 0)]);
    assert_eq!(config.settings, settings);
}

#[test]
fn settings_and_the_watch_are_what_they_say_or_a_mistake() {
    for (text, key) in [
        ("[watch]\nevery = \"0s\"\n", "watch.every"),
        ("[watch]\nevery = 10\n", "watch.every"),
        ("watch = \"10s\"\n", "watch"),
        ("[watch]\nx = 1\n", "watch.x"),
        ("[settings]\nreplica_ha_grace_period = 3600\n", "settings.replica_ha_grace_period"),
        ("[settings]\nreplica_ha_grace_period = \"1500ms\"\n", "settings.replica_ha_grace_period"),
        ("[settings]\nreplica_ha_grace_period = \"-1h\"\n", "settings.replica_ha_grace_period"),
        ("[settings]\nparallel_shards_upgrade = -1\n", "settings.parallel_shards_upgrade"),
        ("[settings]\nparallel_shards_upgrade = \"all\"\n", "settings.parallel_shards_upgrade"),
        ("[settings]\nslave_ha_grace_period = \"1h\"\n", "settings.slave_ha_grace_period"),
    ] {
        assert_eq!(wrong(text), [key], "{text}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_with_key_reason_and_remedy() {
    let text = "store = \"sqlite://runs.db\"\nstroe = 1\nlisten = \"everywhere\"\n[tls]\nca = \"ca.pem\"\nkey = 3\n\
                [deadlines]\ngate = \"soon\"\n[[cluster]]\nname = \"a b\"\nagents = [\"10.0.0.1\", 7443]\n\
                [[package]]\nurl = \"ftp://x\"\nsha256 = \"ab\"\nversion = \"7.4\"\nos = \"\"\narch = \"sparc\"\nsize = -1\n";
    let found = mistakes(text);
    let keys: Vec<&str> = found.iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "store",
            "listen",
            "tls.ca",
            "tls.cert",
            "tls.key",
            "cluster[0].name",
            "cluster[0].agents[0]",
            "cluster[0].agents[1]",
            "package[0].url",
            "package[0].sha256",
            "package[0].version",
            "package[0].os",
            "package[0].arch",
            "package[0].size",
            "deadlines.gate",
            "stroe",
        ]
    );
    for mistake in &found {
        assert!(!mistake.reason.is_empty() && !mistake.remedy.is_empty(), "{mistake}");
    }
    let failure = Failure::from(parse(text).unwrap_err());
    assert!(failure.message.contains("ratchet.toml has 16 mistakes"), "{failure:?}");
    assert_eq!(failure.cause.unwrap().lines().count(), 16);
}

#[test]
fn unknown_keys_are_errors_at_every_level() {
    assert_eq!(wrong("x = 1\n"), ["x"]);
    assert_eq!(wrong("[deadlines]\nx = 1\n"), ["deadlines.x"]);
    assert_eq!(wrong("[[cluster]]\nname = \"a\"\nagents = [\"h:1\"]\nx = 1\n"), ["cluster[0].x"]);
    let tls = "[tls]\nca = \"/a\"\ncert = \"/b\"\nkey = \"/c\"\nx = 1\n";
    assert_eq!(mistakes(tls)[0].key, "tls.x");
}

#[test]
fn security_is_one_thing_or_the_other() {
    assert_eq!(mistakes("")[0].key, "tls");
    assert_eq!(mistakes("insecure_loopback = false\n")[0].key, "tls");
    let both = "[tls]\nca = \"/a\"\ncert = \"/b\"\nkey = \"/c\"\n";
    assert_eq!(mistakes(&format!("{PLAIN}{both}"))[0].key, "insecure_loopback");
    assert_eq!(mistakes("insecure_loopback = \"true\"\n")[0].key, "insecure_loopback");
}

#[test]
fn names_and_agents_belong_to_one_cluster() {
    let cluster =
        |name: &str, agent: &str| format!("[[cluster]]\nname = \"{name}\"\nagents = [\"{agent}\"]\n");
    let text = cluster("a", "h:1") + &cluster("a", "h:2");
    assert_eq!(wrong(&text), ["cluster[1].name"]);
    let text = cluster("a", "h:1") + &cluster("b", "H:1");
    assert_eq!(wrong(&text), ["cluster[1].agents[0]"]);
    let text = "[[cluster]]\nname = \"a\"\nagents = [\"h:1\", \"h:1\"]\n";
    assert_eq!(wrong(text), ["cluster[0].agents[1]"]);
    assert_eq!(wrong("[[cluster]]\nname = \"a\"\nagents = []\n"), ["cluster[0].agents"]);
    assert_eq!(wrong("[[cluster]]\nname = \"a\"\n"), ["cluster[0].agents"]);
    assert_eq!(wrong("cluster = \"a\"\n"), ["cluster"]);
}

#[test]
fn agents_may_connect_by_themselves() {
    let cluster = |keys: &str| {
        let text = format!("{PLAIN}[[cluster]]\nname = \"a\"\n{keys}\n");
        parse(&text).map(|config| config.clusters[0].clone())
    };
    let both = cluster("agents = [\"h:1\", \"@db-1\"]\nconnecting = [\"a-*\", \"?x\"]").unwrap();
    assert_eq!((both.agents.len(), both.connecting), (2, vec!["a-*".to_owned(), "?x".to_owned()]));
    assert_eq!(cluster("connecting = [\"a-*\"]").unwrap().agents, [""; 0]);
    assert_eq!(cluster("connecting = []").unwrap().agents, [""; 0], "they are put there by hand");
    assert_eq!(cluster("agents = [\"@db-1\"]").unwrap().connecting, [""; 0]);
    let wrong_of = |keys: &str| wrong(&format!("[[cluster]]\nname = \"a\"\n{keys}\n"));
    for (keys, key) in [
        ("agents = []\nconnecting = [\"a-*\"]", "cluster[0].agents"),
        ("connecting = \"a-*\"", "cluster[0].connecting"),
        ("connecting = [1]", "cluster[0].connecting[0]"),
        ("connecting = [\"a-*\", \"*\"]", "cluster[0].connecting[1]"),
        ("connecting = [\"\"]", "cluster[0].connecting[0]"),
        ("connecting = [\"a-[\"]", "cluster[0].connecting[0]"),
        ("agents = [\"@\"]", "cluster[0].agents[0]"),
        ("agents = [\"@db 1\"]", "cluster[0].agents[0]"),
        ("agents = [\"@db-1\", \"@db-1\"]", "cluster[0].agents[1]"),
    ] {
        assert_eq!(wrong_of(keys), [key], "{keys}");
    }
}

#[test]
fn agents_are_hosts_and_ports() {
    let agent = |address: &str| parse(&format!("{PLAIN}[[cluster]]\nname = \"a\"\nagents = [{address:?}]\n"));
    for good in ["10.0.0.1:7443", "node-1.example:1", "[2001:db8::1]:65535", "localhost:7443"] {
        assert!(agent(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        ":",
        "h",
        "h:",
        ":1",
        "h:0",
        "h:65536",
        "h:+1",
        "2001:db8::1:7443",
        "[x]:1",
        "http://h:1",
        "h/x:1",
        "a b:1",
    ] {
        assert!(agent(bad).is_err(), "{bad}");
    }
}

#[test]
fn stores_are_absolute_and_known() {
    assert!(parse(&format!("store = \"sqlite:///var/lib/r.db\"\n{PLAIN}")).is_ok());
    let far = "postgres://r@db1,db2/r?sslmode=verify-full&sslrootcert=/etc/ratchet/db.pem";
    for fine in [far, "postgres://r@127.0.0.1:5432/r"] {
        assert_eq!(parse(&format!("store = {fine:?}\n{PLAIN}")).unwrap().store.0, fine);
    }
    for bad in [
        "",
        "postgres://r@db/r",
        "postgres://r@localhost",
        "sqlite://r.db",
        "sqlite:r.db",
        "/var/lib/r.db",
        "mysql://db/r",
    ] {
        assert_eq!(wrong(&format!("store = {bad:?}\n")), ["store"], "{bad}");
    }
}

#[test]
fn a_mistake_in_a_store_says_how_to_encrypt_and_keeps_the_password() {
    let text = format!("store = \"postgres://r:hunter2@db/r?password=hunter2\"\n{PLAIN}");
    let failure = Failure::from(parse(&text).unwrap_err());
    let told = format!("{failure:?}");
    assert!(told.contains("sslmode=verify-full") && told.contains("postgres://r@db/r"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn deadlines_are_spans_above_zero() {
    let config = parse(&format!("{PLAIN}[deadlines]\nreach = \"1h 30m\"\n")).unwrap();
    assert_eq!(config.deadlines.reach.as_secs(), 5_400);
    assert_eq!(config.deadlines.gate, Deadlines::default().gate);
    for bad in ["\"0s\"", "\"-5m\"", "\"\"", "\"5\"", "300", "\"forever\""] {
        assert_eq!(wrong(&format!("[deadlines]\nreach = {bad}\n")), ["deadlines.reach"], "{bad}");
    }
}

#[test]
fn one_digest_is_one_archive() {
    let package = |url: &str, version: &str| {
        let sha256 = "ab".repeat(32);
        format!(
            "[[package]]\nurl = \"{url}\"\nsha256 = \"{sha256}\"\nversion = \"{version}\"\nos = \"jammy\"\narch = \"amd64\"\n"
        )
    };
    let mirrors = package("https://a/x.tar", "7.4.6-22") + &package("https://b/x.tar", "7.4.6-22");
    assert_eq!(parse(&format!("{PLAIN}{mirrors}")).unwrap().packages.len(), 2);
    let torn = package("https://a/x.tar", "7.4.6-22") + &package("https://a/y.tar", "7.8.2-1");
    assert_eq!(wrong(&torn), ["package[1].sha256"]);
}

#[test]
fn what_is_not_toml_is_told_with_its_place() {
    let failure = Failure::from(parse("store = \n").unwrap_err());
    assert!(failure.cause.unwrap().contains("line 1"));
}

#[test]
fn a_missing_file_is_told_with_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ratchet.toml");
    let failure = Failure::from(Config::load(&path).unwrap_err());
    assert!(failure.message.contains(path.to_str().unwrap()), "{failure:?}");
    assert!(failure.remedy.unwrap().contains("--config"));
    assert_eq!(failure.id, "configuration");
}

#[test]
fn the_inventory_s_pace_is_checked() {
    let config = parse(&format!("{PLAIN}[inventory]\nfast = \"5s\"\nat_once = 8\n")).unwrap();
    let expected = InventoryConfig { fast: Duration::from_secs(5), at_once: 8, ..InventoryConfig::default() };
    assert_eq!(config.inventory, expected);
    for (text, key) in [
        ("[inventory]\nfast = \"2m\"\n", "inventory.fast"),
        ("[inventory]\nat_once = 0\n", "inventory.at_once"),
        ("[inventory]\nat_once = \"8\"\n", "inventory.at_once"),
        ("[inventory]\nevry = \"1m\"\n", "inventory.evry"),
        ("advertise = \"ops1\"\n", "advertise"),
        ("advertise = \"ops1:0\"\n", "advertise"),
    ] {
        assert_eq!(wrong(text), [key], "{text}");
    }
}

#[test]
fn labels_are_texts() {
    let cluster = |labels: &str| {
        format!("{PLAIN}[[cluster]]\nname = \"orders\"\nagents = [\"n1:1\"]\nlabels = {labels}\n")
    };
    let config = parse(&cluster("{ env = \"prod\", tier = \"1\" }")).unwrap();
    assert_eq!(config.clusters[0].labels.len(), 2);
    let keys =
        |text: &str| mistakes(&cluster(text)).into_iter().map(|mistake| mistake.key).collect::<Vec<_>>();
    assert_eq!(keys("{ env = 1, tier = true }"), ["cluster[0].labels.env", "cluster[0].labels.tier"]);
    assert_eq!(keys("\"prod\""), ["cluster[0].labels"]);
}

#[test]
fn a_password_in_the_store_s_location_is_told_to_nobody() {
    let config = parse(&format!("store = \"postgres://ratchet:s3cret@127.0.0.1/ratchet\"\n{PLAIN}")).unwrap();
    assert!(config.store.0.contains("s3cret"));
    assert!(!format!("{config:?}").contains("s3cret"), "{:?}", config.store);
}

#[test]
fn certificates_may_be_revoked_and_named_and_the_port_has_limits() {
    let tls = "[tls]\nca = \"/a\"\ncert = \"/b\"\nkey = \"/c\"\n";
    let more = "crl = \"/d\"\n[tls.names]\n\"OPS.internal\" = \"spiffe://prod/operator/ann\"\n[limits]\ngreetings = 7\n";
    let config = parse(&format!("{tls}{more}")).unwrap();
    let Security::Tls(files) = config.security else { panic!("{config:?}") };
    assert_eq!(files.crl.as_deref(), Some(Path::new("/d")));
    assert_eq!(files.names["ops.internal"].to_string(), "spiffe://prod/operator/ann");
    assert_eq!((config.limits.greetings, config.limits.connections), (7, 20_000));
    let more = "crl = \"d\"\n[tls.names]\nx = \"ann\"\n[limits]\nconnections = -1\ngreeting = 1\n";
    let keys: Vec<String> =
        mistakes(&format!("{tls}{more}")).into_iter().map(|mistake| mistake.key).collect();
    assert_eq!(keys, ["tls.crl", "tls.names.x", "limits.connections", "limits.greeting"]);
}
