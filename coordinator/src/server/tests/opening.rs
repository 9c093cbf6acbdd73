//! Tables and advisories that the configuration names are read before anything else.

use std::path::Path;

use proto::FailureKind;

use crate::config::Config;
use crate::paths::Origin;
use crate::server::Core;

const TABLE: &str = include_str!("../../../data/upgrade-paths.toml");
const OWN: &str = "schema = 1\n[[advisory]]\nid = \"ours\"\ntitle = \"t\"\nseverity = \"warn\"\nwhy = \"w\"\n\
    remedy = \"r\"\nsource = \"s\"\n";

fn config(directory: &Path, table: &str, advisories: &str) -> Config {
    std::fs::write(directory.join("paths.toml"), table).unwrap();
    std::fs::write(directory.join("advisories.toml"), advisories).unwrap();
    let at = directory.display();
    let text = format!(
        "insecure_loopback = true\nstore = \"sqlite://{at}/ratchet.db\"\npaths = \"{at}/paths.toml\"\nadvisories = \"{at}/advisories.toml\"\n"
    );
    Config::parse(&text, Path::new("ratchet.toml")).unwrap()
}

#[tokio::test]
async fn the_operators_table_and_advisories_are_used() {
    let directory = tempfile::tempdir().unwrap();
    let core = Core::open(config(directory.path(), TABLE, OWN)).await.unwrap();
    assert_eq!(core.world.table.origin(), &Origin::File(directory.path().join("paths.toml")));
    assert!(core.world.advisories.explain("ours").is_some());
}

#[tokio::test]
async fn what_is_wrong_with_them_is_told_and_nothing_is_opened() {
    let wrong_table = TABLE.replacen(">=6.2.4, <6.2.10", "6.2.x", 1);
    let wrong_advisories = OWN.replace("severity = \"warn\"", "severity = \"loud\"");
    for (table, advisories, file, cause) in [
        (wrong_table.as_str(), OWN, "paths.toml", "[[path]] row 3"),
        (TABLE, wrong_advisories.as_str(), "advisories.toml", "`ours`: `severity` must be"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let failure = Core::open(config(directory.path(), table, advisories)).await.unwrap_err();
        assert_eq!((failure.id.as_str(), failure.kind), ("configuration", FailureKind::Operator));
        assert!(failure.message.contains(file), "{failure:?}");
        assert!(failure.cause.as_ref().is_some_and(|it| it.contains(cause)), "{failure:?}");
        assert!(!directory.path().join("ratchet.db").exists());
    }
}
