//! How long turns took, from the journals of earlier runs. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::NodeUid;

use super::{Event, Record};

/// How long each turn of a run took that went through, from its passed gate to its witnesses. A turn that a person had to
/// help along, or that another driver took over, says nothing about the next one and is left out.
pub fn turn_durations(records: &[Record]) -> Vec<Duration> {
    let mut begun: BTreeMap<NodeUid, jiff::Timestamp> = BTreeMap::new();
    let mut durations = Vec::new();
    for record in records {
        match &record.event {
            Event::GatePassed { node, .. } => drop(begun.insert(*node, record.at)),
            Event::Witnessed { node, .. } => {
                let since = begun.remove(node).map(|begun| record.at.duration_since(begun));
                durations.extend(since.and_then(|since| Duration::try_from(since).ok()));
            }
            Event::Driving { .. } | Event::Requested { .. } | Event::Halted(_) => begun.clear(),
            _ => {}
        }
    }
    durations
}

/// The middle one; of an even number the upper middle, so that nobody is promised too little. `None` of none.
pub fn median(mut durations: Vec<Duration>) -> Option<Duration> {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use proto::{Epoch, NodeRole, Version};

    use super::*;

    fn at(second: i64, event: Event) -> Record {
        Record { seq: 1, epoch: Epoch(1), at: jiff::Timestamp::from_second(second).unwrap(), event }
    }

    fn passed(second: i64, node: u32) -> Record {
        let (node, master, from) = (NodeUid(node), NodeUid(1), Version::new(7, 4, 2, 54));
        let observed_at = jiff::Timestamp::from_second(second).unwrap();
        at(second, Event::GatePassed { hop: 0, node, from, role: NodeRole::Replica, master, observed_at })
    }

    fn witnessed(second: i64, node: u32) -> Record {
        at(second, Event::Witnessed { hop: 0, node: NodeUid(node), by: Vec::new(), master: NodeUid(1) })
    }

    #[test]
    fn turns_that_went_through_are_measured_and_others_are_not() {
        let records = [
            passed(0, 1),
            witnessed(60, 1),
            passed(70, 2),
            at(80, Event::Driving { holder: "another".to_owned() }),
            witnessed(9999, 2),
            passed(10_000, 3),
            passed(10_010, 3),
            witnessed(10_050, 3),
        ];
        let seconds: Vec<u64> = turn_durations(&records).iter().map(Duration::as_secs).collect();
        assert_eq!(seconds, [60, 40]);
    }

    #[test]
    fn the_median_of_nothing_is_nothing() {
        let seconds = |list: &[u64]| list.iter().copied().map(Duration::from_secs).collect::<Vec<_>>();
        assert_eq!(median(seconds(&[])), None);
        assert_eq!(median(seconds(&[9, 1, 5])), Some(Duration::from_secs(5)));
        assert_eq!(median(seconds(&[1, 9])), Some(Duration::from_secs(9)));
    }
}
