use jiff::{SignedDuration, Timestamp};
use proto::{Details, Fact, Row};

use super::told::{CREDENTIAL, Missing, Told, cell, flag, is_unsupported, told_by_any, without_idle_pass};
use super::{Check, Context, Finding, Severity, When};

/// Certificates that expire in the middle of an upgrade look like an upgrade that went wrong.
pub(super) const CHECK: Check = Check {
    id: "certificates",
    title: "no certificate of the cluster has expired or will soon",
    source: "release notes 5.4 to 6.0.20; references/rest-api (alerts, health report) (fact sheet §6 no. 25)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

/// How long they must last: the vendor's own warning comes as early.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
const WHY: &str = "nodes and clients refuse each other with an expired certificate";
const RENEW: &str =
    "rladmin cluster certificate set NAME certificate_file FILE key_file FILE   # never by hand on disk";
const FILES: Missing = Missing {
    why: WHY,
    remedy: "openssl x509 -noout -enddate -in FILE   # below /etc/opt/redislabs on that node",
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let pass = "no certificate expires within 30 days";
    let mut findings = CHECK.on_nodes(context, FILES, pass, |witness| {
        match witness.facts.details.rows(Fact::Certificates)? {
            [] => Err("no certificate file was found".to_owned()),
            rows => Ok(rows.iter().filter_map(|row| file(row, context.now)).collect()),
        }
    });
    findings.extend(reported(context));
    without_idle_pass(findings)
}

fn file(row: &Row, now: Timestamp) -> Option<Finding> {
    let name = row.get("file").map_or("a certificate", String::as_str);
    let until = cell(row, "not_after").and_then(|text| {
        text.parse::<Timestamp>().map_err(|_| format!("it ends at `{text}`, which is no moment"))
    });
    let saw = match until {
        Err(reason) => {
            let finding = CHECK.unknown(format!("when {name} expires is not known: {reason}"), WHY);
            return Some(finding.fix(FILES.remedy));
        }
        Ok(until) if until <= now => format!("{name} has expired: it was valid until {until:.0}"),
        Ok(until) if until.duration_since(now) < SOON => format!("{name} expires on {until:.0}"),
        Ok(_) => return None,
    };
    Some(CHECK.warn(saw, WHY).fix(RENEW))
}

/// What the cluster itself says, from 8.0.16 on. A version without that report has only files.
fn reported(context: &Context<'_>) -> Vec<Finding> {
    match told_by_any(context, expired) {
        Told::Nobody => Vec::new(),
        Told::Known(names) => names
            .into_iter()
            .map(|name| {
                CHECK
                    .warn(format!("the cluster says that its certificate {name} has expired"), WHY)
                    .fix(RENEW)
            })
            .collect(),
        // The files were read; only the second opinion is missing.
        Told::Untold(reason) => {
            let saw = format!("what the cluster itself says of its certificates is not known: {reason}");
            vec![CHECK.info(saw, WHY).fix(CREDENTIAL)]
        }
    }
}

fn expired(details: &Details) -> Result<Vec<&str>, String> {
    if is_unsupported(details, Fact::HealthReport) {
        return Ok(Vec::new());
    }
    let [row] = details.rows(Fact::HealthReport)? else {
        return Err("there is not one health report".to_owned());
    };
    let mut names = Vec::new();
    for key in row.keys().filter(|key| key.starts_with("certificate:")) {
        if flag(row, key)? {
            names.push(key.trim_start_matches("certificate:").trim_end_matches(".expired"));
        }
    }
    Ok(names)
}
