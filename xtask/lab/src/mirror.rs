//! A package mirror on the lab's bridge that can keep a node waiting in the middle of a download.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path as Name, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Serves the files of a directory. Ends when dropped.
#[derive(Debug)]
pub struct Mirror {
    address: SocketAddr,
    doors: Arc<Doors>,
    server: AbortHandle,
}

/// Who is to wait, and who does.
#[derive(Debug)]
struct Doors {
    directory: PathBuf,
    shut: watch::Sender<BTreeSet<IpAddr>>,
    waiting: watch::Sender<BTreeSet<IpAddr>>,
}

impl Mirror {
    pub(crate) async fn start(directory: &Path, address: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((address, 0)).await?;
        let address = listener.local_addr()?;
        let doors = Arc::new(Doors {
            directory: directory.to_owned(),
            shut: watch::Sender::default(),
            waiting: watch::Sender::default(),
        });
        let files = axum::Router::new()
            .route("/{name}", axum::routing::get(serve))
            .with_state(Arc::clone(&doors))
            .into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move { axum::serve(listener, files).await });
        Ok(Self { address, doors, server: server.abort_handle() })
    }

    /// Where a file is served.
    pub fn url(&self, file: &str) -> String {
        format!("http://{}/{file}", self.address)
    }

    /// From now on an address gets only the first half of what it asks for.
    pub(crate) fn shut(&self, address: IpAddr) {
        self.doors.shut.send_modify(|shut| _ = shut.insert(address));
    }

    /// It gets the rest, and everything else.
    pub(crate) fn open(&self, address: IpAddr) {
        self.doors.shut.send_modify(|shut| _ = shut.remove(&address));
    }

    /// Waits until an address has got its half.
    pub(crate) async fn keeps_waiting(&self, address: IpAddr) {
        let mut waiting = self.doors.waiting.subscribe();
        // The sender lives as long as this does.
        let _waits = waiting.wait_for(|all| all.contains(&address)).await.is_ok();
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(
    State(doors): State<Arc<Doors>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Name(name): Name<String>,
    headers: HeaderMap,
) -> Response {
    let Ok(all) = tokio::fs::read(doors.directory.join(&name)).await.map(Bytes::from) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let asked = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let from = asked.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let (status, from) = match from {
        Some(from) if from < all.len() => (StatusCode::PARTIAL_CONTENT, from),
        Some(_) => return StatusCode::RANGE_NOT_SATISFIABLE.into_response(),
        None => (StatusCode::OK, 0),
    };
    let (rest, whole) = (all.slice(from..), all.len());
    let size = rest.len();
    let range = format!("bytes {from}-{}/{whole}", whole - 1);
    let halves = [rest.slice(..size / 2), rest.slice(size / 2..)];
    let parts = futures::stream::iter(halves.into_iter().enumerate()).then(move |(half, bytes)| {
        let (doors, peer) = (Arc::clone(&doors), peer.ip());
        async move {
            if half == 1 {
                doors.pass(peer).await;
            }
            Ok::<Bytes, io::Error>(bytes)
        }
    });
    let headers = [(header::CONTENT_LENGTH, size.to_string()), (header::CONTENT_RANGE, range)];
    (status, headers, Body::from_stream(parts)).into_response()
}

impl Doors {
    async fn pass(&self, peer: IpAddr) {
        if !self.shut.borrow().contains(&peer) {
            return;
        }
        self.waiting.send_modify(|all| _ = all.insert(peer));
        let mut shut = self.shut.subscribe();
        // The sender lives as long as this does.
        let _opened = shut.wait_for(|shut| !shut.contains(&peer)).await.is_ok();
        self.waiting.send_modify(|all| _ = all.remove(&peer));
    }
}
