//! A flood of connections that say nothing, or nothing good: those who have business there do not notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream};

use super::super::keyring::Keyring;
use super::raw::{Fate, call, called, client, failure, serve_all};
use super::stand::Authority;
use crate::transport::{Door, Limits, Tls};

const OBSERVE: &str = "/ratchet.v1.Agent/Observe";
const STATUS: &str = "/ratchet.v1.Coordinator/Status";
const ENROL: &str = "/ratchet.v1.Coordinator/Enrol";
const PATIENCE: Duration = Duration::from_secs(60);

fn ops() -> Fate {
    Fate::Reached("spiffe://prod/coordinator/ops-1".to_owned())
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it takes too long")
}

/// An agent's port with few places, and what its coordinator shows.
async fn port(dir: &std::path::Path, limits: Limits) -> (u16, Tls) {
    let authority = Authority::new();
    let agent = authority.issue(dir, "agent/db-1", &["localhost"]);
    let port = serve_all(Some(Keyring::of(&agent).unwrap()), Door::Agent, limits).await;
    (port, authority.issue(dir, "coordinator/ops-1", &["localhost"]))
}

/// From an address of this machine's own that nobody else in the test uses.
async fn from(last: u8, port: u16) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, last], 0).into())?;
    socket.connect(([127, 0, 0, 1], port).into()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_connections_hold_nobody_up() {
    const FLOOD: usize = 400;
    let dir = tempfile::tempdir().unwrap();
    let (port, ops_files) = port(dir.path(), Limits { greetings: 32, ..Limits::AGENT }).await;
    let running = client(port, &ops_files, Some(&ops_files));
    assert_eq!(call(running.clone(), OBSERVE).await, ops());
    let mut flood = Vec::new();
    for number in 0..FLOOD {
        flood.push(in_time(from(66, port)).await.unwrap());
        if number % 50 == 0 {
            assert_eq!(in_time(call(running.clone(), OBSERVE)).await, ops());
            let new = client(port, &ops_files, Some(&ops_files));
            assert_eq!(in_time(call(new, OBSERVE)).await, ops(), "after {number}");
        }
    }
    // All but the last few are closed, long before their time is over.
    let closed = async {
        for stream in &mut flood[..FLOOD - 64] {
            let mut byte = [0];
            assert!(matches!(stream.read(&mut byte).await, Ok(0) | Err(_)));
        }
    };
    in_time(closed).await;
}

/// The same while the flood goes on, from the very address of those who have business there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_does_a_flood_from_the_same_address_that_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (port, ops_files) = port(dir.path(), Limits { greetings: 32, ..Limits::AGENT }).await;
    let running = client(port, &ops_files, Some(&ops_files));
    assert_eq!(call(running.clone(), OBSERVE).await, ops());
    let (over, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let flooding = {
        let (over, made) = (Arc::clone(&over), Arc::clone(&made));
        tokio::spawn(async move {
            let mut kept = std::collections::VecDeque::new();
            while !over.load(Ordering::SeqCst) {
                if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await {
                    kept.push_back(stream);
                    made.fetch_add(1, Ordering::SeqCst);
                }
                if kept.len() > 200 {
                    kept.pop_front();
                }
            }
        })
    };
    while made.load(Ordering::SeqCst) < 100 {
        tokio::task::yield_now().await;
    }
    for _ in 0..50 {
        assert_eq!(in_time(call(running.clone(), OBSERVE)).await, ops());
    }
    let new = client(port, &ops_files, Some(&ops_files));
    over.store(true, Ordering::SeqCst);
    flooding.await.unwrap();
    assert_eq!(in_time(call(new, OBSERVE)).await, ops());
}

/// Those without a certificate have few places, and take none from those with one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_certificate_takes_no_place_of_others() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let coordinator = authority.issue(dir.path(), "coordinator/ops-1", &["localhost"]);
    let ann = authority.issue(dir.path(), "operator/ann", &[]);
    let limits = Limits { connections: 4, ..Limits::COORDINATOR };
    let port = serve_all(Some(Keyring::of(&coordinator).unwrap()), Door::Coordinator, limits).await;
    let mut nobodies = Vec::new();
    for _ in 0..100 {
        let nobody = client(port, &coordinator, None);
        assert!(matches!(in_time(call(nobody.clone(), ENROL)).await, Fate::Reached(_)));
        nobodies.push(nobody);
    }
    let known = client(port, &coordinator, Some(&ann));
    assert!(matches!(in_time(call(known, STATUS)).await, Fate::Reached(_)));
}

#[tokio::test]
async fn one_address_does_not_take_all_places() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { connections_per_address: 3, ..Limits::AGENT };
    let (port, ops_files) = port(dir.path(), limits).await;
    let mut kept = Vec::new();
    for _ in 0..3 {
        let channel = client(port, &ops_files, Some(&ops_files));
        assert_eq!(call(channel.clone(), OBSERVE).await, ops());
        kept.push(channel);
    }
    let one_more = client(port, &ops_files, Some(&ops_files));
    assert_eq!(call(one_more.clone(), OBSERVE).await, Fate::Cut);
    kept.pop();
    let let_in = async {
        while call(one_more.clone(), OBSERVE).await != ops() {
            tokio::task::yield_now().await;
        }
    };
    in_time(let_in).await;
}

#[tokio::test]
async fn too_many_requests_are_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { requests_per_second: 5, ..Limits::AGENT };
    let (port, ops_files) = port(dir.path(), limits).await;
    let channel = client(port, &ops_files, Some(&ops_files));
    let refused = async {
        loop {
            let status = called(channel.clone(), OBSERVE, Default::default()).await;
            if status.code() == tonic::Code::ResourceExhausted {
                return failure(status);
            }
        }
    };
    let failure = in_time(refused).await;
    assert_eq!((failure.id.as_str(), failure.kind), ("too-many-requests", crate::FailureKind::Retry));
    assert!(failure.remedy.unwrap().contains("requests_per_second"));
}
