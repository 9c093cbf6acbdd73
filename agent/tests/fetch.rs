//! Fetching from sources that cut, lie and vanish (promises P7, P10).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use common::*;
use proto::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a server does, and what it was asked for.
#[derive(Clone)]
struct Server {
    bytes: Vec<u8>,
    /// Sends no more than this and then breaks the connection, once.
    cut_after: Arc<Mutex<Option<usize>>>,
    ranges: bool,
    asked: Arc<Mutex<Vec<Option<String>>>>,
}

impl Server {
    fn new(bytes: Vec<u8>, cut_after: Option<usize>, ranges: bool) -> Self {
        Self { bytes, cut_after: Arc::new(Mutex::new(cut_after)), ranges, asked: Arc::default() }
    }

    async fn start(&self) -> String {
        let bind = || TcpListener::bind("127.0.0.1:0");
        let (front, back) = (bind().await.unwrap(), bind().await.unwrap());
        let url = format!("http://{}/package.tar", front.local_addr().unwrap());
        let (behind, cut_after) = (back.local_addr().unwrap(), Arc::clone(&self.cut_after));
        let app = axum::Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(back, app).await });
        tokio::spawn(async move {
            while let Ok((client, _)) = front.accept().await {
                let server = TcpStream::connect(behind).await.unwrap();
                let cut_after = cut_after.lock().unwrap().take();
                tokio::spawn(relay(client, server, cut_after));
            }
        });
        url
    }

    fn asked(&self) -> Vec<Option<String>> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(server): State<Server>, headers: HeaderMap) -> Response {
    let range = headers.get(header::RANGE).map(|value| value.to_str().unwrap().to_owned());
    server.asked.lock().unwrap().push(range.clone());
    let start: usize = match range.filter(|_| server.ranges) {
        Some(range) => range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap(),
        None => 0,
    };
    let total = server.bytes.len();
    let rest = server.bytes[start..].to_vec();
    let mut response =
        Response::builder().header(header::ETAG, "\"v1\"").header(header::CONTENT_LENGTH, rest.len());
    if start > 0 {
        response = response
            .status(StatusCode::PARTIAL_CONTENT)
            .header(header::CONTENT_RANGE, format!("bytes {start}-{}/{total}", total - 1));
    }
    response.body(Body::from(rest)).unwrap()
}

/// Passes a connection on to the server; with a length, no more than so many bytes of the answer's body.
async fn relay(mut client: TcpStream, mut server: TcpStream, cut_after: Option<usize>) -> io::Result<()> {
    let Some(length) = cut_after else {
        return tokio::io::copy_bidirectional(&mut client, &mut server).await.map(drop);
    };
    let ((mut asks, mut hears), (mut answers, mut asked)) = (client.split(), server.split());
    let part_of_the_answer = async {
        let mut answer = Vec::new();
        let begin = loop {
            answers.read_buf(&mut answer).await?;
            if let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
        };
        while answer.len() < begin + length {
            answers.read_buf(&mut answer).await?;
        }
        hears.write_all(&answer[..begin + length]).await
    };
    tokio::select! {
        passed = part_of_the_answer => passed,
        ended = tokio::io::copy(&mut asks, &mut asked) => ended.map(drop),
    }
}

fn fetch(package: &Package, sources: &[&str]) -> StepSpec {
    let sources = sources.iter().map(|&source| source.to_owned()).collect();
    StepSpec::Fetch { package: Package { sources, ..package.clone() }, rate_limit: None }
}

fn bytes_of(package: &Package) -> Vec<u8> {
    fs::read(package.sources[0].trim_start_matches("file://")).unwrap()
}

async fn claimed(place: &Place) -> (Agent, Driver) {
    let agent = Agent::start(place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    (agent, driver)
}

/// A package of some 200 kB that does not compress into one read.
fn large(place: &Place) -> Package {
    place.package(&(0..20_000).map(|line| format!("# {line:08}\n")).collect::<String>())
}

#[tokio::test]
async fn a_cut_download_goes_on_where_it_was_cut() {
    let place = Place::new();
    let package = large(&place);
    let bytes = bytes_of(&package);
    let server = Server::new(bytes.clone(), Some(100_000), true);
    let url = server.start().await;
    let (_agent, mut driver) = claimed(&place).await;
    let spec = fetch(&package, &[&url]);
    let events = driver.all("fetch", &spec).await;
    assert!(events.iter().any(|event| matches!(event.what, StepProgress::Retry { .. })));
    let report = completed(driver.outcome("fetch", &spec).await);
    assert_eq!(report, StepReport::Fetch { size: bytes.len() as u64, source: url });
    assert_eq!(server.asked(), [None, Some("bytes=100000-".to_owned())]);
    assert_eq!(fs::read(place.path(&format!("state/packages/{}.archive", package.sha256))).unwrap(), bytes);
    assert_eq!(driver.observe().await.packages.len(), 1);

    // Another step for the same package asks nobody.
    let again = completed(driver.outcome("fetch-again", &spec).await);
    assert_eq!(again, StepReport::Fetch { size: bytes.len() as u64, source: String::new() });
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_server_without_ranges_is_begun_again() {
    let place = Place::new();
    let package = large(&place);
    let server = Server::new(bytes_of(&package), Some(100_000), false);
    let url = server.start().await;
    let (_agent, mut driver) = claimed(&place).await;
    completed(driver.outcome("fetch", &fetch(&package, &[&url])).await);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn bytes_that_changed_behind_the_kept_ones_are_noticed_and_all_fetched_again() {
    let place = Place::new();
    let package = large(&place);
    let server = Server::new(bytes_of(&package), None, true);
    let url = server.start().await;
    let (_agent, mut driver) = claimed(&place).await;
    let part = place.path(&format!("state/packages/{}.part", package.sha256));
    fs::write(&part, vec![b'?'; 1000]).unwrap();
    let note = format!(r#"{{"source":"{url}","etag":"\"v1\"","total":{}}}"#, package.size.unwrap());
    fs::write(part.with_extension("part.json"), note).unwrap();
    completed(driver.outcome("fetch", &fetch(&package, &[&url])).await);
    assert_eq!(server.asked(), [Some("bytes=1000-".to_owned()), None]);
}

#[tokio::test]
async fn wrong_bytes_are_never_kept_and_named_with_their_source() {
    let place = Place::new();
    let package = large(&place);
    let mut wrong = bytes_of(&package);
    wrong[5] ^= 1;
    let url = Server::new(wrong.clone(), None, true).start().await;
    let (_agent, mut driver) = claimed(&place).await;
    let failure = failed(driver.outcome("fetch", &fetch(&package, &[&url, "file:///no/such/file"])).await);
    assert_eq!(failure.id, "digest-mismatch");
    let text = failure.to_string();
    for wanted in [&url, &package.sha256.to_string(), &Sha256::of(&wrong).to_string()] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert_eq!(fs::read_dir(place.path("state/packages")).unwrap().count(), 0);
    let longer = Server::new([bytes_of(&package), vec![0]].concat(), None, true).start().await;
    let failure = failed(driver.outcome("fetch-2", &fetch(&package, &[&longer])).await);
    assert_eq!(failure.id, "digest-mismatch");
    assert_eq!(driver.observe().await.packages, []);
}

#[tokio::test]
async fn the_next_source_is_asked_when_one_has_nothing_or_lies() {
    let place = Place::new();
    let package = large(&place);
    let lies = Server::new(vec![0; 10], None, true).start().await;
    let sources = ["ftp://nowhere/x", "file:///no/such/file", &lies, &package.sources[0]];
    let (_agent, mut driver) = claimed(&place).await;
    let report = completed(driver.outcome("fetch", &fetch(&package, &sources)).await);
    assert!(matches!(report, StepReport::Fetch { source, .. } if source == package.sources[0]));
    let none = failed(
        driver
            .outcome(
                "fetch-2",
                &fetch(&Package { sha256: Sha256::of(b"x"), ..package.clone() }, &sources[..2]),
            )
            .await,
    );
    assert_eq!(none.id, "source-refused");
}

#[tokio::test]
async fn a_download_is_cancelled_while_it_waits() {
    let place = Place::new();
    let package = large(&place);
    let (_agent, mut driver) = claimed(&place).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let spec = fetch(&package, &[&format!("http://{nobody}/x")]);
    let mut events = driver.open("fetch", &spec, 1).await.unwrap();
    while !matches!(next(&mut events).await.unwrap().what, StepProgress::Retry { .. }) {}
    driver.cancel("fetch").await.unwrap();
    assert_eq!(driver.outcome("fetch", &spec).await, StepOutcome::Cancelled);
}
