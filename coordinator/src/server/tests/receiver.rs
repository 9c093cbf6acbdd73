//! Somebody who is told of news over HTTP.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// What somebody was told: the headers, and the body as text.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

#[derive(Clone, Debug)]
struct Ear {
    /// What is answered, in this order; then 200.
    answers: Arc<Mutex<VecDeque<u16>>>,
    heard: watch::Sender<Vec<Heard>>,
}

/// A receiver on this machine.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) at: SocketAddr,
    heard: watch::Receiver<Vec<Heard>>,
    _serving: AbortOnDropHandle<()>,
}

impl Listener {
    /// Answers with these codes in their order, then with 200.
    pub(super) async fn start(answers: &[u16]) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = socket.local_addr().unwrap();
        let (sender, heard) = watch::channel(Vec::new());
        let ear = Ear { answers: Arc::new(Mutex::new(answers.to_vec().into())), heard: sender };
        let router = Router::new().route("/hook", post(hear)).with_state(ear);
        let serving = tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
        Self { at, heard, _serving: AbortOnDropHandle::new(serving) }
    }

    /// Its table in the configuration.
    pub(super) fn table(&self) -> String {
        format!("[[notify]]\nwebhook = \"http://{}/hook\"\n", self.at)
    }

    /// Everything heard so far.
    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.borrow().clone()
    }

    /// Waits until so much was heard.
    pub(super) async fn hears(&mut self, count: usize) -> Vec<Heard> {
        self.heard.wait_for(|heard| heard.len() >= count).await.unwrap().clone()
    }
}

async fn hear(State(ear): State<Ear>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let body = String::from_utf8(body.to_vec()).unwrap();
    ear.heard.send_modify(|heard| heard.push(Heard { headers, body }));
    let answer = ear.answers.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(answer).unwrap()
}
