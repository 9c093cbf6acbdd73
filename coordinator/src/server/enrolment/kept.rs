//! What is kept of tokens and of nodes that have used one.

use jiff::{SignedDuration, Timestamp};
use proto::{Failure, PeerName, Sha256};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::documents::{EnrollingRow, EnrollingState, TokenRow};
use crate::pki::Host;
use crate::server::Core;
use crate::store::Shelf;

/// How long a node that has used a token is known: over a long weekend, for whoever has to decide.
pub(super) const KNOWN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A token that was not used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KeptToken {
    /// SHA-256 of its secret.
    pub(super) secret: Sha256,
    pub(super) pattern: String,
    pub(super) expires: Timestamp,
    pub(super) confirm: bool,
    pub(super) by: String,
    pub(super) at: Timestamp,
}

/// A node that has used a token. It is known by the token's id: nobody else can have used the same one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KeptNode {
    pub(super) token: String,
    /// SHA-256 of the token's secret: only who has it may ask what became of the node.
    pub(super) secret: Sha256,
    pub(super) name: PeerName,
    pub(super) hosts: Vec<Host>,
    /// Its request for a certificate: base64 of PKCS #10.
    pub(super) request: String,
    /// SHA-256 of its public key.
    pub(super) key: Sha256,
    pub(super) at: Timestamp,
    pub(super) until: Timestamp,
    pub(super) stands: Stands,
}

/// What becomes of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stands {
    /// A person has to decide.
    Waits {
        /// Why.
        why: String,
    },
    /// It may have its certificate.
    Accepted {
        /// Whose word it is.
        by: String,
    },
    /// It has one.
    Granted {
        /// PEM.
        certificate: String,
    },
    /// It gets none.
    Refused {
        /// Whose word it is.
        by: String,
    },
}

/// Whether a secret is the one whose digest is kept. Nothing is learnt from how long it takes.
pub(super) fn is_secret(digest: &Sha256, secret: &[u8]) -> bool {
    digest.as_bytes().ct_eq(Sha256::of(secret).as_bytes()).into()
}

impl Core {
    pub(super) async fn kept_token(&self, id: &str) -> Result<Option<KeptToken>, Failure> {
        Ok(self.kept(Shelf::Token).await?.into_iter().find(|(key, _)| key == id).map(|(_, token)| token))
    }

    pub(super) async fn kept_tokens(&self) -> Result<Vec<(String, KeptToken)>, Failure> {
        self.kept(Shelf::Token).await
    }

    pub(super) async fn kept_node(&self, token: &str) -> Result<Option<KeptNode>, Failure> {
        Ok(self.kept_nodes().await?.into_iter().find(|node| node.token == token))
    }

    pub(super) async fn kept_nodes(&self) -> Result<Vec<KeptNode>, Failure> {
        let nodes: Vec<(String, KeptNode)> = self.kept(Shelf::Enrolment).await?;
        Ok(nodes.into_iter().map(|(_, node)| node).filter(|node| node.until > self.now()).collect())
    }

    async fn kept<T: DeserializeOwned>(&self, shelf: Shelf) -> Result<Vec<(String, T)>, Failure> {
        let shelved = self.store().shelved(shelf).await?.into_iter();
        shelved
            .map(|(key, body)| match serde_json::from_str(&body) {
                Ok(value) => Ok((key, value)),
                Err(error) => {
                    let remedy = "use the newer ratchet, or restore the store from a backup";
                    let message = format!("`{key}` on the shelf `{shelf}` cannot be read");
                    Err(Failure::operator("store-damaged", message, remedy).because(error.to_string()))
                }
            })
            .collect()
    }

    pub(super) async fn keep_token(&self, id: &str, token: &KeptToken) -> Result<(), Failure> {
        Ok(self.store().put(Shelf::Token, id, &written(token)?).await?)
    }

    pub(super) async fn keep_node(&self, node: &KeptNode) -> Result<(), Failure> {
        Ok(self.store().put(Shelf::Enrolment, &node.token, &written(node)?).await?)
    }

    /// Takes away what nobody can use any more.
    pub(super) async fn forget_old_enrolments(&self) -> Result<(), Failure> {
        let now = self.now();
        for (id, _) in self.kept_tokens().await?.iter().filter(|(_, token)| token.expires <= now) {
            self.store().take_off(Shelf::Token, id).await?;
        }
        let nodes: Vec<(String, KeptNode)> = self.kept(Shelf::Enrolment).await?;
        for (id, _) in nodes.iter().filter(|(_, node)| node.until <= now) {
            self.store().take_off(Shelf::Enrolment, id).await?;
        }
        Ok(())
    }
}

fn written<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map_err(|error| Failure::bug("an enrolment cannot be written down").because(error.to_string()))
}

impl KeptToken {
    pub(super) fn row(&self, id: &str) -> TokenRow {
        let Self { pattern, confirm, expires, by, .. } = self.clone();
        TokenRow { id: id.to_owned(), pattern, confirm, expires_at: expires, by }
    }
}

impl KeptNode {
    pub(super) fn state(&self) -> EnrollingState {
        match self.stands {
            Stands::Waits { .. } => EnrollingState::Waiting,
            Stands::Accepted { .. } => EnrollingState::Accepted,
            Stands::Granted { .. } => EnrollingState::Granted,
            Stands::Refused { .. } => EnrollingState::Refused,
        }
    }

    pub(super) fn row(&self) -> EnrollingRow {
        let waits_for = match &self.stands {
            Stands::Waits { why } => Some(why.clone()),
            Stands::Accepted { .. } | Stands::Granted { .. } | Stands::Refused { .. } => None,
        };
        EnrollingRow {
            name: self.name.to_string(),
            token: self.token.clone(),
            hosts: self.hosts.iter().map(ToString::to_string).collect(),
            key_sha256: self.key.to_string(),
            asked_at: self.at,
            until: self.until,
            state: self.state(),
            waits_for,
            request: pem(&self.request),
        }
    }
}

/// A request as files have it.
fn pem(base64: &str) -> String {
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let body = lines.join("\n");
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n")
}
