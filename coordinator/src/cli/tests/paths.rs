//! `--paths`: a table of upgrade paths that somebody names.

use super::stage::Stage;
use crate::cli::Exit;

const TABLE: &str = include_str!("../../../data/upgrade-paths.toml");

#[tokio::test]
async fn a_coordinator_elsewhere_reads_its_own_table() {
    let stage = Stage::new();
    let line = "paths --coordinator 127.0.0.1:7444 --paths /newer.toml";
    assert_eq!(stage.run(line).await, Exit::Usage);
    assert!(stage.stderr().contains("`--paths`") && stage.stderr().contains("`paths`"), "{}", stage.stderr());
    assert!(!stage.fake.was_asked("paths"));
}

#[test]
fn the_command_line_goes_before_the_configuration() {
    let stage = Stage::new();
    let named = "insecure_loopback = true\npaths = \"/configured.toml\"\n";
    std::fs::write(stage.path("ratchet.toml"), named).unwrap();
    let config = |words: &[&str]| stage.config(words).unwrap().paths.unwrap();
    assert_eq!(config(&["runs"]).to_str(), Some("/configured.toml"));
    assert_eq!(config(&["runs", "--paths", "/newer.toml"]).to_str(), Some("/newer.toml"));
}

#[tokio::test]
async fn without_a_configuration_the_named_table_answers() {
    let stage = Stage::new();
    let newer = stage.path("newer.toml");
    std::fs::write(&newer, TABLE.replace("2026-07-21", "2026-12-24")).unwrap();
    assert_eq!(stage.run_bare(&format!("paths --paths {newer}")).await, Exit::Done);
    assert!(stage.stdout().contains(&format!("as of 2026-12-24, {newer}, digest ")), "{}", stage.stdout());
}

#[tokio::test]
async fn a_table_that_cannot_be_used_is_two() {
    let stage = Stage::new();
    let wrong = stage.path("wrong.toml");
    std::fs::write(&wrong, TABLE.replacen(">=6.2.4, <6.2.10", "6.2.x", 1)).unwrap();
    assert_eq!(stage.run_bare(&format!("paths --paths {wrong}")).await, Exit::Usage);
    let told = stage.stderr();
    assert!(told.contains("wrong.toml") && told.contains("row 3") && told.contains("do: "), "{told}");
}
