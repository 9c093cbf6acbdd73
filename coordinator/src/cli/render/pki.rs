//! `pki`.

use comfy_table::Cell;
use jiff::tz::TimeZone;

use super::printable;
use super::style::{caution, command};
use super::table::{cell, table};
use super::units::moment;
use crate::documents::{
    AuthorityDocument, CertificateRow, CertificatesDocument, EnrolTokenDocument, EnrollingState,
    EnrolmentDocument, EnrolmentsDocument, IssuedDocument, RevokedDocument,
};
use crate::pki::Standing;

/// What `pki init` made.
pub fn authority(document: &AuthorityDocument) -> String {
    let AuthorityDocument { fleet, directory, key_sha256, not_after, .. } = document;
    let until = not_after.strftime("%Y-%m-%d");
    format!(
        "the authority of fleet {fleet} is in {directory}, valid until {until}\n  its key: {key_sha256}\n\
         ca.key decides who belongs to the fleet: keep a copy where nobody else reads it, best off this machine.\n\
         next: {}\n",
        command("ratchet pki issue coordinator NAME --host HOST")
    )
}

/// What `pki issue` and `pki renew` made.
pub fn issued(document: &IssuedDocument) -> String {
    let mut out = String::new();
    for row in &document.certificates {
        let CertificateRow { role, name, not_after, serial, .. } = &row.certificate;
        let (until, place) = (not_after.strftime("%Y-%m-%d"), row.bundle.as_deref().unwrap_or("-"));
        out.push_str(&format!("{role} {name}: valid until {until}, serial {serial}, bundle in {place}\n"));
    }
    for row in &document.left {
        let CertificateRow { role, name, not_after, .. } = row;
        let until = not_after.strftime("%Y-%m-%d");
        let how = command("ratchet-agent renew");
        out.push_str(&caution(&format!(
            "{role} {name}: valid until {until}; its key is where it was made: "
        )));
        out.push_str(&format!("{how}\n"));
    }
    if document.certificates.is_empty() && document.left.is_empty() {
        out.push_str("nothing expires within that time\n");
    }
    out
}

/// What `pki sign` made: the certificate, for a file.
pub fn signed(document: &IssuedDocument) -> String {
    document.certificates.iter().map(|row| row.pem.as_str()).collect()
}

/// What `pki revoke` did.
pub fn revoked(document: &RevokedDocument) -> String {
    let mut out = String::new();
    for CertificateRow { role, name, serial, reason, .. } in &document.certificates {
        let reason = printable(reason.as_deref().unwrap_or_default());
        out.push_str(&format!("revoked: {role} {name}, serial {serial} ({reason})\n"));
    }
    let RevokedDocument { crl, number, .. } = document;
    out.push_str(&format!(
        "list {number} of revoked certificates is in {crl}: copy it to every machine whose `[tls] crl` is another file\n"
    ));
    out
}

/// An authority's register.
pub fn certificates(document: &CertificatesDocument) -> String {
    if document.certificates.is_empty() {
        return format!("the authority of fleet {} has issued no certificate\n", document.fleet);
    }
    let header = ["ROLE", "NAME", "STANDING", "VALID UNTIL", "HOSTS", "SERIAL"];
    table(&header, document.certificates.iter().map(row).collect())
}

fn row(of: &CertificateRow) -> Vec<Cell> {
    let standing = match of.standing {
        Standing::Valid => "valid",
        Standing::Expired => "expired",
        Standing::Revoked => "revoked",
    };
    let (until, hosts) = (of.not_after.strftime("%Y-%m-%d").to_string(), of.hosts.join(", "));
    let hosts = if hosts.is_empty() { "-" } else { &hosts };
    [&of.role, &of.name, standing, &until, hosts, &of.serial].map(|text| cell(Some(text))).to_vec()
}

/// A token: alone in its line, so that it can be copied.
pub fn token(document: &EnrolTokenDocument, zone: &TimeZone) -> String {
    let EnrolTokenDocument { id, token, pattern, confirm, expires_at, .. } = document;
    let until = moment(*expires_at, zone);
    let accept = if *confirm { "; whoever uses it waits for: ratchet pki accept NAME" } else { "" };
    format!(
        "{token}\nfor one node named {pattern}, until {until}; it is not shown again{accept}\n\
         on the node: {}\nto take it back: {}\n",
        command("ratchet-agent enroll --coordinator HOST:PORT --token-file FILE"),
        command(&format!("ratchet pki refuse {id}"))
    )
}

/// Tokens and nodes.
pub fn enrolments(document: &EnrolmentsDocument) -> String {
    let mut out = String::new();
    if !document.signs {
        out.push_str(
            "this coordinator signs nothing itself: nodes wait for certificates that are handed in\n",
        );
    }
    if document.tokens.is_empty() && document.nodes.is_empty() {
        out.push_str("no token waits to be used, and no node waits for anything\n");
    }
    if !document.tokens.is_empty() {
        let rows = document.tokens.iter().map(|token| {
            let until = token.expires_at.strftime("%Y-%m-%d %H:%MZ").to_string();
            let confirm = if token.confirm { "yes" } else { "no" };
            [&token.id, &token.pattern, confirm, &until, &token.by].map(|text| cell(Some(text))).to_vec()
        });
        out.push_str(&table(&["TOKEN", "FOR", "CONFIRM", "UNTIL", "MADE BY"], rows.collect()));
    }
    if !document.nodes.is_empty() {
        let rows = document.nodes.iter().map(|node| {
            let hosts = node.hosts.join(", ");
            let key = node.key_sha256.get(..16).unwrap_or(&node.key_sha256);
            [&node.name, state(node.state), &hosts, key, &node.token].map(|text| cell(Some(text))).to_vec()
        });
        out.push_str(&table(&["NODE", "STATE", "HOSTS", "KEY", "TOKEN"], rows.collect()));
    }
    for node in &document.nodes {
        if let Some(why) = &node.waits_for {
            out.push_str(&format!("{}: {}\n", printable(&node.name), printable(why)));
        }
    }
    out
}

fn state(state: EnrollingState) -> &'static str {
    match state {
        EnrollingState::Waiting => "waiting",
        EnrollingState::Accepted => "accepted",
        EnrollingState::Granted => "granted",
        EnrollingState::Refused => "refused",
    }
}

/// What was decided.
pub fn enrolment(document: &EnrolmentDocument) -> String {
    format!("{}\n", printable(&document.summary))
}
