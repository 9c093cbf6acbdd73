//! A person lets a node in, refuses it, or takes a token back.

use proto::{Caller, Failure, Role, pb};

use super::kept::{KeptNode, Stands};
use super::signing::signs_nothing;
use crate::documents::{Document, EnrolmentDocument};
use crate::pki;
use crate::server::Core;
use crate::store::Shelf;

impl Core {
    /// Does what a person has decided.
    pub(in crate::server) async fn decide_enrolment(
        &self,
        asked: pb::DecideEnrolmentRequest,
        caller: &Caller,
    ) -> Result<EnrolmentDocument, Failure> {
        let pb::DecideEnrolmentRequest { subject, accept, certificate } = asked;
        let _one_at_a_time = self.enrolling.lock().await;
        let by = super::person(caller);
        let Some(mut node) = self.waiting(&subject).await? else {
            return self.take_token_back(&subject, accept, &by).await;
        };
        let word = match (accept, certificate) {
            (false, _) => {
                node.stands = Stands::Refused { by: by.clone() };
                self.keep_node(&node).await?;
                "was refused"
            }
            (true, Some(certificate)) => {
                fits(&node, &certificate, self.now())?;
                node.stands = Stands::Granted { certificate };
                self.keep_node(&node).await?;
                "gets the certificate that was handed in"
            }
            (true, None) if !self.signs() => return Err(signs_nothing()),
            (true, None) => {
                node.stands = Stands::Accepted { by: by.clone() };
                self.keep_node(&node).await?;
                self.grant(&mut node).await?;
                "was accepted and gets its certificate"
            }
        };
        tracing::warn!(node = %node.name, token = node.token, by, stands = ?node.state(), "it was decided about a node");
        Ok(EnrolmentDocument {
            schema: EnrolmentDocument::SCHEMA.to_owned(),
            subject: node.name.to_string(),
            state: Some(node.state()),
            summary: format!("{} {word} when it asks next", node.name),
        })
    }

    /// The node that waits under a name or with a token.
    async fn waiting(&self, subject: &str) -> Result<Option<KeptNode>, Failure> {
        let nodes = self.kept_nodes().await?.into_iter();
        let meant = |node: &KeptNode| node.name.as_str() == subject || node.token == subject;
        let open = |node: &KeptNode| matches!(node.stands, Stands::Waits { .. } | Stands::Accepted { .. });
        let mut found: Vec<KeptNode> = nodes.filter(|node| meant(node) && open(node)).collect();
        match found.len() {
            0 => Ok(None),
            1 => Ok(found.pop()),
            _ => {
                let tokens: Vec<&str> = found.iter().map(|node| node.token.as_str()).collect();
                let message = format!("several nodes wait under the name {subject}");
                let remedy = format!(
                    "compare their keys (ratchet pki enrolments) and name one by its token: {}",
                    tokens.join(", ")
                );
                Err(Failure::operator("ambiguous-name", message, remedy))
            }
        }
    }

    async fn take_token_back(&self, id: &str, accept: bool, by: &str) -> Result<EnrolmentDocument, Failure> {
        if accept || !self.store().take_off(Shelf::Token, id).await? {
            let message = format!("no node waits as `{id}`");
            return Err(Failure::operator(
                "no-such-enrolment",
                message,
                "see which do: ratchet pki enrolments",
            ));
        }
        tracing::warn!(token = id, by, "a token was taken back");
        Ok(EnrolmentDocument {
            schema: EnrolmentDocument::SCHEMA.to_owned(),
            subject: id.to_owned(),
            state: None,
            summary: format!("the token {id} was taken back; nobody can use it any more"),
        })
    }
}

/// Whether a certificate that was made elsewhere is the one that the node waits for. Whether its authority is the right
/// one, the node sees.
fn fits(node: &KeptNode, certificate: &str, now: jiff::Timestamp) -> Result<(), Failure> {
    let read = pki::read(certificate).map_err(|cause| unfit(node, cause))?;
    let cause = match read.first() {
        Some(own) if own.key != node.key => "it is for another key",
        Some(own) if own.until <= now => "it has expired",
        Some(own) => match &own.identity {
            Some(identity) if identity.role == Role::Agent && identity.name == node.name => return Ok(()),
            Some(_) => "it is somebody else's",
            None => "it does not say whose it is: it needs one URI spiffe://FLEET/agent/NAME",
        },
        None => "there is none",
    };
    Err(unfit(node, cause.to_owned()))
}

fn unfit(node: &KeptNode, cause: String) -> Failure {
    let message = format!("the certificate is not the one that {} waits for", node.name);
    let remedy = format!(
        "sign its request: ratchet pki enrolments -o json; ratchet pki sign REQUEST agent {}",
        node.name
    );
    Failure::operator("usage", message, remedy).because(cause)
}
