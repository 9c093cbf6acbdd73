//! Nodes that are machines of their own listen to each other: one datagram to everybody, many times a second.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use crate::roots::Marker;

const PORT: u16 = 19_998;
const BEAT: Duration = Duration::from_millis(50);
/// After so long a silence a node is no longer heard.
const SILENCE: Duration = Duration::from_millis(800);

/// Speaks to the other nodes; gives the set of those that are heard, at first and whenever it changes. Says nothing where
/// all nodes share a machine.
pub(super) async fn listen(marker: &Marker) -> io::Result<mpsc::UnboundedReceiver<BTreeSet<u32>>> {
    let (heard, changes) = mpsc::unbounded_channel();
    if let Some(address) = marker.network.get(&marker.uid) {
        let socket = Arc::new(UdpSocket::bind((address.as_str(), PORT)).await?);
        let mut others = marker.network.clone();
        others.remove(&marker.uid);
        tokio::spawn(speak(Arc::clone(&socket), marker.uid, others.clone()));
        tokio::spawn(hear(socket, others.into_keys().collect(), heard));
    } else {
        // Kept open: a closed channel would look like an endless stream of news.
        tokio::spawn(async move { heard.closed().await });
    }
    Ok(changes)
}

async fn speak(socket: Arc<UdpSocket>, uid: u32, others: BTreeMap<u32, String>) {
    let mut beats = tokio::time::interval(BEAT);
    loop {
        beats.tick().await;
        for address in others.values() {
            // A network that refuses is as silent as one that loses.
            let _ = socket.send_to(&uid.to_be_bytes(), (address.as_str(), PORT)).await;
        }
    }
}

/// Everybody is taken to be heard at first: a node that has just started has not yet been silent.
async fn hear(socket: Arc<UdpSocket>, others: BTreeSet<u32>, heard: mpsc::UnboundedSender<BTreeSet<u32>>) {
    let mut last: BTreeMap<u32, Instant> = others.iter().map(|uid| (*uid, Instant::now())).collect();
    let mut told = None;
    let mut beats = tokio::time::interval(BEAT);
    loop {
        let mut said = [0; 4];
        tokio::select! {
            _ = beats.tick() => {}
            received = socket.recv_from(&mut said) => {
                if received.is_ok() && others.contains(&u32::from_be_bytes(said)) {
                    last.insert(u32::from_be_bytes(said), Instant::now());
                }
            }
        }
        let now: BTreeSet<u32> =
            last.iter().filter(|(_, at)| at.elapsed() < SILENCE).map(|(uid, _)| *uid).collect();
        if told.as_ref() != Some(&now) {
            if heard.send(now.clone()).is_err() {
                return;
            }
            told = Some(now);
        }
    }
}
