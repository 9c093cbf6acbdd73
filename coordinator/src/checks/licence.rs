use jiff::{SignedDuration, Timestamp};
use proto::{Details, Fact};

use super::told::{CREDENTIAL, Missing, flag, request};
use super::{Check, Context, Finding, Severity, When};

/// An expired licence keeps nobody from upgrading a node, but from changing anything afterwards.
pub(super) const CHECK: Check = Check {
    id: "licence",
    title: "the cluster's licence has not expired and will not soon",
    source: "fact sheet §6 no. 24",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

/// How long it must last: time enough to get a new one.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
const MISSING: Missing =
    Missing { why: "with an expired licence databases cannot be changed or repaired", remedy: CREDENTIAL };

/// Whether the licence has expired, and when it does.
type Licence = (bool, Timestamp);

fn run(context: &Context<'_>) -> Vec<Finding> {
    let judge = |licence| judge(licence, context.now);
    CHECK.on_cluster(context, MISSING, "the licence is valid", licence, judge)
}

fn licence(details: &Details) -> Result<Licence, String> {
    let text = details.cell(Fact::Licence, "expiration_date")?;
    let until = text.parse().map_err(|_| format!("the licence's end is `{text}`, which is no moment"))?;
    let [row] = details.rows(Fact::Licence)? else { return Err("there is not one licence".to_owned()) };
    Ok((flag(row, "expired")?, until))
}

fn judge((expired, until): Licence, now: Timestamp) -> Vec<Finding> {
    let saw = match () {
        () if expired || until <= now => format!("the licence has expired: it was valid until {until}"),
        () if until.duration_since(now) < SOON => format!("the licence expires on {until}"),
        () => return Vec::new(),
    };
    vec![
        CHECK
            .warn(saw, MISSING.why)
            .fix(format!("{}   # then upload a new one", request("GET", "/v1/license", ""))),
    ]
}
