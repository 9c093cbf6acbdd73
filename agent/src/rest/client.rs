//! Asking: `GET` only, each question with an end, redirects followed by our own rules.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::header::{ACCEPT, LOCATION};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::password::{self, Password};
use super::redirect::{MOST_HOPS, follow, is_redirect};
use super::{RestError, trust};
use crate::config::Rest;
use crate::host::with_causes;

/// One question with all its redirects, and reading the credential's files.
const DEADLINE: Duration = Duration::from_secs(10);
/// The most bytes of an answer: half of one is none.
const LONGEST: usize = 16 << 20;

/// What one look asks the REST API with. The files of the credential are read when the first question is asked.
#[derive(Debug)]
pub struct Session<'a> {
    rest: &'a Rest,
    opened: OnceCell<Result<Opened, RestError>>,
}

#[derive(Debug)]
struct Opened {
    client: Client,
    password: Password,
}

impl<'a> Session<'a> {
    /// A session in which nothing was asked yet.
    pub fn new(rest: &'a Rest) -> Self {
        Self { rest, opened: OnceCell::new() }
    }

    /// The JSON that a path answers with. `nodes` are the addresses of the cluster's nodes: redirects lead to them only.
    ///
    /// # Errors
    /// [`RestError`]. None of them holds the password.
    pub async fn get(&self, path: &str, nodes: &[&str]) -> Result<Value, RestError> {
        let opened =
            self.opened.get_or_init(|| open(self.rest.clone())).await.as_ref().map_err(Clone::clone)?;
        let answered = tokio::time::timeout(DEADLINE, self.ask(opened, path, nodes)).await;
        answered.unwrap_or_else(|_| Err(no_answer(path, format!("it took longer than {DEADLINE:?}"))))
    }

    async fn ask(&self, opened: &Opened, path: &str, nodes: &[&str]) -> Result<Value, RestError> {
        let home = &self.rest.url;
        let mut url = home.join(path).map_err(|error| no_answer(path, error.to_string()))?;
        for _ in 0..=MOST_HOPS {
            let response = self.send(opened, &url, path).await?;
            if !is_redirect(response.status()) {
                return read(response, path).await;
            }
            url = follow(home, &url, location(&response).unwrap_or_default(), nodes)?;
        }
        let to = url.host_str().unwrap_or_default().to_owned();
        Err(RestError::Redirect { path: path.to_owned(), to, reason: "and so on without an end" })
    }

    async fn send(&self, opened: &Opened, url: &Url, path: &str) -> Result<Response, RestError> {
        let request = opened.client.get(url.clone()).header(ACCEPT, "application/json");
        let sent = request.basic_auth(&self.rest.user, Some(&opened.password.0)).send().await;
        sent.map_err(|error| no_answer(path, with_causes(&error.without_url())))
    }
}

fn location(response: &Response) -> Option<&str> {
    response.headers().get(LOCATION)?.to_str().ok()
}

fn no_answer(path: &str, reason: String) -> RestError {
    RestError::NoAnswer { path: path.to_owned(), reason }
}

/// Reads the credential and makes a client of it. A file system that does not answer must not hold the look.
async fn open(rest: Rest) -> Result<Opened, RestError> {
    let file = rest.password_file.clone();
    let reading = tokio::task::spawn_blocking(move || {
        Ok(Opened { password: password::read(&rest.password_file)?, client: client(&rest)? })
    });
    let late = |reason| RestError::Password { file, reason };
    match tokio::time::timeout(DEADLINE, reading).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(_)) => Err(late("reading it was broken off".to_owned())),
        Err(_) => Err(late(format!("its file system did not answer within {DEADLINE:?}"))),
    }
}

fn client(rest: &Rest) -> Result<Client, RestError> {
    // `localhost` is this machine, whatever a name server says; a proxy is not.
    let loopback = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none());
    let client = client.resolve_to_addrs("localhost", &loopback);
    let client = match (rest.url.scheme(), &rest.certificate) {
        ("https", Some(file)) => client.tls_backend_preconfigured(trust::tls(file)?),
        ("https", None) => return Err(RestError::NoCertificate),
        _ => client.tls_backend_preconfigured(trust::nobody().map_err(|reason| no_answer("/", reason))?),
    };
    client.build().map_err(|error| no_answer("/", with_causes(&error)))
}

async fn read(response: Response, path: &str) -> Result<Value, RestError> {
    let status = response.status();
    let (path, code) = (path.to_owned(), status.as_u16());
    match status {
        StatusCode::OK => parse(&body(response, &path).await?, path),
        StatusCode::UNAUTHORIZED => {
            let reason =
                "user or password is wrong; correct `user` and `password_file` in [rest] of agent.toml";
            Err(RestError::Denied { path, status: code, reason })
        }
        StatusCode::FORBIDDEN => {
            let reason = "the user may not read it; give it the role cluster_viewer";
            Err(RestError::Denied { path, status: code, reason })
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            Err(RestError::Unsupported { path, status: code })
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            let reason = ": the node is in no cluster, or does not respond";
            Err(RestError::Status { path, status: code, reason })
        }
        _ => Err(RestError::Status { path, status: code, reason: "" }),
    }
}

fn parse(bytes: &[u8], path: String) -> Result<Value, RestError> {
    serde_json::from_slice(bytes)
        .map_err(|error| RestError::Unreadable { path, reason: format!("it is no JSON: {error}") })
}

async fn body(mut response: Response, path: &str) -> Result<Vec<u8>, RestError> {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > LONGEST => {
                let reason = format!("it has more than {LONGEST} bytes");
                return Err(RestError::Unreadable { path: path.to_owned(), reason });
            }
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Ok(bytes),
            Err(error) => return Err(no_answer(path, with_causes(&error.without_url()))),
        }
    }
}
