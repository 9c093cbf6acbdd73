//! Who made the packages, a line for each layer of each package, with the nodes that say so.

use proto::{Authenticity, LayerVerdict};

use super::style::{bad, bullet, caution, good};
use super::units::printable;
use crate::documents::RunNodeRow;

/// The lines, marked.
pub fn authenticity(nodes: &[RunNodeRow]) -> String {
    let line = |(layer, nodes): (&Authenticity, String)| {
        let mark = match layer.verdict {
            LayerVerdict::Verified => good("✓"),
            LayerVerdict::NotAsked => "·".to_owned(),
            LayerVerdict::NotChecked => caution("!"),
            LayerVerdict::Failed => bad("✗"),
        };
        bullet(&mark, &format!("{nodes}: {}", printable(&layer.to_string())))
    };
    by_layer(nodes).into_iter().map(line).collect()
}

/// What each layer says, and which nodes say so.
pub(super) fn by_layer(nodes: &[RunNodeRow]) -> Vec<(&Authenticity, String)> {
    let mut told: Vec<(&Authenticity, Vec<String>)> = Vec::new();
    for node in nodes {
        for layer in &node.authenticity {
            match told.iter_mut().find(|(known, _)| *known == layer) {
                Some((_, uids)) => uids.push(node.uid.to_string()),
                None => told.push((layer, vec![node.uid.to_string()])),
            }
        }
    }
    told.sort_by_key(|(layer, _)| layer.layer);
    let named = |uids: &[String]| match uids {
        [only] => format!("node {only}"),
        several => format!("nodes {}", several.join(", ")),
    };
    told.into_iter().map(|(layer, uids)| (layer, named(&uids))).collect()
}

#[cfg(test)]
mod tests {
    use proto::Layer;

    use super::*;
    use crate::cli::render::sample;

    #[test]
    fn what_several_nodes_say_alike_is_one_line() {
        let mut nodes = sample::run().nodes;
        let verified = Authenticity::new(Layer::Vendor, LayerVerdict::Verified, "a.deb: signed by X");
        let unsigned = Authenticity::new(Layer::Vendor, LayerVerdict::Failed, "b.deb: \u{1b}[2J");
        for node in &mut nodes {
            node.authenticity = vec![verified.clone()];
        }
        nodes[0].authenticity.push(unsigned);
        let text = authenticity(&nodes);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains("nodes ") && text.contains("vendor's signature: verified (a.deb"), "{text}");
        assert!(text.contains("node 1: vendor's signature: failed") && !text.contains("\u{1b}[2J"), "{text}");
    }
}
