use jiff::{SignedDuration, Timestamp};
use proto::{Details, Fact, Row};

use super::told::{CREDENTIAL, Missing, cell, flag, request};
use super::{Check, Context, Finding, Severity, When};

/// An expired licence keeps nobody from upgrading a node, but from changing anything afterwards.
pub(super) const CHECK: Check = Check {
    id: "licence",
    title: "the cluster's licence has not expired, will not soon, and covers all shards",
    source: "license-keys.md (fact sheet §6 no. 24)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

/// How long it must last: time enough to get a new one.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
const MISSING: Missing = Missing {
    why: "without a valid licence for all shards databases cannot be changed or repaired",
    remedy: CREDENTIAL,
};

/// What a licence says.
#[derive(PartialEq)]
struct Licence {
    expired: bool,
    until: Timestamp,
    covered: Result<Covered, String>,
}

/// What a licence says of shards.
#[derive(PartialEq)]
struct Covered {
    /// How many it covers, of any kind.
    shards: u64,
    /// The kinds of which there are more than it covers.
    short: Vec<String>,
}

/// Newer versions count by what shards are kept on.
const KINDS: [&str; 2] = ["ram_shards", "flash_shards"];

fn run(context: &Context<'_>) -> Vec<Finding> {
    let views = context.snapshot.views().map(|(_, view)| view.shards.len() as u64);
    let shards = views.max().unwrap_or_default();
    let judge =
        |licence: Licence| expiry(&licence, context.now).into_iter().chain(short(&licence, shards)).collect();
    CHECK.on_cluster(context, MISSING, "the licence is valid", licence, judge)
}

fn licence(details: &Details) -> Result<Licence, String> {
    let text = details.cell(Fact::Licence, "expiration_date")?;
    let until = text.parse().map_err(|_| format!("the licence's end is `{text}`, which is no moment"))?;
    let [row] = details.rows(Fact::Licence)? else { return Err("there is not one licence".to_owned()) };
    Ok(Licence { expired: flag(row, "expired")?, until, covered: covered(row) })
}

fn covered(row: &Row) -> Result<Covered, String> {
    let short: Result<Vec<_>, _> = KINDS.iter().map(|kind| more_than_covered(row, kind)).collect();
    Ok(Covered { shards: count(row, "shards_limit")?, short: short?.into_iter().flatten().collect() })
}

fn count(row: &Row, key: &str) -> Result<u64, String> {
    let text = cell(row, key)?;
    text.parse().map_err(|_| format!("`{key}`, which counts shards, is `{text}`"))
}

/// A version that does not count this kind has no such keys.
fn more_than_covered(row: &Row, kind: &str) -> Result<Option<String>, String> {
    let (limit, used) = (format!("{kind}_limit"), format!("{kind}_in_use"));
    if !row.contains_key(&limit) && !row.contains_key(&used) {
        return Ok(None);
    }
    let (limit, used) = (count(row, &limit)?, count(row, &used)?);
    Ok((used > limit).then(|| format!("{limit} {}, and there are {used}", kind.replace('_', " "))))
}

fn short(licence: &Licence, shards: u64) -> Vec<Finding> {
    let covered = match &licence.covered {
        Ok(covered) => covered,
        Err(reason) => return vec![CHECK.unknown(reason.as_str(), MISSING.why).fix(MISSING.remedy)],
    };
    let all = (shards > covered.shards).then(|| format!("{} shards, and there are {shards}", covered.shards));
    let finding = |what: &String| {
        let renew = format!("{}   # then upload one for more shards", request("GET", "/v1/license", ""));
        CHECK.warn(format!("the licence covers {what}"), MISSING.why).fix(renew)
    };
    all.as_ref().into_iter().chain(&covered.short).map(finding).collect()
}

fn expiry(licence: &Licence, now: Timestamp) -> Option<Finding> {
    let until = licence.until;
    let saw = match () {
        () if licence.expired || until <= now => {
            format!("the licence has expired: it was valid until {until:.0}")
        }
        () if until.duration_since(now) < SOON => format!("the licence expires on {until:.0}"),
        () => return None,
    };
    let renew = format!("{}   # then upload a new one", request("GET", "/v1/license", ""));
    Some(CHECK.warn(saw, MISSING.why).fix(renew))
}
