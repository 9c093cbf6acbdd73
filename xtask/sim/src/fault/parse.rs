//! The pure parser of the fault language.

use std::time::Duration;

use super::{
    Configured, Effect, InstallFault, NodeRef, Phase, RladminFault, RlcheckLie, Rule, ShardHold, Stage, When,
    Which, WorldFault,
};

/// Why a script does not parse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fault script, line {line}: {reason}, in `{statement}`; `ratchet-sim faults` prints the grammar")]
pub struct InvalidFault {
    /// Counted from 1.
    pub line: usize,
    /// The statement without its comment.
    pub statement: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Parses a script: all its statements, or the first mistake with its line.
pub fn parse(script: &str) -> Result<Vec<Rule>, InvalidFault> {
    let mut rules = Vec::new();
    for (index, line) in script.lines().enumerate() {
        let statement = line.split('#').next().unwrap_or_default().trim();
        if statement.is_empty() {
            continue;
        }
        let rule = rule(statement).map_err(|reason| InvalidFault {
            line: index + 1,
            statement: statement.to_owned(),
            reason,
        })?;
        rules.push(rule);
    }
    Ok(rules)
}

fn rule(statement: &str) -> Result<Rule, String> {
    let (when, effect) = statement.split_once(':').ok_or("there is no `:` between when and what")?;
    let when = parse_when(&words(when))?;
    let effect = parse_effect(&words(effect))?;
    check_fit(&when, &effect)?;
    Ok(Rule { when, effect })
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn parse_when(words: &[&str]) -> Result<When, String> {
    match words {
        ["now"] => Ok(When::Now),
        ["on", "election"] => Ok(When::Election),
        [phase, "install", "of", rest @ ..] => {
            let phase = parse_phase(phase)?;
            let (which, rest) = parse_which(rest)?;
            let nth = match rest {
                [] => None,
                ["nth", count] => Some(positive(count)?),
                [word, ..] => return Err(format!("`{word}` is not expected here (only `nth K`)")),
            };
            Ok(When::Install { phase, which, nth })
        }
        _ => {
            Err("it starts neither with `now`, `on election` nor `before|on|during|after install of`"
                .to_owned())
        }
    }
}

fn parse_phase(word: &str) -> Result<Phase, String> {
    match word {
        "before" => Ok(Phase::Before),
        "on" => Ok(Phase::On),
        "during" => Ok(Phase::During),
        "after" => Ok(Phase::After),
        _ => Err(format!("`{word}` is not one of before, on, during, after")),
    }
}

fn parse_which<'a, 'b>(words: &'a [&'b str]) -> Result<(Which, &'a [&'b str]), String> {
    match words {
        ["node", uid, rest @ ..] => Ok((Which::Node(positive(uid)?), rest)),
        ["master", rest @ ..] => Ok((Which::Master, rest)),
        ["any", rest @ ..] => Ok((Which::Any, rest)),
        _ => Err("it does not say which install: `node N`, `master` or `any`".to_owned()),
    }
}

fn parse_effect(words: &[&str]) -> Result<Effect, String> {
    if let Some(fault) = parse_install_fault(words)? {
        return Ok(Effect::Install(fault));
    }
    parse_world_fault(words).map(Effect::World)
}

fn parse_install_fault(words: &[&str]) -> Result<Option<InstallFault>, String> {
    Ok(Some(match words {
        ["abort", rest @ ..] => {
            let (exit, rest) = match rest {
                ["exit", status, rest @ ..] => (number(status)?, rest),
                _ => (0, rest),
            };
            InstallFault::Abort { exit, at: parse_stage(rest, Stage::Checks)? }
        }
        ["exit", status] => InstallFault::Exit(number(status)?),
        ["hang", rest @ ..] => InstallFault::Hang { at: parse_stage(rest, Stage::Checks)? },
        ["killed", rest @ ..] => InstallFault::Killed { at: parse_stage(rest, Stage::Start)? },
        ["reboot", rest @ .., "back", millis, "ms"] => {
            InstallFault::Reboot { at: parse_stage(rest, Stage::Files)?, back: parse_millis(millis)? }
        }
        ["reboot", rest @ ..] => {
            InstallFault::Reboot { at: parse_stage(rest, Stage::Files)?, back: Duration::from_millis(500) }
        }
        ["version", version] => {
            InstallFault::Version(version.parse().map_err(|error: proto::InvalidVersion| error.to_string())?)
        }
        ["takes", millis, "ms"] => InstallFault::Takes(parse_millis(millis)?),
        ["disk", "full"] => InstallFault::DiskFull,
        ["services", "stay", "down"] => InstallFault::ServicesStayDown,
        _ => return Ok(None),
    }))
}

fn parse_stage(words: &[&str], default: Stage) -> Result<Stage, String> {
    match words {
        [] => Ok(default),
        ["at", "checks"] => Ok(Stage::Checks),
        ["at", "stop"] => Ok(Stage::Stop),
        ["at", "files"] => Ok(Stage::Files),
        ["at", "start"] => Ok(Stage::Start),
        ["at", "finish"] => Ok(Stage::Finish),
        _ => Err(format!("`{}` is not `at checks|stop|files|start|finish`", words.join(" "))),
    }
}

fn parse_world_fault(words: &[&str]) -> Result<WorldFault, String> {
    let (node, rest) = parse_node(words)?;
    if let Some(fault) = parse_cluster_fault(words)? {
        return Ok(fault);
    }
    parse_node_fault(node.unwrap_or(NodeRef::Installed), rest)
}

/// `node N` or `master` in front; `master to …` is the role, not a node.
fn parse_node<'a, 'b>(words: &'a [&'b str]) -> Result<(Option<NodeRef>, &'a [&'b str]), String> {
    match words {
        ["node", uid, rest @ ..] => Ok((Some(NodeRef::Node(positive(uid)?)), rest)),
        ["master", rest @ ..] if rest.first() != Some(&"to") => Ok((Some(NodeRef::Master), rest)),
        _ => Ok((None, words)),
    }
}

fn parse_cluster_fault(words: &[&str]) -> Result<Option<WorldFault>, String> {
    Ok(Some(match words {
        ["master", "to", "node", uid] => WorldFault::MasterTo(positive(uid)?),
        ["task", name] => WorldFault::Task((*name).to_owned(), None),
        ["task", name, node @ ..] => match parse_node(node)? {
            (Some(node), []) => WorldFault::Task((*name).to_owned(), Some(node)),
            _ => return Err("after the task's name only `node N` or `master` may follow".to_owned()),
        },
        ["no", "tasks"] => WorldFault::NoTasks,
        ["config", rest @ ..] => parse_config(rest)?,
        ["noise", switch] => WorldFault::Noise(on_off(switch)?),
        ["ccs", "link", "down"] => WorldFault::CcsLink(false),
        ["ccs", "link", "up"] => WorldFault::CcsLink(true),
        ["upgrade", "mode", switch] => WorldFault::UpgradeMode(on_off(switch)?),
        _ => return Ok(None),
    }))
}

fn parse_node_fault(node: NodeRef, words: &[&str]) -> Result<WorldFault, String> {
    Ok(match words {
        ["down"] => WorldFault::Services(node, false),
        ["up"] => WorldFault::Services(node, true),
        ["maintenance", switch] => WorldFault::Maintenance(node, on_off(switch)?),
        ["snapshot"] => WorldFault::Snapshot(node, None),
        ["snapshot", name] => WorldFault::Snapshot(node, Some((*name).to_owned())),
        ["shard", hold] => WorldFault::Shards(node, parse_hold(hold)?),
        ["rlcheck", lie @ ..] => WorldFault::Rlcheck(node, parse_rlcheck(lie)?),
        ["config", setting @ ..] => parse_setting(Configured::Node(node), setting)?,
        ["installer", "goes", "on"] => WorldFault::InstallerGoesOn(node),
        ["rladmin", fault @ ..] => WorldFault::Rladmin(node, parse_rladmin(fault)?),
        [] => return Err("there is no effect".to_owned()),
        _ => return Err(format!("`{}` is not an effect", words.join(" "))),
    })
}

fn parse_config(words: &[&str]) -> Result<WorldFault, String> {
    match words {
        ["cluster", setting @ ..] => parse_setting(Configured::Cluster, setting),
        [database, setting @ ..] if database.starts_with("db:") => {
            let id = positive(database.trim_start_matches("db:"))?;
            parse_setting(Configured::Database(id), setting)
        }
        [_, _] => parse_setting(Configured::Cluster, words),
        _ => Err("config takes `KEY VALUE`, `cluster KEY VALUE` or `db:N KEY VALUE`".to_owned()),
    }
}

/// A key, which may be several words, and a value.
fn parse_setting(of: Configured, words: &[&str]) -> Result<WorldFault, String> {
    match words {
        [key @ .., value] if !key.is_empty() => {
            Ok(WorldFault::Config(of, key.join(" "), (*value).to_owned()))
        }
        _ => Err("a setting takes a key and a value".to_owned()),
    }
}

fn parse_hold(word: &str) -> Result<Option<ShardHold>, String> {
    match word {
        "down" => Ok(Some(ShardHold::Down)),
        "loading" => Ok(Some(ShardHold::Loading)),
        "syncing" => Ok(Some(ShardHold::Syncing)),
        "ok" => Ok(None),
        _ => Err(format!("`{word}` is not one of down, loading, syncing, ok")),
    }
}

fn parse_rlcheck(words: &[&str]) -> Result<Option<RlcheckLie>, String> {
    match words {
        ["passes"] => Ok(Some(RlcheckLie::Passes)),
        ["fails", test] => Ok(Some(RlcheckLie::Fails((*test).to_owned()))),
        ["hangs"] => Ok(Some(RlcheckLie::Hangs)),
        ["honest"] => Ok(None),
        _ => Err("rlcheck takes `passes`, `fails TEST`, `hangs` or `honest`".to_owned()),
    }
}

fn parse_rladmin(words: &[&str]) -> Result<Option<RladminFault>, String> {
    match words {
        ["hangs"] => Ok(Some(RladminFault::Hangs)),
        ["garbage"] => Ok(Some(RladminFault::Garbage)),
        ["empty"] => Ok(Some(RladminFault::Empty)),
        ["exits", status] => Ok(Some(RladminFault::Exits(number(status)?))),
        ["honest"] => Ok(None),
        _ => Err("rladmin takes `hangs`, `garbage`, `empty`, `exits N` or `honest`".to_owned()),
    }
}

/// Effects that need an install must have one, and an election takes only `master to`.
fn check_fit(when: &When, effect: &Effect) -> Result<(), String> {
    match (when, effect) {
        (When::Install { phase: Phase::On, .. }, Effect::Install(_)) => Ok(()),
        (_, Effect::Install(_)) => Err("this effect shapes an install: it needs `on install of`".to_owned()),
        (When::Election, Effect::World(WorldFault::MasterTo(_))) => Ok(()),
        (When::Election, _) => Err("`on election` takes only `master to node N`".to_owned()),
        (When::Now, Effect::World(fault)) if fault.node() == Some(NodeRef::Installed) => {
            Err("`now` has no installed node: name one, `node N` or `master`".to_owned())
        }
        _ => Ok(()),
    }
}

impl WorldFault {
    /// The node the effect names, if any.
    fn node(&self) -> Option<NodeRef> {
        match self {
            Self::Services(node, _) | Self::Maintenance(node, _) | Self::Snapshot(node, _) => Some(*node),
            Self::Shards(node, _) | Self::Rlcheck(node, _) | Self::Rladmin(node, _) => Some(*node),
            Self::InstallerGoesOn(node) | Self::Config(Configured::Node(node), ..) => Some(*node),
            Self::Task(_, node) => *node,
            _ => None,
        }
    }
}

fn on_off(word: &str) -> Result<bool, String> {
    match word {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("`{word}` is neither `on` nor `off`")),
    }
}

fn positive(word: &str) -> Result<u32, String> {
    word.parse().ok().filter(|number| *number > 0).ok_or(format!("`{word}` is not a number from 1 on"))
}

fn number(word: &str) -> Result<u8, String> {
    word.parse().map_err(|_| format!("`{word}` is not an exit status, 0 to 255"))
}

fn parse_millis(word: &str) -> Result<Duration, String> {
    word.parse().map(Duration::from_millis).map_err(|_| format!("`{word}` is not a number of milliseconds"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(text: &str) -> Rule {
        parse(text).unwrap().remove(0)
    }

    #[test]
    fn statements_read_as_they_sound() {
        assert_eq!(
            one("on install of node 2 nth 1: abort exit 0"),
            Rule {
                when: When::Install { phase: Phase::On, which: Which::Node(2), nth: Some(1) },
                effect: Effect::Install(InstallFault::Abort { exit: 0, at: Stage::Checks }),
            }
        );
        assert_eq!(
            one("after install of master: shard down").effect,
            Effect::World(WorldFault::Shards(NodeRef::Installed, Some(ShardHold::Down)))
        );
        assert_eq!(
            one("now: node 3 maintenance on").effect,
            Effect::World(WorldFault::Maintenance(NodeRef::Node(3), true))
        );
        assert_eq!(
            one("during install of any: master to node 3").effect,
            Effect::World(WorldFault::MasterTo(3))
        );
        assert_eq!(
            one("on install of any: reboot at files back 20 ms").effect,
            Effect::Install(InstallFault::Reboot { at: Stage::Files, back: Duration::from_millis(20) })
        );
        let maxclients =
            WorldFault::Config(Configured::Database(1), "maxclients".to_owned(), "500".to_owned());
        assert_eq!(one("now: config db:1 maxclients 500").effect, Effect::World(maxclients));
        assert_eq!(
            one("now: task import node 2").effect,
            Effect::World(WorldFault::Task("import".to_owned(), Some(NodeRef::Node(2))))
        );
    }

    #[test]
    fn every_effect_of_the_grammar_parses() {
        let install = "abort|abort exit 3 at stop|exit 1|hang|hang at files|killed|killed at files|reboot|reboot back 9 ms|\
            version 7.4.2-54|takes 5 ms|disk full|services stay down";
        for effect in install.split('|') {
            parse(&format!("on install of any: {effect}")).unwrap();
        }
        let world = "node 1 down|master up|node 1 maintenance off|node 1 snapshot|node 1 snapshot x|node 1 shard loading|\
            node 1 shard syncing|node 1 shard ok|master to node 2|task t|task t master|no tasks|config a b|config cluster a b c|config db:1 a b|node 1 config a b c|\
            node 1 rlcheck passes|node 1 rlcheck hangs|node 1 installer goes on|node 1 rlcheck fails verify_services|node 1 rlcheck honest|node 1 rladmin hangs|\
            node 1 rladmin garbage|node 1 rladmin empty|node 1 rladmin exits 2|node 1 rladmin honest|noise on|\
            ccs link down|ccs link up|upgrade mode on";
        for effect in world.split('|') {
            parse(&format!("now: {effect}")).unwrap();
        }
        parse("on election: master to node 2").unwrap();
    }

    #[test]
    fn a_mistake_names_its_line_and_reason() {
        for (text, reason) in [
            ("abort", "no `:`"),
            ("someday: node 1 down", "starts neither"),
            ("on install of: abort", "which install"),
            ("on install of node 0: abort", "`0` is not a number from 1 on"),
            ("on install of any nth x: abort", "`x` is not a number"),
            ("on install of any twice: abort", "`twice`"),
            ("now: abort", "needs `on install of`"),
            ("now: shard down", "name one"),
            ("now: config a b c", "`cluster KEY VALUE`"),
            ("now: config db:0 a b", "`0` is not a number"),
            ("now: config db:1 a", "a key and a value"),
            ("now: node 1 explode", "`explode` is not an effect"),
            ("now:", "no effect"),
            ("on election: node 1 down", "only `master to node N`"),
            ("on install of any: version 7.4", "is not a version"),
            ("on install of any: exit 300", "exit status"),
            ("on install of any: hang at lunch", "`at lunch`"),
        ] {
            let script = format!("# a comment\n\nnow: noise on # fine\n{text}\n");
            let error = parse(&script).unwrap_err();
            assert_eq!(error.line, 4, "{text}");
            assert!(error.to_string().contains(reason), "{error}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[a-z0-9:# \n]{0,60}|\\PC{0,60}") {
            let _ = parse(&text);
        }
    }
}
