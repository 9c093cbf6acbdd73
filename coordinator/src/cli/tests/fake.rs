//! A coordinator with canned answers, at the other end of an in-process channel.

use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use proto::pb::coordinator_server::Coordinator;
use proto::{Failure, pb};
use tokio::sync::Notify;
use tokio::time::sleep;
use tonic::{Code, Request, Response, Status};

use crate::cli::client::Channel;
use crate::documents::Document;

type Answer = Result<pb::Document, Status>;

/// What a watch does next.
#[derive(Clone, Debug)]
pub(super) enum Scene {
    /// Tells this.
    Tell(pb::Document),
    /// Tells nothing until somebody asked to pause.
    UntilPaused,
    /// Breaks off.
    Break(Status),
    /// Stays open and says nothing more.
    Hold,
}

/// The fake: answers by call, watches in order, and a record of what was asked.
#[derive(Debug, Default)]
pub(super) struct Fake {
    answers: Mutex<HashMap<&'static str, VecDeque<Answer>>>,
    silences: Mutex<HashMap<&'static str, Duration>>,
    watches: Mutex<VecDeque<Vec<Scene>>>,
    asked: Mutex<Vec<String>>,
    paused: Arc<Notify>,
}

/// A document as it travels.
pub(super) fn wire<D: Document>(document: &D) -> pb::Document {
    pb::Document { schema: D::SCHEMA.to_owned(), json: serde_json::to_string(document).unwrap() }
}

/// A failure as it travels.
pub(super) fn refusal(failure: &Failure) -> Status {
    proto::wire::status_of(failure, Code::FailedPrecondition)
}

impl Fake {
    /// The answer to the next call of that name; the last one is given again and again.
    pub(super) fn answers<D: Document>(&self, call: &'static str, document: &D) {
        self.push(call, Ok(wire(document)));
    }

    pub(super) fn refuses(&self, call: &'static str, failure: &Failure) {
        self.push(call, Err(refusal(failure)));
    }

    pub(super) fn push(&self, call: &'static str, answer: Answer) {
        self.answers.lock().unwrap().entry(call).or_default().push_back(answer);
    }

    /// Answers to calls of that name come after a silence.
    pub(super) fn is_silent(&self, call: &'static str, silence: Duration) {
        self.silences.lock().unwrap().insert(call, silence);
    }

    pub(super) fn watched(&self, scenes: Vec<Scene>) {
        self.watches.lock().unwrap().push_back(scenes);
    }

    /// What was asked, in order.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Whether a call of that name was made.
    pub(super) fn was_asked(&self, call: &str) -> bool {
        self.asked().iter().any(|asked| asked.starts_with(&format!("{call} ")))
    }

    /// Serves at the other end of a channel.
    pub(super) fn channel(self: &Arc<Self>) -> Channel {
        let (channel, incoming) = proto::transport::in_process();
        let service = proto::transport::coordinator_server(Server(Arc::clone(self)));
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(async move { server.serve_with_incoming(incoming).await });
        channel
    }

    /// Serves on a port of this machine and gives its address.
    pub(super) async fn listen(self: &Arc<Self>) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        let service = proto::transport::coordinator_server(Server(Arc::clone(self))).for_this_machine();
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(async move { server.serve_with_incoming(incoming).await });
        address
    }

    async fn answer(
        &self,
        call: &'static str,
        request: &(impl Debug + Sync),
    ) -> Result<Response<pb::Document>, Status> {
        self.asked.lock().unwrap().push(format!("{call} {request:?}"));
        let silence = self.silences.lock().unwrap().get(call).copied();
        if let Some(silence) = silence {
            sleep(silence).await;
        }
        let mut answers = self.answers.lock().unwrap();
        let queue = answers.get_mut(call).ok_or_else(|| Status::internal(format!("no answer to {call}")))?;
        let answer = if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() };
        answer.unwrap().map(Response::new)
    }
}

struct Server(Arc<Fake>);

macro_rules! service {
    ($($name:ident($request:ident);)*) => {
        #[tonic::async_trait]
        impl Coordinator for Server {
            $(
                async fn $name(&self, request: Request<pb::$request>) -> Result<Response<pb::Document>, Status> {
                    self.0.answer(stringify!($name), request.get_ref()).await
                }
            )*

            async fn pause(&self, request: Request<pb::PauseRequest>) -> Result<Response<pb::Document>, Status> {
                let answer = self.0.answer("pause", request.get_ref()).await;
                self.0.paused.notify_one();
                answer
            }

            async fn enrol(&self, _: Request<pb::EnrolRequest>) -> Result<Response<pb::EnrolReply>, Status> {
                Err(Status::internal("no answer to enrol"))
            }

            async fn renew_certificate(
                &self,
                _: Request<pb::RenewCertificateRequest>,
            ) -> Result<Response<pb::EnrolReply>, Status> {
                Err(Status::internal("no answer to renew_certificate"))
            }

            type WatchRolloutStream = BoxStream<'static, Answer>;

            async fn watch_rollout(
                &self,
                request: Request<pb::WatchRolloutRequest>,
            ) -> Result<Response<Self::WatchRolloutStream>, Status> {
                self.0.asked.lock().unwrap().push(format!("watch_rollout {:?}", request.get_ref()));
                let scenes = self.0.watches.lock().unwrap().pop_front();
                let scenes = scenes.ok_or_else(|| Status::unavailable("nobody is there"))?;
                let paused = Arc::clone(&self.0.paused);
                Ok(Response::new(stream::iter(scenes).filter_map(move |scene| play(scene, Arc::clone(&paused))).boxed()))
            }

            type WatchStream = BoxStream<'static, Answer>;

            async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
                self.0.asked.lock().unwrap().push(format!("watch {:?}", request.get_ref()));
                let scenes = self.0.watches.lock().unwrap().pop_front();
                let scenes = scenes.ok_or_else(|| Status::unavailable("nobody is there"))?;
                let paused = Arc::clone(&self.0.paused);
                Ok(Response::new(stream::iter(scenes).filter_map(move |scene| play(scene, Arc::clone(&paused))).boxed()))
            }
        }
    };
}

service! {
    status(StatusRequest);
    paths(PathsRequest);
    add_package(AddPackageRequest);
    list_packages(ListPackagesRequest);
    show_package(ShowPackageRequest);
    remove_package(RemovePackageRequest);
    check(CheckRequest);
    plan(PlanRequest);
    start(StartRequest);
    runs(RunsRequest);
    show(ShowRequest);
    report(ReportRequest);
    resume(ResumeRequest);
    abort(AbortRequest);
    retry(RetryRequest);
    take_over_cluster(TakeOverClusterRequest);
    why(WhyRequest);
    check_rollout(RolloutFileRequest);
    apply_rollout(RolloutFileRequest);
    rollouts(RolloutsRequest);
    show_rollout(RolloutRequest);
    ask_rollout(AskRolloutRequest);
    halt_fleet(HaltFleetRequest);
    inventory(InventoryRequest);
    assign_agent(AssignAgentRequest);
    leader(LeaderRequest);
    export_run(ExportRunRequest);
    prune_runs(PruneRunsRequest);
    create_token(CreateTokenRequest);
    enrolments(EnrolmentsRequest);
    decide_enrolment(DecideEnrolmentRequest);
}

async fn play(scene: Scene, paused: Arc<Notify>) -> Option<Answer> {
    match scene {
        Scene::Tell(document) => Some(Ok(document)),
        Scene::Break(status) => Some(Err(status)),
        Scene::UntilPaused => {
            paused.notified().await;
            None
        }
        Scene::Hold => std::future::pending().await,
    }
}
