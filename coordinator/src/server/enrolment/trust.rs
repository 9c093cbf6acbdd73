//! What a node is told to trust, and what it knows its coordinator by.

use std::fs;
use std::path::Path;

use proto::transport::{Security, Tls};
use proto::{Failure, Sha256};

use crate::pki;
use crate::server::Core;

/// Authorities and lists of revoked certificates, PEM.
#[derive(Clone, Debug, Default)]
pub(super) struct Trust {
    pub(super) authority: String,
    pub(super) revoked: String,
}

impl Core {
    /// What this coordinator trusts itself, and the authority that it signs with.
    pub(super) async fn trust(&self) -> Result<Trust, Failure> {
        let mut trust = match self.tls() {
            Some(tls) => Trust {
                authority: read(&tls.ca)?,
                revoked: tls.crl.as_deref().map(read).transpose()?.unwrap_or_default(),
            },
            None => Trust::default(),
        };
        if self.signs() {
            let own = self.with_authority(|own| Ok((own.certificate().to_owned(), own.revoked()?))).await?;
            add(&mut trust.authority, &own.0);
            add(&mut trust.revoked, &own.1);
        }
        Ok(trust)
    }

    /// The authority that a node sees when it dials: the last certificate that this coordinator shows.
    pub(super) async fn pin(&self) -> Result<Sha256, Failure> {
        let shown = self.tls().map(|tls| shown(&tls.cert)).transpose()?;
        let own = match self.signs() {
            true => Some(self.with_authority(|own| Ok(own.pin())).await?),
            false => None,
        };
        match (shown, own) {
            (Some(shown), Some(own)) if shown != own => Err(another(&shown, &own)),
            (Some(pin), _) | (None, Some(pin)) => Ok(pin),
            (None, None) => Err(nothing_to_show()),
        }
    }

    fn tls(&self) -> Option<&Tls> {
        match &self.config.security {
            Security::Tls(tls) => Some(tls),
            Security::InsecureLoopback => None,
        }
    }
}

fn add(to: &mut String, pem: &str) {
    if !to.contains(pem.trim()) {
        if !to.is_empty() && !to.ends_with('\n') {
            to.push('\n');
        }
        to.push_str(pem);
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        let message = format!("{} cannot be read", path.display());
        Failure::operator("configuration", message, "correct [tls] in ratchet.toml")
            .because(error.to_string())
    })
}

fn shown(cert: &Path) -> Result<Sha256, Failure> {
    pki::spki_digest(&read(cert)?).map_err(|cause| {
        let message = format!("nodes that enrol could not tell whose coordinator this is by {}", cert.display());
        let remedy = "put the authority's certificate behind the coordinator's in that file, as `ratchet pki issue` does";
        Failure::operator("configuration", message, remedy).because(cause)
    })
}

fn another(shown: &Sha256, own: &Sha256) -> Failure {
    let message = format!(
        "this coordinator's certificate comes from the authority {}, and [enrolment] names {}",
        shown.short(),
        own.short()
    );
    let remedy =
        "give the coordinator a certificate of the authority in [enrolment]: ratchet pki issue coordinator …";
    Failure::operator("configuration", message, remedy)
}

fn nothing_to_show() -> Failure {
    let message = "nodes could not tell whose coordinator this is: it has neither [tls] nor [enrolment]";
    Failure::operator("configuration", message, "give both in ratchet.toml: see docs/pki.md")
}
