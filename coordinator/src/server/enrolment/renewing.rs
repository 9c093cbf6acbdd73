//! An agent asks for its certificate anew, with a new key.

use proto::{Caller, Failure, Identity, Role, pb};

use super::signing::signs_nothing;
use crate::pki::CertificateRequest;
use crate::server::Core;

impl Core {
    /// The caller's next certificate: the same identity, the same hosts, another key.
    pub(in crate::server) async fn renew_certificate(
        &self,
        asked: pb::RenewCertificateRequest,
        caller: &Caller,
    ) -> Result<pb::EnrolReply, Failure> {
        let identity = known(caller)?;
        let _one_at_a_time = self.enrolling.lock().await;
        let register = self.register().await?.ok_or_else(signs_nothing)?;
        let valid = register.valid(identity, self.now()).ok_or_else(|| not_ours(identity))?;
        let request = CertificateRequest::from_der(&asked.csr)?;
        let signed = self.sign_agent(identity.name.clone(), valid.hosts.clone(), request).await?;
        tracing::info!(%identity, serial = signed.issued.serial, "a certificate was renewed");
        self.granted(signed.pem).await
    }
}

fn known(caller: &Caller) -> Result<&Identity, Failure> {
    match caller {
        Caller::Known(identity) if identity.role == Role::Agent => Ok(identity),
        Caller::Known(_) | Caller::Local | Caller::Anonymous => {
            let message = format!("only an agent renews its certificate here, and {caller} is none");
            let remedy = "renew on the node: ratchet-agent renew; others: ratchet pki renew NAME";
            Err(Failure::operator("not-an-agent", message, remedy))
        }
    }
}

fn not_ours(identity: &Identity) -> Failure {
    let message =
        format!("the authority in [enrolment] has issued no certificate for {identity} that still counts");
    let remedy = "enrol the node anew: ratchet pki token, then ratchet-agent enroll";
    Failure::operator("no-such-certificate", message, remedy)
}
