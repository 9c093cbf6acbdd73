//! Who made a package, layer by layer: each is told on its own, so that nobody takes one for all.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What one layer says of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authenticity {
    /// Which layer.
    pub layer: Layer,
    /// What it says.
    pub verdict: LayerVerdict,
    /// Of which file, by which key, why not; for people.
    pub detail: String,
}

/// The layers by which a package is known (fact sheet §1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The archive's SHA-256 against the plan's.
    Sha256,
    /// The fleet owner's signature over the catalogue of packages.
    Owner,
    /// The vendor's signature of a package inside the archive.
    Vendor,
    /// The version that a package inside the archive says of itself: no signature covers the archive's name.
    Version,
}

/// What a layer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerVerdict {
    /// It was checked and is right.
    Verified,
    /// The node's configuration does not ask for it.
    NotAsked,
    /// It could not be checked.
    NotChecked,
    /// It was checked and is wrong, or what it needs is not there.
    Failed,
}

impl Authenticity {
    /// What a layer says.
    pub fn new(layer: Layer, verdict: LayerVerdict, detail: impl Into<String>) -> Self {
        Self { layer, verdict, detail: detail.into() }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "SHA-256",
            Self::Owner => "owner's signature",
            Self::Vendor => "vendor's signature",
            Self::Version => "version inside",
        })
    }
}

impl fmt::Display for LayerVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verified => "verified",
            Self::NotAsked => "not asked for",
            Self::NotChecked => "not checked",
            Self::Failed => "failed",
        })
    }
}

impl fmt::Display for Authenticity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.layer, self.verdict, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StepReport;

    #[test]
    fn a_report_of_before_there_were_layers_is_read_and_written_the_same() {
        let before = r#"{"unpack":{"files":3,"size":10}}"#;
        let report: StepReport = serde_json::from_str(before).unwrap();
        assert_eq!(report, StepReport::Unpack { files: 3, size: 10, authenticity: Vec::new() });
        assert_eq!(serde_json::to_string(&report).unwrap(), before);
        let told = Authenticity::new(Layer::Vendor, LayerVerdict::NotChecked, "x");
        let text = serde_json::to_string(&told).unwrap();
        assert_eq!(text, r#"{"layer":"vendor","verdict":"not_checked","detail":"x"}"#);
        assert_eq!(told.to_string(), "vendor's signature: not checked (x)");
    }
}
