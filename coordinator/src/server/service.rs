//! The gRPC service: requests in, documents out. The only place of the coordinator with `tonic::Status`.

use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use futures::Stream;
use proto::pb::{self, coordinator_server::Coordinator};
use proto::transport::{caller, coordinator_client, on_behalf_of};
use proto::wire::{UNREACHABLE, failure_of, status_of};
use proto::{Failure, FailureKind, Version};
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Response, Status};

use super::Core;
use super::forwarding::{FORWARDED, Peer, silent};
use super::packages::Description;
use super::rollouts::Asked;
use crate::checks::Acceptance;
use crate::documents::Document;
use crate::paths::{VersionSpec, explain};

/// The coordinator behind its calls.
#[derive(Debug)]
pub(super) struct Service {
    core: Arc<Core>,
}

impl Service {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

type Answer = Result<Response<pb::Document>, Status>;

fn answer<D: Document>(document: Result<D, Failure>) -> Answer {
    document.and_then(|document| encode(&document)).map(Response::new).map_err(|failure| refuse(&failure))
}

fn encode<D: Document>(document: &D) -> Result<pb::Document, Failure> {
    let json = serde_json::to_string(document)
        .map_err(|error| Failure::bug("an answer cannot be written down").because(error.to_string()))?;
    Ok(pb::Document { schema: D::SCHEMA.to_owned(), json })
}

fn acceptances(wire: Vec<pb::Acceptance>) -> Vec<Acceptance> {
    wire.into_iter().map(|pb::Acceptance { id, reason }| Acceptance { id, reason }).collect()
}

/// Who asks, as it is written down.
fn by<T>(request: &Request<T>) -> String {
    crate::identity::asker(&caller(request))
}

fn refuse(failure: &Failure) -> Status {
    let code = match failure.kind {
        FailureKind::Retry => Code::Unavailable,
        FailureKind::Operator => Code::FailedPrecondition,
        FailureKind::Bug => Code::Internal,
    };
    status_of(failure, code)
}

fn parse<T: FromStr<Err: std::fmt::Display>>(what: &str, text: &str) -> Result<T, Failure> {
    text.parse().map_err(|error: T::Err| {
        Failure::operator("usage", format!("{what} cannot be used"), "correct it and ask again")
            .because(error.to_string())
    })
}

/// What was asked, if this coordinator is to do it; else the leader's answer is returned.
macro_rules! led {
    ($self:ident.$call:ident($request:ident)) => {{
        let forwarded = $request.metadata().contains_key(FORWARDED);
        match $self.core.leader_elsewhere(forwarded).await {
            Ok(None) => $request.into_inner(),
            Ok(Some(leader)) => {
                let mut client = coordinator_client(leader.channel.clone());
                return passed_on(&leader, client.$call(marked($request)).await);
            }
            Err(failure) => return Err(refuse(&failure)),
        }
    }};
}

/// What is passed on: whoever leads is told who has asked, and judges them and not this coordinator.
fn marked<T>(request: Request<T>) -> Request<T> {
    let caller = caller(&request);
    let mut request = Request::new(request.into_inner());
    request.metadata_mut().insert(FORWARDED, MetadataValue::from_static("1"));
    on_behalf_of(request.metadata_mut(), &caller);
    request
}

fn passed_on(leader: &Peer, answer: Result<Response<pb::Document>, Status>) -> Answer {
    answer.map(|answer| Response::new(answer.into_inner())).map_err(|status| match failure_of(status) {
        failure if failure.id == UNREACHABLE => refuse(&silent(leader, &failure)),
        failure => refuse(&failure),
    })
}

#[tonic::async_trait]
impl Coordinator for Service {
    async fn status(&self, request: Request<pb::StatusRequest>) -> Answer {
        answer(self.core.status(&request.into_inner().clusters).await)
    }

    async fn paths(&self, request: Request<pb::PathsRequest>) -> Answer {
        let pb::PathsRequest { from, to } = request.into_inner();
        let spec =
            |text: Option<String>| text.map(|text| parse::<VersionSpec>("the version", &text)).transpose();
        let document = async {
            let (from, to) = (spec(from)?, spec(to)?);
            let packages: Vec<_> =
                self.core.catalogue().await?.into_iter().map(|entry| entry.package).collect();
            Ok(explain(&self.core.world.table, from, to, &packages))
        };
        answer(document.await)
    }

    async fn add_package(&self, request: Request<pb::AddPackageRequest>) -> Answer {
        let by = by(&request);
        let pb::AddPackageRequest { location, sha256, version, os, arch } = led!(self.add_package(request));
        answer(self.core.add_package(Description { location, sha256, version, os, arch }, &by).await)
    }

    async fn list_packages(&self, _: Request<pb::ListPackagesRequest>) -> Answer {
        answer(self.core.list_packages().await)
    }

    async fn show_package(&self, request: Request<pb::ShowPackageRequest>) -> Answer {
        answer(self.core.show_package(&request.into_inner().key).await)
    }

    async fn remove_package(&self, request: Request<pb::RemovePackageRequest>) -> Answer {
        let by = by(&request);
        let request = led!(self.remove_package(request));
        answer(self.core.remove_package(&request.key, &by).await)
    }

    async fn check(&self, request: Request<pb::CheckRequest>) -> Answer {
        let pb::CheckRequest { cluster, to, accepted } = request.into_inner();
        let document = async {
            let to = to.map(|to| parse::<Version>("the target", &to)).transpose()?;
            self.core.check(&cluster, to, &acceptances(accepted)).await
        };
        answer(document.await)
    }

    async fn plan(&self, request: Request<pb::PlanRequest>) -> Answer {
        let pb::PlanRequest { cluster, to, accepted } = request.into_inner();
        let document =
            async { self.core.plan(&cluster, parse("the target", &to)?, &acceptances(accepted)).await };
        answer(document.await)
    }

    async fn start(&self, request: Request<pb::StartRequest>) -> Answer {
        let by = by(&request);
        let pb::StartRequest { plan_json, prepare_only } = led!(self.start(request));
        answer(self.core.start(&plan_json, prepare_only, None, &by).await)
    }

    async fn runs(&self, _: Request<pb::RunsRequest>) -> Answer {
        answer(self.core.runs().await)
    }

    async fn show(&self, request: Request<pb::ShowRequest>) -> Answer {
        let pb::ShowRequest { run, events, agents } = request.into_inner();
        answer(self.core.show(&run, events, agents).await)
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<pb::Document, Status>> + Send>>;

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let pb::WatchRequest { run, from_seq } = request.into_inner();
        let listing = self.core.find(&run).await.map_err(|failure| refuse(&failure))?;
        let watching = self.core.watching(listing.id, from_seq);
        let stream = futures::stream::unfold(Some((self.core.clone(), watching)), |state| async {
            let (core, mut watching) = state?;
            match core.news_while_serving(&mut watching).await {
                Ok(None) => None,
                Ok(Some(news)) => {
                    let document = encode(&news).map_err(|failure| refuse(&failure));
                    Some((document, Some((core, watching))))
                }
                Err(failure) => Some((Err(refuse(&failure)), None)),
            }
        });
        Ok(Response::new(Box::pin(stream)))
    }

    async fn report(&self, request: Request<pb::ReportRequest>) -> Answer {
        let pb::ReportRequest { run, verify, head } = request.into_inner();
        if !verify {
            return answer(self.core.report(&run).await);
        }
        let document = async {
            let head = head.map(|head| parse("the digest", &head)).transpose()?;
            self.core.verify(&run, head).await
        };
        answer(document.await)
    }

    async fn pause(&self, request: Request<pb::PauseRequest>) -> Answer {
        let by = by(&request);
        let request = led!(self.pause(request));
        answer(self.core.pause(&request.run, &by).await)
    }

    async fn resume(&self, request: Request<pb::ResumeRequest>) -> Answer {
        let by = by(&request);
        let pb::ResumeRequest { run, acknowledge } = led!(self.resume(request));
        answer(self.core.resume(&run, acknowledge, &by).await)
    }

    async fn abort(&self, request: Request<pb::AbortRequest>) -> Answer {
        let by = by(&request);
        let request = led!(self.abort(request));
        answer(self.core.abort(&request.run, &by).await)
    }

    async fn retry(&self, request: Request<pb::RetryRequest>) -> Answer {
        let by = by(&request);
        let pb::RetryRequest { run, node } = led!(self.retry(request));
        answer(self.core.retry(&run, node, &by).await)
    }

    async fn take_over_cluster(&self, request: Request<pb::TakeOverClusterRequest>) -> Answer {
        let by = by(&request);
        let pb::TakeOverClusterRequest { cluster, consent, despite_install } =
            led!(self.take_over_cluster(request));
        answer(self.core.take_over_cluster(&cluster, consent, despite_install, &by).await)
    }

    async fn why(&self, request: Request<pb::WhyRequest>) -> Answer {
        answer(self.core.why(&request.into_inner().subject).await)
    }

    async fn check_rollout(&self, request: Request<pb::RolloutFileRequest>) -> Answer {
        answer(self.core.check_rollout(&request.into_inner().text).await)
    }

    async fn apply_rollout(&self, request: Request<pb::RolloutFileRequest>) -> Answer {
        let by = by(&request);
        let request = led!(self.apply_rollout(request));
        answer(self.core.apply_rollout(&request.text, &by).await)
    }

    async fn rollouts(&self, _: Request<pb::RolloutsRequest>) -> Answer {
        answer(self.core.rollouts().await)
    }

    async fn show_rollout(&self, request: Request<pb::RolloutRequest>) -> Answer {
        answer(self.core.show_rollout(&request.into_inner().rollout).await)
    }

    type WatchRolloutStream = Pin<Box<dyn Stream<Item = Result<pb::Document, Status>> + Send>>;

    async fn watch_rollout(
        &self,
        request: Request<pb::WatchRolloutRequest>,
    ) -> Result<Response<Self::WatchRolloutStream>, Status> {
        let pb::WatchRolloutRequest { rollout, from_seq } = request.into_inner();
        let watching =
            self.core.watching_rollout(&rollout, from_seq).await.map_err(|failure| refuse(&failure))?;
        let stream = futures::stream::unfold(Some((self.core.clone(), watching)), |state| async {
            let (core, mut watching) = state?;
            match core.rollout_news(&mut watching).await {
                Ok(None) => None,
                Ok(Some(news)) => {
                    let document = encode(&news).map_err(|failure| refuse(&failure));
                    Some((document, Some((core, watching))))
                }
                Err(failure) => Some((Err(refuse(&failure)), None)),
            }
        });
        Ok(Response::new(Box::pin(stream)))
    }

    async fn ask_rollout(&self, request: Request<pb::AskRolloutRequest>) -> Answer {
        let by = by(&request);
        let pb::AskRolloutRequest { rollout, what, wave, cluster } = request.into_inner();
        answer(self.core.ask_rollout(&rollout, &Asked { what, wave, cluster }, &by).await)
    }

    async fn halt_fleet(&self, request: Request<pb::HaltFleetRequest>) -> Answer {
        let by = by(&request);
        let pb::HaltFleetRequest { lift, why } = led!(self.halt_fleet(request));
        match lift {
            true => answer(self.core.lift_halt(&by).await),
            false => answer(self.core.halt_fleet(&why, &by).await),
        }
    }

    /// Only whoever leads looks at the fleet all the time; while nobody does, what was seen last is all there is.
    async fn inventory(&self, request: Request<pb::InventoryRequest>) -> Answer {
        match self.core.leader_elsewhere(request.metadata().contains_key(FORWARDED)).await {
            Ok(Some(leader)) => {
                let mut client = coordinator_client(leader.channel.clone());
                passed_on(&leader, client.inventory(marked(request)).await)
            }
            Ok(None) | Err(_) => answer(self.core.inventory_document().await),
        }
    }

    async fn assign_agent(&self, request: Request<pb::AssignAgentRequest>) -> Answer {
        let by = by(&request);
        let pb::AssignAgentRequest { agent, cluster } = led!(self.assign_agent(request));
        answer(self.core.assign_agent(&agent, cluster.as_deref(), &by).await)
    }

    async fn leader(&self, _: Request<pb::LeaderRequest>) -> Answer {
        answer(self.core.leader_document().await)
    }

    async fn export_run(&self, request: Request<pb::ExportRunRequest>) -> Answer {
        answer(self.core.export_run(&request.into_inner().run).await)
    }

    async fn enrol(&self, request: Request<pb::EnrolRequest>) -> Result<Response<pb::EnrolReply>, Status> {
        let reply = self.core.enrol(request.into_inner()).await;
        reply.map(Response::new).map_err(|failure| refuse(&failure))
    }

    async fn renew_certificate(
        &self,
        request: Request<pb::RenewCertificateRequest>,
    ) -> Result<Response<pb::EnrolReply>, Status> {
        let caller = caller(&request);
        let reply = self.core.renew_certificate(request.into_inner(), &caller).await;
        reply.map(Response::new).map_err(|failure| refuse(&failure))
    }

    async fn create_token(&self, request: Request<pb::CreateTokenRequest>) -> Answer {
        let caller = caller(&request);
        answer(self.core.create_token(request.into_inner(), &caller).await)
    }

    async fn enrolments(&self, _: Request<pb::EnrolmentsRequest>) -> Answer {
        answer(self.core.enrolments().await)
    }

    async fn decide_enrolment(&self, request: Request<pb::DecideEnrolmentRequest>) -> Answer {
        let caller = caller(&request);
        answer(self.core.decide_enrolment(request.into_inner(), &caller).await)
    }

    async fn prune_runs(&self, request: Request<pb::PruneRunsRequest>) -> Answer {
        let by = by(&request);
        let pb::PruneRunsRequest { before, consent } = led!(self.prune_runs(request));
        let document = async { self.core.prune_runs(parse("the moment", &before)?, consent, &by).await };
        answer(document.await)
    }
}
