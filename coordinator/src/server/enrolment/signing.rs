//! The authority on this machine, if there is one.

use proto::{Failure, Identity, PeerName, Role};

use super::kept::{KeptNode, Stands};
use crate::pki::{Authority, CertificateRequest, Host, Order, Register, Signed};
use crate::server::Core;

impl Core {
    /// Whether this coordinator signs itself.
    pub(super) fn signs(&self) -> bool {
        self.config.enrolment.is_some()
    }

    /// Does something with the authority: it reads and writes files, so not where others wait.
    pub(super) async fn with_authority<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Authority) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let Some(enrolment) = &self.config.enrolment else { return Err(signs_nothing()) };
        let (dir, now) = (enrolment.authority.clone(), self.now());
        aside(move || work(&mut Authority::open(&dir, now)?)).await
    }

    /// What the authority has issued; `None` if there is none here.
    pub(super) async fn register(&self) -> Result<Option<Register>, Failure> {
        let Some(enrolment) = &self.config.enrolment else { return Ok(None) };
        let dir = enrolment.authority.clone();
        aside(move || Register::read(&dir)).await.map(Some)
    }

    /// A certificate for an agent: its name and its hosts as they were let pass, of the request only the public key.
    pub(super) async fn sign_agent(
        &self,
        name: PeerName,
        hosts: Vec<Host>,
        request: CertificateRequest,
    ) -> Result<Signed, Failure> {
        let Some(enrolment) = &self.config.enrolment else { return Err(signs_nothing()) };
        let (valid, now) = (enrolment.valid, self.now());
        self.with_authority(move |authority| {
            let identity = Identity { fleet: authority.register().fleet.clone(), role: Role::Agent, name };
            let order = Order { identity, hosts, valid, follows: true };
            authority.sign(&order, &request, now)
        })
        .await
    }

    /// The certificate of a node that may have one. A node whose certificate could not be made stays accepted.
    pub(super) async fn grant(&self, node: &mut KeptNode) -> Result<String, Failure> {
        let der = data_encoding::BASE64.decode(node.request.as_bytes());
        let der = der.map_err(|error| Failure::bug("a kept request is none").because(error.to_string()))?;
        let request = CertificateRequest::from_der(&der)?;
        let signed = self.sign_agent(node.name.clone(), node.hosts.clone(), request).await?;
        tracing::warn!(identity = %signed.issued.identity, serial = signed.issued.serial, "a node was enrolled");
        node.stands = Stands::Granted { certificate: signed.pem.clone() };
        self.keep_node(node).await?;
        Ok(signed.pem)
    }
}

async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Failure::bug("the authority stopped").because(error.to_string())))
}

/// The authority's key is elsewhere, or there is none of one's own.
pub(super) fn signs_nothing() -> Failure {
    let remedy = "name the authority in ratchet.toml: [enrolment] authority = \"DIR\"; or, where its key is elsewhere, \
                  sign there: ratchet pki sign";
    Failure::operator("signs-nothing", "this coordinator signs no certificates", remedy)
}
