//! A node asks for its certificate with a token, and asks again until it has it.

use proto::{Failure, FleetName, Identity, PeerName, Role, pb};

use super::kept::{KNOWN, KeptNode, KeptToken, Stands, is_secret};
use super::tokens::fits;
use crate::pki::{CertificateRequest, Host, Register};
use crate::server::Core;
use crate::store::Shelf;

/// The most hosts that one node may name.
const HOSTS: usize = 32;

/// What a node asks for, read but not believed.
struct Asked {
    token: String,
    secret: zeroize::Zeroizing<Vec<u8>>,
    name: PeerName,
    hosts: Vec<Host>,
    csr: Vec<u8>,
}

impl Asked {
    fn read(asked: pb::EnrolRequest) -> Result<Self, Failure> {
        let pb::EnrolRequest { token, secret, name, hosts, csr } = asked;
        let secret = zeroize::Zeroizing::new(secret);
        let wrong = |cause: String| {
            let remedy = "correct --name or --host of ratchet-agent enroll";
            Failure::operator("usage", "what the node asks for cannot be", remedy).because(cause)
        };
        if hosts.len() > HOSTS {
            return Err(wrong(format!("{} hosts; {HOSTS} are the limit", hosts.len())));
        }
        let name = name.parse().map_err(|error: proto::InvalidName| wrong(error.to_string()))?;
        let hosts: Result<Vec<Host>, _> = hosts.iter().map(|host| host.parse::<Host>()).collect();
        let hosts = hosts.map_err(|error| wrong(error.to_string()))?;
        Ok(Self { token, secret, name, hosts, csr })
    }
}

impl Core {
    /// Answers a node with its certificate, or with what it waits for. The token leaves its shelf once; from then on it is
    /// bound to the key that came with it, and the same node may ask again with both.
    pub(in crate::server) async fn enrol(&self, asked: pb::EnrolRequest) -> Result<pb::EnrolReply, Failure> {
        let asked = Asked::read(asked)?;
        if !self.has_secret(&asked).await? {
            return Err(unknown());
        }
        let _one_at_a_time = self.enrolling.lock().await;
        let mut node = match self.kept_node(&asked.token).await? {
            Some(node) => {
                is_same(&node, &asked)?;
                node
            }
            None => self.use_token(&asked).await?,
        };
        self.reply(&mut node).await
    }

    /// Whether it is known at all, before anybody is made to wait for it: strangers may ask as often as they like.
    async fn has_secret(&self, asked: &Asked) -> Result<bool, Failure> {
        let node = self.kept_node(&asked.token).await?.map(|node| node.secret);
        let secret = match node {
            Some(secret) => Some(secret),
            None => self.kept_token(&asked.token).await?.map(|token| token.secret),
        };
        Ok(secret.is_some_and(|secret| is_secret(&secret, &asked.secret)))
    }

    /// The node that uses a token, which nobody can use after that.
    async fn use_token(&self, asked: &Asked) -> Result<KeptNode, Failure> {
        let token = self.kept_token(&asked.token).await?;
        // Whoever guesses learns nothing: an unknown token and a wrong secret are the same.
        let token = token.filter(|token| is_secret(&token.secret, &asked.secret)).ok_or_else(unknown)?;
        if token.expires <= self.now() {
            return Err(expired(&token));
        }
        if !fits(&token.pattern, &asked.name) {
            return Err(other_name(&token, &asked.name));
        }
        let request = CertificateRequest::from_der(&asked.csr)?;
        let stands = self.first_stand(&token, asked).await?;
        if !self.store().take_off(Shelf::Token, &asked.token).await? {
            return Err(unknown());
        }
        let node = KeptNode {
            token: asked.token.clone(),
            secret: token.secret,
            name: asked.name.clone(),
            hosts: asked.hosts.clone(),
            request: data_encoding::BASE64.encode(&asked.csr),
            key: request.digest(),
            at: self.now(),
            until: self.now() + KNOWN,
            stands,
        };
        self.keep_node(&node).await?;
        tracing::warn!(node = %node.name, token = node.token, stands = ?node.state(), "a node used a token");
        Ok(node)
    }

    /// Whether a person has to decide.
    async fn first_stand(&self, token: &KeptToken, asked: &Asked) -> Result<Stands, Failure> {
        let name = &asked.name;
        let Some(register) = self.register().await? else {
            let why = format!(
                "this coordinator signs nothing; its operator has the request signed elsewhere (ratchet pki sign) and \
                 hands the certificate in: ratchet pki accept {name} --certificate FILE"
            );
            return Ok(Stands::Waits { why });
        };
        let why = match in_the_way(&register, asked, self.now()) {
            None if !token.confirm => return Ok(Stands::Accepted { by: token.by.clone() }),
            None => String::new(),
            Some(held) => format!("{held}; "),
        };
        Ok(Stands::Waits { why: format!("{why}a person has to accept it: ratchet pki accept {name}") })
    }

    async fn reply(&self, node: &mut KeptNode) -> Result<pb::EnrolReply, Failure> {
        let certificate = match &node.stands {
            Stands::Waits { why } => {
                return Ok(pb::EnrolReply { waits_for: why.clone(), ..Default::default() });
            }
            Stands::Refused { by } => return Err(refused(&node.name, by)),
            Stands::Granted { certificate } => certificate.clone(),
            Stands::Accepted { .. } => self.grant(node).await?,
        };
        self.granted(certificate).await
    }

    /// A certificate with everything that its owner is to trust.
    pub(super) async fn granted(&self, certificate: String) -> Result<pb::EnrolReply, Failure> {
        let trust = self.trust().await?;
        let (authority, revoked) = (trust.authority, trust.revoked);
        Ok(pb::EnrolReply { certificate, authority, revoked, waits_for: String::new() })
    }
}

/// Who holds already what a node asks for.
fn in_the_way(register: &Register, asked: &Asked, now: jiff::Timestamp) -> Option<String> {
    let identity = agent(register.fleet.clone(), asked.name.clone());
    if let Some(held) = register.valid(&identity, now) {
        return Some(format!("{} has a certificate until {} ({})", asked.name, held.not_after, held.serial));
    }
    asked.hosts.iter().find_map(|host| {
        let held = register.other_at(host, &identity, now)?;
        Some(format!("the host {host} is in the certificate of {}", held.identity.name))
    })
}

/// An agent's identity.
pub(super) fn agent(fleet: FleetName, name: PeerName) -> Identity {
    Identity { fleet, role: Role::Agent, name }
}

/// Whoever asks again has the token, and the key that it is bound to.
fn is_same(node: &KeptNode, asked: &Asked) -> Result<(), Failure> {
    if !is_secret(&node.secret, &asked.secret) {
        return Err(unknown());
    }
    let key = CertificateRequest::from_der(&asked.csr)?.digest();
    if key != node.key || asked.name != node.name || asked.hosts != node.hosts {
        return Err(used(node));
    }
    Ok(())
}

/// The id of the failure of a token that does not help.
const REFUSED: &str = "token-refused";

fn unknown() -> Failure {
    let remedy = "have a new token made: ratchet pki token --name NAME";
    Failure::operator(
        REFUSED,
        "the token is not known here: it was used, taken back or copied wrongly",
        remedy,
    )
}

fn used(node: &KeptNode) -> Failure {
    let message =
        format!("the token was used by {} at {}, with another key, name or hosts", node.name, node.at);
    let remedy = "if that was this node, run it again with the same --out, --name and --host; else look into who that \
                  was, and have a new token made: ratchet pki token";
    Failure::operator(REFUSED, message, remedy)
}

fn expired(token: &KeptToken) -> Failure {
    let message = format!("the token has expired at {}", token.expires);
    Failure::operator(REFUSED, message, "have a new one made: ratchet pki token --name NAME --ttl SPAN")
}

fn other_name(token: &KeptToken, name: &PeerName) -> Failure {
    let message = format!("the token is for `{}`, not for {name}", token.pattern);
    Failure::operator(REFUSED, message, "give the right --name, or have a token for this one made")
}

fn refused(name: &PeerName, by: &str) -> Failure {
    let message = format!("{by} has refused to let {name} in");
    Failure::operator(
        "enrolment-refused",
        message,
        "ask them why; then have a new token made: ratchet pki token",
    )
}
