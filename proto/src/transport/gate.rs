//! The gate in front of every service: who calls, and whether they may.
//!
//! It is part of [`agent_server`](super::agent_server) and [`coordinator_server`](super::coordinator_server), so that
//! there is no way of serving either without it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::server::NamedService;
use tonic::{Code, Status};
use tower::Service;

use super::live::Cut;
use super::peer::{Peer, Who};
use super::short::Short;
use crate::access::{self, Denied};
use crate::wire::status_of;
use crate::{Caller, Failure, Identity, Role};

/// Names who asked a coordinator that passes a request on. It is believed of coordinators only.
const ON_BEHALF_OF: &str = "ratchet-on-behalf-of";
/// What it says of somebody without a certificate.
const ANONYMOUS: &str = "anonymous";

/// A service behind the gate.
#[derive(Clone, Debug)]
pub struct Gate<S> {
    inner: S,
    local: bool,
}

impl<S> Gate<S> {
    pub(super) fn before(inner: S) -> Self {
        Self { inner, local: false }
    }

    /// For connections of a caller's own transport, which tell nothing of who is at their other end: it is this machine,
    /// and nobody else can reach them.
    #[must_use]
    pub fn for_this_machine(self) -> Self {
        Self { local: true, ..self }
    }

    /// Who makes a request, if they may.
    fn admitted<B>(&self, request: &Request<B>) -> Result<Caller, Status> {
        let call = request.uri().path();
        let known = request.extensions().get::<Peer>().cloned();
        // Whoever comes through no door of ours is nobody, unless nobody else can come.
        let who = || if self.local { Who::Local } else { Who::Anonymous };
        let peer = known.unwrap_or_else(|| Peer::new(who(), None, 0));
        if !peer.may_ask() {
            return Err(status_of(&hurried(), Code::ResourceExhausted));
        }
        judge(call, &peer, request.headers()).map_err(|(code, failure)| {
            if peer.is_worth_telling() {
                let (who, address) = (peer.caller(), peer.address());
                tracing::warn!(%who, ?address, call, why = %failure, "a call was refused");
            }
            status_of(&failure, code)
        })
    }
}

fn judge(call: &str, peer: &Peer, headers: &http::HeaderMap) -> Result<Caller, (Code, Failure)> {
    let denied = |denied: Denied| refused(&denied);
    match peer.who() {
        Who::Stranger(why) => Err((Code::Unauthenticated, nameless(why))),
        Who::Local | Who::Anonymous => {
            let caller = peer.caller();
            access::judge(call, &caller, None).map_err(denied)?;
            Ok(caller)
        }
        Who::Known(known) => {
            if let Some(cut) = known.cut() {
                return Err((Code::Unauthenticated, outdated(&known.holder.identity, &cut)));
            }
            let caller = match original(headers, &known.holder.identity, call)? {
                None => peer.caller(),
                Some(original) => {
                    // A coordinator of another fleet speaks for nobody here.
                    of_this_fleet(&known.holder.identity, known).map_err(denied)?;
                    original
                }
            };
            access::judge(call, &caller, Some(&known.own)).map_err(denied)?;
            Ok(caller)
        }
    }
}

fn of_this_fleet(identity: &Identity, known: &super::peer::Known) -> Result<(), Denied> {
    if identity.fleet == known.own {
        return Ok(());
    }
    Err(Denied::OtherFleet { caller: identity.to_string(), own: known.own.clone() })
}

/// Who asked, where a coordinator passes it on.
fn original(
    headers: &http::HeaderMap,
    identity: &Identity,
    call: &str,
) -> Result<Option<Caller>, (Code, Failure)> {
    let mut said = headers.get_all(ON_BEHALF_OF).iter();
    let (Some(said), more) = (said.next(), said.next()) else { return Ok(None) };
    let refused = |why: &str| {
        let message = format!("{identity} may not call {call} in another's name: {why}");
        let remedy = "only a coordinator passes requests on; ask the coordinator under one's own name";
        (Code::PermissionDenied, Failure::operator(NOT_ALLOWED, message, remedy))
    };
    if identity.role != Role::Coordinator {
        return Err(refused("its role is not coordinator"));
    }
    if more.is_some() {
        return Err(refused("it names several"));
    }
    let said = said.to_str().map_err(|_| refused("the name cannot be read"))?;
    if said == ANONYMOUS {
        return Ok(Some(Caller::Anonymous));
    }
    said.parse().map(|original| Some(Caller::Known(original))).map_err(|_| refused("the name is none"))
}

/// Names in a request that is passed on who asked. Somebody on this machine has no name: for them, nothing is said, and
/// another machine refuses.
pub fn on_behalf_of(metadata: &mut MetadataMap, caller: &Caller) {
    let said = match caller {
        Caller::Local => None,
        Caller::Anonymous => Some(AsciiMetadataValue::from_static(ANONYMOUS)),
        // Letters, digits and a few signs: an identity is always one.
        Caller::Known(identity) => AsciiMetadataValue::try_from(identity.to_string()).ok(),
    };
    if let Some(said) = said {
        metadata.insert(ON_BEHALF_OF, said);
    }
}

const NOT_ALLOWED: &str = "not-allowed";
const OTHER_FLEET: &str = "other-fleet";
const EXPIRED: &str = "certificate-expired";
const REVOKED: &str = "certificate-revoked";
const HURRIED: &str = "too-many-requests";

/// Whether it was the gate that refused a request: whoever is behind it has not seen it.
pub fn is_gates(failure: &Failure) -> bool {
    [NOT_ALLOWED, OTHER_FLEET, EXPIRED, REVOKED, HURRIED].contains(&failure.id.as_str())
}

fn refused(denied: &Denied) -> (Code, Failure) {
    let (code, id, remedy) = match denied {
        Denied::Anonymous { .. } => (
            Code::Unauthenticated,
            NOT_ALLOWED,
            "show a certificate: `[tls]` with `cert` and `key`; one is issued by `ratchet pki issue`",
        ),
        Denied::OtherFleet { .. } => (
            Code::PermissionDenied,
            OTHER_FLEET,
            "use a certificate of that fleet, or see that the address is right",
        ),
        Denied::Role { role: Role::Coordinator, .. } => (
            Code::PermissionDenied,
            NOT_ALLOWED,
            "a coordinator's certificate is for commanding agents: for the command line name an operator's or a \
             viewer's in a configuration of its own, `ratchet --config FILE`",
        ),
        Denied::Role { .. } => (
            Code::PermissionDenied,
            NOT_ALLOWED,
            "use a certificate whose role may; which calls each role may make is in docs/certificates.md",
        ),
        Denied::Unlisted { .. } => {
            (Code::PermissionDenied, NOT_ALLOWED, "install the same version of Ratchet on both sides")
        }
    };
    (code, Failure::operator(id, denied.to_string(), remedy))
}

fn nameless(why: &str) -> Failure {
    let remedy = "have a certificate issued with an identity: `ratchet pki issue ROLE NAME`; or name a DNS name of it in \
                  [tls.names] of whoever was asked";
    Failure::operator(NOT_ALLOWED, "the certificate that was shown does not say whose it is", remedy)
        .because(why)
}

pub(super) fn outdated(identity: &Identity, cut: &Cut) -> Failure {
    let (id, remedy) = match cut {
        Cut::Expired(_) => {
            (EXPIRED, "renew it: `ratchet pki renew NAME`, or by the authority that issued it")
        }
        Cut::Revoked => (REVOKED, "have a new one issued, if that was not meant"),
        Cut::Untrusted(_) => (NOT_ALLOWED, "have a new one issued by an authority that is accepted"),
    };
    Failure::operator(id, format!("the certificate of {identity} is not accepted"), remedy)
        .because(cut.to_string())
}

fn hurried() -> Failure {
    let failure = Failure::retry(HURRIED, "there were too many requests over one connection");
    let remedy = "ask less often; the limit is `requests_per_second` of [limits] where it was asked";
    Failure { remedy: Some(remedy.to_owned()), ..failure }
}

impl<S: NamedService> NamedService for Gate<S> {
    const NAME: &'static str = S::NAME;
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Answering {
        match self.admitted(&request) {
            Ok(caller) => {
                let small = caller == Caller::Anonymous;
                request.extensions_mut().insert(caller);
                let request = if small { request.map(Short::cut) } else { request };
                Box::pin(self.inner.call(request))
            }
            Err(status) => Box::pin(std::future::ready(Ok(status.into_http()))),
        }
    }
}
