//! Answers that are lost on their way: what was done is found, and not done again.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

use super::postgres::Database;
use super::*;

/// Stands between a store and its server, and loses answers.
struct Between {
    port: u16,
    loses: Arc<AtomicBool>,
}

impl Between {
    async fn start(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (port, loses) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let lost = Arc::clone(&loses);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                tokio::spawn(carry(client, server, Arc::clone(&lost)));
            }
        });
        Self { port, loses }
    }

    /// The next answer of the server is lost, with the connection that it came on.
    fn lose_one(&self) {
        self.loses.store(true, Ordering::SeqCst);
    }

    fn has_lost(&self) -> bool {
        !self.loses.load(Ordering::SeqCst)
    }
}

async fn carry(client: TcpStream, server: TcpStream, loses: Arc<AtomicBool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let asking = tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
        if loses.swap(false, Ordering::SeqCst) || to_client.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    asking.abort();
}

/// Each call twice: the first time its statement is prepared, so that the second is one question and one answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_is_found_although_its_answer_was_lost() {
    if !pg::available("what_was_done_is_found_although_its_answer_was_lost") {
        return;
    }
    let server = pg::Server::start().await.unwrap();
    let mut database = Database::of(&server, "fleet");
    let between = Between::start(server.port()).await;
    database.url = database.url.replace(&server.port().to_string(), &between.port.to_string());
    let store = database.store().await;
    let july: RolloutName = "july".parse().unwrap();
    let lead = store.lead("alice", None, Acquire::IfFree).await.unwrap();
    for (round, name) in (1..).zip(["warm", "lost"]) {
        let lose = async || {
            if name == "lost" {
                between.lose_one()
            }
        };
        let lost = |what| assert!(between.has_lost(), "{what} was answered");
        lose().await;
        let lease = store.acquire(&cluster(name), "alice", Acquire::IfFree).await.unwrap();
        lost("acquire");
        assert_eq!(lease.epoch, Epoch(1));
        lose().await;
        store.create(&lease, &run(name), at(), &event(1)).await.unwrap();
        lost("create");
        lose().await;
        store.append(&lease, &run(name), 2, at(), &event(2)).await.unwrap();
        lost("append");
        assert_eq!(store.journal(&run(name), 1).await.unwrap().len(), 2);
        lose().await;
        store.ask(&run(name), &Request::Pause, "bob", at()).await.unwrap();
        lost("ask");
        assert_eq!(store.requests(&run(name), 0).await.unwrap().len(), 1);
        lose().await;
        assert!(store.put_new(Shelf::Notice, name, "body").await.unwrap(), "it was us");
        lost("put_new");
        lose().await;
        store.append_rollout(&lead, &july, round, at(), &rollout::Event::Paused).await.unwrap();
        lost("append_rollout");
        assert_eq!(store.rollout_journal(&july, 1).await.unwrap().len() as u64, round);
    }
}
