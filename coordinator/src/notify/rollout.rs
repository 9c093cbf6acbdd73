//! News of a rollout.

use proto::RolloutName;

use super::{ClusterStands, Kind, Notice, Standing, Subject};
use crate::documents::Document;
use crate::rollout::{Event, HaltWhy, Record, RolloutEnd};

/// What is said of an event that is news.
struct Words {
    kind: Kind,
    what: &'static str,
    text: String,
    commands: Vec<String>,
    /// What `ratchet wait` ends with; `None` if it waits on.
    exit: Option<u8>,
}

/// The news among the records of a rollout with numbers above the given one; the whole journal is needed.
pub fn news_of_rollout(name: &RolloutName, records: &[Record], above: u64) -> Vec<Notice> {
    let (mut standing, mut news) = (Standing::default(), Vec::new());
    for record in records {
        standing.take(record);
        if record.seq > above
            && let Some(words) = words(name, &standing, &record.event)
        {
            news.push(notice(name, record, words));
        }
    }
    news
}

/// Whether an event may be news.
pub fn may_be_rollout_news(event: &Event) -> bool {
    match event {
        Event::Halted(_) | Event::Ended(_) | Event::ApprovalWanted { .. } | Event::WindowClosed { .. } => {
            true
        }
        Event::Applied { .. }
        | Event::WaveBegun { .. }
        | Event::Starting { .. }
        | Event::Settled { .. }
        | Event::TakenUp { .. }
        | Event::Unhealthy { .. }
        | Event::Recovered { .. }
        | Event::SoakBegun { .. }
        | Event::Soaked { .. }
        | Event::WindowOpened { .. }
        | Event::Requested { .. }
        | Event::Refused { .. }
        | Event::Paused
        | Event::Resumed => false,
    }
}

fn notice(name: &RolloutName, record: &Record, words: Words) -> Notice {
    let subject = Subject::of_rollout(name);
    Notice {
        schema: Notice::SCHEMA.to_owned(),
        id: subject.id(record.seq),
        at: record.at,
        kind: words.kind,
        subject,
        cluster: None,
        title: format!("rollout {name} {}", words.what),
        text: words.text,
        commands: words.commands,
        journal: None,
        exit: words.exit,
    }
}

fn words(name: &RolloutName, standing: &Standing, event: &Event) -> Option<Words> {
    match event {
        Event::Halted(why) => Some(halted(name, standing, why)),
        Event::Ended(end) => Some(ended(name, standing, *end)),
        Event::ApprovalWanted { wave } => Some(approval(name, standing, *wave)),
        // A window that is closed when the file is applied was not missed: nothing had begun.
        Event::WindowClosed { opens_at } if standing.begun && standing.unfinished() > 0 => {
            let then = match opens_at {
                Some(at) => format!("it goes on when the window opens, at {at:.0}"),
                None => "the window does not open again: change the file, and apply it".to_owned(),
            };
            Some(Words {
                kind: Kind::WindowMissed,
                what: "was not finished when its window closed",
                text: format!("{}; {then}.", counts(standing)),
                commands: vec![verb("status", name), verb("watch", name)],
                exit: None,
            })
        }
        Event::Applied { .. }
        | Event::WaveBegun { .. }
        | Event::Starting { .. }
        | Event::Settled { .. }
        | Event::TakenUp { .. }
        | Event::Unhealthy { .. }
        | Event::Recovered { .. }
        | Event::SoakBegun { .. }
        | Event::Soaked { .. }
        | Event::WindowClosed { .. }
        | Event::WindowOpened { .. }
        | Event::Requested { .. }
        | Event::Refused { .. }
        | Event::Paused
        | Event::Resumed => None,
    }
}

fn halted(name: &RolloutName, standing: &Standing, why: &HaltWhy) -> Words {
    let (reason, commands) = match why {
        HaltWhy::BudgetSpent { cluster, wave, failure } => {
            let budget = match wave.and_then(|wave| standing.waves.get(wave)) {
                Some(wave) => format!("the failure budget of wave `{wave}`"),
                None => "the failure budget in all".to_owned(),
            };
            let reason = format!("the failure of {cluster} went over {budget}: {failure}");
            let retry = format!("{} {cluster}", verb("retry", name));
            (
                reason,
                vec![format!("ratchet why {cluster}"), verb("status", name), retry, verb("resume", name)],
            )
        }
        HaltWhy::Fleet { why } => {
            let lift = "ratchet halt --lift".to_owned();
            (format!("the whole fleet is halted: {why}"), vec![lift, verb("resume", name)])
        }
    };
    let text = format!("It stands still until a person goes on with it: {reason}. {}.", counts(standing));
    Words { kind: Kind::Halted, what: "has halted", text, commands, exit: Some(4) }
}

fn ended(name: &RolloutName, standing: &Standing, end: RolloutEnd) -> Words {
    let (kind, what, exit) = match end {
        RolloutEnd::Done => (Kind::Done, "is done", 0),
        RolloutEnd::DoneWithFailures => (Kind::DoneWithFailures, "is done, and clusters failed", 4),
        RolloutEnd::Aborted => (Kind::Aborted, "was aborted", 4),
    };
    Words {
        kind,
        what,
        text: format!("{}.", counts(standing)),
        commands: vec![verb("status", name)],
        exit: Some(exit),
    }
}

fn approval(name: &RolloutName, standing: &Standing, wave: usize) -> Words {
    let called = standing.waves.get(wave).cloned().unwrap_or_else(|| (wave + 1).to_string());
    Words {
        kind: Kind::ApprovalWanted,
        what: "waits for an approval",
        text: format!("Wave `{called}` begins when a person has approved it. {}.", counts(standing)),
        commands: vec![format!("ratchet rollout approve {name} --wave {called}"), verb("status", name)],
        exit: None,
    }
}

fn verb(verb: &str, name: &RolloutName) -> String {
    format!("ratchet rollout {verb} {name}")
}

/// "7 of 40 clusters are at the target, 1 failed, 32 unfinished"
fn counts(standing: &Standing) -> String {
    let there = standing.count(ClusterStands::Upgraded) + standing.count(ClusterStands::NothingToDo);
    let (all, failed) = (standing.clusters.len(), standing.count(ClusterStands::Failed));
    let unfinished = standing.unfinished();
    let target = standing.target.map_or_else(|| "the target".to_owned(), |target| target.to_string());
    format!("{there} of {all} clusters are at {target}, {failed} failed, {unfinished} unfinished")
}
