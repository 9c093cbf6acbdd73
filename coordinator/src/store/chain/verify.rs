//! Whether a journal is what was written, by its chain.

use jiff::Timestamp;
use proto::Sha256;

use super::{Owner, StoredEvent};

/// The last event of a chain. Whoever keeps it elsewhere can tell later whether the journal still leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The event's number.
    pub seq: u64,
    /// Its digest, which covers all before it.
    pub digest: Sha256,
}

/// What a journal that fits together proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// How many events there are.
    pub events: u64,
    /// How many of them, from the first on, are in no chain: they were written before journals were chained.
    pub unchained: u64,
    /// The end of the chain; `None` if no event is in it.
    pub head: Option<Head>,
    /// What is odd and proves nothing.
    pub remarks: Vec<String>,
}

/// The first event that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {seq}: {why}")]
pub struct Misfit {
    /// Its number.
    pub seq: u64,
    /// What is wrong with it.
    pub why: String,
}

/// Follows the chain from the first event to the last.
///
/// # Errors
/// The first event that does not fit.
pub fn verify(owner: Owner<'_>, events: &[StoredEvent]) -> Result<Proof, Misfit> {
    let mut proof = Proof { events: 0, unchained: 0, head: None, remarks: Vec::new() };
    let mut last: Option<(&StoredEvent, Timestamp)> = None;
    for event in events {
        in_order(&proof, event)?;
        let at = readable(event)?;
        if let Some((before, earlier)) = last {
            after(before, event)?;
            if at < earlier {
                let seq = event.seq;
                proof
                    .remarks
                    .push(format!("event {seq} is dated before event {}: the clock was set back", seq - 1));
            }
        }
        follow(owner, &mut proof, event)?;
        proof.events += 1;
        last = Some((event, at));
    }
    match proof.events {
        0 => Err(Misfit { seq: 1, why: "it is not there: the journal is empty".to_owned() }),
        _ => Ok(proof),
    }
}

fn in_order(proof: &Proof, event: &StoredEvent) -> Result<(), Misfit> {
    let due = proof.events + 1;
    match event.seq {
        seq if seq == due => Ok(()),
        seq if seq > due => Err(Misfit { seq: due, why: format!("it is not there; event {seq} is next") }),
        seq => Err(Misfit { seq, why: format!("it is out of order: event {due} was due") }),
    }
}

/// What the chain does not cover, or what it would not mean anything without.
fn readable(event: &StoredEvent) -> Result<Timestamp, Misfit> {
    let misfit = |why: String| Misfit { seq: event.seq, why };
    let at = event.at.parse().map_err(|error| misfit(format!("`{}` is no moment: {error}", event.at)))?;
    let says =
        kind_of(&event.body).ok_or_else(|| misfit("its body cannot be read: it is no event".to_owned()))?;
    match event.kind.as_deref() {
        Some(kind) if kind != says => Err(misfit(format!("it is filed as `{kind}`, and says `{says}`"))),
        _ => Ok(at),
    }
}

/// An event is a word, or an object whose only key is one.
fn kind_of(body: &str) -> Option<String> {
    match serde_json::from_str(body).ok()? {
        serde_json::Value::String(kind) => Some(kind),
        serde_json::Value::Object(members) if members.len() == 1 => {
            members.into_iter().next().map(|(kind, _)| kind)
        }
        _ => None,
    }
}

fn after(before: &StoredEvent, event: &StoredEvent) -> Result<(), Misfit> {
    if event.epoch < before.epoch {
        let why = format!("its epoch is {}, and that of the event before is {}", event.epoch, before.epoch);
        return Err(Misfit { seq: event.seq, why });
    }
    Ok(())
}

fn follow(owner: Owner<'_>, proof: &mut Proof, event: &StoredEvent) -> Result<(), Misfit> {
    let misfit = |why: String| Misfit { seq: event.seq, why };
    if event.chain.is_empty() {
        if proof.head.is_some() {
            return Err(misfit("it is in no chain, and events before it are".to_owned()));
        }
        proof.unchained += 1;
        return Ok(());
    }
    let digest = owner.link(proof.head.map(|head| head.digest), event);
    // As text: what is kept must be the very digest, not one that means the same.
    if digest.to_string() != event.chain {
        let why = format!(
            "it or its place in the chain was changed: its digest is {digest}, and the journal keeps `{}`",
            event.chain
        );
        return Err(misfit(why));
    }
    proof.head = Some(Head { seq: event.seq, digest });
    Ok(())
}
