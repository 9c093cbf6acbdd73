//! Who is told, as files say it.

use crate::config::{Config, ConfigError, Format, Mistake, NotifyConfig, Receiver};
use crate::notify::Kind;

fn read(text: &str) -> Result<Vec<NotifyConfig>, Vec<Mistake>> {
    let text = format!("insecure_loopback = true\n{text}");
    match Config::parse(&text, std::path::Path::new("ratchet.toml")) {
        Ok(config) => Ok(config.notify),
        Err(ConfigError::Mistakes { mistakes, .. }) => Err(mistakes),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_webhook_and_a_command_are_told_of_everything_unless_something_is_named() {
    let all = read(
        "[[notify]]\nwebhook = \"https://hooks.example/T0/SECRET\"\nformat = \"slack\"\nsecret_file = \"/s\"\n\
         on = [\"halted\", \"window-missed\"]\n\
         [[notify]]\ncommand = [\"/usr/bin/page\", \"--now\"]\n",
    )
    .unwrap();
    let Receiver::Webhook { format, secret_file, .. } = &all[0].receiver else { panic!("{all:?}") };
    assert_eq!((*format, secret_file.as_deref()), (Format::Slack, Some(std::path::Path::new("/s"))));
    assert_eq!(all[0].on, [Kind::Halted, Kind::WindowMissed].into());
    assert_eq!(all[1].receiver, Receiver::Command(vec!["/usr/bin/page".to_owned(), "--now".to_owned()]));
    assert_eq!(all[1].on, Kind::ALL.into());
    assert_ne!(all[0].key(), all[1].key());
}

#[test]
fn what_a_url_hides_is_never_printed() {
    let all =
        read("[[notify]]\nwebhook = \"https://user:PASS@hooks.example:8443/T0/SECRET?k=SECRET\"\n").unwrap();
    let told = format!("{:?} {}", all[0], all[0]);
    assert!(told.contains("https://hooks.example:8443/…"), "{told}");
    assert!(!told.contains("SECRET") && !told.contains("PASS") && !all[0].key().contains("SECRET"), "{told}");
    let mistakes = read("[[notify]]\nwebhook = \"http://hooks.example/SECRET\"\n").unwrap_err();
    assert!(mistakes[0].reason.contains("this machine only"), "{mistakes:?}");
    assert!(!format!("{mistakes:?}").contains("SECRET"), "{mistakes:?}");
}

#[test]
fn plain_http_is_for_loopback() {
    for url in ["http://127.0.0.1:80/x", "http://[::1]/x", "http://localhost:8080/"] {
        assert!(read(&format!("[[notify]]\nwebhook = \"{url}\"\n")).is_ok(), "{url}");
    }
    for url in ["http://10.0.0.1/x", "http://localhost.example/", "ftp://127.0.0.1/x", "hooks.example/x"] {
        assert!(read(&format!("[[notify]]\nwebhook = \"{url}\"\n")).is_err(), "{url}");
    }
}

#[test]
fn every_mistake_is_told_at_its_place() {
    let mistakes = read(
        "[[notify]]\n[[notify]]\nwebhook = \"https://a/\"\ncommand = [\"/b\"]\n\
         [[notify]]\ncommand = [\"page\"]\n[[notify]]\ncommand = [\"/p\"]\nformat = \"json\"\nsecret_file = \"/s\"\n\
         [[notify]]\nwebhook = \"https://c/\"\non = [\"doen\"]\n[[notify]]\nwebhook = \"https://c/\"\non = []\nurl = 1\n",
    )
    .unwrap_err();
    let keys: Vec<&str> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
    let expected = [
        "notify[0].webhook",
        "notify[1].command",
        "notify[2].command",
        "notify[3].format",
        "notify[3].secret_file",
        "notify[4].on",
        "notify[5].on",
        "notify[5].url",
        "notify[5]",
    ];
    assert_eq!(keys, expected, "{mistakes:?}");
}
